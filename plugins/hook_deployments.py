"""Events of CodeDeploy and ECS, each from its JSON; `plugins.hook_events` tells them apart.

All raise `SettingsError` for what is missing or wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

from greenroom.plugins.hook_fields import Json, an_object, name_of, only, text_of
from greenroom.plugins.hook_waiters import (
    CodeDeployEvent,
    DeploymentWait,
    EcsEvent,
    EcsPauseEvent,
    ReadyWaitEvent,
)
from greenroom.validators.errors import SettingsError

ECS_KEYS = ("lifecycleStage", "executionDetails", "targetServiceRevisionArn", "serviceArn")
_WEIGHTS_OF = {
    "TEST_TRAFFIC_SHIFT": "testTrafficWeights",
    "PRODUCTION_TRAFFIC_SHIFT": "productionTrafficWeights",
}
_ALL = 100


def codedeploy_hook(given: Json) -> CodeDeployEvent:
    """Return CodeDeploy's lifecycle event hook."""
    return CodeDeployEvent(
        text_of(given, "DeploymentId"), text_of(given, "LifecycleEventHookExecutionId")
    )


def ready_wait(given: Json) -> ReadyWaitEvent:
    """Return the deployment that somebody says is waiting."""
    wait = given["deploymentWaitType"]
    if wait not in list(DeploymentWait):
        raise SettingsError(
            f"unknown deploymentWaitType {wait!r}", hint=f"use one of: {', '.join(DeploymentWait)}"
        )
    return ReadyWaitEvent(text_of(given, "deploymentId"), DeploymentWait(wait))


def state_change(given: Json) -> ReadyWaitEvent:
    """Return the deployment that EventBridge says is ready."""
    detail = an_object(given.get("detail"))
    only(detail, "state", "READY", "the rule's pattern: state READY alone")
    return ReadyWaitEvent(
        deployment=text_of(detail, "deploymentId"),
        application=name_of(detail, "application"),
        group=name_of(detail, "deploymentGroup"),
    )


def trigger(given: Json) -> ReadyWaitEvent:
    """Return the deployment that a CodeDeploy trigger says is ready."""
    only(given, "status", "Ready", "the trigger's events: DeploymentReady alone")
    return ReadyWaitEvent(
        deployment=text_of(given, "deploymentId"),
        application=name_of(given, "applicationName"),
        group=name_of(given, "deploymentGroupName"),
    )


def ecs_hook(given: Json) -> EcsEvent:
    """Return ECS' lifecycle hook."""
    return ecs_hook_at(given, text_of(_ecs_facts(given), "lifecycleStage"))


def ecs_hook_at(given: Json, stage: str) -> EcsEvent:
    """Return ECS' lifecycle hook at ``stage``, whatever else is missing."""
    facts = _ecs_facts(given)
    revision, deployment = name_of(facts, "targetServiceRevisionArn"), name_of(facts, "resourceArn")
    details = facts.get("hookDetails")
    return EcsEvent(
        execution_id=name_of(facts, "executionId") or f"{deployment}/{stage}",
        stage=stage,
        deployment=deployment,
        service=name_of(facts, "serviceArn"),
        revision=revision,
        rollback=_leaves(facts.get(_WEIGHTS_OF.get(stage, "")), revision),
        test_weight=_weight(facts.get("testTrafficWeights"), revision),
        production_weight=_weight(facts.get("productionTrafficWeights"), revision),
        details=details if isinstance(details, Mapping) else {},
    )


def hook_change(given: Json) -> EcsPauseEvent:
    """Return the pause that EventBridge says awaits an action."""
    detail = an_object(given.get("detail"))
    only(detail, "eventName", "HOOK_AWAITING_ACTION", "the rule's pattern: that eventName alone")
    return pause_hook(detail)


def pause_hook(given: Json) -> EcsPauseEvent:
    """Return the pause that somebody says awaits an action."""
    return EcsPauseEvent(
        deployment=text_of(given, "serviceDeploymentArn"),
        hook_id=text_of(given, "hookId") if "hookId" in given else "",
        stage=name_of(given, "lifecycleStage"),
        service=name_of(given, "serviceArn"),
    )


def _ecs_facts(given: Json) -> Json:
    details = given.get("executionDetails")
    return {**given, **details} if isinstance(details, Mapping) else given


def _leaves(weights: object, revision: str) -> bool:
    """Tell whether the target revision gets nothing while another one gets everything.

    A target that the weights do not name says nothing: its suite decides, as at any other time.
    """
    if not isinstance(weights, Mapping):
        return False
    others = [weight for arn, weight in weights.items() if arn != revision]
    return weights.get(revision) == 0 and _ALL in others


def _weight(weights: object, revision: str) -> float | None:
    weight = weights.get(revision) if isinstance(weights, Mapping) else None
    return weight if type(weight) in {int, float} else None
