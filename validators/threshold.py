"""Threshold expressions: one metric, one comparison, one limit.

Grammar (blanks are free)::

    threshold  = metric operator limit
    metric     = letter { letter | digit | "_" | "." }        p95, error_rate, critical
    operator   = "<" | "<=" | ">" | ">=" | "==" | "!="
    limit      = number [ unit ]
    number     = [ "-" ] digits [ "." digits ]                 digits may be grouped: 5_000
    digits     = digit { [ "_" ] digit }
    unit       = "us" | "ms" | "s" | "%" | "B" | "KiB" | "MiB"

A limit without a unit is a count (or a plain number) and compares with any metric that is one:
a time needs ``us``, ``ms`` or ``s``; a ratio needs ``%``; a size needs ``B``, ``KiB`` or ``MiB``.
A metric without samples is *inconclusive*: no data is neither zero nor fine.

    >>> threshold = parse_threshold("p95 < 300ms")
    >>> threshold.judge({"p95": Metric(0.292, Dimension.TIME, samples=5000)}).met
    True
"""

from __future__ import annotations

import functools
import math
import operator
import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
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


# Exact, so that "7%" is the float nearest to 7/100, as an observed 7 of 100 is (7 * 0.01 is not).
_UNITS: dict[str, tuple[Dimension, Fraction]] = {
    "us": (Dimension.TIME, Fraction(1, 1_000_000)),
    "ms": (Dimension.TIME, Fraction(1, 1_000)),
    "s": (Dimension.TIME, Fraction(1)),
    "%": (Dimension.RATIO, Fraction(1, 100)),
    "B": (Dimension.SIZE, Fraction(1)),
    "KiB": (Dimension.SIZE, Fraction(1024)),
    "MiB": (Dimension.SIZE, Fraction(1_048_576)),
    "": (Dimension.COUNT, Fraction(1)),
}
_DIGITS = 4
"""Significant digits that a reader is shown, unless it takes more to tell value and limit apart."""
_ALL_DIGITS = 15
"""Significant digits of a decimal number that a float keeps."""
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
    r"(?P<number>-?[0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*)?)\s*(?P<unit>[A-Za-z%]*)\s*",
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
        return f"{self.operator} {show(self.limit, self.unit, _ALL_DIGITS)}"

    def allows(self, value: float) -> bool:
        """Tell whether a value in base units, of the limit's dimension, is within the limit."""
        return _OPERATORS[self.operator](value, self.limit)

    def judge(self, metrics: Mapping[str, Metric]) -> Rule:
        """Compare with ``metrics``; an unknown name is a `SettingsError` that lists the known ones.

        ``met`` is None where the metric has no samples or is not a finite number.
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
        if metric.samples <= 0:
            return Rule(self.metric, self.shown_limit, "no samples", None)
        if not math.isfinite(metric.value):
            return Rule(self.metric, self.shown_limit, f"no finite number: {metric.value}", None)
        met = self.allows(metric.value)
        observed = f"{self._shown(metric.value)} (n={metric.samples:,})"
        return Rule(self.metric, self.shown_limit, observed, met)

    def _shown(self, value: float) -> str:
        """Write ``value`` in as few digits as put it on its own side of the limit.

        300.0001 ms missed "< 300 ms": shown as "300 ms" the miss would look like a mistake.
        """
        limit = show(self.limit, self.unit, _ALL_DIGITS)
        for digits in range(_DIGITS, _ALL_DIGITS):
            text = show(value, self.unit, digits)
            if _side(_number(text), _number(limit)) == _side(value, self.limit):
                return text
        return show(value, self.unit, _ALL_DIGITS + 2)


def parse_threshold(text: str) -> Threshold:
    """Parse one expression; a `SettingsError` shows where it went wrong and the units there are."""
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise SettingsError(f"threshold {text!r}: expected METRIC OPERATOR LIMIT", hint=_EXAMPLES)
    unit = found["unit"]
    if unit not in _UNITS:
        known = ", ".join(name for name in _UNITS if name)
        raise SettingsError(f"threshold {text!r}: unknown unit {unit!r}", hint=f"units: {known}")
    try:
        limit = float(Fraction(found["number"].replace("_", "")) * _UNITS[unit][1])
    except OverflowError:
        raise SettingsError(f"threshold {text!r}: the limit is too large", hint=_EXAMPLES) from None
    return Threshold(found["metric"], found["operator"], limit, unit)


def units_of(dimension: Dimension) -> tuple[str, ...]:
    """Return the units a limit of ``dimension`` can be written in."""
    return tuple(unit for unit, (of, _) in _UNITS.items() if of is dimension)


@functools.lru_cache(maxsize=1024)
def show(value: float, unit: str, digits: int = _DIGITS) -> str:
    """Write ``value`` (finite, base units) in ``unit`` with at most ``digits`` significant digits.

    Whole digits are never dropped (12,346), and there is no exponent.
    """
    number = float(Fraction(value) / _UNITS[unit][1])
    size = math.floor(math.log10(abs(number))) if number else 0
    text = f"{number:,.{max(0, digits - 1 - size)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{'0' if text == '-0' else text} {unit}".rstrip()


def _number(shown: str) -> float:
    return float(shown.partition(" ")[0].replace(",", ""))


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)
