"""Saying why, after the waiter has been told: the log line, the page, uploads and messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from greenroom.plugins import hook_log
from greenroom.plugins.announce import Audience, announce
from greenroom.plugins.bypass_record import Bypassed, write_bypass_record
from greenroom.plugins.gate import MARGIN_S
from greenroom.plugins.gate_tell import named, run_of
from greenroom.plugins.hook_events import EcsEvent
from greenroom.plugins.hook_result import HookResult, Seconds
from greenroom.plugins.own_process import run_module
from greenroom.plugins.report_place import ReportPlace
from greenroom.plugins.reporting import Answer
from greenroom.plugins.script_event import ScriptEvent
from greenroom.validators.errors import GreenroomError

if TYPE_CHECKING:
    from greenroom.plugins.gate import Decided, Gate
    from greenroom.plugins.gate_tell import Outcome

_ANSWER_SHARE = 0.25
_BEFORE_ANSWER_S = 5.0
_PAGES_SHARE = 0.5  # of the time that is left: uploads and messages want the rest


def say_why(gate: Gate, decided: Decided, outcome: Outcome, seconds: Seconds) -> dict[str, Any]:
    """Log, render, upload and tell everybody else; return what was logged. Nothing is raised."""
    result = _result(gate, decided, outcome, seconds).redacted(gate.redactor)
    until = _until(gate)
    if not isinstance(gate.hook, ScriptEvent):
        hook_log.write(result, now=time.time())
    if decided.bypass is not None:
        _keep(gate, decided, result, until)
    else:
        _render(gate, decided, until)
    _announce(gate, decided, result, until)
    return result.to_json()


def _until(gate: Gate) -> float:
    """Return when all this must be over (monotonic seconds).

    ECS is told by the function's return, which has to wait for it: it may take seconds, no more.
    """
    end = gate.place.ends - MARGIN_S
    if not isinstance(gate.hook, EcsEvent) or gate.place.invitation:
        return end
    return min(end - gate.reserve_s * _ANSWER_SHARE, time.monotonic() + _BEFORE_ANSWER_S)


def _render(gate: Gate, decided: Decided, until: float) -> None:
    """Render what people read, where anybody can come to see it."""
    record = decided.result.record if decided.result else None
    if record is None or not (gate.place.keeps_report or gate.settings.upload):
        return
    now = time.monotonic()
    end = now + (until - now) * _PAGES_SHARE
    try:
        run_module("greenroom.plugins.pages", str(record.parent), until=end)
    except GreenroomError as error:
        _complain(gate, decided, (f"the report was not rendered: {error}",))


def _result(gate: Gate, decided: Decided, outcome: Outcome, seconds: Seconds) -> HookResult:
    """Return what the log and the messages tell."""
    suite = decided.result
    assert isinstance(outcome.answer, Answer)  # noqa: S101 - something else was told to nobody
    return HookResult(
        answer=outcome.answer,
        told=outcome.told,
        **named(gate, decided),
        ending=suite.ending.value if suite else "",
        exit_status=suite.exit_status if suite else None,
        record=str(suite.record) if suite and suite.record else "",
        build=gate.place.environ.get("CODEBUILD_BUILD_ID", ""),
        bypass=decided.bypass,
        bypass_refused=decided.bypass_refused,
        checks=suite.checks if suite and suite.record else None,
        failed=suite.failed if suite and suite.record else None,
        seconds=seconds,
        errors=outcome.errors,
        notes=decided.notes,
    )


def _keep(gate: Gate, decided: Decided, result: HookResult, until: float) -> None:
    """Write the record and the page of a gate that was opened without evidence."""
    assert decided.bypass is not None  # noqa: S101 - asked before
    run = Bypassed(decided.bypass, decided.release, result.to_json().get("told"))
    try:
        write_bypass_record(run, gate.place.report, until=until)
    except GreenroomError as error:
        _complain(gate, decided, (str(error),))


def _complain(gate: Gate, decided: Decided, problems: tuple[str, ...]) -> None:
    hook_log.note("announce", {"level": "ERROR", "problems": problems, **named(gate, decided)})


def _announce(gate: Gate, decided: Decided, result: HookResult, until: float) -> None:
    settings = gate.settings
    if gate.aws is None or not (settings.upload or settings.notify):
        return
    place = ReportPlace.of(settings.upload, run_of(gate, decided)) if settings.upload else None
    folder = gate.place.report if gate.place.report.is_dir() else None
    audience = Audience(place, settings.notify)
    done = announce(result, folder, audience, gate.aws, until=until)
    if done.problems:
        _complain(gate, decided, done.problems)
