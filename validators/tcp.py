"""TCP: the frozen facts of one connection, and the pure function that judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.texts import judge_text
from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.texts import TextRule
    from greenroom.validators.threshold import Threshold

RECEIVED_MOST = 64 * 1024
"""Bytes that a check receives at most, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class TcpFacts:
    """One connection that ``server`` (HOST:PORT) accepted, after ``took_s``.

    ``receives`` is what was asked for, and ``received`` what it sent, None where nothing was asked
    for; ``at`` is ISO 8601 in UTC.
    """

    server: str
    took_s: float
    at: str
    receives: tuple[TextRule, ...] = ()
    received: bytes | None = None

    @property
    def text(self) -> str:
        """What was received, as text; what is no UTF-8 is marked."""
        return (self.received or b"").decode("utf-8", "replace")

    @property
    def answers(self) -> tuple[Rule, ...]:
        """How what was received meets what was asked for."""
        return tuple(judge_text(rule, self.text) for rule in self.receives)


def judge_tcp(facts: TcpFacts, limits: tuple[Threshold, ...] = ()) -> Finding:
    """Judge a connection, and what came by it; ``limits`` are about the ``time`` to connect."""
    what = f"connection to {facts.server}"
    if facts.received is not None:
        what += f", {len(facts.received):,} bytes received"
    evidence = Evidence(what, 1, "socket", "", facts.at)
    return Finding.judged(tuple(_rules(facts, limits)), (evidence,))


def _rules(facts: TcpFacts, limits: tuple[Threshold, ...]) -> Iterator[Rule]:
    yield Rule("connection", "accepted", "accepted", met=True)
    for limit in limits:
        yield limit.judge({"time": Metric(facts.took_s, Dimension.TIME, samples=1)})
    yield from facts.answers
