from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greenroom.validators.errors import ToolError
from greenroom.validators.vocabulary import Outcome
from tests.support.static import FILES, at, found, sarif, wrote

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.validators.finding import Finding


def shell(root: Path, script: str, **more: object) -> Finding:
    """Run a shell script as the tool; it writes SARIF unless ``more`` says otherwise."""
    (root / "tool").write_text(sarif())
    evidence = {"evidence": {"files": ["tool"]}}
    node = {"command": ["sh", "-c", script], "format": "sarif"} | evidence | more
    return found(root, json.dumps(node))


@pytest.mark.parametrize(
    ("script", "more", "why"),
    [
        pytest.param("exit 3", {}, "sh failed: exit status 3", id="other-status"),
        pytest.param("kill -9 $$", {}, "sh failed: signal 9", id="killed"),
        pytest.param("true", {}, "sh: the tool's output is empty", id="silent"),
        pytest.param("cat tool; exit 1", {}, "reports no result, but exit", id="no-result"),
        pytest.param("true", {"output": "a"}, "did not write its output file", id="no-file"),
        pytest.param("true", {"output": "tool"}, "from an earlier run", id="stale"),
        pytest.param("cat tool", {"most": "20B"}, "more than 20 bytes", id="large"),
        pytest.param(
            "cp tool new", {"output": "new", "most": "20B"}, "more than 20 bytes", id="large-file"
        ),
        pytest.param(": > tool", {"output": "tool"}, "output is empty", id="emptied"),
        pytest.param("true {output}", {}, "did not write its output file", id="placeholder"),
    ],
)
def test_what_proves_nothing_is_an_error(
    script: str, more: dict[str, object], why: str, tmp_path: Path
) -> None:
    with pytest.raises(ToolError, match=why):
        shell(tmp_path, script, **more)


@pytest.mark.parametrize(
    ("script", "more"),
    [
        pytest.param("cat tool", {}, id="standard-output"),
        pytest.param("cp tool {output}", {}, id="fresh-file"),
        pytest.param("cp tool new", {"output": "new"}, id="new-file"),
        pytest.param("cat tool; exit 9", {"ok": [9]}, id="other-ok"),
    ],
)
def test_a_clean_run_passes_on_evidence(
    script: str, more: dict[str, object], tmp_path: Path
) -> None:
    finding = shell(tmp_path, script, **more)
    assert (finding.outcome, str(finding.evidence[0])) == (Outcome.PASSED, "1 files (lint 1.2)")


def test_a_file_that_is_written_anew_is_read(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    finding = shell(tmp_path, "cp tool out", output="out")
    assert finding.outcome is Outcome.PASSED


def test_results_fail_by_any_status_that_is_allowed(tmp_path: Path) -> None:
    assert wrote(tmp_path, sarif(at("a"))).outcome is Outcome.FAILED


def test_a_tool_sees_only_the_variables_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUFF_SELECT", "none")
    monkeypatch.setenv("TOKEN_NAME", "given")
    script = 'test -z "$RUFF_SELECT" && test "$TOKEN_NAME" = given && cat tool'
    assert shell(tmp_path, script, environment=["TOKEN_NAME"]).outcome is Outcome.PASSED


def test_a_command_may_be_a_file_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "lint").write_text(f"#!/bin/sh\ncat <<'E'\n{sarif()}\nE\n")
    (tmp_path / "lint").chmod(0o755)
    node = {"command": ["./lint"], "format": "sarif"} | FILES
    assert found(tmp_path, json.dumps(node)).outcome is Outcome.PASSED


JSON_LINE = '{"rule": "R7", "text": "wrong", "path": "a.py", "row": 3, "how": "info"}\n'
KEYS = {"id": "rule", "message": "text", "file": "path", "line": "row", "level": "how"}


def test_json_lines_are_results(tmp_path: Path) -> None:
    more = {"format": "json-lines", "results": "$[*]", "fields": KEYS}
    finding = wrote(tmp_path, JSON_LINE * 2, **more)
    assert [str(one) for one in finding.results] == ["low R7 in a.py:3: wrong"] * 2


def test_a_result_of_few_words_is_an_error_of_the_code(tmp_path: Path) -> None:
    finding = wrote(tmp_path, '{"all": [{}]}', format="json", results="$.all[*]")
    assert [str(one) for one in finding.results] == ["high unnamed: no message"]


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ('{"all": [1]}', "a result of cat is no object: '1'"),
        ("7", "neither a JSON object nor a list"),
    ],
)
def test_json_of_another_shape_is_refused(output: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=why):
        wrote(tmp_path, output, format="json", results="$.all[*]")


@pytest.mark.parametrize(
    ("evidence", "amount"),
    [
        pytest.param({"json": "$.pages"}, 12, id="number"),
        pytest.param({"json": "$.files[*]"}, 2, id="how-many"),
        pytest.param({"json": "$.files[*]", "least": 3}, 0, id="too-few"),
        pytest.param({"json": "$.none"}, 0, id="none"),
        pytest.param({"json": "$.minus"}, 0, id="below-zero"),
        pytest.param({"json": "$.flag"}, 1, id="no-number"),
        pytest.param({"json": "$.files"}, 2, id="a-list-counts-its-members"),
        pytest.param({"json": "$.all"}, 0, id="an-empty-list"),
        pytest.param({"json": "$.off"}, 0, id="false"),
        pytest.param({"json": "$.nil"}, 0, id="null"),
        pytest.param({"json": "$.word"}, 0, id="a-number-in-quotes"),
        pytest.param({"files": ["*.py", "a.*"]}, 1, id="files"),
    ],
)
def test_evidence(evidence: dict[str, object], amount: int, tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    values = {"pages": 12, "files": ["a", "b"], "minus": -2, "flag": True, "all": []}
    output = json.dumps(values | {"off": False, "nil": None, "word": "0"})
    finding = wrote(tmp_path, output, format="json", results="$.all[*]", evidence=evidence)
    assert finding.evidence[0].amount == amount
    assert finding.outcome is (Outcome.PASSED if amount else Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        pytest.param("$.isues[*]", "'isues'", id="misspelt"),
        pytest.param("$.files[*].vulns[*]", "'vulns'", id="in-none-of-them"),
        pytest.param("$.files[0].a['b', 'c']", "'b' or 'c'", id="one-of-two"),
        pytest.param("$.issues[*]", None, id="empty"),
        pytest.param("$.none[*]", None, id="null"),
        pytest.param("$.files[?@.bad]", None, id="none-is-bad"),
        pytest.param("$.issues[*].vulns[*]", None, id="of-none"),
        pytest.param("$..vulns[*]", None, id="anywhere"),
    ],
)
def test_results_are_looked_for_under_a_key_that_is_there(
    query: str, missing: str | None, tmp_path: Path
) -> None:
    output = '{"files": [{"a": {}}], "issues": [], "none": null}'
    more = {"format": "json", "results": query, "evidence": {"json": "$.files"}}
    if missing is None:
        assert wrote(tmp_path, output, **more).outcome is Outcome.PASSED
        return
    with pytest.raises(ToolError, match=f"has no {missing}, where the query"):
        wrote(tmp_path, output, **more)


def test_a_log_of_100_mb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="more than 67,108,864 bytes"):
        shell(tmp_path, "truncate -s 100M {output}")
