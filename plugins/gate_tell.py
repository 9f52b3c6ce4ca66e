"""Telling: whoever waits first, the log next, then uploads and messages with the time that is left.

`answer_event` is what every entry calls (the Lambda handler, ``greenroom hook``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.deployment_facts import status_of
from greenroom.plugins.gate import MARGIN_S, Decided, Gate
from greenroom.plugins.gate_answers import Pending, refusal
from greenroom.plugins.gate_waiters import KEY, key_of
from greenroom.plugins.hook_events import (
    BackUpEvent,
    BuildEndedEvent,
    CodeDeployEvent,
    EcsEvent,
    parse_event,
    waiter_in,
)
from greenroom.plugins.hook_result import HookResult, Seconds
from greenroom.plugins.report_codepipeline import FAILURE_TYPE
from greenroom.plugins.report_ecs import call_back
from greenroom.plugins.report_place import HookRun, report_link
from greenroom.plugins.reporters import reporter_for
from greenroom.plugins.reporting import ALREADY_COMPLETED, Answer, Told
from greenroom.plugins.script_event import ScriptEvent
from greenroom.plugins.supervisor import explained
from greenroom.validators.errors import GreenroomError, ServiceError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.gate_place import Place
    from greenroom.plugins.supervisor import Supervised
    from greenroom.validators.lifecycle import LifecycleEvent

_STANDING_SHARE = 0.5
_COMPLETED = frozenset({"Succeeded", "Failed", "Skipped"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery; ``error`` is set where the waiter could not be told.

    ``misconfigured`` tells that the settings are wrong.
    """

    answer: Answer | Pending
    payload: dict[str, Any] = field(default_factory=dict)
    told: Told | None = None
    result: Supervised | None = None
    errors: tuple[str, ...] = ()
    error: Exception | None = None
    bypass_refused: str = ""
    misconfigured: bool = False


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
    place = place_of(key_of(waiter, ""))
    # Only what this package handed on names itself: an event of anybody's could name a verdict
    # that is another's.
    key = str(delivery.get(KEY, "")) if late or place.invitation else ""
    with Gate(waiter, delivery, place, key=key) as gate:
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
        from greenroom.plugins import hook_log  # noqa: PLC0415 - nobody is told

        hook_log.write(HookResult(answer=answer, errors=(str(error),)), now=time.time())
        return Outcome(answer, error=error)
    with Gate(waiter, {}, place_of(key_of(waiter, ""))) as gate:
        return conclude(gate, gate.refuse(answer), began)


def conclude(gate: Gate, decided: Decided, began: float) -> Outcome:
    """Tell what was decided to whoever waits, and then to everybody else."""
    if isinstance(decided.answer, Pending):
        return _pend(gate, decided, decided.answer)
    _event(gate, decided)
    answer = replace(decided.answer, link=_link(gate, decided))
    reported = time.monotonic()
    outcome = _told(gate, decided, answer)
    seconds = Seconds(
        suite=decided.result.seconds if decided.result else None,
        report=time.monotonic() - reported,
        hook=time.monotonic() - began,
    )
    # What is needed from here on is imported here: the waiter has been told.
    from greenroom.plugins.gate_after import say_why  # noqa: PLC0415 - see above

    facts = say_why(gate, decided, outcome, seconds)
    return replace(outcome, payload=dict((outcome.told and outcome.told.payload) or facts))


def _pend(gate: Gate, decided: Decided, pending: Pending) -> Outcome:
    facts = {"pending": pending.reason, **named(gate, decided), "notes": decided.notes}
    payload: dict[str, Any] = facts
    if isinstance(gate.hook, EcsEvent):
        payload = call_back(gate.hook, pending.state or {}, delay_s=pending.delay_s)
    from greenroom.plugins import hook_log  # noqa: PLC0415 - seldom needed

    hook_log.note("hook", facts)
    return Outcome(pending, payload=payload, result=decided.result)


def _told(gate: Gate, decided: Decided, answer: Answer) -> Outcome:
    """Tell the waiter; what stands instead of this answer is an error unless it is the same."""
    base = Outcome(
        answer,
        result=decided.result,
        bypass_refused=decided.bypass_refused,
        misconfigured=gate.misconfigured,
    )
    try:
        reporter = reporter_for(gate.hook, gate.aws, invited=gate.place.invitation is not None)
        told = reporter.report(answer, until=gate.place.ends - MARGIN_S)
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
    known = status in _COMPLETED
    if status == told.status or (not known and gate.settings.ledger):
        return ()
    seen = f"as {status}" if known else "by somebody else, and as what is not known"
    return (f"{told.to} was told {told.status}, but the event had been completed {seen}",)


def named(gate: Gate, decided: Decided) -> dict[str, str]:
    """Return what the log and the messages call this decision."""
    return {
        "event": decided.event.value if decided.event else decided.release.get("event", ""),
        "application": decided.release.get("application", ""),
        "deployment": gate.hook.deployment,
        "execution_id": gate.hook.execution_id,
    }


def run_of(gate: Gate, decided: Decided) -> HookRun:
    """Return what names the report's place."""
    names = named(gate, decided)
    return HookRun(names["deployment"], names["event"], gate.key)


def _link(gate: Gate, decided: Decided) -> str:
    """Return where the report will be; a wrong template costs the link, not the answer."""
    settings, environ = gate.settings, gate.place.environ
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
    try:
        return report_link(
            run_of(gate, decided), upload=settings.upload, template=settings.link, region=region
        )
    except GreenroomError as error:
        decided.notes["link"] = str(error)
        return ""
