"""A deployment's timeline: lifecycle events as bars, the traffic split as an area, hooks, counters.

Reads the deployment object of a run record leniently: what is absent or of another shape is not
drawn, and never keeps the page from being made.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from greenroom.reports import text

WIDTH = 1000
"""The drawing's width in its own units; it stretches to its column."""
_THINNEST = 6.0
_BELOW = re.compile(r"(?:[A-Za-z0-9_.-]+/)*report\.html", re.ASCII)
_GOOD = frozenset({"succeeded", "ship", "completed"})
_BAD = frozenset({"failed", "stopped", "do-not-ship", "could-not-decide", "error", "timedout"})
_COUNTERS = (
    ("total", "requests in all"),
    ("failed", "failed"),
    ("original", "answered by the original"),
    ("replacement", "answered by the replacement"),
    ("replacement_before_gate", "by the replacement before the gate opened"),
)
_MUST_BE_ZERO = frozenset({"failed", "replacement_before_gate"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hook's own report is; a link only if it lies below the page's folder."""

    path: str

    @property
    def link(self) -> str:
        """The address relative to the page, or empty: an address with a scheme is never one."""
        inside = _BELOW.fullmatch(self.path) and ".." not in self.path.split("/")
        return self.path if inside else ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One lifecycle event: where its bar starts and how wide it is, None when it has no times."""

    name: str
    status: str
    tone: str
    start: str
    took: str
    x: float | None
    width: float
    hooks: list[tuple[str, str, Place]]


@dataclass(frozen=True, slots=True)
class Counter:
    """A number of production requests, with its tone: good, bad or plain."""

    label: str
    value: str
    tone: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A deployment as the page draws it; ``gate_x`` is where production first met the new one."""

    name: str
    status: str
    tone: str
    error: str
    bars: list[Bar]
    traffic: str
    shifts: list[tuple[str, str]]
    gate_x: float | None
    length: str
    counters: list[Counter]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Timeline:
        """Read a deployment object."""
        events = _tables(data.get("events"))
        shifts = _shifts(data)
        end = max([1e-9, *(_end(event) for event in events), *(at for at, _ in shifts)])
        error = data.get("error")
        status = str(data.get("status", "unknown"))
        opened = next((at for at, percent in shifts if percent > 0), None)
        return cls(
            name=str(data.get("deployment_id") or ""),
            status=f"{status}, rolled back" if data.get("rolled_back") else status,
            tone=_tone(status),
            error=_error(error) if error else "",
            bars=_bars(events, _tables(data.get("hooks")), WIDTH / end),
            traffic=_area(shifts, end),
            shifts=[(text.duration(at), f"{percent:g} %") for at, percent in shifts],
            gate_x=None if opened is None else round(opened * WIDTH / end, 1),
            length=text.duration(end),
            counters=_counters(data.get("requests")),
        )


def _bars(events: list[dict[str, Any]], hooks: list[dict[str, Any]], scale: float) -> list[Bar]:
    left: dict[str, list[tuple[str, str, Place]]] = {}
    for hook in hooks:
        verdict = str(hook.get("verdict") or "no verdict")
        shown = (verdict.replace("-", " "), _tone(verdict), Place(str(hook.get("report") or "")))
        left.setdefault(str(hook.get("event", "?")), []).append(shown)
    bars = [_bar(event, left.pop(str(event.get("name")), []), scale) for event in events]
    alone = [Bar(name, "", "", "", "", None, 0, found) for name, found in left.items()]
    return bars + alone


def _bar(event: dict[str, Any], hooks: list[tuple[str, str, Place]], scale: float) -> Bar:
    start, end = _number(event.get("start_s")), _number(event.get("end_s"))
    status = str(event.get("status", "unknown"))
    width = 0.0 if start is None else max(_THINNEST, ((end or start) - start) * scale)
    return Bar(
        name=str(event.get("name", "?")),
        status=status,
        tone=_tone(status),
        start="" if start is None else text.duration(start),
        took="" if start is None or end is None else text.duration(max(0.0, end - start)),
        x=None if start is None else round(min(start * scale, WIDTH - _THINNEST), 1),
        width=round(width, 1),
        hooks=hooks,
    )


def _shifts(data: dict[str, Any]) -> list[tuple[float, float]]:
    found = [
        (at, min(100.0, max(0.0, percent)))
        for item in _tables(data.get("traffic"))
        for at, percent in [(_number(item.get("at_s")), _number(item.get("replacement")))]
        if at is not None and percent is not None
    ]
    return sorted(found, key=lambda shift: shift[0])


def _area(shifts: list[tuple[float, float]], end: float) -> str:
    """Return the path of the share that the replacement answers, 0 % at y=100, as steps."""
    if not shifts:
        return ""
    parts, level = ["M0 100"], 100.0
    for at, percent in shifts:
        x = round(at * WIDTH / end, 1)
        parts.append(f"L{x} {level:g}")
        level = 100 - percent
        parts.append(f"L{x} {level:g}")
    return " ".join([*parts, f"L{WIDTH} {level:g}", f"L{WIDTH} 100 Z"])


def _counters(requests: object) -> list[Counter]:
    if not isinstance(requests, dict):
        return []
    return [
        Counter(label, f"{value:,.0f}", _count_tone(key, value))
        for key, label in _COUNTERS
        for value in [_number(requests.get(key))]
        if value is not None
    ]


def _count_tone(key: str, value: float) -> str:
    if key not in _MUST_BE_ZERO:
        return ""
    return "bad" if value else "good"


def _error(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))


def _tone(word: str) -> str:
    plain = word.lower().replace(" ", "-")
    return "good" if plain in _GOOD else "bad" if plain in _BAD else ""


def _end(event: dict[str, Any]) -> float:
    return max(_number(event.get("start_s")) or 0.0, _number(event.get("end_s")) or 0.0)


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return max(0.0, float(value))
