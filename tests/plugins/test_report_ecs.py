"""ECS' lifecycle hook is told by the function's answer; what it gives back is ours, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from greenroom.plugins.hook_events import EcsEvent
from greenroom.plugins.report_ecs import EcsReporter, call_back, state_of
from greenroom.plugins.reporting import ANSWERED, Answer, Told
from greenroom.validators.errors import SettingsError
from tests.support.waiting import DO_NOT_SHIP, SHIP, UNDECIDED, soon

EVENT = EcsEvent("e-1", "POST_TEST_TRAFFIC_SHIFT", "arn:deployment")
CONFIGURED = replace(EVENT, details={"bucket": "b"})


@pytest.mark.parametrize(
    ("answer", "status"),
    [(SHIP, "SUCCEEDED"), (DO_NOT_SHIP, "FAILED"), (UNDECIDED, "FAILED")],
    ids=["ship", "do-not-ship", "undecided"],
)
def test_only_ship_succeeds(answer: Answer, status: str) -> None:
    told = EcsReporter(EVENT).report(answer, until=soon())
    assert told == Told("ECS", status, ANSWERED, {"hookStatus": status})


def test_the_services_own_details_go_back_without_our_state() -> None:
    before = call_back(CONFIGURED, {"part": 1}, delay_s=30)
    again = replace(EVENT, details=before["hookDetails"])
    payload = EcsReporter(again).report(SHIP, until=soon()).payload
    assert payload == {"hookStatus": "SUCCEEDED", "hookDetails": {"bucket": "b"}}


def test_what_was_kept_comes_back_to_the_same_stage_of_the_same_deployment() -> None:
    answer = call_back(CONFIGURED, {"part": 1}, delay_s=45)
    assert (answer["hookStatus"], answer["callBackDelay"]) == ("IN_PROGRESS", 45)
    assert answer["hookDetails"]["bucket"] == "b"
    again = replace(EVENT, details=answer["hookDetails"])
    assert state_of(again) == {"part": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"stage": "POST_PRODUCTION_TRAFFIC_SHIFT"},
        {"deployment": "arn:another"},
    ],
    ids=["stage", "deployment"],
)
def test_the_state_of_another_is_none(other: dict[str, Any]) -> None:
    kept = call_back(EVENT, {"part": 1}, delay_s=30)["hookDetails"]
    assert state_of(replace(EVENT, details=kept, **other)) is None


def test_the_first_invocation_has_no_state() -> None:
    assert state_of(CONFIGURED) is None


@pytest.mark.parametrize(
    "broken",
    ["text", 7, [], {}, {"state": "text"}, {"deployment": "d", "stage": "s", "state": None}],
    ids=["text", "number", "list", "empty", "no-object", "null"],
)
def test_a_broken_state_is_an_error_not_a_fresh_start(broken: object) -> None:
    with pytest.raises(SettingsError, match="not what this hook left") as refused:
        state_of(replace(EVENT, details={"greenroom": broken}))
    assert "service definition" in refused.value.hint
