"""The ``expect`` part of a check.

Grammar::

    status:  200 | 2xx | [200, 404, 3xx]          without it: 2xx
    time:    "< 500ms" | "<= 2s"
    headers: {NAME: TEXT | {OPERATOR: ARGUMENT, …}, …}
    json:    {JSONPATH: VALUE | {OPERATOR: ARGUMENT, …}, …}
    schema:  PATH of a JSON Schema, from the suite's folder

A plain value means ``equals``. The operators are those of `greenroom.validators.json_values`;
``length`` and ``count`` take a number or a comparison (``">= 1"``); ``matches`` is a regular
expression for the whole text. All selected values must meet an operator.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_model import Expect, HeaderRule, JsonRule
from greenroom.plugins.suite_request import HEADER_NAME
from greenroom.plugins.suite_yaml import Mapping, Scalar, Sequence
from greenroom.validators.errors import SettingsError
from greenroom.validators.http import StatusSet
from greenroom.validators.json_values import Expectation, JsonType, Operator
from greenroom.validators.threshold import Dimension, Threshold, parse_threshold

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

    from greenroom.plugins.suite_contract import Contract, Contracts
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node, Place

EXPECT_KEYS = ("status", "time", "headers", "json", "schema")
HEADER_OPERATORS = (
    Operator.EQUALS,
    Operator.ONE_OF,
    Operator.CONTAINS,
    Operator.MATCHES,
    Operator.EXISTS,
)
_SUCCESS = StatusSet(classes=frozenset({2}))
_STATUS_CLASS = re.compile(r"[1-5]xx")


def read_expect(fields: Fields, node: Node, contracts: Contracts) -> Expect:
    """Read an ``expect`` mapping; an empty one is an error, as it would prove nothing."""
    found = fields.mapping(node, "expect", EXPECT_KEYS)
    values = {key: entry.value for key, entry in found.items()}
    return Expect(
        status=_status(fields, values["status"]) if "status" in values else _SUCCESS,
        time=_time(fields, values["time"]) if "time" in values else None,
        headers=_headers(fields, values["headers"]) if "headers" in values else (),
        json=_json(fields, values["json"]) if "json" in values else (),
        contract=_contract(fields, values["schema"], contracts) if "schema" in values else None,
    )


def _status(fields: Fields, node: Node) -> StatusSet:
    listed = fields.items(node, "status") if isinstance(node, Sequence) else (node,)
    codes: set[int] = set()
    classes: set[int] = set()
    for item in listed:
        raw = item.raw if isinstance(item, Scalar) else ""
        if _STATUS_CLASS.fullmatch(raw):
            classes.add(int(raw[0]))
        else:
            codes.add(fields.whole(item, "a status (or a class such as 2xx)", 100, 599))
    return StatusSet(frozenset(codes), frozenset(classes))


def _time(fields: Fields, node: Node) -> Threshold:
    form = 'write a limit such as "< 500ms" or "<= 2s"'
    limit = _threshold(fields, node, "time", form)
    if limit.dimension is not Dimension.TIME or limit.operator not in {"<", "<="}:
        raise fields.error(node.place, "time must be below a duration", form)
    return limit


def _headers(fields: Fields, node: Node) -> tuple[HeaderRule, ...]:
    rules = []
    for entry in fields.entries(node, "headers"):
        if not HEADER_NAME.fullmatch(entry.key):
            raise fields.error(entry.place, f"{entry.key!r} is not a header's name")
        rules += [
            HeaderRule(entry.key, expectation)
            for expectation in _expectations(fields, entry, HEADER_OPERATORS, header=True)
        ]
    return tuple(rules)


def _json(fields: Fields, node: Node) -> tuple[JsonRule, ...]:
    rules = []
    for entry in fields.entries(node, "json"):
        query = read_query(fields, entry.place, entry.key)
        rules += [
            JsonRule(entry.key, query, expectation)
            for expectation in _expectations(fields, entry, tuple(Operator), header=False)
        ]
    return tuple(rules)


def read_query(fields: Fields, place: Place, path: str) -> JSONPathQuery:
    """Return the compiled JSONPath that stands at ``place``."""
    import jsonpath_rfc9535  # noqa: PLC0415 - the plugin's start must stay light

    try:
        return _query(path)
    except jsonpath_rfc9535.JSONPathError as error:
        raise fields.error(
            place,
            f"{path!r} is not a JSONPath: {error}",
            "RFC 9535: $ is the whole, $.name, $[0], $[*].name, $..name, $[?@.age > 3]; "
            'for a length write "$": {length: 4}',
        ) from None


@functools.cache
def _query(path: str) -> JSONPathQuery:
    """Return the compiled path; the checks of a suite ask for the same few."""
    import jsonpath_rfc9535  # noqa: PLC0415 - as above

    return jsonpath_rfc9535.compile(path)


def _contract(fields: Fields, node: Node, contracts: Contracts) -> Contract:
    name = fields.text(node, "schema")
    if name.startswith("/"):
        raise fields.error(node.place, "schema must be a path from the suite's folder")
    try:
        return contracts.load(name)
    except SettingsError as error:
        raise fields.error(node.place, str(error), error.hint) from error


def _expectations(
    fields: Fields, entry: Entry, operators: tuple[Operator, ...], *, header: bool
) -> list[Expectation]:
    if not isinstance(entry.value, Mapping):
        return [_expectation(fields, Operator.EQUALS, entry.value, header=header)]
    given = fields.mapping(
        entry.value, f"the expectation of {entry.key}", [one.value for one in operators]
    )
    return [
        _expectation(fields, Operator(key), one.value, header=header) for key, one in given.items()
    ]


def read_expectation(fields: Fields, operator: Operator, node: Node) -> Expectation:
    """Read what ``operator`` expects of a text that is no JSON."""
    return _expectation(fields, operator, node, header=True)


def _expectation(fields: Fields, operator: Operator, node: Node, *, header: bool) -> Expectation:
    return Expectation(operator, _argument(fields, operator, node, header=header))


def _argument(  # noqa: PLR0911 - one return for each form of argument
    fields: Fields, operator: Operator, node: Node, *, header: bool
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
        case Operator.ONE_OF:
            listed = fields.items(node, "one_of")
            return [_value(fields, item, header=header) for item in listed]
        case _:
            return _value(fields, node, header=header)


def _value(fields: Fields, node: Node, *, header: bool) -> Any:  # noqa: ANN401 - a JSON value
    """Return a JSON value; a header's is always a text, with numbers as they are written."""
    return fields.filled(node, "the expected text") if header else fields.json(node)


def _amount(fields: Fields, node: Node, what: str) -> Threshold:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        limit = _threshold(fields, node, what, f'write {what}: 4, or {what}: ">= 1"')
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


def _threshold(fields: Fields, node: Node, metric: str, form: str) -> Threshold:
    text = fields.text(node, metric)
    try:
        return parse_threshold(f"{metric} {text}")
    except SettingsError:
        raise fields.error(node.place, f"{text!r} is not a limit for {metric}", form) from None
