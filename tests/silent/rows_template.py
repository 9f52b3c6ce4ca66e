"""Silent passes of template tools: they say ok of what cannot be deployed, or of nothing.

cfn-lint takes a second a run: one row runs it, the others were recorded with cfn-lint 1.58.0.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_template import TemplateWork
from greenroom.plugins.workplace import Workplace
from greenroom.validators.template_rules import choose_rules
from tests.support.silent import SilentPass
from tests.support.templates import REPORTS, sam, service, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.validators.finding import Finding

_CFN_LINT = Path(sysconfig.get_path("scripts"), "cfn-lint")
_TOOL = "cfn-lint 1.58"
_FUNCTION = "Runtime: python3.13, Handler: a.b, CodeUri: s3://bucket/key"
_NAMED = "FunctionName: CodeDeployHook_check"
_ALARMED = "{Type: Canary10Percent5Minutes, Alarms: [errors]}"


_MISSPELT = spec("{AfterAllowTestTrafic: check}")
_TASK = """\
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {ContainerDefinitions: [{Name: api, Image: "registry.example/api:latest"}]}
"""


def _full(template: str) -> str:
    """Return a SAM template with what cfn-lint asks of functions."""
    with_bot = template.replace("AutoPublishAlias: live\n", f"AutoPublishAlias: live\n{_LINES}")
    return with_bot.replace("Properties: {FunctionName", f"Properties: {{{_FUNCTION}, FunctionName")


_LINES = "".join(f"      {part}\n" for part in _FUNCTION.split(", "))


def _cfn_lint(name: str) -> Callable[[Path], str]:
    def bare(folder: Path) -> str:
        ran = subprocess.run(
            [_CFN_LINT, "--format", "parseable", "--", name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return f"exit {ran.returncode}, {len(ran.stdout.splitlines())} results"

    return bare


def _recorded(words: str) -> Callable[[Path], str]:
    return lambda _: f"recorded: {words}"


def _ours(name: str, text: str | None) -> Callable[[Path], Finding]:
    def ours(folder: Path) -> Finding:
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
        work = TemplateWork((name,), choose_rules(), (), cfn_lint=False)
        return work.run(workplace(folder))

    return ours


def workplace(folder: Path) -> Workplace:
    """Return where a check works in a test."""
    return Workplace(
        root=folder,
        environ=os.environ,
        until=time.monotonic() + 60,
        cache=folder,
        redactor=Redactor(),
        today=date(2026, 11, 23),
    )


def _row(name: str, case: str, file: str, text: str, *, recorded: str = "") -> SilentPass:
    """Return a row; the tool is run in a folder of its own, with the same file."""

    def bare(folder: Path) -> str:
        (folder / file).write_text(text, encoding="utf-8")
        return _cfn_lint(file)(folder)

    return SilentPass(
        id=f"template-{name}",
        tool=_TOOL,
        case=case,
        bare=_recorded(recorded) if recorded else bare,
        ours=_ours(file, text),
    )


ROWS = (
    _row(
        "no-resources",
        "a template without resources",
        "template.yaml",
        "Resources: {}\n",
    ),
    _row(
        "hook-that-cannot-report",
        "a hook function whose role may not report to CodeDeploy",
        "template.yaml",
        _full(sam(preference=_ALARMED, hook=_NAMED)),
        recorded="exit 0, 0 results",
    ),
    _row(
        "hook-that-may-not-be-invoked",
        "a hook function whose name the default role may not invoke",
        "template.yaml",
        _full(sam(preference=_ALARMED, hook=f"FunctionName: check, {REPORTS}")),
        recorded="exit 0, 0 results",
    ),
    _row(
        "canary-without-alarms",
        "a canary that no alarm watches",
        "template.yaml",
        _full(sam(hook=f"{_NAMED}, {REPORTS}")),
        recorded="exit 0, 0 results",
    ),
    _row(
        "service-without-rollback",
        "an ECS service that nothing rolls back",
        "template.yaml",
        service("Strategy: ROLLING", "TaskDefinition: api:3,"),
        recorded="exit 0, 0 results",
    ),
    _row(
        "image-latest",
        "a task definition whose image has the tag latest",
        "template.yaml",
        _TASK,
        recorded="exit 0, 0 results",
    ),
    SilentPass(
        id="template-appspec-hook-misspelt",
        tool="a YAML parser",
        case="an AppSpec with a hook at an event that there is not",
        bare=lambda _: f"valid YAML of {len(YAML(typ='safe').load(_MISSPELT))} sections",
        ours=_ours("appspec.yaml", _MISSPELT),
    ),
    SilentPass(
        id="template-no-file",
        tool="shell loop over templates",
        case="a pattern that no file matches",
        bare=lambda folder: f"exit 0, {len(list(folder.glob('*.template.json')))} files",
        ours=_ours("*.template.json", None),
    ),
)
