"""What tools of static analysis call a success having examined nothing."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.silent import SilentPass
from tests.support.static import RECORDED, found, sarif, wrote

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.validators.finding import Finding

WORKFLOW = """name: ci
on: pull_request_target
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.event.pull_request.title }}
"""


BROKEN = "on: ["


def _status(folder: Path, *command: str) -> str:
    program = Path(sysconfig.get_path("scripts"), command[0])
    ran = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, check=False)
    return f"exit {ran.returncode}"


def _ruff(folder: Path) -> str:
    _no_file(folder)
    return _status(folder, "ruff", "check", ".")


def _no_file(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")


def _no_rule(folder: Path) -> None:
    (folder / "ruff.toml").write_text("[lint]\nselect = []\n")
    (folder / "a.py").write_text("import os\n")


def _ruff_no_rule(folder: Path) -> str:
    _no_rule(folder)
    return _status(folder, "ruff", "check", ".")


def _bandit_missing(folder: Path) -> str:
    return _status(folder, "bandit", "-r", "missing")


def _unparsable(folder: Path) -> None:
    (folder / "a.py").write_text("def (:\n")


def _bandit_broken(folder: Path) -> str:
    _unparsable(folder)
    return _status(folder, "bandit", "-r", ".")


def _workflows(folder: Path, *others: str) -> None:
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    for number, text in enumerate((WORKFLOW, *others)):
        (workflows / f"{number}.yml").write_text(text)


def _zizmor(folder: Path, *others: str) -> str:
    _workflows(folder, *others)
    return _status(folder, "zizmor", "--format", "sarif", ".")


def _zizmor_results(folder: Path) -> str:
    return f"{_zizmor(folder)}, results in its SARIF"


def _zizmor_broken(folder: Path) -> str:
    return f"{_zizmor(folder, BROKEN)}, a warning among its words"


def _hadolint(folder: Path) -> str:
    said = _status(folder, "hadolint", "--no-fail", "--format", "sarif", "missing")
    return f"{said} and an empty output, as for results"


def _hadolint_ours(folder: Path) -> Finding:
    node = {"command": ["hadolint", "--format", "sarif", "missing"], "format": "sarif"}
    return found(folder, json.dumps(node | {"evidence": {"files": ["*"]}}))


def _tool(
    node: str, prepare: Callable[[Path], None] = lambda _folder: None
) -> Callable[[Path], Finding]:
    """Check by ``node`` what the bare tool was given, too: ``prepare`` writes it."""

    def ours(folder: Path) -> Finding:
        prepare(folder)
        return found(folder, node)

    return ours


def _recorded(name: str, **more: object) -> Callable[[Path], Finding]:
    data = RECORDED / f"{name}.json"
    return lambda folder: wrote(folder, data.read_bytes(), format="json", **more)


def _wrote(output: str | bytes) -> Callable[[Path], Finding]:
    return lambda folder: wrote(folder, output)


def _naive(output: str) -> Callable[[Path], str]:
    """Count results as many readers do."""
    runs = json.loads(output)["runs"]
    count = sum(len(run.get("results") or ()) for run in runs)
    return lambda _folder: f"{count} results"


def _said(words: str) -> Callable[[Path], str]:
    return lambda _folder: words


def _stale(folder: Path) -> Finding:
    (folder / "old.sarif").write_text(sarif())
    node = {"command": ["true"], "format": "sarif", "output": "old.sarif"}
    return found(folder, json.dumps(node | {"evidence": {"files": ["*"]}}))


CRASH = {"level": "error", "message": {"text": "the analyser crashed"}}
NO_RUN = '{"version": "2.1.0", "runs": []}'
NULL = sarif(results=None)
NOTIFIED = sarif(invocations=[{"toolExecutionNotifications": [CRASH]}])

ROWS = (
    SilentPass(
        "ruff-no-file", "ruff", "a folder with no Python file", _ruff, _tool("ruff", _no_file)
    ),
    SilentPass(
        "ruff-no-rule", "ruff", "settings without a rule", _ruff_no_rule, _tool("ruff", _no_rule)
    ),
    SilentPass(
        "bandit-missing-folder",
        "bandit",
        "a folder that does not exist",
        _bandit_missing,
        _tool("{tool: bandit, paths: [missing]}"),
    ),
    SilentPass(
        "bandit-unparsable",
        "bandit",
        "a file that cannot be parsed",
        _bandit_broken,
        _tool("bandit", _unparsable),
    ),
    SilentPass(
        "zizmor-sarif", "zizmor", "results, in SARIF", _zizmor_results, _tool("zizmor", _workflows)
    ),
    SilentPass(
        "zizmor-broken",
        "zizmor",
        "one workflow of two unreadable",
        _zizmor_broken,
        _tool("zizmor", lambda folder: _workflows(folder, BROKEN)),
    ),
    SilentPass(
        "hadolint-missing", "hadolint", "a file that does not exist", _hadolint, _hadolint_ours
    ),
    SilentPass(
        "semgrep-without-error",
        "semgrep 1.182",
        "results, without --error",
        _said("recorded: exit 0, 1 finding"),
        _recorded(
            "semgrep",
            results="$.results[*]",
            fields={"id": "check_id", "file": "path"},
            evidence={"json": "$.paths.scanned[*]"},
        ),
    ),
    SilentPass(
        "semgrep-nothing",
        "semgrep 1.182",
        "a folder without files",
        _said("recorded: exit 0, Scan completed successfully"),
        _recorded(
            "semgrep-nothing", results="$.results[*]", evidence={"json": "$.paths.scanned[*]"}
        ),
    ),
    SilentPass(
        "checkov-nothing",
        "checkov 3.3",
        "an empty folder",
        _said("recorded: exit 0, failed 0"),
        _recorded(
            "checkov-nothing", results="$.results.failed_checks[*]", evidence={"json": "$.passed"}
        ),
    ),
    SilentPass(
        "cfn-guard-no-rules",
        "cfn-guard 3.1",
        "a folder without rules",
        _said("recorded: exit 0, status SKIP"),
        _recorded(
            "cfn-guard-no-rules",
            results="$[*].not_compliant[*].Rule",
            evidence={"json": '$[?@.status == "PASS" || @.status == "FAIL"]'},
        ),
    ),
    SilentPass(
        "pip-audit-skipped",
        "pip-audit 2.10",
        "a dependency that it does not know",
        _said("recorded: exit 0, No known vulnerabilities found"),
        _recorded(
            "pip-audit-skipped",
            results="$.dependencies[*].vulns[*]",
            evidence={
                "json": "$.dependencies[?@.version]",
                "skipped": "$.dependencies[?@.skip_reason]",
                "what": "dependencies",
            },
        ),
    ),
    SilentPass(
        "sslyze-down",
        "sslyze 6.3",
        "the server is down",
        _said("documented: exit 0"),
        _recorded(
            "sslyze-down",
            results="$.issues[*]",
            evidence={
                "json": '$.server_scan_results[?@.scan_status == "COMPLETED"]',
                "what": "servers",
            },
        ),
    ),
    SilentPass(
        "wapiti-down",
        "wapiti 3.2",
        "the server is down",
        _said("documented: exit 0, no vulnerabilities"),
        _recorded(
            "wapiti-down",
            results="$.vulnerabilities[*][*]",
            evidence={"json": "$.infos.crawled_pages_nbr", "what": "pages"},
        ),
    ),
    SilentPass(
        "sarif-no-run",
        "any SARIF reader",
        "runs is empty",
        _naive(NO_RUN),
        _wrote(NO_RUN),
    ),
    SilentPass(
        "sarif-results-null",
        "any SARIF reader",
        "results is null: the tool did not run",
        _naive(NULL),
        _wrote(NULL),
    ),
    SilentPass(
        "sarif-notification",
        "any SARIF reader",
        "the tool notes an error of its own",
        _naive(NOTIFIED),
        _wrote(NOTIFIED),
    ),
    SilentPass(
        "sarif-truncated",
        "any SARIF reader",
        "the file is cut short",
        _said("exit 0: the file is there"),
        _wrote(sarif()[:-3]),
    ),
    SilentPass(
        "sarif-stale",
        "any SARIF reader",
        "the file is from an earlier run",
        _naive(sarif()),
        _stale,
    ),
    SilentPass(
        "sarif-nothing-examined",
        "any SARIF reader",
        "no result, of no file",
        _naive(sarif()),
        lambda folder: wrote(folder, sarif(), evidence={"files": ["src/**/*.py"]}),
    ),
)
