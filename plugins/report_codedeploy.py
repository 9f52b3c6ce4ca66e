"""Tells CodeDeploy's lifecycle event hook: Succeeded or Failed, once, before a deadline.

The role needs codedeploy:PutLifecycleEventHookExecutionStatus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.acknowledged import acknowledged
from greenroom.plugins.aws_process import CallError
from greenroom.plugins.reporting import ALREADY_COMPLETED, Answer, Told

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_waiters import CodeDeployEvent

_PUT = ("codedeploy", "put_lifecycle_event_hook_execution_status")
_ID = "lifecycleEventHookExecutionId"


class CodeDeployReporter:
    """Answers for one hook execution.

    ``result`` is `ALREADY_COMPLETED` where CodeDeploy has an answer already: ours, if the answer to
    an earlier try was lost, somebody else's, or its own after the hour. CodeDeploy does not say
    which; `greenroom.plugins.deployment_facts.status_of` asks it what it holds of a named event.
    """

    def __init__(self, event: CodeDeployEvent, aws: Aws) -> None:
        self._event = event
        self._aws = aws

    def report(self, answer: Answer, *, until: float) -> Told:
        """Report by ``until`` (monotonic); raises `ServiceError` if it was not taken."""
        status = "Succeeded" if answer.succeeded else "Failed"
        members = {
            "deploymentId": self._event.deployment,
            _ID: self._event.execution_id,
            "status": status,
        }
        try:
            acknowledged(self._aws, _PUT, members, by=_ID, until=until)
        except CallError as error:
            if error.code != "LifecycleEventAlreadyCompletedException":
                raise
            return Told("CodeDeploy", status, ALREADY_COMPLETED)
        return Told("CodeDeploy", status)
