"""The hook functions as Lambda functions on this machine, invoked asynchronously as Lambda does."""

from __future__ import annotations

import shlex
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from greenroom.rehearsal.lambda_runtime import LambdaFunction
from greenroom.rehearsal.lifecycle import Lifecycle
from greenroom.validators.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from greenroom.rehearsal.appspec import AppSpec
    from greenroom.rehearsal.ports import Clock
    from greenroom.rehearsal.settings import Function, RehearsalSettings, Revision

EXECUTIONS = "executions"
_RETRY_AFTER_S = (60.0, 120.0)
_AFTERWARDS_S = 5.0
_LOOK_S = 0.1
_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a hook finds CodeDeploy and what it is to validate."""

    codedeploy: str
    test: str
    production: str


class LambdaHooks:
    """Fulfils `greenroom.rehearsal.ports.Hooks`.

    As in Lambda, a failed asynchronous invocation is repeated after one and after two more minutes
    of deployment time.
    """

    def __init__(self, clock: Clock) -> None:
        self._functions: Mapping[str, LambdaFunction] = {}
        self._clock = clock
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self.executions: list[tuple[str, str]] = []
        """Function and execution id of every hook that was invoked, in order."""

    def provide(self, functions: Mapping[str, LambdaFunction]) -> None:
        """Set the functions; they can only be built once the engine's address is known."""
        self._functions = functions

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        """Deliver ``event`` and return at once; raises `ToolError` for an unknown function."""
        if function not in self._functions:
            raise ToolError(
                f"there is no function {function!r}",
                hint=f"known functions: {', '.join(self._functions)}",
            )
        arguments = (self._functions[function], dict(event))
        self.executions.append((function, str(event["LifecycleEventHookExecutionId"])))
        thread = threading.Thread(target=self._deliver, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def join(self) -> None:
        """Wait a bounded time for what the functions do after they have reported."""
        deadline = time.monotonic() + _AFTERWARDS_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Kill every function; nothing is invoked any more."""
        self._closed.set()
        deadline = time.monotonic() + _AFTERWARDS_S
        alive = True
        # Again and again: a function may be starting just now, in a thread of its own.
        while alive and time.monotonic() < deadline:
            for function in self._functions.values():
                function.close()
            for thread in self._threads:
                thread.join(_LOOK_S)
            alive = any(thread.is_alive() for thread in self._threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deliver(self, function: LambdaFunction, event: Mapping[str, Any]) -> None:
        for delay in (0.0, *_RETRY_AFTER_S):
            if self._clock.wait(self._closed, delay):
                return
            if not function.invoke(event).error:
                return


def functions_of(
    settings: RehearsalSettings,
    appspec: AppSpec,
    revision: Revision,
    *,
    at: Addresses,
    folder: Path,
) -> dict[str, LambdaFunction]:
    """Build the functions that the AppSpec's hooks name, none of them started yet.

    Reports go to ``folder/executions/NAME/<execution>/``, logs to ``folder/logs``.
    """
    return {
        name: _build(settings, settings.functions[name], appspec, revision, at, folder)
        for name in check_functions(settings, appspec)
    }


def check_functions(settings: RehearsalSettings, appspec: AppSpec) -> tuple[str, ...]:
    """Return the hooks' function names; a `SettingsError` names one that only one file knows."""
    names = tuple(dict.fromkeys(hook.function for hook in appspec.hooks))
    for name in names:
        if name not in settings.functions:
            raise SettingsError(
                f"{settings.appspec}: the hook function {name!r} is not in rehearsal.toml",
                hint=f"add a table [functions.{name}]",
            )
    if idle := sorted(set(settings.functions) - set(names)):
        raise SettingsError(
            f"{settings.appspec}: no hook names the function {idle[0]!r} of rehearsal.toml",
            hint="a suite that no hook runs proves nothing: add the hook, or remove the table",
        )
    return names


def _build(  # noqa: PLR0913, PLR0917 - the one place where all that configures a function meets
    settings: RehearsalSettings,
    function: Function,
    appspec: AppSpec,
    revision: Revision,
    at: Addresses,
    folder: Path,
) -> LambdaFunction:
    events = [hook.event for hook in appspec.hooks if hook.function == function.name]
    return LambdaFunction(
        function.handler,
        task_root=settings.root,
        environment={
            **_aws(at.codedeploy),
            **revision.release_variables(),
            "GREENROOM_HOOK_ARGS": shlex.join(function.arguments),
            "GREENROOM_HOOK_REPORT": str(folder / EXECUTIONS / function.name),
            "GREENROOM_TARGET": _target(events, at),
            # A function that serves several events finds out by asking CodeDeploy.
            **({"GREENROOM_HOOK_EVENT": events[0].value} if len(events) == 1 else {}),
            **function.environment,
        },
        timeout_s=function.timeout_s,
        memory_mb=function.memory_mb,
        log=folder / "logs" / f"{function.name}.log",
    )


def _target(events: list[Lifecycle], at: Addresses) -> str:
    """Production once it is on the new revision, else the test listener."""
    after = all(event is Lifecycle.AFTER_ALLOW_TRAFFIC for event in events)
    return at.production if after else at.test


def _aws(codedeploy: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_CODEDEPLOY": codedeploy,
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
    }
