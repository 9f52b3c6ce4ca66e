"""Saying why, after the waiter has been told: the log line, the page, uploads and messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from greenroom.plugins import hook_log
from greenroom.plugins.announce import Audience, announce
from greenroom.plugins.bypass_record import Bypassed, write_bypass_record
from greenroom.plugins.gate import MARGIN_S
from greenroom.plugins.gate_tell import named, run_of
from greenroom.plugins.hook_result import HookResult, Seconds
from greenroom.plugins.hook_secrets import hook_redactor
from greenroom.plugins.own_process import run_module
from greenroom.plugins.report_place import ReportPlace
from greenroom.plugins.reporting import Answer
from greenroom.plugins.script_event import ScriptEvent
from greenroom.validators.errors import GreenroomError

if TYPE_CHECKING:
    from greenroom.plugins.gate import Decided, Gate
    from greenroom.plugins.gate_tell import Outcome

_PAGES_SHARE = 0.5  # of the time that is left: uploads and messages want the rest


def say_why(gate: Gate, decided: Decided, outcome: Outcome, seconds: Seconds) -> dict[str, Any]:
    """Log, render, upload and tell everybody else; return what was logged. Nothing is raised."""
    redactor = hook_redactor(gate.place.root, gate.place.environ)
    result = _result(gate, decided, outcome, seconds).redacted(redactor)
    if not isinstance(gate.hook, ScriptEvent):
        hook_log.write(result, now=time.time())
    if decided.bypass is not None:
        _keep(gate, decided, result)
    else:
        _render(gate, decided)
    _announce(gate, decided, result)
    return result.to_json()


def _render(gate: Gate, decided: Decided) -> None:
    """Render what people read, where anybody can come to see it."""
    record = decided.result.record if decided.result else None
    if record is None or not (gate.place.keeps_report or gate.settings.upload):
        return
    now = time.monotonic()
    until = now + (gate.place.ends - MARGIN_S - now) * _PAGES_SHARE
    try:
        run_module("greenroom.plugins.pages", str(record.parent), until=until)
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


def _keep(gate: Gate, decided: Decided, result: HookResult) -> None:
    """Write the record and the page of a gate that was opened without evidence."""
    assert decided.bypass is not None  # noqa: S101 - asked before
    run = Bypassed(decided.bypass, decided.release, result.to_json().get("told"))
    try:
        write_bypass_record(run, gate.place.report, until=gate.place.ends - MARGIN_S)
    except GreenroomError as error:
        _complain(gate, decided, (str(error),))


def _complain(gate: Gate, decided: Decided, problems: tuple[str, ...]) -> None:
    hook_log.note("announce", {"level": "ERROR", "problems": problems, **named(gate, decided)})


def _announce(gate: Gate, decided: Decided, result: HookResult) -> None:
    settings = gate.settings
    if gate.aws is None or not (settings.upload or settings.notify):
        return
    place = ReportPlace.of(settings.upload, run_of(gate, decided)) if settings.upload else None
    folder = gate.place.report if gate.place.report.is_dir() else None
    audience = Audience(place, settings.notify)
    until = gate.place.ends - MARGIN_S
    done = announce(result, folder, audience, gate.aws, until=until)
    if done.problems:
        _complain(gate, decided, done.problems)
