"""JSON values: what can be expected of selected ones, and the pure functions that judge them.

A selection of no values meets no expectation but ``exists: false`` and a fitting ``count``.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from greenroom.validators.finding import Rule
from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.validators.threshold import Threshold

SHOWN = 120
"""Characters of an observed value that a rule shows."""
_SHOWN_VALUES = 3


class Operator(StrEnum):
    """What can be expected of selected values; all but ``count`` and ``exists`` need a value."""

    EQUALS = "equals"
    ONE_OF = "one_of"
    TYPE = "type"
    LENGTH = "length"
    COUNT = "count"
    CONTAINS = "contains"
    MATCHES = "matches"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXISTS = "exists"


class JsonType(StrEnum):
    """The types of a JSON value; an integer is also a number, as in JSON Schema."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One operator with its argument.

    ``argument`` is a `JsonType` for TYPE, a `Threshold` for LENGTH and COUNT, a compiled pattern
    for MATCHES (which must match the whole text), a bool for EXISTS, a number for AT_LEAST and
    AT_MOST, a list for ONE_OF, and any JSON value for EQUALS and CONTAINS.
    """

    operator: Operator
    argument: Any

    @property
    def limit(self) -> str:
        """The expectation as a reader sees it: ``length == 4``."""
        match self.operator:
            case Operator.LENGTH | Operator.COUNT:
                return str(self.argument)
            case Operator.MATCHES:
                return f"matches {self.argument.pattern}"
            case Operator.TYPE:
                return f"type {self.argument.value}"
            case Operator.EXISTS:
                return "exists" if self.argument else "does not exist"
            case _:
                return f"{self.operator.value.replace('_', ' ')} {show(self.argument)}"


def judge_values(rule: str, expectation: Expectation, values: tuple[Any, ...]) -> Rule:
    """Judge selected JSON values: every one of them must meet the expectation."""
    return Rule(rule, expectation.limit, _observed(expectation, values), _met(expectation, values))


def show(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Write a JSON value on one line that any terminal can take, cut at `SHOWN` characters."""
    return cut(printable(json.dumps(value, ensure_ascii=False, default=str)))


def printable(text: str) -> str:
    """Return ``text`` with control characters and lone surrogates escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def cut(text: str, size: int = SHOWN) -> str:
    """Return ``text``, cut to ``size`` characters with a mark where it was longer."""
    return text if len(text) <= size else f"{text[:size]}…"


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - JSON values
    """Tell whether two JSON values are equal: ``1`` is ``1.0``, and no boolean is a number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def type_of(value: Any) -> JsonType:  # noqa: ANN401, PLR0911 - one return for each JSON type
    """Return the most exact type of a JSON value."""
    match value:
        case None:
            return JsonType.NULL
        case bool():
            return JsonType.BOOLEAN
        case str():
            return JsonType.STRING
        case list():
            return JsonType.ARRAY
        case dict():
            return JsonType.OBJECT
        case int():
            return JsonType.INTEGER
        case _:
            return JsonType.INTEGER if float(value).is_integer() else JsonType.NUMBER


def _met(expectation: Expectation, values: tuple[Any, ...]) -> bool:
    match expectation.operator:
        case Operator.EXISTS:
            return bool(values) is expectation.argument
        case Operator.COUNT:
            return _within(expectation.argument, len(values))
        case _:
            return bool(values) and all(_holds(expectation, value) for value in values)


def _holds(expectation: Expectation, value: Any) -> bool:  # noqa: ANN401 - a JSON value
    return _HOLDS[expectation.operator](value, expectation.argument)


def _is_type(value: Any, wanted: JsonType) -> bool:  # noqa: ANN401 - a JSON value
    found = type_of(value)
    return found is wanted or (wanted is JsonType.NUMBER and found is JsonType.INTEGER)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - a JSON value
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _contains(value: Any, part: Any) -> bool:  # noqa: ANN401 - JSON values
    """Tell whether a text holds a text, a list an element, or an object all members of another."""
    if isinstance(value, str):
        return isinstance(part, str) and part in value
    if isinstance(value, list):
        return any(same(item, part) for item in value)
    if isinstance(value, dict) and isinstance(part, dict):
        return all(key in value and same(value[key], part[key]) for key in part)
    return False


def _has_length(value: Any, limit: Threshold) -> bool:  # noqa: ANN401 - a JSON value
    return isinstance(value, str | list | dict) and _within(limit, len(value))


def _within(limit: Threshold, amount: int) -> bool:
    return limit.judge({limit.metric: Metric(amount, Dimension.COUNT, samples=1)}).met is True


_HOLDS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUALS: same,
    Operator.ONE_OF: lambda value, choices: any(same(value, choice) for choice in choices),
    Operator.TYPE: _is_type,
    Operator.LENGTH: _has_length,
    Operator.CONTAINS: _contains,
    Operator.MATCHES: lambda value, pattern: (
        isinstance(value, str) and re.fullmatch(pattern, value) is not None
    ),
    Operator.AT_LEAST: lambda value, least: _is_number(value) and value >= least,
    Operator.AT_MOST: lambda value, most: _is_number(value) and value <= most,
}
"""What each operator asks of one value; `Operator.COUNT` and `Operator.EXISTS` ask none."""


def _observed(expectation: Expectation, values: tuple[Any, ...]) -> str:
    if expectation.operator is Operator.COUNT:
        return f"count {len(values)}"
    if not values:
        return "nothing selected"
    asks = expectation.operator is not Operator.EXISTS
    failing = [value for value in values if asks and not _holds(expectation, value)]
    shown = [_seen(expectation, value) for value in (failing or values)[:_SHOWN_VALUES]]
    text = ", ".join(shown) + (", …" if len(failing or values) > _SHOWN_VALUES else "")
    if len(values) == 1:
        return text
    return f"{text} ({len(failing)} of {len(values)} values)" if failing else text


def _seen(expectation: Expectation, value: Any) -> str:  # noqa: ANN401 - a JSON value
    if expectation.operator is Operator.LENGTH and isinstance(value, str | list | dict):
        return f"length {len(value)}"
    if expectation.operator in {Operator.TYPE, Operator.LENGTH}:
        return f"{type_of(value).value} {show(value)}"
    return show(value)
