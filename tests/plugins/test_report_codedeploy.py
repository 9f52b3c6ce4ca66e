"""CodeDeploy's lifecycle event hook is told, whatever the way to it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.hook_events import CodeDeployEvent
from greenroom.plugins.report_codedeploy import CodeDeployReporter
from greenroom.plugins.reporting import ACCEPTED, ALREADY_COMPLETED, Told
from greenroom.validators.errors import ServiceError
from tests.support.aws import After, Fault, Refusal, Unheard
from tests.support.waiting import DO_NOT_SHIP, SHIP, UNDECIDED, soon

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.reporting import Answer
    from tests.support.aws import AwsEndpoint, Step

PUT = "codedeploy.PutLifecycleEventHookExecutionStatus"
EVENT = CodeDeployEvent("d-TEST", "e-1")
TAKEN = {"lifecycleEventHookExecutionId": "e-1"}
COMPLETED = Refusal("LifecycleEventAlreadyCompletedException")


@pytest.mark.parametrize(
    ("answer", "status"),
    [(SHIP, "Succeeded"), (DO_NOT_SHIP, "Failed"), (UNDECIDED, "Failed")],
    ids=["ship", "do-not-ship", "undecided"],
)
def test_only_ship_is_a_success(
    aws: Aws, service: AwsEndpoint, answer: Answer, status: str
) -> None:
    service.answer({PUT: TAKEN})
    told = CodeDeployReporter(EVENT, aws).report(answer, until=soon())
    assert told == Told("CodeDeploy", status, ACCEPTED)
    assert service.accepted(PUT) == [
        {"deploymentId": "d-TEST", "lifecycleEventHookExecutionId": "e-1", "status": status}
    ]


@pytest.mark.parametrize(
    ("script", "calls", "result"),
    [
        ([Fault.THROTTLE, Fault.THROTTLE, TAKEN], 3, ACCEPTED),
        ([Fault.FAIL, TAKEN], 2, ACCEPTED),
        ([Fault.RESET, TAKEN], 2, ACCEPTED),
        ([Fault.SILENT, TAKEN], 2, ACCEPTED),
        ([Fault.DENY, TAKEN], 2, ACCEPTED),
        ([Fault.GARBAGE, TAKEN], 2, ACCEPTED),
        ([After(0.2, TAKEN)], 1, ACCEPTED),
        ([COMPLETED], 1, ALREADY_COMPLETED),
        ([Unheard(Fault.RESET, TAKEN), COMPLETED], 2, ALREADY_COMPLETED),
    ],
    ids=[
        "throttled",
        "500",
        "reset",
        "silent",
        "permission-lag",
        "a-proxy's-page",
        "slow",
        "already-completed",
        "our-answer-was-lost",
    ],
)
def test_the_report_gets_through(
    aws: Aws, service: AwsEndpoint, script: list[Step], calls: int, result: str
) -> None:
    service.answer({PUT: script})
    told = CodeDeployReporter(EVENT, aws).report(DO_NOT_SHIP, until=soon())
    assert told == Told("CodeDeploy", "Failed", result)
    assert [call["status"] for call in service.of(PUT)] == ["Failed"] * calls


@pytest.mark.parametrize(
    ("step", "least", "hint"),
    [
        (
            Refusal("InvalidLifecycleEventHookExecutionIdException"),
            1,
            "check the ids",
        ),
        (Fault.DENY, 2, "allow codedeploy:PutLifecycleEventHookExecutionStatus"),
        (Fault.THROTTLE, 2, "throttling"),
        (Fault.FAIL, 2, "the service failed"),
        (Fault.RESET, 2, "could not be reached"),
        (Fault.SILENT, 1, "network"),
        (Fault.DRIP, 1, "check network"),
        (Fault.GARBAGE, 2, "a proxy"),
    ],
    ids=lambda value: str(getattr(value, "code", value)),
)
def test_what_does_not_get_through_is_explained_within_the_time(
    aws: Aws, service: AwsEndpoint, step: Step, least: int, hint: str
) -> None:
    reporter = CodeDeployReporter(EVENT, aws)
    service.answer({PUT: TAKEN})
    reporter.report(SHIP, until=soon())  # the process that calls has started
    service.answer({PUT: step})
    with pytest.raises(ServiceError) as refused:
        reporter.report(SHIP, until=soon(1.5))
    assert hint in refused.value.hint
    assert len(service.of(PUT)) >= least
