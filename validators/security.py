"""Penetration checks: what probes sent and saw of how much, and the judgement of it.

A probe counts as evidence only with what it examined. One that saw nothing (no cookie was set) is
told as a note; one of which every request failed makes the check an *error*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.json_values import cut
from greenroom.validators.result import (
    Location,
    Result,
    Severity,
    State,
    count_metrics,
    fingerprint_of,
    worst_first,
)
from greenroom.validators.threshold import Threshold, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.validators.http import Answer
    from greenroom.validators.result_waiver import Waived

METRICS = tuple(count_metrics((), 0))
"""What `expect` may limit."""
STRICT = tuple(map(parse_threshold, ("critical == 0", "high == 0", "medium == 0")))
"""What is expected where nothing is said."""
TOO_MANY, SERVER_ERROR = 429, 500
_LINE = 80


class Group(StrEnum):
    """Probes that are chosen together."""

    HEADERS = "headers"
    COOKIES = "cookies"
    CORS = "cors"
    TLS = "tls"
    METHODS = "methods"
    LEAKS = "leaks"
    REDIRECTS = "redirects"
    HOST = "host"
    LISTING = "listing"
    FILES = "files"
    AUTH = "auth"
    RATE_LIMIT = "rate_limit"


@dataclass(frozen=True, slots=True)
class Probe:
    """One weakness that is looked for.

    ``sends`` says what is sent, ``needs`` what must be seen for a result, ``fix`` what to do.
    """

    id: str
    title: str
    group: Group
    severity: Severity
    cwe: int
    owasp: tuple[str, ...]
    sends: str
    needs: str
    fix: str

    @property
    def link(self) -> str:
        """Where the weakness is explained."""
        return f"https://cwe.mitre.org/data/definitions/{self.cwe}.html"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its complete answer, or why there was none.

    ``path`` is as people know it: random parts have a fixed name, so that it is the same each time.
    ``too_large`` says that an answer began and was longer than what is read, ``closed`` that the
    connection ended instead of an answer.
    """

    method: str
    path: str
    answer: Answer | None
    failure: str = ""
    too_large: bool = False
    closed: bool = False

    @property
    def line(self) -> str:
        """The request, for a person."""
        return f"{self.method} {self.path}"

    @property
    def status(self) -> int:
        """The answer's status, 0 without an answer."""
        return 0 if self.answer is None else self.answer.status

    @property
    def usable(self) -> bool:
        """Whether the answer says anything of the service: neither broken nor too busy."""
        return self.status not in {0, TOO_MANY} and self.status < SERVER_ERROR

    @property
    def unusable(self) -> str:
        """Why the answer says nothing of the service."""
        return f"{cut(self.line, _LINE)}: {self.failure or f'answered {self.status}'}"

    def header(self, name: str) -> str:
        """Return a header of the answer, empty if it has none."""
        return "" if self.answer is None else self.answer.header(name) or ""

    @property
    def text(self) -> str:
        """The answer's body as text."""
        return "" if self.answer is None else self.answer.body.decode("utf-8", "replace")

    @property
    def html(self) -> bool:
        """Whether a browser would show the answer as a page."""
        kind = self.header("content-type").lower()
        return "text/html" in kind or "application/xhtml" in kind


@dataclass(frozen=True, slots=True)
class Hit:
    """What a probe found at ``path``: the request's ``line`` and what was ``seen``."""

    line: str
    path: str
    seen: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of one probe: it ``examined`` so many of ``unit``.

    ``failed`` are requests that were not answered or with an error of the server, and why; ``why``
    says why nothing was examined, where no request failed. ``whole``: one failure is one too many.
    """

    probe: Probe
    examined: int
    unit: str
    hits: tuple[Hit, ...] = ()
    failed: tuple[str, ...] = ()
    why: str = ""
    whole: bool = False


@dataclass
class Tally:
    """Counts what one probe examines, and collects what it finds."""

    probe: Probe
    unit: str = "answers"
    why: str = "nothing to examine"
    whole: bool = False
    examined: int = 0
    hits: list[Hit] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def saw(self, exchange: Exchange) -> bool:
        """Count one answer; tell whether it says anything of the service."""
        if exchange.usable:
            self.examined += 1
        else:
            self.failed.append(exchange.unusable)
        return exchange.usable

    def hit(self, exchange: Exchange, seen: str, severity: Severity | None = None) -> None:
        """Note what was found in the answer of ``exchange``."""
        self.hits.append(Hit(exchange.line, exchange.path, seen, severity))

    def done(self) -> Probed:
        """Return what became of the probe."""
        hits = tuple(dict.fromkeys(self.hits))
        failed = tuple(self.failed)
        return Probed(self.probe, self.examined, self.unit, hits, failed, self.why, self.whole)


@dataclass(frozen=True, slots=True)
class SecurityFacts:
    """What was observed of one target; ``at`` is an ISO 8601 time in UTC.

    ``problems`` are why what was seen cannot be trusted; ``version`` is Greenroom's own, and that
    of its probes.
    """

    probed: tuple[Probed, ...]
    version: str
    at: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def results_of(facts: SecurityFacts) -> tuple[Result, ...]:
    """Return every hit as a result, the worst first."""
    return worst_first(_result(one.probe, hit) for one in facts.probed for hit in one.hits)


def judge_security(
    facts: SecurityFacts, limits: Iterable[Threshold] = STRICT, waived: Waived | None = None
) -> Finding:
    """Judge the open results by ``limits``; ``waived`` are they where some were waived.

    failed if a limit is missed; else error if a probe got no answer, or what was seen cannot be
    trusted; else inconclusive if nothing was examined; else passed.
    """
    given = results_of(facts) if waived is None else worst_first(waived.results)
    notes = () if waived is None else waived.notes
    evidence = tuple(_evidence(facts, one) for one in facts.probed if one.examined)
    samples = sum(one.examined for one in facts.probed) or len(given)
    metrics = count_metrics(given, samples or 1)
    rules = (
        *(limit.judge(metrics) for limit in limits),
        *(_unseen(one) for one in facts.probed if _is_unseen(one)),
        *(Rule("the target", "answers throughout", problem, None) for problem in facts.problems),
    )
    told = (*facts.notes, *(note for one in facts.probed for note in _notes(one)), *notes)
    return Finding.judged(rules, evidence, advice=_advice(given), results=given, notes=told)


def _result(probe: Probe, hit: Hit) -> Result:
    severity = hit.severity or probe.severity
    named = ", ".join((f"CWE-{probe.cwe}", *probe.owasp))
    return Result(
        id=probe.id,
        message=f"{probe.title}: {hit.line}: {hit.seen} ({named})",
        level=severity.level,
        severity=severity,
        tool="greenroom",
        location=Location(hit.path),
        link=probe.link,
        advice=probe.fix,
        fingerprint=fingerprint_of(probe.id, hit.line, re.sub(r"\d+", "", hit.seen)),
    )


def _evidence(facts: SecurityFacts, probed: Probed) -> Evidence:
    return Evidence(probed.unit, probed.examined, probed.probe.id, facts.version, facts.at)


def _is_unseen(probed: Probed) -> bool:
    seen = probed.examined or probed.hits
    return bool(probed.failed) and (probed.whole or not seen)


def _unseen(probed: Probed) -> Rule:
    named = f"{probed.probe.id} {probed.probe.title}"
    return Rule(named, "an answer", f"none: {probed.failed[0]}", None)


def _notes(probed: Probed) -> Iterable[str]:
    if _is_unseen(probed):
        return
    named = f"{probed.probe.id} {probed.probe.title}"
    if not probed.examined and not probed.hits:
        yield f"{named}: not examined: {probed.why}"
    elif probed.failed:
        number = len(probed.failed)
        yield f"{named}: {number:,} without a usable answer ({probed.failed[0]})"


def _advice(results: tuple[Result, ...]) -> str:
    advice = dict.fromkeys(one.advice for one in results if one.state is State.OPEN)
    first = list(advice)[:3]
    return "; ".join(first) + (f"; and {len(advice) - 3} more" if len(advice) > len(first) else "")
