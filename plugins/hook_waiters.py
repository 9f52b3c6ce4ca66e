"""Who waits for a hook's verdict: one frozen class for each kind of event.

All have ``execution_id`` (what makes this delivery the same as a repeated one), ``deployment``
(what is being decided on), ``event`` (the lifecycle event, None where the delivery does not tell)
and ``release`` (short texts for the run record). No secret of a delivery shows in a ``repr`` or in
an ``execution_id``. `greenroom.plugins.hook_events` makes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from greenroom.validators.lifecycle import LifecycleEvent

_STAGES = {event.ecs: event for event in LifecycleEvent if event.ecs}
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class CodeDeployEvent:
    """A CodeDeploy lifecycle event hook; PutLifecycleEventHookExecutionStatus answers it."""

    deployment: str
    execution_id: str

    @property
    def event(self) -> None:
        """Nothing: CodeDeploy's event carries no name."""
        return None

    @property
    def release(self) -> dict[str, str]:
        """What a run record says of this deployment."""
        return {"deployment": self.deployment}


class DeploymentWait(StrEnum):
    """What a CodeDeploy deployment waits for, as ContinueDeployment calls it."""

    READY = "READY_WAIT"
    TERMINATION = "TERMINATION_WAIT"


@dataclass(frozen=True, slots=True)
class ReadyWaitEvent:
    """A CodeDeploy deployment that waits; ContinueDeployment or StopDeployment answers it."""

    deployment: str
    wait: DeploymentWait = DeploymentWait.READY
    application: str = ""
    group: str = ""

    @property
    def execution_id(self) -> str:
        """Return the deployment and what it waits for: it waits for each once."""
        return f"{self.deployment}/{self.wait}"

    @property
    def event(self) -> LifecycleEvent:
        """Return where the deployment stands: before the traffic moves, or after."""
        if self.wait is DeploymentWait.READY:
            return LifecycleEvent.DEPLOYMENT_READY
        return LifecycleEvent.AFTER_ALLOW_TRAFFIC

    @property
    def release(self) -> dict[str, str]:
        """What a run record says of this deployment."""
        return _known(
            {
                "deployment": self.deployment,
                "application": self.application,
                "deployment-group": self.group,
            }
        )


@dataclass(frozen=True, slots=True)
class EcsEvent:
    """An ECS deployment lifecycle hook that waits for the function's own answer.

    ``rollback`` tells that traffic is being taken from the target revision: nothing is left to
    decide, and an answer of FAILED would only break the rollback. The weights are the target
    revision's share in percent, None where ECS does not tell. ``details`` are the hookDetails: the
    service definition's, or what the same hook answered with IN_PROGRESS.
    """

    execution_id: str
    stage: str
    deployment: str
    service: str = ""
    revision: str = ""
    rollback: bool = False
    test_weight: float | None = None
    production_weight: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def event(self) -> LifecycleEvent | None:
        """Return the lifecycle event; None for a stage that is not known here."""
        return _STAGES.get(self.stage)

    @property
    def release(self) -> dict[str, str]:
        """What a run record says of this deployment."""
        return _ecs_release(self.deployment, self.service, self.revision, self.stage)


@dataclass(frozen=True, slots=True)
class EcsPauseEvent:
    """An ECS service deployment that a PAUSE hook holds; ContinueServiceDeployment answers it.

    ``hook_id`` is empty where the delivery does not tell which of the deployment's pauses is meant:
    `greenroom.plugins.report_ecs_pause.identified` asks ECS.
    """

    deployment: str
    hook_id: str = ""
    stage: str = ""
    service: str = ""

    @property
    def execution_id(self) -> str:
        """Return the hook's id, which ECS makes anew for each pause; empty while it is unknown."""
        return self.hook_id

    @property
    def event(self) -> LifecycleEvent | None:
        """Return the lifecycle event at which the deployment is paused, where that is known."""
        return _STAGES.get(self.stage)

    @property
    def release(self) -> dict[str, str]:
        """What a run record says of this deployment."""
        return _ecs_release(self.deployment, self.service, "", self.stage)


@dataclass(frozen=True, slots=True)
class PipelineJobEvent:
    """A Lambda invoke action of CodePipeline; PutJobSuccessResult or …FailureResult answers it.

    ``parameters`` are the action's UserParameters: a JSON object, or ``{"text": …}``.
    """

    execution_id: str
    event: LifecycleEvent = LifecycleEvent.PIPELINE_ACTION
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def deployment(self) -> str:
        """Return the pipeline execution, where UserParameters tell it, else the job."""
        return str(self.parameters.get("execution") or self.execution_id)

    @property
    def release(self) -> dict[str, str]:
        """What a run record says: the job, and the texts under ``release`` in UserParameters."""
        given = self.parameters.get("release")
        told = given.items() if isinstance(given, Mapping) else ()
        texts = {str(key): value for key, value in told if isinstance(value, str)}
        return {**texts, "deployment": self.deployment, "pipeline-job": self.execution_id}


@dataclass(frozen=True, slots=True)
class PipelineApprovalEvent:
    """A manual approval action of CodePipeline; PutApprovalResult answers it."""

    pipeline: str
    stage: str
    action: str
    token: str = field(repr=False)
    event: LifecycleEvent = LifecycleEvent.PIPELINE_APPROVAL
    link: str = ""

    @property
    def execution_id(self) -> str:
        """Return a name of this request for approval, without its token."""
        digest = hashlib.sha256(self.token.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self.deployment}/{digest[:_DIGITS]}"

    @property
    def deployment(self) -> str:
        """Return the pipeline, its stage and its action."""
        return f"{self.pipeline}/{self.stage}/{self.action}"

    @property
    def release(self) -> dict[str, str]:
        """What a run record says of this deployment."""
        return _known({"deployment": self.deployment, "reviewed": self.link})


Waiter: TypeAlias = (
    CodeDeployEvent
    | ReadyWaitEvent
    | EcsEvent
    | EcsPauseEvent
    | PipelineJobEvent
    | PipelineApprovalEvent
)
"""Somebody who waits for a verdict."""


@dataclass(frozen=True, slots=True)
class _AboutAnother:
    """An event about an earlier delivery, ``delivery`` in JSON, whose waiter is ``waiter``."""

    waiter: Waiter
    delivery: Mapping[str, Any] = field(hash=False, repr=False)

    @property
    def execution_id(self) -> str:
        """Return the waiter's."""
        return self.waiter.execution_id

    @property
    def deployment(self) -> str:
        """Return the waiter's."""
        return self.waiter.deployment

    @property
    def event(self) -> LifecycleEvent | None:
        """Return the waiter's."""
        return self.waiter.event

    @property
    def release(self) -> dict[str, str]:
        """Return the waiter's."""
        return self.waiter.release


@dataclass(frozen=True, slots=True)
class BackUpEvent(_AboutAnother):
    """Time is up for whom a suite was handed to: if nobody has answered, refuse."""


@dataclass(frozen=True, slots=True)
class BuildEndedEvent(_AboutAnother):
    """The build that a suite was handed to has ended, however it did."""

    build: str = ""
    status: str = ""


HookEvent: TypeAlias = Waiter | BackUpEvent | BuildEndedEvent


def _ecs_release(deployment: str, service: str, revision: str, stage: str) -> dict[str, str]:
    return _known(
        {
            "deployment": deployment,
            "service": service,
            "service-revision": revision,
            "event": stage,
        }
    )


def _known(told: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in told.items() if value}
