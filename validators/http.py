"""HTTP: the frozen facts of one exchange, and the pure functions that judge them.

Each function returns one `Rule`, met or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.finding import Rule
from greenroom.validators.json_values import judge_values
from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.validators.json_values import Expectation
    from greenroom.validators.threshold import Threshold

_SHOWN_VIOLATIONS = 5
_CLASS_DIVISOR = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete response; ``elapsed_s`` runs from the request's start to the body's last byte.

    Header names are lower case; ``body`` is decoded from its transfer and content encoding.
    ``protocol`` is that of the connection, as ``HTTP/2``; empty if it is not known.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    elapsed_s: float
    protocol: str = ""

    def header(self, name: str) -> str | None:
        """Return a header's values joined by ``", "``, as HTTP defines it, or None."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no complete answer could be observed, and what to do.

    ``retry`` is True where trying again is about the transport alone (no connection was made).
    """

    reason: str
    advice: str
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a document breaks its schema; ``pointer`` is a JSON Pointer."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '(root)'}: {self.message}"


@dataclass(frozen=True, slots=True)
class StatusSet:
    """The accepted status codes, and classes such as 2 for ``2xx``."""

    codes: frozenset[int] = frozenset()
    classes: frozenset[int] = frozenset()

    def accepts(self, status: int) -> bool:
        """Tell whether ``status`` is one of these."""
        return status in self.codes or status // _CLASS_DIVISOR in self.classes

    def __str__(self) -> str:
        names = [*map(str, sorted(self.codes)), *(f"{one}xx" for one in sorted(self.classes))]
        return " or ".join(names)


def judge_protocol(wanted: str, answer: Answer) -> Rule:
    """Judge which version of HTTP answered."""
    seen = answer.protocol or "none of HTTP"
    return Rule("protocol", wanted, seen, met=seen == wanted)


def judge_status(accepted: StatusSet, answer: Answer) -> Rule:
    """Judge the status code."""
    met = accepted.accepts(answer.status)
    return Rule("status", str(accepted), str(answer.status), met)


def judge_time(limit: Threshold, answer: Answer) -> Rule:
    """Judge the time to the body's last byte; ``limit`` is about the metric ``time``."""
    return limit.judge({"time": Metric(answer.elapsed_s, Dimension.TIME, samples=1)})


def judge_header(name: str, expectation: Expectation, answer: Answer) -> Rule:
    """Judge one header as a text; an absent header meets nothing but ``exists: false``."""
    value = answer.header(name)
    return judge_values(f"header {name.lower()}", expectation, () if value is None else (value,))


def judge_schema(name: str, violations: Iterable[Violation]) -> Rule:
    """Judge a document by the ways in which it breaks the schema ``name``."""
    found = tuple(violations)
    shown = "; ".join(map(str, found[:_SHOWN_VIOLATIONS]))
    more = f"; and {len(found) - _SHOWN_VIOLATIONS} more" if len(found) > _SHOWN_VIOLATIONS else ""
    return Rule("schema", name, f"{shown}{more}" if found else "valid", not found)
