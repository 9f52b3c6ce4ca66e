"""Tells a CodeDeploy deployment that waits: ContinueDeployment, or StopDeployment with rollback.

The role needs codedeploy:ContinueDeployment and codedeploy:StopDeployment, and
codedeploy:GetDeployment to see what stands when somebody was before us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.plugins.aws_process import CallError
from greenroom.plugins.reporting import ALREADY_COMPLETED, Answer, Told
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_waiters import ReadyWaitEvent

CONTINUE = "ContinueDeployment"
STOP = "StopDeployment"

_OVER = frozenset(
    {
        "DeploymentAlreadyCompletedException",
        "DeploymentIsNotInReadyStateException",
        "InvalidDeploymentStatusException",
    }
)
_STANDS = {
    "InProgress": CONTINUE,
    "Baking": CONTINUE,
    "Succeeded": CONTINUE,
    "Stopped": STOP,
    "Failed": STOP,
}


class ReadyWaitReporter:
    """Lets one waiting deployment go on, or takes it back."""

    def __init__(self, event: ReadyWaitEvent, aws: Aws) -> None:
        self._event = event
        self._aws = aws

    def report(self, answer: Answer, *, until: float) -> Told:
        """Continue or stop by ``until`` (monotonic).

        Raises `ServiceError` where CodeDeploy refuses, or where the deployment went the other way.
        """
        action = CONTINUE if answer.succeeded else STOP
        try:
            self._act(action, until)
        except CallError as error:
            if error.code not in _OVER:
                raise
            self._insist_on_what_stands(action, error, until)
            return Told("CodeDeploy", action, ALREADY_COMPLETED)
        return Told("CodeDeploy", action)

    def _act(self, action: str, until: float) -> None:
        members: dict[str, Any] = {"deploymentId": self._event.deployment}
        if action == CONTINUE:
            members["deploymentWaitType"] = self._event.wait.value
            self._aws.insist("codedeploy", "continue_deployment", members, until=until)
        else:
            members["autoRollbackEnabled"] = True
            self._aws.insist("codedeploy", "stop_deployment", members, until=until)

    def _insist_on_what_stands(self, action: str, refusal: CallError, until: float) -> None:
        """Raise unless the deployment, which waits no longer, went where ``action`` would lead."""
        named = {"deploymentId": self._event.deployment}
        try:
            told = self._aws.call("codedeploy", "get_deployment", named, until=until)
        except CallError as error:
            raise refusal from error
        status = str(told.get("deploymentInfo", {}).get("status", "unknown"))
        if _STANDS.get(status) != action:
            raise ServiceError(
                f"{action} of {self._event.deployment} came too late: it is {status}",
                hint="somebody else, or the deployment's own wait time, was before this gate",
            ) from refusal
