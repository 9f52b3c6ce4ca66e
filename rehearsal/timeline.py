"""A rehearsal's outcome as data: the timeline (``greenroom.rehearsal/1``) and its judgement."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from greenroom.rehearsal.lifecycle import EventStatus, Status
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from greenroom.rehearsal.lifecycle import EventRecord, Snapshot
    from greenroom.rehearsal.load import Requests

SCHEMA = "greenroom.rehearsal/1"
REFUSED = "ARTIFACT_REFUSED"
"""The error code of a rehearsal whose artifact stage did not say ship: nothing was deployed."""


def refused(reason: str, revision: str) -> dict[str, Any]:
    """Return the timeline of a rehearsal that deployed nothing."""
    return {
        "schema": SCHEMA,
        "revision": revision,
        "deployment_id": None,
        "status": Status.FAILED.value,
        "rolled_back": False,
        "error": {"code": REFUSED, "message": reason},
        "requests": {
            "total": 0,
            "failed": 0,
            "original": 0,
            "replacement": 0,
            "replacement_before_gate": 0,
        },
        "traffic": [],
        "events": [],
        "hooks": [],
    }


def timeline(
    snapshot: Snapshot,
    requests: Requests,
    hooks: list[dict[str, Any]],
    *,
    revision: str,
    real: Callable[[datetime], datetime],
) -> dict[str, Any]:
    """Return a deployment's timeline; ``real`` turns deployment time into real time.

    Each hook gets the answer that it really gave; null where it gave none.
    """
    began = real(snapshot.created)

    def seconds(moment: datetime) -> float:
        return round((real(moment) - began).total_seconds(), 3)

    def event(record: EventRecord) -> dict[str, Any]:
        return {
            "name": record.name.value,
            "status": record.status.value,
            "start": real(record.start).isoformat() if record.start else None,
            "end": real(record.end).isoformat() if record.end else None,
            "start_s": seconds(record.start) if record.start else None,
            "end_s": seconds(record.end) if record.end else None,
            "message": record.message,
        }

    answers = {
        answer.event.value: {
            "status": "Succeeded" if answer.succeeded else "Failed",
            "at": real(answer.at).isoformat(),
        }
        for answer in snapshot.answers
    }
    error = snapshot.error
    return {
        "schema": SCHEMA,
        "revision": revision,
        "deployment_id": snapshot.deployment_id,
        "status": snapshot.status.value,
        "rolled_back": snapshot.rolled_back,
        "error": {"code": error.code.value, "message": error.message} if error else None,
        "requests": requests.to_json(),
        "traffic": [
            {"at_s": seconds(point.at), "replacement": point.replacement}
            for point in snapshot.traffic
        ],
        "events": [
            event(record) for record in snapshot.events if record.status is not EventStatus.PENDING
        ],
        "hooks": [hook | {"answer": answers.get(hook["event"])} for hook in hooks],
    }


def judge(
    snapshot: Snapshot, requests: Requests, alarms: Sequence[Rule] = (), *, at: str
) -> Finding:
    """Judge a deployment that has ended: it succeeded, and production never noticed.

    ``alarms`` is what each of them saw. Evidence are the production requests that were counted;
    without one it is *inconclusive*.
    """
    status = snapshot.status.value + (", rolled back" if snapshot.rolled_back else "")
    why = f" ({snapshot.error.message})" if snapshot.error else ""
    before, failed, green = (
        requests.replacement_before_gate,
        requests.failed,
        requests.replacement,
    )
    succeeded = snapshot.status is Status.SUCCEEDED
    rules = [
        Rule("deployment", "Succeeded", status + why, succeeded),
        Rule("failed production requests", "== 0", str(failed), failed == 0),
        Rule(
            "production requests to the replacement before the gate",
            "== 0",
            str(before),
            not before,
        ),
    ]
    if succeeded:
        rule = "production requests answered by the replacement"
        rules.append(Rule(rule, ">= 1", str(green), green > 0))
    tool, release = "greenroom", version("greenroom")
    evidence = Evidence("production requests", requests.total, tool, release, at)
    return Finding.judged(
        (*rules, *alarms), (evidence,), advice=_advice(alarms, succeeded=succeeded)
    )


def _advice(alarms: Sequence[Rule], *, succeeded: bool) -> str:
    if not succeeded:
        return "read the timeline and the hook's reasons; nothing was released"
    if any(alarm.met is None for alarm in alarms):
        return "raise [load] rate or the alarm's window_s, or lower its minimum: it never had data"
    return ""
