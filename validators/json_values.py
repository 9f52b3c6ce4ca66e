"""JSON values: what can be expected of selected ones, and the pure functions that judge them.

A selection of no values meets no expectation but ``exists: false`` and a fitting ``count``.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from greenroom.validators.finding import Rule
from greenroom.validators.json_diff import ABSENT, differences, first_line, same, unmatched

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.validators.threshold import Threshold

SHOWN = 120
"""Characters of an observed value that a rule shows."""
_SHOWN_VALUES = 3
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
_SHOWN_DIFFERENCES = 5
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


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
    BETWEEN = "between"
    UNORDERED = "unordered"
    NONE_OF = "none_of"
    NOT = "not"
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
    AT_MOST, two for BETWEEN (both are allowed), a list for ONE_OF, NONE_OF and UNORDERED, a tuple
    of expectations for NOT (none of them may hold), and any JSON value for EQUALS and CONTAINS.
    """

    operator: Operator
    argument: Any

    @property
    def limit(self) -> str:  # noqa: PLR0911 - one return for each form of argument
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
            case Operator.BETWEEN:
                return f"between {self.argument[0]} and {self.argument[1]}"
            case Operator.UNORDERED:
                return f"unordered {show(self.argument)}"
            case Operator.NOT:
                return ", ".join(f"not {one.limit}" for one in self.argument)
            case _:
                return f"{self.operator.value.replace('_', ' ')} {show(self.argument)}"


def judge_values(rule: str, expectation: Expectation, values: tuple[Any, ...]) -> Rule:
    """Judge selected JSON values: every one of them must meet the expectation."""
    return Rule(rule, expectation.limit, _observed(expectation, values), _met(expectation, values))


def show(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Write a JSON value on one line that any terminal can take, cut at `SHOWN` characters."""
    return cut(printable(_ENCODER.encode(value)[: SHOWN + 1]))


def printable(text: str) -> str:
    """Return ``text`` with control characters and lone surrogates escaped."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def cut(text: str, size: int = SHOWN) -> str:
    """Return ``text``, cut to ``size`` characters with a mark where it was longer."""
    return text if len(text) <= size else f"{text[:size]}…"


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


def _might_hold(expectation: Expectation, value: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Tell whether an expectation holds; one that makes no sense for such a value counts, too.

    So ``not: {matches: …}`` is no proof about a number.
    """
    match expectation.operator:
        case Operator.MATCHES:
            return not isinstance(value, str) or _holds(expectation, value)
        case Operator.CONTAINS:
            return not isinstance(value, str | list | dict) or _holds(expectation, value)
        case _:
            return _holds(expectation, value)


def _is_one_of(value: Any, choices: list[Any]) -> bool:  # noqa: ANN401 - a JSON value
    return any(same(value, choice) for choice in choices)


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
    return limit.allows(amount)


_HOLDS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUALS: same,
    Operator.ONE_OF: _is_one_of,
    Operator.NONE_OF: lambda value, choices: not _is_one_of(value, choices),
    Operator.NOT: lambda value, inner: not any(_might_hold(one, value) for one in inner),
    Operator.UNORDERED: lambda value, items: (
        isinstance(value, list) and len(value) == len(items) and unmatched(items, value) == ([], [])
    ),
    Operator.TYPE: _is_type,
    Operator.LENGTH: _has_length,
    Operator.CONTAINS: _contains,
    Operator.MATCHES: lambda value, pattern: (
        isinstance(value, str) and re.fullmatch(pattern, value) is not None
    ),
    Operator.AT_LEAST: lambda value, least: _is_number(value) and value >= least,
    Operator.AT_MOST: lambda value, most: _is_number(value) and value <= most,
    Operator.BETWEEN: lambda value, ends: _is_number(value) and ends[0] <= value <= ends[1],
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
    match expectation.operator:
        case Operator.LENGTH if isinstance(value, str | list | dict):
            return f"length {len(value)}"
        case Operator.TYPE | Operator.LENGTH:
            return f"{type_of(value).value} {show(value)}"
        case Operator.EQUALS:
            return _beside(expectation.argument, value)
        case Operator.UNORDERED if isinstance(value, list):
            missing, extra = unmatched(expectation.argument, value)
            return f"missing {show(missing)}, too many {show(extra)}"
        case _:
            return show(value)


def _beside(expected: Any, value: Any) -> str:  # noqa: ANN401 - JSON values
    """Write a value beside the one that it should equal: of structures, where they differ."""
    if isinstance(expected, str) and isinstance(value, str):
        return shown_text_difference(expected, value)
    if type(expected) is type(value) and isinstance(value, list | dict):
        return shown_differences(expected, value) or show(value)
    return f"{show(value)}{_form(expected, value)}"


def _form(expected: Any, value: Any) -> str:  # noqa: ANN401 - JSON values
    """Say of a text that looks like the expected number that it is none, and of the opposite."""
    if isinstance(value, str) and _is_number(expected) and _NUMBER.fullmatch(value):
        return " (a text: quote what is expected)"
    if isinstance(expected, str) and _is_number(value) and _NUMBER.fullmatch(expected):
        return " (a number, not a text)"
    return ""


def shown_differences(expected: Any, received: Any) -> str:  # noqa: ANN401 - JSON values
    """Write the first places where two JSON values differ, each with what is expected there."""
    found = list(islice(differences(expected, received), _SHOWN_DIFFERENCES + 1))
    shown = (
        f"{cut(printable(one.path))}: expected {_shown_part(one.expected)},"
        f" received {_shown_part(one.received)}"
        for one in found[:_SHOWN_DIFFERENCES]
    )
    return "; ".join(shown) + ("; and more" if len(found) > _SHOWN_DIFFERENCES else "")


def shown_text_difference(expected: str, received: str) -> str:
    """Write a text, or of long ones the first line that is not the expected one."""
    if max(len(expected), len(received)) <= SHOWN or expected == received:
        return show(received)
    line, one, other = first_line(expected, received)
    pairs = enumerate(zip(one, other, strict=False))
    alike = min(len(one), len(other))
    at = next((at for at, (mine, theirs) in pairs if mine != theirs), alike)
    where = f"line {line}, character {at + 1}"
    # Never from the middle of a line: the rest of a secret would not be known for one.
    parts = f": expected {show(one)}, received {show(other)}" if at < SHOWN else ""
    return f"{where}{parts or ' differs'}"


def _shown_part(value: Any) -> str:  # noqa: ANN401 - a JSON value or ABSENT
    return ABSENT.value if value is ABSENT else show(value)
