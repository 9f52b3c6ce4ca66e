"""Hook events, as CodeDeploy and ECS send them."""

from __future__ import annotations

from typing import Any

import pytest

from greenroom.plugins.hook_events import CodeDeployEvent, EcsEvent, is_ecs, parse_event
from greenroom.plugins.report_ecs import answer
from greenroom.validators.errors import SettingsError

NEW = "arn:aws:ecs:eu-west-1:1:service-revision/c/s/2"
OLD = "arn:aws:ecs:eu-west-1:1:service-revision/c/s/1"
DETAILS = {"serviceArn": "arn:service", "targetServiceRevisionArn": NEW}
NESTED = {
    "executionId": "e-2",
    "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
    "resourceArn": "arn:deployment",
    "executionDetails": DETAILS,
    "hookDetails": {"asked": 1},
}
FLAT = {key: value for key, value in NESTED.items() if key != "executionDetails"} | DETAILS


def test_a_codedeploy_event_has_two_ids() -> None:
    event = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1", "Combined": "x"}
    assert parse_event(event) == CodeDeployEvent("d-1", "e-1")


@pytest.mark.parametrize("event", [NESTED, FLAT], ids=["nested", "flat"])
def test_both_shapes_of_an_ecs_event_say_the_same(event: dict[str, Any]) -> None:
    parsed = parse_event(event)
    assert parsed == EcsEvent(
        execution_id="e-2",
        stage="POST_TEST_TRAFFIC_SHIFT",
        deployment="arn:deployment",
        service="arn:service",
        revision=NEW,
        rollback=False,
    )
    assert parsed.release["service-revision"] == NEW


@pytest.mark.parametrize(
    ("stage", "weights", "rollback"),
    [
        ("PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 100, NEW: 0}}, True),
        ("PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 100}}, False),
        ("PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 90, NEW: 10}}, False),
        ("PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 0, NEW: 100}}, False),
        ("TEST_TRAFFIC_SHIFT", {"testTrafficWeights": {OLD: 100, NEW: 0}}, True),
        ("PRE_PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 100, NEW: 0}}, False),
        ("TEST_TRAFFIC_SHIFT", {"testTrafficWeights": {OLD: 50, NEW: 0}}, False),
        ("TEST_TRAFFIC_SHIFT", {}, False),
    ],
    ids=[
        "back",
        "target-not-named",
        "canary",
        "forward",
        "test-back",
        "before-the-shift",
        "nobody-has-all",
        "no-weights",
    ],
)
def test_a_rollback_takes_all_traffic_from_the_target(
    stage: str, weights: dict[str, Any], *, rollback: bool
) -> None:
    event = NESTED | {"lifecycleStage": stage, "executionDetails": DETAILS | weights}
    parsed = parse_event(event)
    assert isinstance(parsed, EcsEvent)
    assert parsed.rollback is rollback


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("text", "a str"),
        ({}, "nothing in it"),
        ({"Records": []}, "an object with 'Records'"),
        ({"DeploymentId": "d-1"}, "no LifecycleEventHookExecutionId: None"),
        ({"DeploymentId": 7, "LifecycleEventHookExecutionId": "e"}, "no DeploymentId: 7"),
        ({"executionDetails": DETAILS}, "no lifecycleStage: None"),
    ],
    ids=["text", "empty", "another-service", "half", "number", "no-stage"],
)
def test_anything_else_is_refused_with_what_was_seen(event: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        parse_event(event)
    assert refused.value.hint


def test_an_ecs_event_is_known_by_any_of_its_keys() -> None:
    assert is_ecs({"serviceArn": "s"})
    assert not is_ecs({"DeploymentId": "d-1"})
    assert not is_ecs(["lifecycleStage"])


def test_ecs_understands_two_words() -> None:
    assert answer(succeeded=True) == {"hookStatus": "SUCCEEDED"}
    assert answer(succeeded=False) == {"hookStatus": "FAILED"}
