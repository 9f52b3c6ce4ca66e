"""A CodeDeploy endpoint that takes the reports of lifecycle event hooks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from tests.support.aws import AwsEndpoint, Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.aws import Json, Script, Step

PUT = "codedeploy.PutLifecycleEventHookExecutionStatus"


class Answer(StrEnum):
    """What the endpoint does with one report."""

    ACCEPT = "accept"
    THROTTLE = "throttle"
    ALREADY_COMPLETED = "already completed"
    DENY = "deny"
    UNKNOWN_ID = "unknown id"
    FAIL = "500"
    SILENT = "silent"
    DRIP = "drip"
    RESET = "reset"


def _accept(report: Json) -> Json:
    return {"lifecycleEventHookExecutionId": report["lifecycleEventHookExecutionId"]}


_STEPS: dict[Answer, Step] = {
    Answer.ACCEPT: _accept,
    Answer.THROTTLE: Fault.THROTTLE,
    Answer.ALREADY_COMPLETED: Refusal(
        "LifecycleEventAlreadyCompletedException", "The lifecycle event has already completed"
    ),
    Answer.DENY: Fault.DENY,
    Answer.UNKNOWN_ID: Refusal(
        "InvalidLifecycleEventHookExecutionIdException", "The execution id is not valid"
    ),
    Answer.FAIL: Fault.FAIL,
    Answer.SILENT: Fault.SILENT,
    Answer.DRIP: Fault.DRIP,
    Answer.RESET: Fault.RESET,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One PutLifecycleEventHookExecutionStatus; ``at`` is in monotonic seconds."""

    deployment_id: str
    execution_id: str
    status: str
    answer: Answer
    at: float


class CodeDeployEndpoint:
    """``script`` gives the answers to reports in turn; its last one goes on for ever.

    ``others`` are answers of further operations, as `AwsEndpoint` takes them.
    """

    def __init__(self, *script: Answer, others: Mapping[str, Script] | None = None) -> None:
        self._script = script or (Answer.ACCEPT,)
        put = [_STEPS[answer] for answer in self._script]
        self.aws = AwsEndpoint({PUT: put, **(others or {})})

    @property
    def url(self) -> str:
        """The value for AWS_ENDPOINT_URL_CODEDEPLOY."""
        return self.aws.url

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs in order to come here for CodeDeploy."""
        given = self.aws.environment
        return {"AWS_ENDPOINT_URL_CODEDEPLOY": given.pop("AWS_ENDPOINT_URL"), **given}

    @property
    def calls(self) -> list[Call]:
        """All reports, in order."""
        put = [call for call in self.aws.calls if call.name == PUT]
        last = len(self._script) - 1
        return [
            Call(
                deployment_id=call.members["deploymentId"],
                execution_id=call.members["lifecycleEventHookExecutionId"],
                status=call.members["status"],
                answer=self._script[min(number, last)],
                at=call.at,
            )
            for number, call in enumerate(put)
        ]

    @property
    def accepted(self) -> list[str]:
        """The statuses that were accepted, in order."""
        return [call.status for call in self.calls if call.answer is Answer.ACCEPT]

    def __enter__(self) -> Self:
        self.aws.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.aws.__exit__(*error)
