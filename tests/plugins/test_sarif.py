from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.fingerprints import with_fingerprints
from greenroom.plugins.sarif import read_sarif
from greenroom.validators.errors import ToolError
from greenroom.validators.result import Level, Severity, State
from tests.support.static import at, rooted, sarif

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.validators.result import Result

EMPTY_RUN = {"tool": {"driver": {"name": "lint"}}}
UNREADABLE = {
    "empty": (b"", "output is empty"),
    "blank": (b" \n", "output is empty"),
    "truncated": (sarif(at("a")).encode()[:-9], "not JSON, or cut short"),
    "not-utf-8": (b"\xff\xfe", "not UTF-8"),
    "too-deep": (b"[" * 100_000, "not JSON, or cut short"),
    "no-sarif": (b"{}", "not SARIF 2.1.0"),
    "an-array": (b"[]", "not SARIF 2.1.0"),
    "old-version": (b'{"version": "1.0.0", "runs": []}', "not SARIF 2.1.0"),
    "no-runs": (b'{"version": "2.1.0"}', "has no runs"),
    "runs-empty": (b'{"version": "2.1.0", "runs": []}', "holds no run"),
    "no-results": (json.dumps({"version": "2.1.0", "runs": [EMPTY_RUN]}).encode(), "no results"),
    "results-null": (sarif(results=None).encode(), "no results"),
    "results-in-another-file": (
        sarif(externalPropertyFileReferences={"results": [{"itemCount": 3}]}).encode(),
        "keeps results outside its runs",
    ),
    "results-beside-the-runs": (
        json.dumps(
            json.loads(sarif()) | {"inlineExternalProperties": [{"results": [{}]}]}
        ).encode(),
        "keeps results outside its runs",
    ),
    "result-no-object": (sarif(results=["a"]).encode(), "a result that is no object"),
    "unknown-level": (sarif(at("a", level="bad")).encode(), "does not know: 'bad'"),
}


@pytest.mark.parametrize(("data", "why"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_proves_no_run_is_refused(data: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=why):
        read_sarif(data, rooted(tmp_path))


def _one(root: Path, result: dict[str, Any], **run: object) -> Result:
    (read,) = read_sarif(sarif(result, **run).encode(), rooted(root)).results
    return read


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a\0b", id="nul"),
        pytest.param("a" * 5_000, id="too-long"),
        pytest.param("http://[", id="no-uri"),
        pytest.param("file:///%00", id="nul-encoded"),
        pytest.param("\ud800", id="half-a-character"),
    ],
)
def test_a_name_that_is_no_files_is_shown_all_the_same(name: str, tmp_path: Path) -> None:
    shown = _one(tmp_path, at(name))
    assert with_fingerprints([shown], tmp_path)[0].location
    assert str(shown).encode()


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"kind": ["pass"]}, id="kind"),
        pytest.param({"suppressions": [{"status": []}]}, id="suppression"),
        pytest.param({"message": {"text": "{" + "9" * 5_000 + "}", "arguments": ["a"]}}, id="hole"),
    ],
)
def test_a_part_of_another_type_hides_no_result(more: dict[str, Any], tmp_path: Path) -> None:
    assert _one(tmp_path, at("a") | more).id == "R1"


def test_a_rule_without_a_name_hides_no_result(tmp_path: Path) -> None:
    rules = {"driver": {"name": "lint", "rules": [{"id": ["R1"]}]}}
    assert _one(tmp_path, at("a"), tool=rules).level is Level.WARNING


def test_words_that_a_terminal_would_obey_are_disarmed(tmp_path: Path) -> None:
    said = {"message": {"text": "wrong\x1b[2J\r\nhere\ud800"}}
    assert _one(tmp_path, at("a") | said).message == "wrong\ufffd[2J\nhere\ufffd"


def _driver(**rule: object) -> dict[str, Any]:
    return {"driver": {"name": "lint", "rules": [{"id": "R0"}, {"id": "R1"} | rule]}}


@pytest.mark.parametrize(
    ("result", "rule", "level"),
    [
        pytest.param({"level": "note"}, {}, Level.NOTE, id="given"),
        pytest.param({"level": "none"}, {}, Level.NOTE, id="none"),
        pytest.param({}, {}, Level.WARNING, id="missing"),
        pytest.param(
            {}, {"defaultConfiguration": {"level": "error"}}, Level.ERROR, id="from-the-rule"
        ),
        pytest.param({"kind": "review"}, {}, Level.NOTE, id="for-review"),
    ],
)
def test_a_level(
    result: dict[str, Any], rule: dict[str, Any], level: Level, tmp_path: Path
) -> None:
    assert _one(tmp_path, at("a", **result), tool=_driver(**rule)).level is level


@pytest.mark.parametrize("kind", ["pass", "notApplicable", "informational"])
def test_a_kind_that_reports_nothing_is_no_result(kind: str, tmp_path: Path) -> None:
    assert not read_sarif(sarif(at("a", kind=kind)).encode(), rooted(tmp_path)).results


def test_a_result_that_is_absent_now_does_not_count(tmp_path: Path) -> None:
    data = sarif(at("a", baselineState="absent")).encode()
    assert not read_sarif(data, rooted(tmp_path)).results


@pytest.mark.parametrize("score", ["9.8", 9.8], ids=["text", "number"])
def test_a_security_severity_beats_the_level(score: object, tmp_path: Path) -> None:
    properties = {"security-severity": score}
    read = _one(tmp_path, at("a", level="note"), tool=_driver(properties=properties))
    assert (read.severity, read.score, read.level) == (Severity.CRITICAL, 9.8, Level.NOTE)


@pytest.mark.parametrize("score", ["high", "nan", None])
def test_a_security_severity_that_is_no_number_is_no_rating(score: object, tmp_path: Path) -> None:
    read = _one(tmp_path, at("a", properties={"security-severity": score}))
    assert (read.severity, read.score) == (Severity.MEDIUM, None)


@pytest.mark.parametrize(
    ("suppressions", "state"),
    [
        pytest.param([], State.OPEN, id="none"),
        pytest.param([{"kind": "inSource"}], State.WAIVED, id="in-source"),
        pytest.param([{"kind": "external", "status": "underReview"}], State.OPEN, id="in-review"),
        pytest.param([{"kind": "external", "status": "rejected"}], State.OPEN, id="rejected"),
    ],
)
def test_a_suppression(suppressions: list[Any], state: State, tmp_path: Path) -> None:
    assert _one(tmp_path, at("a", suppressions=suppressions)).state is state


def test_a_suppression_says_why(tmp_path: Path) -> None:
    given = [{"kind": "external", "justification": "a false alarm"}]
    assert _one(tmp_path, at("a", suppressions=given)).why == "a false alarm"


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"ruleId": "R1"}, id="ruleId"),
        pytest.param({"rule": {"id": "R1"}}, id="rule-id"),
        pytest.param({"ruleIndex": 1}, id="ruleIndex"),
        pytest.param({"rule": {"index": 1}}, id="rule-index"),
        pytest.param({"ruleId": "R1/sub"}, id="hierarchical"),
        pytest.param({"ruleIndex": 99, "ruleId": "R1"}, id="wrong-index"),
    ],
)
def test_a_rule_is_found(result: dict[str, Any], tmp_path: Path) -> None:
    read = _one(tmp_path, result, tool=_driver(helpUri="https://rules.example/R1"))
    assert (read.id[:2], read.link) == ("R1", "https://rules.example/R1")


@pytest.mark.parametrize("component", [{"index": 0}, {"name": "more"}])
def test_a_rule_of_an_extension_is_found(component: dict[str, Any], tmp_path: Path) -> None:
    tool = _driver() | {"extensions": [{"name": "more", "rules": [{"id": "X7"}]}]}
    rule = {"index": 0, "toolComponent": component}
    assert _one(tmp_path, {"rule": rule}, tool=tool).id == "X7"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        pytest.param({"text": "as it is {0}"}, "as it is {0}", id="text"),
        pytest.param({"id": "m", "arguments": ["x"]}, "no x here {1}", id="of-the-rule"),
        pytest.param({}, "short", id="described"),
    ],
)
def test_a_message(message: dict[str, Any], said: str, tmp_path: Path) -> None:
    rule = {
        "messageStrings": {"m": {"text": "no {0} here {1}"}},
        "shortDescription": {"text": "short"},
    }
    result = {"ruleId": "R1", "message": message}
    assert _one(tmp_path, result, tool=_driver(**rule)).message == said


@pytest.mark.parametrize(
    "odd",
    [
        {"kind": ["pass"]},
        {"suppressions": [{"status": ["rejected"]}]},
        {"message": {"text": "{%s}" % ("9" * 5000), "arguments": ["a"]}},
    ],
    ids=["kind", "status", "placeholder"],
)
def test_what_is_of_another_kind_than_sarif_says_hides_no_result(
    odd: dict[str, Any], tmp_path: Path
) -> None:
    assert _one(tmp_path, odd).id == "unnamed"


def test_a_result_without_words_rule_or_place_counts(tmp_path: Path) -> None:
    read = _one(tmp_path, {})
    assert (read.id, read.message, read.location) == ("unnamed", "no message", None)


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        pytest.param("src/a%20b.py", "src/a b.py", id="encoded"),
        pytest.param("./src/../src/c.py", "src/c.py", id="dotted"),
        pytest.param("{root}/src/c.py", "src/c.py", id="absolute"),
        pytest.param("file://{root}/src/a%20b.py", "src/a b.py", id="file-uri"),
        pytest.param("file:///etc/hosts", "/etc/hosts", id="outside"),
        pytest.param("https://host.example/a.py", "https://host.example/a.py", id="web"),
        pytest.param("file://[x", "file://[x", id="no-address"),
        pytest.param("a\0b", "a\ufffdb", id="null"),
        pytest.param("a" * 5000, "a" * 5000, id="too-long"),
    ],
)
def test_a_place_is_relative_to_the_root_if_it_can_be_one(
    uri: str, file: str, tmp_path: Path
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a b.py").touch()
    location = _one(tmp_path, at(uri.format(root=tmp_path))).location
    assert location is not None
    assert location.file == file


def test_a_base_is_followed(tmp_path: Path) -> None:
    bases = {"SRC": {"uri": "src/", "uriBaseId": "ROOT"}, "ROOT": {"uri": f"file://{tmp_path}/"}}
    result = at("a.py")
    result["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] = "SRC"
    location = _one(tmp_path, result, originalUriBaseIds=bases).location
    assert str(location) == "src/a.py:1"


def test_a_place_may_be_an_index(tmp_path: Path) -> None:
    result = at("")
    result["locations"][0]["physicalLocation"]["artifactLocation"] = {"index": 0}
    location = _one(tmp_path, result, artifacts=[{"location": {"uri": "b.py"}}]).location
    assert str(location) == "b.py:1"


def test_every_run_counts(tmp_path: Path) -> None:
    log = json.loads(sarif(at("a")))
    log["runs"] += json.loads(sarif(at("b"), at("c")))["runs"]
    report = read_sarif(json.dumps(log).encode(), rooted(tmp_path))
    assert [str(one.location) for one in report.results] == ["a:1", "b:1", "c:1"]
    assert (report.tool, report.version) == ("lint", "1.2")


@pytest.mark.parametrize(
    ("invocation", "problem"),
    [
        ({"executionSuccessful": False}, "lint says that it did not succeed"),
        (
            {"toolExecutionNotifications": [{"level": "error", "message": {"text": "crash"}}]},
            "crash",
        ),
        ({"toolConfigurationNotifications": [at("a") | {"level": "error"}]}, "a:1: wrong"),
    ],
    ids=["unsuccessful", "execution", "configuration"],
)
def test_what_a_tool_could_not_do_is_a_problem(
    invocation: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    data = sarif(invocations=[invocation]).encode()
    assert read_sarif(data, rooted(tmp_path)).problems == (problem,)


def test_a_warning_of_the_tool_is_no_problem(tmp_path: Path) -> None:
    invocation = {"toolExecutionNotifications": [{"level": "warning", "message": {"text": "old"}}]}
    assert not read_sarif(sarif(invocations=[invocation]).encode(), rooted(tmp_path)).problems
