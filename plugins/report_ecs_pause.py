"""Tells a paused ECS service deployment: ContinueServiceDeployment with CONTINUE or ROLLBACK.

The action is always sent: the API's own default is CONTINUE. The role needs
ecs:ContinueServiceDeployment and ecs:DescribeServiceDeployments.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.acknowledged import acknowledged
from greenroom.plugins.aws_process import CallError
from greenroom.plugins.deployment_facts import described
from greenroom.plugins.reporting import ALREADY_COMPLETED, Answer, Told
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_waiters import EcsPauseEvent

CONTINUE = "CONTINUE"
ROLLBACK = "ROLLBACK"

_CONTINUE = ("ecs", "continue_service_deployment")
_WAITS = "AWAITING_ACTION"
_STANDS = {"SUCCEEDED": CONTINUE, "FAILED": ROLLBACK}
_TAKEN_BACK = ("ROLLBACK", "STOP")
_OVER = frozenset({"InvalidParameterException", "ClientException"})
"""How ECS refuses to continue what does not wait; its model has no error for just that."""


class EcsPauseReporter:
    """Lets one paused deployment go on, or rolls it back."""

    def __init__(self, event: EcsPauseEvent, aws: Aws) -> None:
        self._event = event
        self._aws = aws

    def report(self, answer: Answer, *, until: float) -> Told:
        """Continue or roll back by ``until`` (monotonic).

        Raises `ServiceError` where ECS refuses, or where the pause ended the other way.
        """
        action = CONTINUE if answer.succeeded else ROLLBACK
        event = identified(self._event, self._aws, until=until)
        members = {
            "serviceDeploymentArn": event.deployment,
            "hookId": event.hook_id,
            "action": action,
        }
        try:
            acknowledged(self._aws, _CONTINUE, members, by="serviceDeploymentArn", until=until)
        except CallError as error:
            if error.code not in _OVER:
                raise
            self._insist_on_what_stands(event, action, error, until)
            return Told("ECS", action, ALREADY_COMPLETED)
        return Told("ECS", action)

    def _insist_on_what_stands(
        self, event: EcsPauseEvent, action: str, refusal: CallError, until: float
    ) -> None:
        """Raise unless the pause has ended as ``action`` would have ended it."""
        try:
            stands = _stands(event, described(self._aws.insist, event.deployment, until=until))
        except CallError as error:
            raise refusal from error
        if stands != action:
            raise ServiceError(
                f"{action} of {event.deployment} was not taken: {stands or 'it still waits'}",
                hint="somebody else, or the pause's own time-out, was before this gate"
                if stands
                else f"ECS said: {refusal}",
            ) from refusal


def identified(event: EcsPauseEvent, aws: Aws, *, until: float) -> EcsPauseEvent:
    """Return ``event`` with the id of the pause that awaits an action; raises `ServiceError`.

    An event that carries the id stays as it is. Without it there has to be exactly one.
    """
    if event.hook_id:
        return event
    deployment = described(aws.insist, event.deployment, until=until)
    waiting = [hook["hookId"] for hook in _hooks(deployment) if hook.get("status") == _WAITS]
    if len(waiting) == 1:
        return replace(event, hook_id=waiting[0], stage=event.stage or _stage(deployment))
    if waiting:
        raise ServiceError(
            f"{len(waiting)} pauses of {event.deployment} await an action: {', '.join(waiting)}",
            hint="name one: give hookId in the event",
        )
    raise ServiceError(
        f"no pause of {event.deployment} awaits an action: it has been decided, or has timed out",
        hint="aws ecs describe-service-deployments shows its lifecycleHookDetails",
    )


def _stands(event: EcsPauseEvent, deployment: dict[str, Any]) -> str:
    """Return how the pause ended; empty while it, or another pause of the deployment, still waits.

    Hooks that are over may be missing: then the deployment's own way tells, unless it is held.
    """
    hooks = _hooks(deployment)
    hook = next((hook for hook in hooks if hook.get("hookId") == event.hook_id), None)
    if hook is not None and hook.get("status") != "TIMED_OUT":
        return _STANDS.get(str(hook.get("status")), "")
    if hook is not None:
        return str(hook.get("timeoutAction", ROLLBACK))
    if any(hook.get("status") == _WAITS for hook in hooks):
        return ""
    return ROLLBACK if str(deployment.get("status", "")).startswith(_TAKEN_BACK) else CONTINUE


def _hooks(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        hook
        for hook in deployment.get("lifecycleHookDetails", [])
        if hook.get("targetType", "PAUSE") == "PAUSE" and "hookId" in hook
    ]


def _stage(deployment: dict[str, Any]) -> str:
    return str(deployment.get("lifecycleStage", ""))
