"""Telling: whoever waits first, the log next, then uploads and messages with the time that is left.

`answer_event` is what every entry calls (the Lambda handler, ``greenroom hook``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins import hook_log
from greenroom.plugins.announce import Audience, announce
from greenroom.plugins.bypass_record import Bypassed, write_bypass_record
from greenroom.plugins.deployment_facts import status_of
from greenroom.plugins.gate import MARGIN_S, Decided, Gate
from greenroom.plugins.gate_answers import Pending, refusal
from greenroom.plugins.gate_waiters import key_of
from greenroom.plugins.hook_events import (
    BackUpEvent,
    BuildEndedEvent,
    CodeDeployEvent,
    EcsEvent,
    parse_event,
    waiter_in,
)
from greenroom.plugins.hook_result import HookResult, Seconds
from greenroom.plugins.hook_secrets import hook_redactor
from greenroom.plugins.report_codepipeline import FAILURE_TYPE
from greenroom.plugins.report_ecs import EcsReporter, call_back
from greenroom.plugins.report_exit_status import ExitStatusReporter
from greenroom.plugins.report_place import HookRun, ReportPlace, report_link
from greenroom.plugins.reporters import reporter_for
from greenroom.plugins.reporting import ALREADY_COMPLETED, Answer, Told
from greenroom.plugins.script_event import ScriptEvent
from greenroom.plugins.supervisor import explained
from greenroom.validators.errors import GreenroomError, ServiceError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.gate_place import Place
    from greenroom.plugins.reporting import Reporter
    from greenroom.plugins.supervisor import Supervised
    from greenroom.validators.lifecycle import LifecycleEvent

_STANDING_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery; ``error`` is set where the waiter could not be told."""

    answer: Answer | Pending
    payload: dict[str, Any] = field(default_factory=dict)
    told: Told | None = None
    result: Supervised | None = None
    errors: tuple[str, ...] = ()
    error: Exception | None = None

    @property
    def opened(self) -> bool:
        """Whether the gate is open, by this answer, and whoever waits knows it."""
        return (
            isinstance(self.answer, Answer)
            and self.answer.succeeded
            and self.error is None
            and not self.errors
        )


def answer_event(event: object, place_of: Callable[[str], Place]) -> Outcome:
    """Answer one delivery; nothing is raised, and ``error`` tells where nobody was told.

    ``place_of`` is given a name for this delivery's own folder.
    """
    began = time.monotonic()
    try:
        hook = parse_event(event)
    except SettingsError as error:
        return _refuse(event, error, place_of, began)
    late = hook if isinstance(hook, BackUpEvent | BuildEndedEvent) else None
    waiter = hook if not isinstance(hook, BackUpEvent | BuildEndedEvent) else hook.waiter
    delivery = late.delivery if late else event
    assert isinstance(delivery, Mapping)  # noqa: S101 - it was parsed
    with Gate(waiter, delivery, place_of(key_of(waiter))) as gate:
        return conclude(gate, gate.decide_late(late) if late else gate.decide(), began)


def answer_script(place: Place) -> Outcome:
    """Answer whoever looks at the exit status."""
    began = time.monotonic()
    try:
        script = ScriptEvent.from_environ(place.environ)
    except SettingsError as error:
        return Outcome(refusal(error.explain()), error=error)
    with Gate(script, {}, place) as gate:
        return conclude(gate, gate.decide(), began)


def _refuse(
    event: object, error: SettingsError, place_of: Callable[[str], Place], began: float
) -> Outcome:
    """Refuse an event that cannot be parsed; tell the waiter, if one can be made out."""
    waiter = waiter_in(event)
    answer = refusal(error.explain(), {FAILURE_TYPE: "ConfigurationError"})
    if waiter is None:
        hook_log.write(HookResult(answer=answer, errors=(str(error),)), now=time.time())
        return Outcome(answer, error=error)
    with Gate(waiter, {}, place_of(key_of(waiter))) as gate:
        return conclude(gate, Decided(answer), began)


def conclude(gate: Gate, decided: Decided, began: float) -> Outcome:
    """Tell what was decided to whoever waits, and then to everybody else."""
    if isinstance(decided.answer, Pending):
        return _pend(gate, decided, decided.answer)
    _event(gate, decided)
    answer = replace(decided.answer, link=_link(gate, decided))
    reported = time.monotonic()
    outcome = _told(gate, decided, answer)
    now = time.monotonic()
    result = _result(
        gate,
        decided,
        outcome,
        Seconds(
            suite=decided.result.seconds if decided.result else None,
            report=now - reported,
            hook=now - began,
        ),
    ).redacted(hook_redactor(gate.place.root, gate.place.environ))
    if not isinstance(gate.hook, ScriptEvent):
        hook_log.write(result, now=time.time())
    if decided.bypass is not None:
        _keep(gate, decided, result)
    _announce(gate, decided, result)
    return replace(
        outcome, payload=dict((outcome.told and outcome.told.payload) or result.to_json())
    )


def _pend(gate: Gate, decided: Decided, pending: Pending) -> Outcome:
    facts = {"pending": pending.reason, **_named(gate, decided), **decided.notes}
    payload: dict[str, Any] = facts
    if isinstance(gate.hook, EcsEvent):
        payload = call_back(gate.hook, pending.state or {}, delay_s=pending.delay_s)
    hook_log.note("hook", facts)
    return Outcome(pending, payload=payload, result=decided.result)


def _told(gate: Gate, decided: Decided, answer: Answer) -> Outcome:
    """Tell the waiter; what stands instead of this answer is an error unless it is the same."""
    base = Outcome(answer, result=decided.result)
    try:
        told = _reporter(gate).report(answer, until=gate.place.ends - MARGIN_S)
    except Exception as error:  # noqa: BLE001 - the log comes before whatever is raised
        return replace(base, errors=(explained(error),), error=error)
    errors: tuple[str, ...] = ()
    if told.result == ALREADY_COMPLETED:
        errors = _stands(gate, decided, told)
    return replace(base, told=told, errors=errors)


def _event(gate: Gate, decided: Decided) -> LifecycleEvent | None:
    """Return the event as far as it is known by now."""
    if decided.event is None and gate.lookups is not None:
        decided.event = gate.lookups.name_by_now()
    return decided.event


def _reporter(gate: Gate) -> Reporter:
    if isinstance(gate.hook, ScriptEvent):
        return ExitStatusReporter()
    if isinstance(gate.hook, EcsEvent):
        return EcsReporter(gate.hook)
    assert gate.aws is not None  # noqa: S101 - whoever is told by a call always has it
    return reporter_for(gate.hook, gate.aws)


def _stands(gate: Gate, decided: Decided, told: Told) -> tuple[str, ...]:
    """Return what is wrong with an event that somebody completed before: nothing, if the same.

    Where CodeDeploy does not say, the ledger's word is taken: all deliveries tell what it holds.
    """
    if not isinstance(gate.hook, CodeDeployEvent):
        return ()  # its reporter has looked at what stands
    status = ""
    if gate.aws and (event := _event(gate, decided)):
        left = gate.place.ends - MARGIN_S - time.monotonic()
        until = time.monotonic() + left * _STANDING_SHARE
        try:
            status = status_of(gate.aws, gate.hook.deployment, event.value, until=until)
        except (ServiceError, KeyError) as error:
            decided.notes["standing"] = str(error)
    if status == told.status or (not status and gate.settings.ledger):
        return ()
    seen = f"as {status}" if status else "by somebody else, and as what is not known"
    return (f"{told.to} was told {told.status}, but the event had been completed {seen}",)


def _result(gate: Gate, decided: Decided, outcome: Outcome, seconds: Seconds) -> HookResult:
    """Return what the log and the messages tell."""
    suite = decided.result
    assert isinstance(outcome.answer, Answer)  # noqa: S101 - something else was told to nobody
    return HookResult(
        answer=outcome.answer,
        told=outcome.told,
        **_named(gate, decided),
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


def _named(gate: Gate, decided: Decided) -> dict[str, str]:
    return {
        "event": decided.event.value if decided.event else decided.release.get("event", ""),
        "application": decided.release.get("application", ""),
        "deployment": gate.hook.deployment,
        "execution_id": gate.hook.execution_id,
    }


def _run(gate: Gate, decided: Decided) -> HookRun:
    named = _named(gate, decided)
    return HookRun(named["deployment"], named["event"], gate.key)


def _link(gate: Gate, decided: Decided) -> str:
    """Return where the report will be; a wrong template costs the link, not the answer."""
    settings, environ = gate.settings, gate.place.environ
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
    try:
        return report_link(
            _run(gate, decided), upload=settings.upload, template=settings.link, region=region
        )
    except GreenroomError as error:
        decided.notes["link"] = str(error)
        return ""


def _keep(gate: Gate, decided: Decided, result: HookResult) -> None:
    """Write the record and the page of a gate that was opened without evidence."""
    assert decided.bypass is not None  # noqa: S101 - asked before
    run = Bypassed(decided.bypass, decided.release, result.to_json().get("told"))
    try:
        write_bypass_record(run, gate.place.report, until=gate.place.ends - MARGIN_S)
    except GreenroomError as error:
        _complain(gate, decided, (str(error),))


def _complain(gate: Gate, decided: Decided, problems: tuple[str, ...]) -> None:
    hook_log.note("announce", {"level": "ERROR", "problems": problems, **_named(gate, decided)})


def _announce(gate: Gate, decided: Decided, result: HookResult) -> None:
    settings = gate.settings
    if gate.aws is None or not (settings.upload or settings.notify):
        return
    place = ReportPlace.of(settings.upload, _run(gate, decided)) if settings.upload else None
    folder = gate.place.report if gate.place.report.is_dir() else None
    audience = Audience(place, settings.notify)
    until = gate.place.ends - MARGIN_S
    done = announce(result, folder, audience, gate.aws, until=until)
    if done.problems:
        _complain(gate, decided, done.problems)
