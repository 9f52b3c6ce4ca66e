"""Tells ECS' deployment lifecycle hook: by the function's own answer.

After IN_PROGRESS, ECS invokes the function again in ``callBackDelay`` seconds and gives back the
``hookDetails`` of the answer. What is kept there from one invocation to the next stands under one
key of ours, bound to the deployment and its stage: nobody who writes a service definition can know
a deployment before it exists, so what is bound to it is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from greenroom.plugins.reporting import ANSWERED, Answer, Told
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from greenroom.plugins.hook_waiters import EcsEvent

SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
IN_PROGRESS = "IN_PROGRESS"

_OURS = "greenroom"


class EcsReporter:
    """Answers for one ECS hook: the answer is the ``payload`` that the function returns."""

    def __init__(self, event: EcsEvent) -> None:
        self._event = event

    def report(self, answer: Answer, *, until: float) -> Told:  # noqa: ARG002 - ECS is told by returning
        """Return what the function returns."""
        status = SUCCEEDED if answer.succeeded else FAILED
        return Told("ECS", status, ANSWERED, hook_answer(status, self._event))


class RecordedReporter:
    """Answers in a build that an ECS hook started: ECS is told when it asks the function again."""

    def report(self, answer: Answer, *, until: float) -> Told:  # noqa: ARG002 - nobody is called
        """Return that the verdict stands in the ledger, where it was put before."""
        return Told("the ledger", SUCCEEDED if answer.succeeded else FAILED)


def hook_answer(status: str, event: EcsEvent) -> dict[str, Any]:
    """Return what an ECS deployment lifecycle hook must answer; anything else rolls back."""
    others = _others(event)
    return {"hookStatus": status, **({"hookDetails": others} if others else {})}


def call_back(event: EcsEvent, state: Mapping[str, Any], *, delay_s: int) -> dict[str, Any]:
    """Return the answer after which ECS asks again in ``delay_s``, with ``state``."""
    ours = {"deployment": event.deployment, "stage": event.stage, "state": dict(state)}
    return {
        "hookStatus": IN_PROGRESS,
        "callBackDelay": delay_s,
        "hookDetails": {**_others(event), _OURS: ours},
    }


def state_of(event: EcsEvent) -> dict[str, Any] | None:
    """Return the state that the last `call_back` kept; None at the first invocation.

    The state of another stage or deployment is none. Raises `SettingsError` for a broken one: what
    was done so far is not known, so nothing may be concluded.
    """
    ours = event.details.get(_OURS)
    if ours is None:
        return None
    state = ours.get("state") if isinstance(ours, Mapping) else None
    if not isinstance(state, Mapping):
        raise SettingsError(
            f"hookDetails.{_OURS} is not what this hook left there",
            hint=f"take the key {_OURS} out of the service definition's hookDetails",
        )
    bound = (ours.get("deployment"), ours.get("stage")) == (event.deployment, event.stage)
    return dict(state) if bound else None


def _others(event: EcsEvent) -> dict[str, Any]:
    return {key: value for key, value in event.details.items() if key != _OURS}
