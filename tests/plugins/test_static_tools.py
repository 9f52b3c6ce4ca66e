"""The tools of the table, each run for real once where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.static_run import observe_static
from greenroom.plugins.static_tools import KNOWN
from greenroom.validators.errors import SettingsError, ToolError
from greenroom.validators.vocabulary import Outcome
from tests.silent.rows_static import WORKFLOW
from tests.support.static import RECORDED, found, rooted, static, workplace

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.validators.static import StaticFacts

FILES = {
    "src/app.py": "import subprocess\n\n\ndef a(b: int) -> str:\n"
    "    subprocess.call('x', shell=True)\n    return b\n",
    "src/run.sh": "#!/bin/sh\nif [ $1 = a ]; then echo; fi\n",
    "Dockerfile": "FROM debian\n",
    ".github/workflows/ci.yml": WORKFLOW,
    "template.yaml": "Parameters:\n  Unused: {Type: String}\n"
    "Resources:\n  Bucket: {Type: 'AWS::S3::Bucket', Properties: {Nam: x}}\n",
    "node_modules/more.sh": "echo $1\n",
}
REPORTED = {
    "bandit": ("src/app.py:5:5", "B602"),
    "cfn-lint": ("template.yaml:4:50", "E3002"),
    "hadolint": ("Dockerfile:1:1", "DL3006"),
    "mypy": ("src/app.py:6:12", "return-value"),
    "ruff": ("src/app.py:5:5", "S602"),
    "shellcheck": ("src/run.sh:2:6", "SC2086"),
    "zizmor": (".github/workflows/ci.yml:2:1", "zizmor/dangerous-triggers"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "pyproject.toml").write_text("[tool.ruff.lint]\nselect = ['S602']\n")
    (root / "empty").mkdir()
    return root


@pytest.fixture(scope="module")
def facts(project: Path) -> dict[str, StaticFacts]:
    place = workplace(project, RUFF_OUTPUT_FORMAT="concise", MYPYPATH="/nowhere", ENV="1")
    return {tool: observe_static(static(tool).order, place) for tool in REPORTED}


@pytest.mark.parametrize("tool", REPORTED)
def test_a_tool_reports_where_and_what(tool: str, facts: dict[str, StaticFacts]) -> None:
    seen = {(str(result.location), result.id) for result in facts[tool].results}
    assert REPORTED[tool] in seen


@pytest.mark.parametrize("tool", REPORTED)
def test_a_tool_says_what_it_examined(tool: str, facts: dict[str, StaticFacts]) -> None:
    assert (facts[tool].examined, facts[tool].what) == (1, "files")
    assert facts[tool].version[0].isdigit()
    assert not facts[tool].problems


@pytest.mark.parametrize("tool", ["hadolint", "shellcheck", "ruff", "bandit", "cfn-lint"])
def test_nothing_to_examine_is_inconclusive(tool: str, project: Path) -> None:
    finding = found(project, f"{{tool: {tool}, paths: [empty]}}")
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.seen.startswith(f"{tool} examined 0 files")


@pytest.mark.parametrize(
    ("tool", "why"), [("mypy", "There are no .py"), ("zizmor", "no inputs collected")]
)
def test_a_tool_that_refuses_to_examine_nothing_failed(tool: str, why: str, project: Path) -> None:
    with pytest.raises(ToolError, match=f"{tool} failed: exit status [23]:(.|\n)*{why}"):
        found(project, f"{{tool: {tool}, paths: [empty]}}")


def test_a_path_that_does_not_exist_is_explained(project: Path) -> None:
    with pytest.raises(SettingsError, match="paths: missing does not exist"):
        found(project, "{tool: ruff, paths: [missing]}")


def test_a_pattern_may_match_nothing(project: Path) -> None:
    assert not found(project, "{tool: ruff, paths: ['lib/*.py']}").results


def test_paths_start_at_the_root_wherever_the_tool_works(project: Path) -> None:
    finding = found(project, "{tool: ruff, paths: ['src/*.py'], folder: empty}")
    assert [result.where for result in finding.results] == ["src/app.py:5:5"]


def test_a_clean_file_passes_on_evidence(project: Path) -> None:
    finding = found(project, "{tool: ruff, arguments: [--select, E]}")
    assert finding.outcome is Outcome.PASSED
    assert str(finding.evidence[0]).startswith("1 files (ruff ")


def test_a_file_that_ruff_cannot_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = '\xff'\n")
    finding = found(tmp_path, "ruff")
    assert (finding.outcome, "E902" in finding.seen) == (Outcome.ERROR, True)


@pytest.mark.parametrize("settings", ["ruff.toml", ".ruff.toml"])
def test_ruffs_own_settings_are_no_code(settings: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    (tmp_path / settings).write_text("exclude = ['*.py']\n")
    assert found(tmp_path, "ruff").outcome is Outcome.INCONCLUSIVE


def test_settings_without_a_rule_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    with pytest.raises(ToolError, match="ruff's settings select no rule"):
        found(tmp_path, "{tool: ruff, arguments: [--ignore, ALL]}")


def test_a_tool_that_is_missing_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    with pytest.raises(ToolError, match="cfn-guard is not installed") as caught:
        found(tmp_path, "cfn-guard", PATH="/nowhere")
    assert "cloudformation-guard" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "tool", "first", "examined"),
    [
        ("semgrep", "semgrep", "high shell-true in src/app.py:6:12: a shell runs it", 1),
        ("semgrep-nothing", "semgrep", "", 0),
        (
            "checkov",
            "checkov",
            "high CKV_AWS_53 in template.yaml:5: Ensure S3 bucket has block public ACLs enabled (",
            9,
        ),
        ("checkov-nothing", "checkov", "", 0),
        ("cfn-guard", "cfn-guard", "high BUCKET_NAMED in template.yaml:7:6: name the bucket: ", 1),
        ("cfn-guard-no-rules", "cfn-guard", "", 0),
    ],
)
def test_a_recorded_output(name: str, tool: str, first: str, examined: int, tmp_path: Path) -> None:
    data = (RECORDED / f"{name}.json").read_bytes()
    report = KNOWN[tool].read(data, rooted(tmp_path))
    assert "".join(map(str, report.results[:1])).startswith(first)
    assert (bool(report.results), report.examined) == (bool(first), examined)


@pytest.mark.parametrize(
    ("tool", "output", "why"),
    [
        ("semgrep", '{"results": [], "errors": []}', "no paths.scanned"),
        ("checkov", "{}", "no summary"),
        ("cfn-guard", "{}", "no list of templates"),
        ("cfn-lint", "null", "no list of matches"),
        ("shellcheck", "[]", "no comments"),
        ("mypy", "Success: no issues found\n", "does not say that it checked"),
        ("bandit", "{}", "not SARIF"),
    ],
)
def test_an_output_of_another_shape_is_refused(
    tool: str, output: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(ToolError, match=why):
        KNOWN[tool].read(output.encode(), rooted(tmp_path))


def test_what_semgrep_and_checkov_left_out_is_a_problem(tmp_path: Path) -> None:
    error = {"path": "a.py", "message": "timeout"}
    semgrep = f'{{"results": [], "errors": [{error}], "paths": {{"scanned": []}}}}'
    data = semgrep.replace("'", '"').encode()
    assert KNOWN["semgrep"].read(data, rooted(tmp_path)).problems == ("a.py: timeout",)
    checkov = b'{"results": {"parsing_errors": ["b.tf"]}, "summary": {"checkov_version": "3"}}'
    assert KNOWN["checkov"].read(checkov, rooted(tmp_path)).problems == ("b.tf: not parsed",)


def test_what_checkov_was_told_to_skip_is_waived(tmp_path: Path) -> None:
    check = '{"check_id": "C1", "check_result": {"suppress_comment": "public on purpose"}}'
    data = f'{{"results": {{"skipped_checks": [{check}]}}, "summary": {{"checkov_version": "3"}}}}'
    (result,) = KNOWN["checkov"].read(data.encode(), rooted(tmp_path)).results
    assert (result.state.value, result.why) == ("waived", "public on purpose")


def test_checkov_gets_each_path_by_its_kind(project: Path) -> None:
    placed = KNOWN["checkov"].placed(project, ["src", "template.yaml"])
    assert placed == ["--directory", "src", "--file", "template.yaml"]
    assert KNOWN["cfn-guard"].placed(project, ["a", "b"]) == ["--data", "a", "b"]
