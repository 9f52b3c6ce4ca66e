"""The Lambda function that answers deployment hooks: ``greenroom.plugins.hook.handler``.

Whatever the suite does, exactly one answer is given before the function's time is up. CodeDeploy
is told by a call, ECS by the function's own answer. Configured by environment variables:

GREENROOM_HOOK_ARGS     pytest's arguments, shell-quoted, paths below the task's root (``suites``)
GREENROOM_HOOK_EVENT    the lifecycle event's name (CodeDeploy's own event does not carry it)
GREENROOM_HOOK_REPORT   the folder of the reports, one folder per execution below it (in /tmp)
GREENROOM_HOOK_RESERVE  seconds kept for the answer (20)
GREENROOM_HOOK_PASS     names of AWS_ variables that the suite gets although they are withheld from
                        it: the suite does not need the credentials that answer in its name

Every other variable goes through to the suite.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.plugins.aws_process import Aws
from greenroom.plugins.hook_events import (
    BackUpEvent,
    BuildEndedEvent,
    EcsEvent,
    parse_event,
    waiter_in,
)
from greenroom.plugins.paths import added_paths
from greenroom.plugins.report_ecs import FAILED, SUCCEEDED, hook_answer
from greenroom.plugins.reporters import reporter_for
from greenroom.plugins.reporting import Answer
from greenroom.plugins.suite_process import Suite, passed_names
from greenroom.plugins.supervisor import attempt, explained, undecided
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.hook_events import HookEvent, Waiter
    from greenroom.plugins.supervisor import Supervised

RESERVE_S = 20.0
_MARGIN_S = 0.5
_PARENT_KIB = 160 * 1024
_LEAST_SHARE = 0.6
_LEAST_RUN_S = 1.0


class Context(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before Lambda ends the function."""
        ...


def handler(event: object, context: Context) -> dict[str, Any]:
    """Answer one hook event; raises `GreenroomError` only where nobody could be told.

    That makes Lambda deliver the event again, which is one more chance to report.
    """
    ends = time.monotonic() + context.get_remaining_time_in_millis() / 1000
    try:
        hook = parse_event(event)
    except SettingsError as error:
        _log({"verdict": Verdict.COULD_NOT_DECIDE.value, "reasons": [error.explain()]})
        waiter = waiter_in(event)
        if isinstance(waiter, EcsEvent):
            return hook_answer(FAILED, waiter)
        raise
    if isinstance(hook, EcsEvent):
        return _answer_ecs(hook, ends)
    waiter = hook.waiter if isinstance(hook, BackUpEvent | BuildEndedEvent) else hook
    return _answer_by_call(waiter, ends)


def _answer_ecs(hook: EcsEvent, ends: float) -> dict[str, Any]:
    if hook.rollback:
        _log({"event": hook.stage, "deployment_id": hook.deployment, "rollback": True})
        return hook_answer(SUCCEEDED, hook)
    work = _work_folder()
    result = _decide(hook, ends - _reserve(os.environ), work)
    _log(_told(hook, result))
    _tidy(work)
    return hook_answer(SUCCEEDED if result.verdict is Verdict.SHIP else FAILED, hook)


def _answer_by_call(hook: Waiter, ends: float) -> dict[str, Any]:
    reserve = _reserve(os.environ)
    with Aws(prepared=("codedeploy",), patience_s=max(min(3.0, reserve / 4), 0.1)) as aws:
        reporter = reporter_for(hook, aws)
        work = _work_folder()
        result = _decide(hook, ends - reserve, work)
        decision = Answer(result.verdict is Verdict.SHIP, result.verdict, result.reasons)
        said = {**_told(hook, result), "status": "Succeeded" if decision.succeeded else "Failed"}
        try:
            told = reporter.report(decision, until=ends - _MARGIN_S)
        except Exception as error:
            _log({**said, "report": explained(error)})
            raise
    said["report"] = told.result
    _log(said)
    _tidy(work)
    return said


def _decide(hook: HookEvent, deadline: float, work: Path) -> Supervised:
    """Run the suite until ``deadline``; whatever goes wrong is a reason not to ship."""
    seconds = deadline - time.monotonic()
    if seconds < _LEAST_RUN_S:
        return undecided(
            f"only {max(seconds, 0):.1f} s are left for the suite: raise the function's time-out, "
            "or lower GREENROOM_HOOK_RESERVE"
        )
    return attempt(
        lambda: _suite(hook, work), seconds=seconds, echo=getattr(sys.stdout, "buffer", None)
    )


def _work_folder() -> Path:
    return Path(tempfile.gettempdir(), f"greenroom-{secrets.token_hex(8)}")


def _tidy(work: Path) -> None:
    """Remove what the suite left, as far as that takes no time: the answer is what matters."""
    remover = threading.Thread(target=shutil.rmtree, args=(work, True), daemon=True)
    remover.start()
    remover.join(timeout=_MARGIN_S)


def _suite(hook: HookEvent, work: Path) -> Suite:
    """Return the suite that the function's configuration describes."""
    environ = os.environ
    _reserve(environ, strict=True)
    root = Path(environ.get("LAMBDA_TASK_ROOT") or Path.cwd()).resolve()
    reports = Path(environ.get("GREENROOM_HOOK_REPORT") or _default_reports())
    event = environ.get("GREENROOM_HOOK_EVENT")
    return Suite(
        arguments=_arguments(environ),
        root=root,
        report=reports / safe_name(hook.execution_id),
        work=work,
        environment=environ,
        memory_kib=_memory_kib(environ),
        paths=(str(root), *added_paths()),
        passed=passed_names(environ),
        release={**hook.release, **({"event": event} if event else {})},
    )


def safe_name(text: str) -> str:
    """Return a folder's name for ``text``: an execution id is an opaque token."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".")[:100] or "unnamed"


def _default_reports() -> Path:
    return Path(tempfile.gettempdir(), "greenroom-reports")


def _arguments(environ: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(environ.get("GREENROOM_HOOK_ARGS", "suites")))
    except ValueError as error:
        raise SettingsError(
            f"GREENROOM_HOOK_ARGS: {error}", hint="quote it as for a shell: suites -m 'smoke'"
        ) from error


def _reserve(environ: Mapping[str, str], *, strict: bool = False) -> float:
    """Return the seconds kept for the answer; a wrong value is an error only if ``strict``."""
    text = environ.get("GREENROOM_HOOK_RESERVE", str(RESERVE_S))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0 < seconds < float("inf"):
        return seconds
    if strict:
        raise SettingsError(
            f"GREENROOM_HOOK_RESERVE is {text!r}", hint="give a positive number of seconds"
        )
    return RESERVE_S


def _memory_kib(environ: Mapping[str, str]) -> int:
    """Return the suite's share of the function's memory, this process's own left out."""
    text = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    whole = int(text) * 1024 if text.isdecimal() else 0
    return max(whole - _PARENT_KIB, int(whole * _LEAST_SHARE))


def _told(hook: HookEvent, result: Supervised) -> dict[str, Any]:
    stage = hook.stage if isinstance(hook, EcsEvent) else os.environ.get("GREENROOM_HOOK_EVENT")
    return {
        "verdict": result.verdict.value,
        "reasons": list(result.reasons),
        "event": stage,
        "deployment_id": hook.deployment,
        "execution_id": hook.execution_id,
        "ending": result.ending.value,
        "exit_status": result.exit_status,
        "record": str(result.record) if result.record else None,
    }


def _log(told: Mapping[str, Any]) -> None:
    """Write one line of JSON: the function's log is where people look first."""
    print(json.dumps({"greenroom": "hook", **told}), flush=True)  # noqa: T201 - Lambda's log
