"""The operators of an expectation.

::

    equals: VALUE            one_of: [VALUE, …]       none_of: [VALUE, …]
    contains: VALUE          unordered: [VALUE, …]    exists: true | false
    matches: REGEX           type: string | integer | number | boolean | array | object | null
    at_least: NUMBER         at_most: NUMBER          between: [NUMBER, NUMBER]
    length: N | ">= N"       count: N | ">= N"
    not: VALUE | {equals | contains | matches | type: …}

``matches`` is a regular expression for the whole text. What is expected of a text is a text, with
numbers as they are written. A JSON number that is not written as one would be shown (``1.10``) is
refused: whoever writes it means a version, which is a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_yaml import Mapping, Scalar, Sequence
from greenroom.validators.errors import SettingsError
from greenroom.validators.json_values import Expectation, JsonType, Operator
from greenroom.validators.threshold import Dimension, Threshold, parse_threshold

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node

JSON_OPERATORS = tuple(Operator)
HEADER_OPERATORS = (
    *(Operator.EQUALS, Operator.ONE_OF, Operator.NONE_OF, Operator.CONTAINS, Operator.MATCHES),
    *(Operator.NOT, Operator.EXISTS),
)
TEXT_OPERATORS = (*HEADER_OPERATORS[:-1], Operator.LENGTH)
NOT_OPERATORS = (Operator.EQUALS, Operator.CONTAINS, Operator.MATCHES, Operator.TYPE)
_LOOKS_EXACT = re.compile(r"[-+]?([0-9]+\.[0-9]+0|0[0-9]+(\.[0-9]+)?)")
"""A number with digits that a number does not keep: a last zero, or a first one."""


def read_expectations(
    fields: Fields, what: str, node: Node, operators: tuple[Operator, ...], *, text: bool
) -> list[Expectation]:
    """Read a plain value or a mapping of ``operators``; ``text`` if it is about a text."""
    if not isinstance(node, Mapping):
        return [read_expectation(fields, Operator.EQUALS, node, text=text)]
    given = fields.mapping(node, f"the expectation of {what}", [one.value for one in operators])
    return [
        read_expectation(fields, Operator(key), one.value, text=text) for key, one in given.items()
    ]


def read_expectation(
    fields: Fields, operator: Operator, node: Node, *, text: bool = True
) -> Expectation:
    """Read what ``operator`` expects; ``text`` if it is about a text that is no JSON."""
    return Expectation(operator, _argument(fields, operator, node, text=text))


def read_threshold(fields: Fields, node: Node, metric: str, form: str) -> Threshold:
    """Read a comparison such as ``"< 4"``; ``form`` is the hint of its error."""
    written = fields.text(node, metric)
    try:
        return parse_threshold(f"{metric} {written}")
    except SettingsError:
        raise fields.error(node.place, f"{written!r} is not a limit for {metric}", form) from None


def _argument(  # noqa: C901, PLR0911 - one return for each form of argument
    fields: Fields, operator: Operator, node: Node, *, text: bool
) -> Any:  # noqa: ANN401 - see `Expectation`
    match operator:
        case Operator.TYPE:
            return fields.choice(JsonType, node, "type")
        case Operator.LENGTH | Operator.COUNT:
            return _amount(fields, node, operator.value)
        case Operator.MATCHES:
            return _pattern(fields, node)
        case Operator.EXISTS:
            return fields.flag(node, "exists")
        case Operator.AT_LEAST | Operator.AT_MOST:
            return _number(fields, node, operator.value)
        case Operator.BETWEEN:
            return _ends(fields, node)
        case Operator.NOT:
            allowed = NOT_OPERATORS[:-1] if text else NOT_OPERATORS
            return tuple(read_expectations(fields, "not", node, allowed, text=text))
        case Operator.ONE_OF | Operator.NONE_OF:
            listed = fields.items(node, operator.value)
            return [_value(fields, item, text=text) for item in listed]
        case Operator.UNORDERED:
            if not isinstance(node, Sequence):
                raise fields.error(node.place, "unordered must be a list")
            return _value(fields, node, text=False)
        case Operator.CONTAINS:
            return _part(fields, node, text=text)
        case _:
            return _value(fields, node, text=text)


def _part(fields: Fields, node: Node, *, text: bool) -> Any:  # noqa: ANN401 - a JSON value
    """Return what must be contained; an empty text, also by a variable, is part of every one."""
    value = _value(fields, node, text=text)
    if value in ("", {}):
        raise fields.error(node.place, "contains is empty: everything meets it", "say what part")
    return value


def _value(fields: Fields, node: Node, *, text: bool) -> Any:  # noqa: ANN401 - a JSON value
    """Return a JSON value; a text's is always a text, with numbers as they are written."""
    if text:
        return fields.filled(node, "the expected text")
    _refuse_versions(fields, node)
    return fields.json(node)


def _refuse_versions(fields: Fields, node: Node) -> None:
    match node:
        case Mapping():
            for entry in node.entries:
                _refuse_versions(fields, entry.value)
        case Sequence():
            for item in node.items:
                _refuse_versions(fields, item)
        case Scalar(value=bool()):
            return
        case Scalar(value=int() | float() as value) if _LOOKS_EXACT.fullmatch(node.raw):
            raise fields.error(
                node.place,
                f"{node.raw} is read as the number {value}",
                f'quote a version: "{node.raw}"; write {value} where the number is meant',
            )


def _ends(fields: Fields, node: Node) -> tuple[float, float]:
    ends = [_number(fields, item, "between") for item in fields.items(node, "between")]
    if len(ends) != 2 or ends[0] > ends[1]:  # noqa: PLR2004 - two ends
        raise fields.error(node.place, "between needs two numbers, the lower one first")
    return ends[0], ends[1]


def _amount(fields: Fields, node: Node, what: str) -> Threshold:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        limit = read_threshold(fields, node, what, f'write {what}: 4, or {what}: ">= 1"')
        if limit.dimension is not Dimension.COUNT:
            raise fields.error(node.place, f"{what} is a plain number without a unit")
        return limit
    return Threshold(what, "==", fields.whole(node, what, 0, 10**9), "")


def _pattern(fields: Fields, node: Node) -> re.Pattern[str]:
    text = fields.filled(node, "matches")
    try:
        return re.compile(text)
    except re.error as error:
        raise fields.error(node.place, f"not a regular expression: {error}") from None


def _number(fields: Fields, node: Node, what: str) -> float:
    value = node.value if isinstance(node, Scalar) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise fields.error(node.place, f"{what} must be a number")
    return value
