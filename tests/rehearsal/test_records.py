from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenroom.rehearsal.records import (
    HookRun,
    Took,
    collect,
    deployment_check,
    joined,
    read_record,
    relative,
    remove_empty,
)
from greenroom.validators.errors import ToolError
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.record import RunRecord
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from pathlib import Path

TOOK = Took("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:09+00:00", 9.0)
STORY: dict[str, Any] = {"revision": "v2", "hooks": [], "events": []}


def finding(*, met: bool = True) -> Finding:
    evidence = Evidence("production requests", 5, "greenroom", "1", TOOK.finished)
    return Finding.judged((Rule("deployment", "Succeeded", "?", met),), (evidence,))


def shipping(**changes: Any) -> RunRecord:  # noqa: ANN401 - a record's own fields
    checks = (deployment_check(finding(), 1.0),)
    return RunRecord("r", TOOK.started, Expected(), checks=checks, complete=True, **changes)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "it left none", id="absent"),
        pytest.param("{", "run.json: the run record is not JSON", id="cut-short"),
        pytest.param('{"schema": "other"}', "run.json: not a run record", id="other"),
    ],
)
def test_a_record_that_cannot_be_read_never_ships(
    tmp_path: Path, content: str | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    record = read_record(tmp_path / "run.json", "it left none")
    assert record.verdict is Verdict.COULD_NOT_DECIDE
    assert problem in record.problems[0]
    both = joined({"artifact": shipping(), "hook": record}, None, STORY, TOOK)
    assert both.verdict is Verdict.COULD_NOT_DECIDE


@pytest.mark.parametrize(
    ("met", "verdict"), [(True, Verdict.SHIP), (False, Verdict.DO_NOT_SHIP)], ids=["met", "missed"]
)
def test_the_deployment_is_a_blocking_check_of_the_joined_record(
    *, met: bool, verdict: Verdict
) -> None:
    check = deployment_check(finding(met=met), 1.0)
    record = joined({"artifact": shipping()}, check, STORY, TOOK)
    assert record.verdict is verdict
    assert RunRecord.loads(record.dumps()).verdict is verdict


def test_the_joined_record_speaks_of_the_whole_rehearsal() -> None:
    release = {"image": "i", "event": "AfterInstall"}
    parts = {"artifact": shipping(release=release, environment={"root": "/app", "pytest": "9"})}
    record = joined(parts, None, STORY, TOOK)
    assert (record.started, record.finished, record.duration_s) == (
        TOOK.started,
        TOOK.finished,
        9.0,
    )
    assert record.release == {"image": "i"}
    assert record.environment["command"] == "greenroom rehearse /app --revision v2"
    assert record.environment["pytest"] == "9"


def test_documents_that_cannot_be_moved_are_an_error_of_their_own(tmp_path: Path) -> None:
    left = tmp_path / "executions" / "opaque"
    left.mkdir(parents=True)
    (tmp_path / "hooks").touch()
    with pytest.raises(ToolError, match="cannot be moved") as caught:
        collect([("AfterInstall", left)], tmp_path / "hooks")
    assert "leave the report's folder alone" in caught.value.hint


def test_documents_get_the_name_of_their_lifecycle_event(tmp_path: Path) -> None:
    left = tmp_path / "executions" / "f" / "opaque"
    left.mkdir(parents=True)
    (left / "run.json").write_text(shipping().dumps())
    executions = [("AfterInstall", left), ("AfterAllowTraffic", tmp_path / "never")]
    with_report, without = collect(executions, tmp_path / "hooks")
    assert with_report == HookRun("AfterInstall", tmp_path / "hooks" / "AfterInstall")
    assert without.to_json() == {"event": "AfterAllowTraffic", "verdict": None, "report": None}
    story = relative({"hooks": [with_report.to_json(), without.to_json()]}, tmp_path)
    assert [hook["report"] for hook in story["hooks"]] == ["hooks/AfterInstall/report.html", None]
    assert story["hooks"][0]["verdict"] == "ship"


def test_only_empty_folders_are_removed(tmp_path: Path) -> None:
    (tmp_path / "executions" / "f" / "empty").mkdir(parents=True)
    kept = tmp_path / "executions" / "g" / "kept"
    kept.parent.mkdir()
    kept.touch()
    remove_empty(tmp_path / "executions")
    assert [path.name for path in (tmp_path / "executions").iterdir()] == ["g"]
    kept.unlink()
    remove_empty(tmp_path / "executions")
    assert list(tmp_path.iterdir()) == []


SAID = {"status": "Succeeded", "at": "2026-01-01T00:00:01"}


@pytest.mark.parametrize(
    ("answer", "reported"),
    [
        pytest.param(None, SAID | {"to": "CodeDeploy (AfterInstall)"}, id="silent"),
        pytest.param(
            {"status": "Failed", "at": TOOK.finished},
            {"to": "CodeDeploy (AfterAllowTestTraffic)", "status": "Failed", "at": TOOK.finished},
            id="answered",
        ),
    ],
)
def test_reported_is_the_last_answer_that_a_hook_really_gave(
    answer: dict[str, str] | None, reported: dict[str, str]
) -> None:
    first = {"event": "AfterInstall", "answer": SAID}
    story = STORY | {"hooks": [first, {"event": "AfterAllowTestTraffic", "answer": answer}]}
    assert joined({"artifact": shipping()}, None, story, TOOK).reported == reported


def test_nothing_was_reported_where_no_hook_answered() -> None:
    failed = {"name": "AfterInstall", "status": "Failed", "end": TOOK.finished}
    story = STORY | {"hooks": [{"event": "AfterInstall", "answer": None}], "events": [failed]}
    assert joined({"artifact": shipping()}, None, story, TOOK).reported is None
