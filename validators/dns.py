"""DNS: the frozen facts of one answer, and the pure function that judges them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.texts import judge_texts
from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.texts import TextRule
    from greenroom.validators.threshold import Threshold

_SHOWN = 10


class RecordType(StrEnum):
    """The types of record that can be asked for."""

    A = "A"
    AAAA = "AAAA"
    CAA = "CAA"
    CNAME = "CNAME"
    MX = "MX"
    NS = "NS"
    PTR = "PTR"
    SOA = "SOA"
    SRV = "SRV"
    TXT = "TXT"


class Existence(StrEnum):
    """What a server said of a name."""

    RECORDS = "it has records"
    NO_RECORDS = "the name exists, and has no record of this type"
    NO_NAME = "the name does not exist (NXDOMAIN)"


@dataclass(frozen=True, slots=True)
class DnsFacts:
    """One answer about ``name``, given by ``server`` (HOST:PORT).

    ``values`` are the records as zone files write them, names in lower case and without the dot at
    their end, texts joined and unquoted; ``ttl_s`` is the lowest time to live on the way to them.
    ``at`` is an ISO 8601 time in UTC, ``version`` the asking library's.
    """

    name: str
    type: RecordType
    server: str
    existence: Existence
    values: tuple[str, ...]
    ttl_s: int
    took_s: float
    at: str
    version: str = ""

    @property
    def shown(self) -> str:
        """The values on one line, or why there are none."""
        if not self.values:
            return self.existence.value
        more = f", and {len(self.values) - _SHOWN} more" if len(self.values) > _SHOWN else ""
        return ", ".join(self.values[:_SHOWN]) + more


@dataclass(frozen=True, slots=True)
class DnsExpect:
    """What is expected of an answer; ``limits`` are about ``ttl`` (s, or plain) and ``time``."""

    exists: bool = True
    values: tuple[TextRule, ...] = ()
    limits: tuple[Threshold, ...] = ()


def judge_dns(facts: DnsFacts, expect: DnsExpect | None = None) -> Finding:
    """Judge an answer: that there are records (or none), then all that is expected of them."""
    evidence = Evidence(
        f"answer of {facts.server} about {facts.name} {facts.type}",
        1,
        "dnspython",
        facts.version,
        facts.at,
    )
    return Finding.judged(
        tuple(_rules(facts, expect or DnsExpect())),
        (evidence,),
        advice="compare the zone with what should be there; a changed record may still be cached",
    )


def _rules(facts: DnsFacts, expect: DnsExpect) -> Iterator[Rule]:
    met = bool(facts.values) is expect.exists
    yield Rule(f"{facts.name} {facts.type}", _wanted(expect), facts.shown, met)
    for rule in expect.values:
        yield judge_texts(rule, facts.values)
    for limit in expect.limits:
        yield limit.judge({"time": _time(facts), "ttl": _ttl(facts, limit)})


def _wanted(expect: DnsExpect) -> str:
    return "has records" if expect.exists else "has no record"


def _time(facts: DnsFacts) -> Metric:
    return Metric(facts.took_s, Dimension.TIME, samples=1)


def _ttl(facts: DnsFacts, limit: Threshold) -> Metric:
    """Return the time to live as what the limit is: plain numbers are seconds in zone files."""
    timed = limit.dimension is Dimension.TIME
    dimension = Dimension.TIME if timed else Dimension.COUNT
    return Metric(facts.ttl_s, dimension, samples=len(facts.values))


def canonical(value: str, type_: RecordType) -> str:
    """Return a record's value as `DnsFacts` has it: names in lower case, addresses in short."""
    match type_:
        case RecordType.A | RecordType.AAAA:
            try:
                return str(ipaddress.ip_address(value))
            except ValueError:
                return value
        case RecordType.TXT | RecordType.CAA:
            return value
        case _:
            return value.lower().removesuffix(".")
