from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from greenroom.rehearsal.lifecycle import (
    Creator,
    ErrorCode,
    EventRecord,
    EventStatus,
    Failure,
    HookAnswer,
    Lifecycle,
    Rollback,
    Snapshot,
    Status,
    TrafficPoint,
)
from greenroom.rehearsal.load import Requests
from greenroom.rehearsal.timeline import judge, timeline
from greenroom.validators.finding import Rule
from greenroom.validators.vocabulary import Outcome

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = Requests(total=100, failed=0, original=40, replacement=60, replacement_before_gate=0)
DEPLOYED = Snapshot(
    deployment_id="d-123456789",
    status=Status.SUCCEEDED,
    config_name="CodeDeployDefault.ECSAllAtOnce",
    description="",
    creator=Creator.USER,
    auto_rollback=frozenset(),
    revision="",
    created=BEGAN,
    started=BEGAN,
    completed=BEGAN,
    events=(
        EventRecord(
            Lifecycle.INSTALL,
            EventStatus.SUCCEEDED,
            BEGAN + timedelta(minutes=1),
            BEGAN + timedelta(minutes=2),
        ),
        EventRecord(Lifecycle.AFTER_INSTALL),
    ),
    traffic=(TrafficPoint(BEGAN + timedelta(minutes=3), 100),),
    answers=(HookAnswer(Lifecycle.AFTER_INSTALL, BEGAN + timedelta(minutes=2), succeeded=False),),
    error=None,
    rollback=None,
    settled=True,
)
ALARM = Failure(ErrorCode.ALARM_ACTIVE, "The alarm a is active.")
STOPPED = replace(
    DEPLOYED, status=Status.STOPPED, error=ALARM, rollback=Rollback("", deployment_id="d-2")
)


def at_60(moment: datetime) -> datetime:
    return BEGAN + (moment - BEGAN) / 60


@pytest.mark.parametrize(
    ("snapshot", "requests", "outcome", "seen"),
    [
        pytest.param(STOPPED, GOOD, Outcome.FAILED, "Stopped, rolled back", id="stopped"),
        pytest.param(
            DEPLOYED, replace(GOOD, failed=1), Outcome.FAILED, "failed production", id="one-failed"
        ),
        pytest.param(
            DEPLOYED,
            replace(GOOD, replacement_before_gate=1),
            Outcome.FAILED,
            "before the gate 1",
            id="before-the-gate",
        ),
        pytest.param(
            DEPLOYED,
            replace(GOOD, replacement=0),
            Outcome.FAILED,
            "replacement 0",
            id="not-reached",
        ),
        pytest.param(DEPLOYED, Requests(), Outcome.FAILED, "replacement 0", id="no-requests"),
        pytest.param(DEPLOYED, GOOD, Outcome.PASSED, "Succeeded", id="deployed"),
    ],
)
def test_a_deployment_passes_only_on_production_requests(
    snapshot: Snapshot, requests: Requests, outcome: Outcome, seen: str
) -> None:
    finding = judge(snapshot, requests, at="2026-01-01T00:00:00+00:00")
    assert finding.outcome is outcome
    assert seen in finding.seen
    assert finding.evidence[0].amount == requests.total


@pytest.mark.parametrize(
    ("snapshot", "met", "outcome", "seen"),
    [
        pytest.param(DEPLOYED, None, Outcome.ERROR, "no data", id="never-decided"),
        pytest.param(DEPLOYED, False, Outcome.FAILED, "no data", id="fired"),
        pytest.param(STOPPED, None, Outcome.FAILED, "Stopped, rolled back", id="rolled-back-early"),
        pytest.param(DEPLOYED, True, Outcome.PASSED, "no data", id="quiet"),
    ],
)
def test_a_deployment_passes_only_if_each_alarm_could_decide(
    snapshot: Snapshot, outcome: Outcome, seen: str, *, met: bool | None
) -> None:
    alarm = Rule("alarm a", "never > 5 %", "no data", met)
    finding = judge(snapshot, GOOD, [alarm], at="2026-01-01T00:00:00+00:00")
    assert finding.outcome is outcome
    assert seen in finding.seen
    assert alarm in finding.rules
    assert ("[load] rate" in finding.advice) is (outcome is Outcome.ERROR)


def test_the_timeline_gives_real_times_from_the_deployments_creation() -> None:
    story = timeline(STOPPED, GOOD, [], revision="v2", real=at_60)
    assert [(each["name"], each["start_s"], each["end_s"]) for each in story["events"]] == [
        ("Install", 1.0, 2.0)
    ]
    assert story["traffic"] == [{"at_s": 3.0, "replacement": 100}]
    assert story["error"] == {"code": "ALARM_ACTIVE", "message": "The alarm a is active."}
    assert (story["status"], story["rolled_back"]) == ("Stopped", True)


def test_a_hook_has_the_answer_it_gave_and_a_silent_one_has_none() -> None:
    hooks = [{"event": "AfterInstall"}, {"event": "AfterAllowTraffic"}]
    said, silent = timeline(DEPLOYED, GOOD, hooks, revision="v2", real=at_60)["hooks"]
    assert said["answer"] == {"status": "Failed", "at": "2026-01-01T00:00:02+00:00"}
    assert silent["answer"] is None
