"""Runs one check of a suite at each place behind the target's load balancer."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx

from greenroom.plugins.suite_run import judge, observe, redacted, revisions
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.http import Answer
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.suite_model import HttpCheck
    from greenroom.plugins.suite_run import Observation
    from greenroom.plugins.target_settings import Address
    from greenroom.plugins.targets import Behind

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Asked:
    address: Address
    observation: Observation
    finding: Finding


def run_at_each(
    check: HttpCheck,
    target: str,
    behind: Behind,
    client_at: Callable[[Address], httpx.Client],
    redactor: Redactor,
) -> Finding:
    """Return the finding over all places: each has the check's whole time, one after the other."""
    asked = []
    for address in behind.addresses:
        with client_at(address) as client:
            seen = observe(check, client, time.sleep)
        asked.append(_Asked(address, seen, judge(check, target, seen)))
    return redacted(_joined(check, asked, behind), redactor)


def _joined(check: HttpCheck, asked: list[_Asked], behind: Behind) -> Finding:
    """Return the worst of the findings, each rule with the address that it was judged at."""
    rules = [
        replace(rule, rule=f"{rule.rule} at {one.address}")
        for one in asked
        for rule in one.finding.rules
    ]
    doubts = [behind.doubt] if behind.doubt is not None else []
    notes = tuple(dict.fromkeys(note for one in asked for note in one.finding.notes))
    found = Finding.judged((*rules, *doubts), tuple(_evidence(check, asked)), notes=notes)
    shown = [one for one in asked if one.finding.outcome is found.outcome]
    if found.outcome is Outcome.PASSED or not shown:
        return replace(found, advice=behind.advice)
    told = doubts if found.outcome is Outcome.ERROR else []
    advice = [*(one.finding.advice for one in shown), behind.advice if told else ""]
    return replace(
        found,
        expected=_listed([*(one.finding.expected for one in shown), *(d.limit for d in told)]),
        seen=_listed(
            [*(f"at {one.address}: {one.finding.seen}" for one in shown), *map(_doubt, told)]
        ),
        advice=_listed([text for text in advice if text]),
    )


def _evidence(check: HttpCheck, asked: list[_Asked]) -> Iterator[Evidence]:
    """Count the places that answered, by revision."""
    places: dict[str, list[_Asked]] = {}
    for one in asked:
        if isinstance(one.observation.outcome, Answer):
            places.setdefault(revisions(check, one.observation.outcome), []).append(one)
    for revision, those in places.items():
        named = f" of {revision}" if revision else ""
        where = ", ".join(str(one.address) for one in those)
        at = those[-1].observation.at
        yield Evidence(f"targets{named} ({where})", len(those), "httpx", httpx.__version__, at)


def _doubt(rule: Rule) -> str:
    return f"{rule.rule} {rule.observed}"


def _listed(texts: list[str]) -> str:
    distinct = list(dict.fromkeys(texts))
    more = f"; and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    return "; ".join(distinct[:_SHOWN]) + more
