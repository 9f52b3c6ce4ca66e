"""A paused ECS service deployment goes on or is rolled back; the action is always sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.hook_events import EcsPauseEvent
from greenroom.plugins.report_ecs_pause import EcsPauseReporter, identified
from greenroom.plugins.reporting import ACCEPTED, ALREADY_COMPLETED, Told
from greenroom.validators.errors import ServiceError
from tests.support.aws import Fault, Refusal, Unheard
from tests.support.waiting import DO_NOT_SHIP, SHIP, UNDECIDED, soon

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.reporting import Answer
    from tests.support.aws import AwsEndpoint, Step

ARN = "arn:aws:ecs:eu-west-1:1:service-deployment/c/s/d"
DESCRIBE = "ecs.DescribeServiceDeployments"
CONTINUE = "ecs.ContinueServiceDeployment"
TAKEN = {"serviceDeploymentArn": ARN}
OVER = Refusal("InvalidParameterException", "The hook is not awaiting an action")
NAMED = EcsPauseEvent(ARN, "h-1")


def pause(hook_id: str, status: str = "AWAITING_ACTION", **more: str) -> dict[str, Any]:
    return {"hookId": hook_id, "targetType": "PAUSE", "status": status, **more}


def deployment(*hooks: dict[str, Any], status: str = "IN_PROGRESS") -> dict[str, Any]:
    told = {"serviceDeploymentArn": ARN, "status": status, "lifecycleHookDetails": list(hooks)}
    return {"serviceDeployments": [{**told, "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT"}]}


@pytest.mark.parametrize(
    ("answer", "action"),
    [(SHIP, "CONTINUE"), (DO_NOT_SHIP, "ROLLBACK"), (UNDECIDED, "ROLLBACK")],
    ids=["ship", "do-not-ship", "undecided"],
)
def test_only_ship_continues(aws: Aws, service: AwsEndpoint, answer: Answer, action: str) -> None:
    service.answer({CONTINUE: [Fault.THROTTLE, Fault.DENY, Fault.GARBAGE, TAKEN]})
    told = EcsPauseReporter(NAMED, aws).report(answer, until=soon())
    assert told == Told("ECS", action, ACCEPTED)
    sent = {"serviceDeploymentArn": ARN, "hookId": "h-1", "action": action}
    assert service.of(CONTINUE) == [sent] * 4


def test_the_only_pause_that_waits_is_found(aws: Aws, service: AwsEndpoint) -> None:
    others = [pause("h-1", "SUCCEEDED"), {**pause("h-3"), "targetType": "AWS_LAMBDA"}]
    service.answer({DESCRIBE: deployment(*others, pause("h-2")), CONTINUE: TAKEN})
    event = identified(EcsPauseEvent(ARN), aws, until=soon())
    assert (event.execution_id, event.stage) == ("h-2", "POST_TEST_TRAFFIC_SHIFT")
    EcsPauseReporter(EcsPauseEvent(ARN), aws).report(SHIP, until=soon())
    assert service.accepted(CONTINUE)[0]["hookId"] == "h-2"


@pytest.mark.parametrize(
    ("described", "said"),
    [
        (deployment(pause("h-1"), pause("h-2")), "2 pauses of .* await an action: h-1, h-2"),
        (deployment(pause("h-1", "TIMED_OUT")), "has been decided, or has timed out"),
        (deployment(), "no pause of"),
        ({"serviceDeployments": []}, "ECS does not know"),
    ],
    ids=["several", "timed-out", "none", "unknown"],
)
def test_which_pause_is_meant_has_to_be_clear(
    aws: Aws, service: AwsEndpoint, described: Step, said: str
) -> None:
    service.answer({DESCRIBE: described, CONTINUE: TAKEN})
    with pytest.raises(ServiceError, match=said) as refused:
        EcsPauseReporter(EcsPauseEvent(ARN), aws).report(SHIP, until=soon())
    assert refused.value.hint
    assert service.of(CONTINUE) == []


@pytest.mark.parametrize(
    ("answer", "described"),
    [
        (SHIP, deployment(pause("h-1", "SUCCEEDED"))),
        (SHIP, deployment(pause("h-1", "TIMED_OUT", timeoutAction="CONTINUE"))),
        (SHIP, deployment(status="SUCCESSFUL")),
        (DO_NOT_SHIP, deployment(pause("h-1", "FAILED"))),
        (DO_NOT_SHIP, deployment(pause("h-1", "TIMED_OUT", timeoutAction="ROLLBACK"))),
        (DO_NOT_SHIP, deployment(status="ROLLBACK_IN_PROGRESS")),
    ],
    ids=[
        "continued",
        "timed-out-to-continue",
        "gone-and-went-on",
        "rolled-back",
        "timed-out-to-roll-back",
        "gone-and-rolls-back",
    ],
)
def test_the_same_answer_given_before_is_success(
    aws: Aws, service: AwsEndpoint, answer: Answer, described: Step
) -> None:
    service.answer({CONTINUE: [Unheard(Fault.RESET, TAKEN), OVER], DESCRIBE: described})
    told = EcsPauseReporter(NAMED, aws).report(answer, until=soon())
    assert told.result == ALREADY_COMPLETED


@pytest.mark.parametrize(
    ("answer", "described", "said"),
    [
        (SHIP, deployment(pause("h-1", "FAILED")), "CONTINUE .* was not taken: ROLLBACK"),
        (DO_NOT_SHIP, deployment(pause("h-1", "SUCCEEDED")), "was not taken: CONTINUE"),
        (SHIP, deployment(pause("h-1")), "it still waits"),
        (SHIP, deployment(pause("h-2")), "it still waits"),
        (SHIP, deployment(pause("h-0", "SUCCEEDED"), pause("h-2")), "it still waits"),
        (DO_NOT_SHIP, deployment(pause("h-2"), status="ROLLBACK_IN_PROGRESS"), "it still waits"),
        (SHIP, Fault.DENY, "InvalidParameterException"),
    ],
    ids=[
        "rolled-back-before",
        "continued-before",
        "refused-for-another-reason",
        "stale-id",
        "wrong-id",
        "another-waits",
        "hidden",
    ],
)
def test_the_other_way_is_an_error_that_says_what_stands(
    aws: Aws, service: AwsEndpoint, answer: Answer, described: Step, said: str
) -> None:
    service.answer({CONTINUE: OVER, DESCRIBE: described})
    with pytest.raises(ServiceError, match=said) as refused:
        EcsPauseReporter(NAMED, aws).report(answer, until=soon(3))
    assert refused.value.hint


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (Refusal("ServiceDeploymentNotFoundException"), "check the ids"),
        (Fault.DENY, "allow ecs:ContinueServiceDeployment"),
        (Fault.FAIL, "the service failed"),
    ],
    ids=["unknown", "denied-for-ever", "500-for-ever"],
)
def test_what_does_not_get_through_is_explained(
    aws: Aws, service: AwsEndpoint, step: Step, hint: str
) -> None:
    service.answer({CONTINUE: step})
    with pytest.raises(ServiceError) as refused:
        EcsPauseReporter(NAMED, aws).report(SHIP, until=soon(1.5))
    assert hint in refused.value.hint
