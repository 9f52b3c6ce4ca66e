"""Threshold expressions: one metric, one comparison, one limit.

Grammar (blanks are free)::

    threshold  = metric operator limit
    metric     = letter { letter | digit | "_" | "." }        p95, error_rate, critical
    operator   = "<" | "<=" | ">" | ">=" | "==" | "!="
    limit      = number [ unit ]
    number     = [ "-" ] digits [ "." digits ]                 digits may be grouped: 5_000
    unit       = "us" | "ms" | "s" | "%" | "B" | "KiB" | "MiB"

A limit without a unit is a count (or a plain number) and compares with any metric that is one:
a time needs ``us``, ``ms`` or ``s``; a ratio needs ``%``; a size needs ``B``, ``KiB`` or ``MiB``.
A metric without samples is *inconclusive*: no data is neither zero nor fine.

    >>> threshold = parse_threshold("p95 < 300ms")
    >>> threshold.judge({"p95": Metric(0.292, Dimension.TIME, samples=5000)}).met
    True
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.errors import SettingsError
from greenroom.validators.finding import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Dimension(StrEnum):
    """What a metric measures; a limit must be given in a unit of the same dimension."""

    TIME = "time"
    """Seconds."""
    RATIO = "ratio"
    """A share between 0 and 1."""
    SIZE = "size"
    """Bytes."""
    COUNT = "count"
    """How many; has no unit."""


_UNITS: dict[str, tuple[Dimension, float]] = {
    "us": (Dimension.TIME, 1e-6),
    "ms": (Dimension.TIME, 1e-3),
    "s": (Dimension.TIME, 1.0),
    "%": (Dimension.RATIO, 0.01),
    "B": (Dimension.SIZE, 1.0),
    "KiB": (Dimension.SIZE, 1024.0),
    "MiB": (Dimension.SIZE, 1048576.0),
    "": (Dimension.COUNT, 1.0),
}
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_EXPRESSION = re.compile(
    r"\s*(?P<metric>[A-Za-z][A-Za-z0-9_.]*)\s*(?P<operator><=|>=|==|!=|<|>)\s*"
    r"(?P<number>-?[0-9][0-9_]*(?:\.[0-9]+)?)\s*(?P<unit>[A-Za-z%]*)\s*",
    re.ASCII,
)
_EXAMPLES = "for example: p95 < 300ms, error_rate < 1%, requests >= 5000, critical == 0"


@dataclass(frozen=True, slots=True)
class Metric:
    """One observed number in base units (s, share, B, count) and the samples it rests on."""

    value: float
    dimension: Dimension
    samples: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """A parsed expression; ``limit`` is in base units, ``unit`` is what the user wrote."""

    metric: str
    operator: str
    limit: float
    unit: str

    @property
    def dimension(self) -> Dimension:
        """What the limit measures."""
        return _UNITS[self.unit][0]

    def __str__(self) -> str:
        return f"{self.metric} {self.shown_limit}"

    @property
    def shown_limit(self) -> str:
        """The comparison as the user wrote it: ``< 300 ms``."""
        return f"{self.operator} {show(self.limit, self.unit)}"

    def judge(self, metrics: Mapping[str, Metric]) -> Rule:
        """Compare with ``metrics``; an unknown name is a `SettingsError` that lists the known ones.

        ``met`` is None where the metric has no samples or is not a number.
        """
        metric = metrics.get(self.metric)
        if metric is None:
            known = ", ".join(sorted(metrics)) or "none"
            raise SettingsError(
                f"threshold {str(self)!r}: unknown metric {self.metric!r}",
                hint=f"known metrics: {known}",
            )
        if metric.dimension is not self.dimension:
            units = ", ".join(u or "a plain number" for u in units_of(metric.dimension))
            raise SettingsError(
                f"threshold {str(self)!r}: {self.metric} is a {metric.dimension.value}",
                hint=f"give its limit in: {units}",
            )
        if metric.samples <= 0 or math.isnan(metric.value):
            return Rule(self.metric, self.shown_limit, "no samples", None)
        met = _OPERATORS[self.operator](metric.value, self.limit)
        observed = f"{show(metric.value, self.unit)} (n={metric.samples:,})"
        return Rule(self.metric, self.shown_limit, observed, met)


def parse_threshold(text: str) -> Threshold:
    """Parse one expression; a `SettingsError` shows where it went wrong and the units there are."""
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise SettingsError(f"threshold {text!r}: expected METRIC OPERATOR LIMIT", hint=_EXAMPLES)
    unit = found["unit"]
    if unit not in _UNITS:
        known = ", ".join(name for name in _UNITS if name)
        raise SettingsError(f"threshold {text!r}: unknown unit {unit!r}", hint=f"units: {known}")
    limit = float(found["number"].replace("_", "")) * _UNITS[unit][1]
    return Threshold(found["metric"], found["operator"], limit, unit)


def units_of(dimension: Dimension) -> tuple[str, ...]:
    """Return the units a limit of ``dimension`` can be written in."""
    return tuple(unit for unit, (of, _) in _UNITS.items() if of is dimension)


def show(value: float, unit: str) -> str:
    """Write ``value`` (base units) in ``unit``, with a precision that a reader can use."""
    number = value / _UNITS[unit][1]
    text = f"{number:,.0f}" if float(number).is_integer() else f"{number:,.4g}"
    return f"{text} {unit}".rstrip()
