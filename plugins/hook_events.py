"""The events that deployment hooks receive, parsed once.

CodeDeploy: ``{"DeploymentId", "LifecycleEventHookExecutionId"}``; it carries no event name.
ECS-native: ``{"executionId", "lifecycleStage", "resourceArn", "executionDetails": {"serviceArn",
"targetServiceRevisionArn", "testTrafficWeights", "productionTrafficWeights"}, "hookDetails"}``, or
the same with the details at the top level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from greenroom.validators.errors import SettingsError

_WEIGHTS_OF = {
    "TEST_TRAFFIC_SHIFT": "testTrafficWeights",
    "PRODUCTION_TRAFFIC_SHIFT": "productionTrafficWeights",
}
_ALL = 100


@dataclass(frozen=True, slots=True)
class CodeDeployEvent:
    """A CodeDeploy lifecycle event hook that waits for ``PutLifecycleEventHookExecutionStatus``."""

    deployment_id: str
    execution_id: str

    @property
    def release(self) -> dict[str, str]:
        """What a run record says of this deployment."""
        return {"deployment": self.deployment_id}


@dataclass(frozen=True, slots=True)
class EcsEvent:
    """An ECS deployment lifecycle hook that waits for the function's answer.

    ``rollback`` tells that traffic is being taken from the target revision: nothing is left to
    decide, and an answer of FAILED would only break the rollback.
    """

    execution_id: str
    stage: str
    deployment: str
    service: str
    revision: str
    rollback: bool

    @property
    def release(self) -> dict[str, str]:
        """What a run record says of this deployment."""
        told = {
            "deployment": self.deployment,
            "service": self.service,
            "service-revision": self.revision,
            "event": self.stage,
        }
        return {key: value for key, value in told.items() if value}


HookEvent = CodeDeployEvent | EcsEvent


def is_ecs(event: object) -> bool:
    """Tell whether ``event`` has the shape of an ECS hook's, even if it is not a complete one."""
    return isinstance(event, Mapping) and any(
        key in event
        for key in ("lifecycleStage", "executionDetails", "targetServiceRevisionArn", "serviceArn")
    )


def parse_event(event: object) -> HookEvent:
    """Return the hook event in ``event``; raises `SettingsError` for anything else."""
    if not isinstance(event, Mapping):
        raise _unknown(f"a {type(event).__name__}")
    if is_ecs(event):
        return _ecs(event)
    if "DeploymentId" in event or "LifecycleEventHookExecutionId" in event:
        return CodeDeployEvent(
            _text(event, "DeploymentId"), _text(event, "LifecycleEventHookExecutionId")
        )
    raise _unknown(f"an object with {', '.join(map(repr, event)) or 'nothing in it'}")


def _ecs(event: Mapping[str, Any]) -> EcsEvent:
    details = event.get("executionDetails")
    facts = {**event, **details} if isinstance(details, Mapping) else dict(event)
    stage = _text(facts, "lifecycleStage")
    revision = str(facts.get("targetServiceRevisionArn", ""))
    return EcsEvent(
        execution_id=str(facts.get("executionId", "")),
        stage=stage,
        deployment=str(facts.get("resourceArn", "")),
        service=str(facts.get("serviceArn", "")),
        revision=revision,
        rollback=_leaves(facts.get(_WEIGHTS_OF.get(stage, "")), revision),
    )


def _leaves(weights: object, revision: str) -> bool:
    """Tell whether the target revision gets nothing while another one gets everything.

    A target that the weights do not name says nothing: its suite decides, as at any other time.
    """
    if not isinstance(weights, Mapping):
        return False
    others = [weight for arn, weight in weights.items() if arn != revision]
    return weights.get(revision) == 0 and _ALL in others


def _text(event: Mapping[str, Any], key: str) -> str:
    value = event.get(key)
    if isinstance(value, str) and value:
        return value
    raise SettingsError(
        f"the hook event has no {key}: {value!r}",
        hint="invoke the function from a CodeDeploy or an ECS deployment hook, not by hand",
    )


def _unknown(seen: str) -> SettingsError:
    return SettingsError(
        f"not a deployment hook's event: {seen}",
        hint="expected DeploymentId and LifecycleEventHookExecutionId (CodeDeploy), "
        "or lifecycleStage (ECS)",
    )
