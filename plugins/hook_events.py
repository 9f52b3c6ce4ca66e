"""What deployment hooks are sent, parsed once.

    CodeDeploy hook    {"DeploymentId", "LifecycleEventHookExecutionId"}; it names no event
    CodeDeploy waits   EventBridge "CodeDeploy Deployment State-change Notification" in state READY,
                       a CodeDeploy trigger's SNS message with status Ready,
                       or {"deploymentId", "deploymentWaitType"}
    ECS hook           {"executionId", "lifecycleStage", "resourceArn", "executionDetails":
                       {"serviceArn", "targetServiceRevisionArn", "testTrafficWeights",
                       "productionTrafficWeights"}, "hookDetails"}, or with the details on top
    ECS PAUSE hook     EventBridge "ECS Hook State Change", HOOK_AWAITING_ACTION,
                       or {"serviceDeploymentArn", "hookId"}
    CodePipeline       {"CodePipeline.job": {"id", "data": {"actionConfiguration":
                       {"configuration": {"UserParameters"}}}}}
    Manual approval    an SNS message {"approval": {"pipelineName", "stageName", "actionName",
                       "token", "customData"}}
    our own            {"greenroom": "back-up", "delivery": an event as above},
                       EventBridge "CodeBuild Build State Change" of a build that was handed one

Any of them may come as the message of one SNS record. UserParameters and customData are a JSON
object (``event``, ``execution``, ``release``) or a text, which may be a lifecycle event's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from greenroom.plugins.hand_off import BACK_UP, DELIVERY
from greenroom.plugins.hook_deployments import (
    ECS_KEYS,
    codedeploy_hook,
    ecs_hook,
    ecs_hook_at,
    hook_change,
    pause_hook,
    ready_wait,
    state_change,
    trigger,
)
from greenroom.plugins.hook_fields import Json, an_object, only, parsed, text_of, unknown
from greenroom.plugins.hook_pipelines import JOB, approval_request, pipeline_approval, pipeline_job
from greenroom.plugins.hook_waiters import (
    BackUpEvent,
    BuildEndedEvent,
    CodeDeployEvent,
    DeploymentWait,
    EcsEvent,
    EcsPauseEvent,
    HookEvent,
    PipelineApprovalEvent,
    PipelineJobEvent,
    ReadyWaitEvent,
    Waiter,
)
from greenroom.validators.errors import SettingsError

__all__ = [
    "BackUpEvent",
    "BuildEndedEvent",
    "CodeDeployEvent",
    "DeploymentWait",
    "EcsEvent",
    "EcsPauseEvent",
    "HookEvent",
    "PipelineApprovalEvent",
    "PipelineJobEvent",
    "ReadyWaitEvent",
    "Waiter",
    "parse_event",
    "waiter_in",
]


def parse_event(event: object) -> HookEvent:
    """Return the hook event in ``event`` (JSON); a `SettingsError` lists the known ones."""
    given = an_object(event)
    return _parser(given)(given)


def waiter_in(event: object) -> Waiter | None:
    """Return who waits for an answer to ``event``, even if it cannot be parsed; None if nobody.

    For whoever refuses an event: the waiter is to be told.
    """
    try:
        hook = parse_event(event)
    except SettingsError:
        return _half_known(event)
    return hook.waiter if isinstance(hook, BackUpEvent | BuildEndedEvent) else hook


def _parser(given: Json) -> Callable[[Json], HookEvent]:
    """Return the function for the kind of event that ``given`` is."""
    kind = given.get("detail-type")
    if isinstance(kind, str) and kind in _BY_TYPE:
        return _BY_TYPE[kind]
    found = next((parser for key, parser in _BY_KEY.items() if key in given), None)
    if found is None or kind is not None:
        raise unknown(given)
    return found


def _within(event: object, *refused: Callable[[Json], HookEvent]) -> Waiter:
    """Return the waiter of an event that stands within another one."""
    given = an_object(event)
    parser = _parser(given)
    hook = None if parser in refused else parser(given)
    if hook is None or isinstance(hook, BackUpEvent | BuildEndedEvent):
        raise unknown(given)
    return hook


def _half_known(event: object) -> Waiter | None:
    """Return the waiter that an event which cannot be parsed still tells."""
    try:
        given = an_object(event)
        if "greenroom" in given:
            given = an_object(given.get("delivery"))
        if "Records" in given:
            given = an_object(_message(given))
        if JOB in given:
            return PipelineJobEvent(text_of(an_object(given[JOB]), "id"))
        if "approval" in given:
            return approval_request(an_object(given["approval"]))
    except SettingsError:
        return None
    return ecs_hook_at(given, "") if any(key in given for key in ECS_KEYS) else None


def _sns(given: Json) -> Waiter:
    return _within(_message(given), _sns, _back_up, _build_ended)


def _message(given: Json) -> object:
    records = given["Records"]
    if not isinstance(records, list) or len(records) != 1:
        raise SettingsError(
            "Records is not a list of one record", hint="invoke the function from an SNS topic"
        )
    sns = an_object(an_object(records[0]).get("Sns"))
    return parsed(text_of(sns, "Message"), "the SNS message")


def _back_up(given: Json) -> BackUpEvent:
    only(given, "greenroom", BACK_UP, f"our own event is {BACK_UP!r}")
    delivery = an_object(given.get("delivery"))
    return BackUpEvent(_within(delivery, _back_up, _build_ended), delivery)


def _build_ended(given: Json) -> BuildEndedEvent:
    detail = an_object(given.get("detail"))
    status = text_of(detail, "build-status")
    if status == "IN_PROGRESS":
        raise SettingsError("the build has not ended", hint="leave IN_PROGRESS out of the rule")
    delivery = an_object(parsed(_handed(detail), DELIVERY))
    waiter = _within(delivery, _back_up, _build_ended)
    return BuildEndedEvent(waiter, delivery, text_of(detail, "build-id"), status)


def _handed(detail: Json) -> str:
    """Return the event that was handed to the build, as the text that its environment holds."""
    at: Any = detail
    for key in ("additional-information", "environment"):
        at = an_object(at.get(key))
    variables = at.get("environment-variables")
    for variable in variables if isinstance(variables, list) else ():
        if isinstance(variable, Mapping) and variable.get("name") == DELIVERY:
            return text_of(variable, "value")
    raise SettingsError(
        f"the build has no {DELIVERY}: no hook handed it anything",
        hint="let the rule match the project that hooks hand suites to, and no other",
    )


_BY_TYPE: Mapping[str, Callable[[Json], HookEvent]] = {
    "CodeDeploy Deployment State-change Notification": state_change,
    "ECS Hook State Change": hook_change,
    "CodeBuild Build State Change": _build_ended,
}
"""EventBridge's events by ``detail-type``."""
_BY_KEY: Mapping[str, Callable[[Json], HookEvent]] = {
    "greenroom": _back_up,
    JOB: pipeline_job,
    "Records": _sns,
    "approval": pipeline_approval,
    "DeploymentId": codedeploy_hook,
    "LifecycleEventHookExecutionId": codedeploy_hook,
    "executionDetails": ecs_hook,
    "executionId": ecs_hook,
    "serviceDeploymentArn": pause_hook,
    "deploymentWaitType": ready_wait,
    "eventTriggerName": trigger,
    **dict.fromkeys(ECS_KEYS, ecs_hook),
}
"""The others, by the first of these keys that they have."""
