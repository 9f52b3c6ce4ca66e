"""Carries out one ECS blue/green deployment, and its rollback, in the calling thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from greenroom.rehearsal.lifecycle import (
    ErrorCode,
    Failure,
    Lifecycle,
    Rollback,
    RollbackEvent,
    Status,
)
from greenroom.rehearsal.traffic import steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.rehearsal.appspec import AppSpec, Hook
    from greenroom.rehearsal.ledger import Ledger, StopRequest
    from greenroom.rehearsal.lifecycle import HookAnswer
    from greenroom.rehearsal.ports import Alarm, Clock, DataPlane, Hooks
    from greenroom.rehearsal.traffic import Shift

SHIFT_BACK_ATTEMPTS = 3
"""How often a rollback tries to send traffic back to the original before it gives up."""
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class World:
    """What a deployment acts on."""

    plane: DataPlane
    hooks: Hooks
    clock: Clock


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deployment is to do; all times are seconds of deployment time."""

    appspec: AppSpec
    shift: Shift
    alarms: tuple[Alarm, ...]
    hook_timeout_s: float
    termination_wait_s: float
    alarm_poll_s: float


class _HaltError(Exception):
    """The deployment ends now, with ``status`` and ``failure``, and may roll back on ``event``."""

    def __init__(
        self, event: RollbackEvent, failure: Failure, *, rollback: bool | None = None
    ) -> None:
        super().__init__(failure.message)
        self.event = event
        self.failure = failure
        self.rollback = rollback

    @property
    def status(self) -> Status:
        failed = self.event is RollbackEvent.DEPLOYMENT_FAILURE
        return Status.FAILED if failed else Status.STOPPED


class Deployment:
    """One deployment. `run` always comes back with a final status in the ledger."""

    def __init__(self, world: World, plan: Plan, ledger: Ledger, token: Callable[[], str]) -> None:
        self._world = world
        self._plan = plan
        self._ledger = ledger
        self._token = token
        self._watching = False

    def run(self, open_rollback: Callable[[], Ledger]) -> None:
        """Deploy; on failure roll back, in the ledger that ``open_rollback`` makes, if allowed."""
        try:
            self._deploy()
        except _HaltError as halt:
            self._end(halt, open_rollback)
        except Exception as error:  # noqa: BLE001 - whatever breaks, the deployment must end
            self._end(
                _broken(ErrorCode.INTERNAL_ERROR, "The deployment broke", error), open_rollback
            )

    def _deploy(self) -> None:
        self._ledger.begin()
        self._check_alarms()
        for event in Lifecycle:
            self._check_stop()
            self._ledger.start(event)
            self._perform(event)
            self._ledger.end(event)
        self._ledger.bake()
        self._pause(self._plan.termination_wait_s)
        self._stopped(self._ledger.commit())
        self._act("The original could not be stopped", self._world.plane.stop_original)
        self._ledger.close(Status.SUCCEEDED)

    def _perform(self, event: Lifecycle) -> None:
        match event:
            case Lifecycle.INSTALL:
                self._act("The replacement did not start", self._world.plane.start_replacement)
            case Lifecycle.ALLOW_TEST_TRAFFIC:
                self._act("Test traffic was not allowed", self._world.plane.allow_test_traffic)
            case Lifecycle.ALLOW_TRAFFIC:
                self._shift()
            case _:
                hook = self._plan.appspec.hook(event)
                if hook is not None:
                    self._run_hook(hook)

    def _shift(self) -> None:
        """Move production traffic step by step; alarms are watched from here to the end."""
        self._watching = True
        for step in steps(self._plan.shift):
            self._check_stop()
            self._check_alarms()
            percent = step.percent
            self._act(f"Traffic did not shift to {percent} %", self._world.plane.shift, percent)
            self._ledger.shifted(percent)
            self._pause(step.wait_s)

    def _run_hook(self, hook: Hook) -> None:
        token = self._token()
        self._ledger.expect(token, hook.event)
        event = {
            "DeploymentId": self._ledger.identity.deployment_id,
            "LifecycleEventHookExecutionId": token,
        }
        try:
            self._world.hooks.invoke(hook.function, event)
        except Exception as error:
            what = f"The hook {hook.function} of {hook.event} could not be invoked"
            raise _broken(ErrorCode.HOOK_EXECUTION_FAILURE, what, error) from error
        self._pause(self._plan.hook_timeout_s, lambda: self._ledger.answer(token) is not None)
        self._ledger.forget()
        self._judge(hook, self._ledger.answer(token))

    def _judge(self, hook: Hook, answer: HookAnswer | None) -> None:
        """Let the deployment go on only on a hook's explicit success."""
        if answer and answer.succeeded:
            return
        who = f"The hook {hook.function} of {hook.event}"
        if answer is None:
            # Told apart from a hook that says Failed: the reader has another thing to repair.
            wait = f"{self._plan.hook_timeout_s:g} s"
            failure = Failure(ErrorCode.TIMEOUT, f"{who} reported no status within {wait}.")
        else:
            failure = Failure(ErrorCode.HOOK_EXECUTION_FAILURE, f"{who} reported Failed.")
        raise _HaltError(RollbackEvent.DEPLOYMENT_FAILURE, failure)

    def _pause(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Wait ``seconds`` or for ``until``; halt on a stop request or, if watched, an alarm."""
        clock, wake = self._world.clock, self._ledger.wake
        deadline = clock.now() + timedelta(seconds=seconds)
        while True:
            # Cleared before looking, so that whatever comes after the look wakes the wait.
            wake.clear()
            self._check_stop()
            if self._watching:
                self._check_alarms()
            left = (deadline - clock.now()).total_seconds()
            if until() or left <= 0:
                return
            polls = self._watching and self._plan.alarms
            clock.wait(wake, min(left, self._plan.alarm_poll_s) if polls else left)

    def _check_stop(self) -> None:
        self._stopped(self._ledger.stop_request)

    @staticmethod
    def _stopped(request: StopRequest | None) -> None:
        if request is not None:
            raise _HaltError(
                RollbackEvent.DEPLOYMENT_STOP_ON_REQUEST,
                Failure(ErrorCode.MANUAL_STOP, "The deployment was stopped on request."),
                rollback=request.rollback,
            )

    def _check_alarms(self) -> None:
        for alarm in self._plan.alarms:
            try:
                firing = alarm.firing()
            except Exception as error:
                what = f"The alarm {alarm.name} could not be read"
                raise _broken(ErrorCode.INTERNAL_ERROR, what, error) from error
            if firing:
                message = f"The alarm {alarm.name} is active."
                raise _HaltError(
                    RollbackEvent.DEPLOYMENT_STOP_ON_ALARM,
                    Failure(ErrorCode.ALARM_ACTIVE, message),
                )

    def _act(self, problem: str, action: Callable[..., None], *arguments: int) -> None:
        try:
            action(*arguments)
        except Exception as error:
            raise _broken(ErrorCode.ECS_UPDATE_ERROR, problem, error) from error

    def _end(self, halt: _HaltError, open_rollback: Callable[[], Ledger]) -> None:
        refusal = self._no_rollback(halt)
        if refusal:
            self._ledger.close(halt.status, halt.failure, Rollback(refusal))
            return
        back = open_rollback()
        told = Rollback("A rollback was started.", deployment_id=back.identity.deployment_id)
        # Listeners hear of it once production is safe.
        with back.quietly(), self._ledger.quietly():
            self._ledger.close(halt.status, halt.failure, told)
            problem = shift_back(self._world, back)
            if problem is None:
                self._ledger.shifted(0)
        finish_rollback(self._world, back, problem, self._ledger.identity.deployment_id)

    def _no_rollback(self, halt: _HaltError) -> str:
        """Return why there is no rollback; empty if there is to be one."""
        if not self._ledger.installing:
            return "No rollback: nothing was installed yet."
        if self._ledger.committed:
            return "No rollback: the original may be gone, so production stays on the replacement."
        wanted = halt.rollback
        if wanted is None:
            wanted = halt.event in self._ledger.identity.auto_rollback
        return "" if wanted else f"No rollback: not enabled for {halt.event}."


def shift_back(world: World, back: Ledger) -> Failure | None:
    """Begin the rollback ``back``: all traffic to the original; return why that was impossible."""
    back.begin()
    back.start(Lifecycle.ALLOW_TRAFFIC)
    problem: Failure | None = None
    for attempt in range(SHIFT_BACK_ATTEMPTS):
        if attempt:
            world.clock.wait(threading.Event(), _RETRY_S)
        problem = _attempt("Traffic did not shift back", lambda: world.plane.shift(0))
        if problem is None:
            back.shifted(0)
            back.end(Lifecycle.ALLOW_TRAFFIC)
            break
    return problem


def finish_rollback(world: World, back: Ledger, problem: Failure | None, triggered_by: str) -> None:
    """End the rollback ``back``, and the replacement unless traffic may still go there."""
    if problem is None:
        problem = _attempt("The replacement did not stop", world.plane.stop_replacement)
    status = Status.SUCCEEDED if problem is None else Status.FAILED
    back.close(status, problem, Rollback("This is a rollback.", triggered_by=triggered_by))


def _attempt(problem: str, action: Callable[[], None]) -> Failure | None:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - a rollback goes on, whatever the world raises
        return _broken(ErrorCode.ECS_UPDATE_ERROR, problem, error).failure
    return None


def _broken(code: ErrorCode, problem: str, error: Exception) -> _HaltError:
    message = f"{problem}: {str(error) or type(error).__name__}"
    return _HaltError(RollbackEvent.DEPLOYMENT_FAILURE, Failure(code, message))
