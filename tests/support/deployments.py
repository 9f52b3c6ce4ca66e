"""An in-memory world for the deployment engine: data plane, hooks and alarms that tests script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenroom.rehearsal.appspec import parse_appspec
from greenroom.rehearsal.clock import SimulatedClock
from greenroom.rehearsal.engine import DeploymentGroup, DeploymentRequest, Engine
from greenroom.rehearsal.lifecycle import Lifecycle, RefusedError
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from greenroom.rehearsal.appspec import AppSpec
    from greenroom.rehearsal.lifecycle import Event, Failure, Rollback, Snapshot

HOOKABLE = tuple(event for event in Lifecycle if event.hookable)


def appspec_text(*events: Lifecycle) -> str:
    """Return an AppSpec whose hook at each of ``events`` is the function ``on-<event>``."""
    hooks = "".join(f"  - {event}: on-{event}\n" for event in events)
    return (
        "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n"
        "      Properties:\n        TaskDefinition: <TASK_DEFINITION>\n"
        f"Hooks:\n{hooks}"
    )


def appspec(*events: Lifecycle) -> AppSpec:
    return parse_appspec(appspec_text(*events))


@dataclass
class MemoryPlane:
    """A data plane that notes every call and every thing that must never happen.

    ``broken`` names the calls that raise; those in ``half_done`` take effect before they raise.
    """

    log: list[str] = field(default_factory=list)
    broken: frozenset[str] = frozenset()
    half_done: frozenset[str] = frozenset()
    percent: int = 0
    original: bool = True
    replacement: bool = False
    violations: list[str] = field(default_factory=list)

    def start_replacement(self) -> None:
        self._do("start_replacement", replacement=True)

    def allow_test_traffic(self) -> None:
        self._do("allow_test_traffic")

    def shift(self, percent: int) -> None:
        self._do(f"shift {percent}", percent=percent)

    def stop_original(self) -> None:
        self._do("stop_original", original=False)

    def stop_replacement(self) -> None:
        self._do("stop_replacement", replacement=False)

    def _do(self, call: str, **change: int) -> None:
        self.log.append(call)
        if call in self.broken and call not in self.half_done:
            raise ToolError(f"{call} is broken")
        for name, value in change.items():
            setattr(self, name, value)
        if self.percent and not self.replacement:
            self.violations.append(f"{call}: production traffic goes to no replacement")
        if self.percent < 100 and not self.original:
            self.violations.append(f"{call}: production traffic goes to no original")
        if call in self.broken:
            raise ToolError(f"{call} is broken")


@dataclass(frozen=True)
class Answer:
    """What a hook does: report ``succeeded`` after ``after_s``, ``times`` times; or raise."""

    succeeded: bool | None = True
    after_s: float = 1
    times: int = 1
    raises: bool = False


@dataclass
class ScriptedHooks:
    """Hooks that answer through the engine as their script says, in simulated time."""

    clock: SimulatedClock
    script: Mapping[Lifecycle, Answer]
    log: list[str]
    engine: Engine | None = None
    invoked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        self.invoked.append((function, event))
        answer = self.script.get(Lifecycle(function.removeprefix("on-")), Answer())
        if answer.raises:
            raise ToolError("no such function")
        if answer.succeeded is not None:
            for turn in range(answer.times):
                self.clock.at(answer.after_s + turn, lambda: self._put(function, event, answer))

    def _put(self, function: str, event: Mapping[str, Any], answer: Answer) -> None:
        assert self.engine is not None
        token = event["LifecycleEventHookExecutionId"]
        try:
            self.engine.put_status(event["DeploymentId"], token, succeeded=bool(answer.succeeded))
            self.log.append(f"{function} {answer.succeeded}")
        except RefusedError as error:
            self.refusals.append(error.code)


@dataclass
class SwitchedAlarm:
    """An alarm that fires while ``on``; ``broken`` makes it unreadable."""

    name: str = "5xx"
    on: bool = False
    broken: bool = False

    def firing(self) -> bool:
        if self.broken:
            raise ToolError("no statistics")
        return self.on


class World:
    """One engine in simulated time, with handles on everything around it."""

    def __init__(
        self,
        script: Mapping[Lifecycle, Answer] | None = None,
        *,
        plane: MemoryPlane | None = None,
        alarm: SwitchedAlarm | None = None,
        **group: Any,  # noqa: ANN401 - passed on to DeploymentGroup
    ) -> None:
        self.clock = SimulatedClock()
        self.plane = plane or MemoryPlane()
        self.alarm = alarm or SwitchedAlarm()
        self.hooks = ScriptedHooks(self.clock, script or {}, self.plane.log)
        self.events: list[Event] = []
        self._planned: list[tuple[float, Callable[[str], object]]] = []
        settings: dict[str, Any] = {
            "application": "trivia",
            "name": "api",
            "appspec": appspec(*(script or {})),
            "alarms": (self.alarm,),
        }
        self.engine = Engine(
            DeploymentGroup(**(settings | group)), self.plane, self.hooks, self.clock, [self._hear]
        )
        self.hooks.engine = self.engine

    def at(self, seconds: float, action: Callable[[str], object]) -> None:
        """Plan ``action``, which gets the deployment's id, ``seconds`` after its beginning."""
        self._planned.append((seconds, action))

    def stop_at(self, seconds: float, *, rollback: bool | None = None) -> None:
        self.at(seconds, lambda deployment: self.engine.stop(deployment, rollback=rollback))

    def deploy(self, **request: Any) -> Snapshot:  # noqa: ANN401 - passed on to DeploymentRequest
        deployment = self.engine.create_deployment(DeploymentRequest(**request))
        return self.engine.wait(deployment, timeout_s=30)

    def _hear(self, event: Event) -> None:
        if not self.events:
            # In the deployment's own thread: so nothing depends on the real order of threads.
            for seconds, action in self._planned:
                self.clock.at(seconds, lambda action=action: action(event.deployment_id))  # type: ignore[misc]
        self.events.append(event)


def failure(snapshot: Snapshot) -> Failure:
    """Return why the deployment failed; it must have."""
    assert snapshot.error is not None
    return snapshot.error


def rollback(snapshot: Snapshot) -> Rollback:
    """Return what is known of a failed deployment's rollback."""
    assert snapshot.rollback is not None
    return snapshot.rollback


def seconds(start: datetime | None, end: datetime | None) -> float:
    """Return how much time passed between two moments that must both have come."""
    assert start is not None
    assert end is not None
    return (end - start).total_seconds()
