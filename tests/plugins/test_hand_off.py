"""A gate that is handed off to a build: what is begun in which order, and who answers at last."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.aws_process import Aws, CallError
from greenroom.plugins.hand_off import (
    ANSWER_BY,
    BUILD_ID,
    DELIVERY,
    OWNER,
    HandedOff,
    Invitation,
    LongGate,
    back_up,
    build_ended,
    hand_off,
    poll,
    take_over,
)
from greenroom.plugins.hook_ledger import State
from greenroom.validators.errors import ServiceError, SettingsError
from tests.support.aws import AwsEndpoint, Fault, Refusal, Unheard
from tests.support.ledgers import SHIP, FakeClock, MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws import Script

SCHEDULE = "scheduler.CreateSchedule"
START = "codebuild.StartBuild"
BUILDS = "codebuild.BatchGetBuilds"
ARN = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
KEY = "e-1"
GATE = LongGate(
    key=KEY,
    delivery=EVENT,
    project="gates",
    function="arn:aws:lambda:us-east-1:123456789012:function:hook:live",
    role="arn:aws:iam::123456789012:role/back-up",
    answer_by=1_800_000_000,
)
HANDED = HandedOff("gates:1", GATE.answer_by)
SCHEDULED = {"ScheduleArn": ARN}
STARTED = {"build": {"id": "gates:1", "buildStatus": "IN_PROGRESS"}}
DONE: dict[str, Script] = {SCHEDULE: SCHEDULED, START: STARTED}


def soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


def claimed(lease_ends: float = 2000) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.claim(KEY, owner="function", lease_ends=lease_ends, until=0)
    return ledger


@contextmanager
def services(answers: dict[str, Script]) -> Iterator[tuple[Aws, AwsEndpoint]]:
    with AwsEndpoint(answers) as endpoint, Aws(endpoint.environment, patience_s=1) as aws:
        yield aws, endpoint


def test_the_back_up_comes_first_then_the_build_then_the_claim() -> None:
    ledger = claimed()
    with services(DONE) as (aws, endpoint):
        handed = hand_off(GATE, aws=aws, ledger=ledger, until=soon())
        assert [call.name for call in endpoint.calls] == [SCHEDULE, START]
    assert handed == HANDED
    claim = ledger.read(KEY, until=0)
    assert claim == (State.HELD, GATE.answer_by, None, GATE.owner)


def test_the_back_up_calls_this_function_once_at_the_hour_with_the_event() -> None:
    with services(DONE) as (aws, endpoint):
        hand_off(GATE, aws=aws, ledger=claimed(), until=soon())
        [schedule] = endpoint.of(SCHEDULE)
    target = schedule["Target"]
    assert schedule["ScheduleExpression"] == "at(2027-01-15T08:00:00)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert (target["Arn"], target["RoleArn"]) == (GATE.function, GATE.role)
    assert json.loads(target["Input"]) == {
        "greenroom": "back-up",
        "delivery": EVENT,
    }


def test_the_build_is_given_the_event_and_the_name_under_which_it_claims() -> None:
    with services(DONE) as (aws, endpoint):
        hand_off(GATE, aws=aws, ledger=claimed(), until=soon())
        [start] = endpoint.of(START)
    variables = {each["name"]: each["value"] for each in start["environmentVariablesOverride"]}
    invited = Invitation.from_environ(variables)
    assert (start["projectName"], len(start["idempotencyToken"])) == ("gates", 40)
    assert invited == Invitation(EVENT, GATE.owner, GATE.answer_by)


def test_a_start_that_was_not_heard_is_repeated_in_the_same_words() -> None:
    answers: dict[str, Script] = {
        SCHEDULE: [Unheard(Fault.RESET, SCHEDULED), Refusal("ConflictException")],
        START: [Unheard(Fault.RESET, STARTED), STARTED],
    }
    with services(answers) as (aws, endpoint):
        hand_off(GATE, aws=aws, ledger=claimed(), until=soon())
        first, second = endpoint.of(START)
        assert len(endpoint.of(SCHEDULE)) == 2
    assert first == second


def test_a_start_is_repeated_only_while_its_token_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    times: dict[str, float] = {}
    with services(DONE) as (aws, _):
        insist = aws.insist

        def noting(service: str, operation: str, members: Any, *, until: float) -> dict[str, Any]:  # noqa: ANN401
            times[operation] = until - time.monotonic()
            return insist(service, operation, members, until=until)

        monkeypatch.setattr(aws, "insist", noting)
        hand_off(GATE, aws=aws, ledger=claimed(), until=soon(900))
    assert times["create_schedule"] > 800
    assert times["start_build"] <= 240


@pytest.mark.parametrize(
    ("answers", "begun"),
    [
        ({**DONE, SCHEDULE: Refusal("ValidationException")}, [SCHEDULE]),
        ({**DONE, START: Refusal("AccountLimitExceededException")}, [SCHEDULE, START]),
    ],
    ids=["no-back-up", "no-build"],
)
def test_what_cannot_be_begun_is_an_error_and_the_claim_stays(
    answers: dict[str, Script], begun: list[str]
) -> None:
    ledger = claimed()
    with services(answers) as (aws, endpoint):
        with pytest.raises(CallError):
            hand_off(GATE, aws=aws, ledger=ledger, until=soon())
        assert [call.name for call in endpoint.calls] == begun
    claim = ledger.read(KEY, until=0)
    assert claim is not None
    assert claim.owner == "function"


def test_a_claim_that_cannot_be_passed_on_is_an_error() -> None:
    ledger = claimed()
    ledger.entries.down = True
    with services(DONE) as (aws, _), pytest.raises(ServiceError, match="out of reach"):
        hand_off(GATE, aws=aws, ledger=ledger, until=soon())


@pytest.mark.parametrize(
    ("gate", "with_ledger", "hint"),
    [
        (GATE, False, "hook.ledger"),
        (replace(GATE, role=""), True, "hook.back_up_role"),
        (replace(GATE, delivery={"hookDetails": "x" * 5000}), True, "keep hookDetails"),
    ],
    ids=["no-ledger", "no-role", "event-too-long"],
)
def test_nothing_is_begun_with_settings_that_leave_a_hole(
    gate: LongGate,
    with_ledger: bool,  # noqa: FBT001 - a parameter of cases
    hint: str,
) -> None:
    ledger = claimed() if with_ledger else None
    with services(DONE) as (aws, endpoint):
        with pytest.raises(SettingsError) as caught:
            hand_off(gate, aws=aws, ledger=ledger, until=soon())
        assert endpoint.calls == []
    assert hint in caught.value.hint


def test_credentials_that_codepipeline_lends_stay_in_the_function() -> None:
    secret = {"secretAccessKey": "shh", "accessKeyId": "shh", "sessionToken": "shh"}
    data: dict[str, Any] = {"artifactCredentials": secret, "inputArtifacts": [{"name": "a"}]}
    gate = replace(GATE, delivery={"CodePipeline.job": {"id": "j-1", "data": data}})
    with services(DONE) as (aws, endpoint):
        hand_off(gate, aws=aws, ledger=claimed(), until=soon())
        sent = json.dumps([call.members for call in endpoint.calls])
    assert "shh" not in sent
    assert sent.count("inputArtifacts") == 2


INVITED = Invitation(EVENT, GATE.owner, GATE.answer_by)


def test_a_build_waits_until_the_claim_is_passed_on_to_it() -> None:
    ledger, clock = claimed(), FakeClock()
    clock.events[3] = lambda: ledger.hand_over(KEY, owner=GATE.owner, lease_ends=9e9, until=0)
    claim = take_over(ledger, KEY, INVITED, until=1060, clock=clock.clock)
    assert (claim.state, claim.until) == (State.MINE, GATE.answer_by)
    assert clock.slept == [1, 1, 1]


def test_a_build_that_is_run_again_does_not_run_the_suite_again() -> None:
    ledger, clock = claimed(), FakeClock()
    ledger.hand_over(KEY, owner=GATE.owner, lease_ends=9e9, until=0)
    states = [take_over(ledger, KEY, INVITED, until=1060, clock=clock.clock) for _ in range(2)]
    assert [claim.state for claim in states] == [State.MINE, State.HELD]
    assert clock.slept == []


@pytest.mark.parametrize(
    ("lease_ends", "until", "waited"), [(1010, 1060, 14), (2000, 1005, 5)], ids=["died", "time-up"]
)
def test_a_build_does_not_wait_for_ever(lease_ends: float, until: float, waited: int) -> None:
    ledger, clock = claimed(lease_ends), FakeClock()
    claim = take_over(ledger, KEY, INVITED, until=until, clock=clock.clock)
    assert claim.state is State.HELD
    assert len(clock.slept) == waited


def test_a_build_of_a_decided_execution_is_told_the_verdict() -> None:
    ledger = claimed()
    ledger.record(KEY, SHIP, until=0)
    assert take_over(ledger, KEY, INVITED, until=0).recorded == SHIP


def test_a_build_knows_its_own_id() -> None:
    environ = {DELIVERY: "{}", OWNER: "b", ANSWER_BY: "1", BUILD_ID: "gates:1"}
    assert Invitation.from_environ(environ) == Invitation({}, "b", 1, "gates:1")


def test_outside_a_build_there_is_no_invitation() -> None:
    assert Invitation.from_environ({}) is None


@pytest.mark.parametrize(
    "environ",
    [
        {DELIVERY: "{}"},
        {DELIVERY: "no json", OWNER: "b", ANSWER_BY: "1"},
        {DELIVERY: "1", OWNER: "b", ANSWER_BY: "1"},
        {DELIVERY: "{}", OWNER: "b", ANSWER_BY: "soon"},
        {DELIVERY: "{}", OWNER: "b", ANSWER_BY: "nan"},
        {DELIVERY: "{}", OWNER: "b", ANSWER_BY: "inf"},
    ],
    ids=["alone", "no-json", "no-object", "no-time", "nan", "inf"],
)
def test_half_an_invitation_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="not handed a gate"):
        Invitation.from_environ(environ)


def test_the_back_up_says_failed_if_nobody_answered_and_that_stands() -> None:
    ledger = claimed()
    failed = back_up(ledger, KEY, until=0)
    assert not failed.succeeded
    assert "nobody gave a verdict in time" in failed.reasons[0]
    assert ledger.record(KEY, SHIP, until=0) == failed


def test_the_back_up_repeats_the_verdict_that_was_given() -> None:
    ledger = claimed()
    ledger.record(KEY, SHIP, until=0)
    assert back_up(ledger, KEY, until=0) == SHIP


def test_the_back_up_says_failed_without_the_ledgers_word() -> None:
    ledger = claimed()
    ledger.entries.down = True
    assert not back_up(ledger, KEY, until=0).succeeded


@pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT", "FAULT", "SUCCEEDED"])
def test_a_build_that_ended_without_a_verdict_failed(status: str) -> None:
    failed = build_ended(claimed(), KEY, status, until=0)
    assert failed is not None
    assert failed.reasons == (f"the build ended ({status}) without a verdict",)


def test_a_build_that_ended_with_a_verdict_is_believed_whatever_its_status() -> None:
    ledger = claimed()
    ledger.record(KEY, SHIP, until=0)
    assert build_ended(ledger, KEY, "FAILED", until=0) == SHIP
    assert build_ended(ledger, KEY, "IN_PROGRESS", until=0) is None


def taken_over_by(build: str) -> MemoryLedger:
    """Return the ledger of a gate that was handed off to ``build``, until 2000."""
    ledger = claimed()
    ledger.hand_over(KEY, owner=GATE.owner, lease_ends=2000, until=0)
    take_over(ledger, KEY, replace(INVITED, answer_by=2000, build=build), until=0)
    return ledger


@pytest.mark.parametrize("ended", ["gates:2", "arn:aws:codebuild:us-east-1:1:build/gates:2"])
def test_the_end_of_a_build_that_came_too_late_is_not_the_end_of_the_gate(ended: str) -> None:
    ledger, clock = taken_over_by("gates:1"), FakeClock(2000).clock
    assert build_ended(ledger, KEY, "FAILED", until=0, build=ended, clock=clock) is None
    assert ledger.recorded(KEY, until=0) is None
    assert ledger.record(KEY, SHIP, until=0) == SHIP


@pytest.mark.parametrize(
    ("taken", "ended", "now"),
    [
        ("gates:1", "arn:aws:codebuild:us-east-1:1:build/gates:1", 1000),
        ("gates:1", "", 1000),
        ("", "gates:2", 1000),
        ("gates:1", "gates:2", 2004),
    ],
    ids=["that-very-build", "which-is-not-told", "taken-by-no-build", "lease-over"],
)
def test_the_end_of_the_build_that_has_the_gate_is_the_end_of_the_gate(
    taken: str, ended: str, now: float
) -> None:
    clock = FakeClock(now).clock
    failed = build_ended(taken_over_by(taken), KEY, "FAULT", until=0, build=ended, clock=clock)
    assert failed is not None
    assert failed.reasons == ("the build ended (FAULT) without a verdict",)


def test_the_verdict_of_another_build_is_told_at_the_end_of_any() -> None:
    ledger = taken_over_by("gates:1")
    ledger.record(KEY, SHIP, until=0)
    assert build_ended(ledger, KEY, "FAILED", until=0, build="gates:2") == SHIP


def test_a_build_counts_as_running_while_the_ledger_does_not_say_whose_the_gate_is() -> None:
    ledger = claimed()
    ledger.entries.down = True
    assert build_ended(ledger, KEY, "FAILED", until=0, build="gates:2") is None


def test_a_poll_goes_on_while_another_build_has_the_gate() -> None:
    assert polled(taken_over_by("gates:2"), builds("FAILED")) is None


def polled(ledger: MemoryLedger, answer: Script, *, now: float = 1000) -> Any:  # noqa: ANN401
    with services({BUILDS: answer}) as (aws, _):
        clock = FakeClock(now).clock
        return poll(HANDED, KEY, aws=aws, ledger=ledger, until=soon(), clock=clock)


def builds(status: str) -> dict[str, Any]:
    return {"builds": [{"id": "gates:1", "buildStatus": status}]}


def test_a_build_under_way_is_polled_again() -> None:
    assert polled(claimed(), builds("IN_PROGRESS")) is None


@pytest.mark.parametrize("fault", [Fault.DENY, Fault.THROTTLE, Fault.RESET])
def test_a_build_that_cannot_be_asked_for_counts_as_under_way(fault: Fault) -> None:
    assert polled(claimed(), fault) is None


def test_a_poll_ends_with_the_recorded_verdict() -> None:
    ledger = claimed()
    ledger.record(KEY, SHIP, until=0)
    assert polled(ledger, Fault.DENY) == SHIP


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (builds("SUCCEEDED"), "the build ended (SUCCEEDED)"),
        ({"builds": [], "buildsNotFound": ["gates:1"]}, "the build ended (NOT_FOUND)"),
    ],
    ids=["succeeded", "gone"],
)
def test_a_poll_ends_with_the_build(answer: Script, reason: str) -> None:
    assert reason in polled(claimed(), answer).reasons[0]


@pytest.mark.parametrize("down", [False, True], ids=["silent-build", "no-ledger"])
def test_a_poll_ends_when_the_time_is_up(down: bool) -> None:  # noqa: FBT001 - a parameter of cases
    ledger = claimed()
    ledger.entries.down = down
    assert not polled(ledger, builds("IN_PROGRESS"), now=GATE.answer_by).succeeded


def test_a_ledger_out_of_reach_is_polled_again() -> None:
    ledger = claimed()
    ledger.entries.down = True
    assert polled(ledger, builds("FAILED")) is None


def test_the_state_of_a_long_gate_comes_back_to_the_hook() -> None:
    assert HandedOff.from_state(HANDED.state) == HANDED
    with pytest.raises(SettingsError, match="no state of a long gate"):
        HandedOff.from_state({"build": "b", "answer_by": "soon"})
