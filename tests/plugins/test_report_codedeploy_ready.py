"""A CodeDeploy deployment that waits is continued, or stopped and rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.hook_events import DeploymentWait, ReadyWaitEvent
from greenroom.plugins.report_codedeploy_ready import ReadyWaitReporter
from greenroom.plugins.reporting import ACCEPTED, ALREADY_COMPLETED, Told
from greenroom.validators.errors import ServiceError
from tests.support.aws import Fault, Refusal, Unheard
from tests.support.waiting import DO_NOT_SHIP, SHIP, UNDECIDED, soon

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.reporting import Answer
    from tests.support.aws import AwsEndpoint, Step

CONTINUE = "codedeploy.ContinueDeployment"
STOP = "codedeploy.StopDeployment"
GET = "codedeploy.GetDeployment"
READY = ReadyWaitEvent("d-1")
STOPPED = {"status": "Succeeded"}


def status(name: str) -> Step:
    return {"deploymentInfo": {"deploymentId": "d-1", "status": name}}


@pytest.mark.parametrize("wait", list(DeploymentWait))
def test_ship_continues_what_waits(aws: Aws, service: AwsEndpoint, wait: DeploymentWait) -> None:
    service.answer({CONTINUE: [Fault.THROTTLE, Fault.DENY, {}], STOP: STOPPED})
    told = ReadyWaitReporter(ReadyWaitEvent("d-1", wait), aws).report(SHIP, until=soon())
    assert told == Told("CodeDeploy", "ContinueDeployment", ACCEPTED)
    assert service.accepted(CONTINUE) == [{"deploymentId": "d-1", "deploymentWaitType": wait}]
    assert service.of(STOP) == []


@pytest.mark.parametrize("answer", [DO_NOT_SHIP, UNDECIDED], ids=["do-not-ship", "undecided"])
def test_anything_else_stops_it_and_asks_for_the_rollback(
    aws: Aws, service: AwsEndpoint, answer: Answer
) -> None:
    service.answer({STOP: [Fault.FAIL, Fault.RESET, STOPPED], CONTINUE: {}})
    told = ReadyWaitReporter(READY, aws).report(answer, until=soon())
    assert told == Told("CodeDeploy", "StopDeployment", ACCEPTED)
    assert service.accepted(STOP) == [{"deploymentId": "d-1", "autoRollbackEnabled": True}]
    assert service.of(CONTINUE) == []


@pytest.mark.parametrize(
    ("answer", "operation", "stands"),
    [
        (SHIP, CONTINUE, "InProgress"),
        (SHIP, CONTINUE, "Succeeded"),
        (DO_NOT_SHIP, STOP, "Stopped"),
        (DO_NOT_SHIP, STOP, "Failed"),
    ],
)
def test_the_same_answer_given_before_is_success(
    aws: Aws, service: AwsEndpoint, answer: Answer, operation: str, stands: str
) -> None:
    over = Refusal("DeploymentAlreadyCompletedException")
    service.answer({operation: over, GET: status(stands)})
    told = ReadyWaitReporter(READY, aws).report(answer, until=soon())
    assert told.result == ALREADY_COMPLETED


@pytest.mark.parametrize(
    ("answer", "operation", "stands"),
    [(SHIP, CONTINUE, "Stopped"), (SHIP, CONTINUE, "Ready"), (DO_NOT_SHIP, STOP, "Succeeded")],
    ids=["stopped-before", "still-ready", "deployed-before"],
)
def test_the_other_way_is_an_error_that_says_what_stands(
    aws: Aws, service: AwsEndpoint, answer: Answer, operation: str, stands: str
) -> None:
    over = Refusal("DeploymentAlreadyCompletedException")
    service.answer({operation: over, GET: status(stands)})
    with pytest.raises(ServiceError, match=f"came too late: it is {stands}") as refused:
        ReadyWaitReporter(READY, aws).report(answer, until=soon())
    assert refused.value.hint


def test_an_answer_that_was_lost_on_the_way_is_found_out(aws: Aws, service: AwsEndpoint) -> None:
    lost: list[Step] = [
        Unheard(Fault.RESET, {}),
        Refusal("DeploymentIsNotInReadyStateException"),
    ]
    service.answer({CONTINUE: lost, GET: status("InProgress")})
    told = ReadyWaitReporter(READY, aws).report(SHIP, until=soon())
    assert told == Told("CodeDeploy", "ContinueDeployment", ALREADY_COMPLETED)


def test_what_stands_may_be_hidden_and_then_the_refusal_is_told(
    aws: Aws, service: AwsEndpoint
) -> None:
    over = Refusal("DeploymentAlreadyCompletedException")
    service.answer({CONTINUE: over, GET: Fault.DENY})
    with pytest.raises(ServiceError, match="DeploymentAlreadyCompletedException"):
        ReadyWaitReporter(READY, aws).report(SHIP, until=soon())


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (Refusal("DeploymentDoesNotExistException"), "check the ids"),
        (Fault.DENY, "allow codedeploy:ContinueDeployment"),
        (Fault.FAIL, "the service failed"),
    ],
    ids=["unknown", "denied-for-ever", "500-for-ever"],
)
def test_what_does_not_get_through_is_explained(
    aws: Aws, service: AwsEndpoint, step: Step, hint: str
) -> None:
    service.answer({CONTINUE: step})
    with pytest.raises(ServiceError) as refused:
        ReadyWaitReporter(READY, aws).report(SHIP, until=soon(1.5))
    assert hint in refused.value.hint
