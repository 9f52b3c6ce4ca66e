"""The ``expect`` part of a check.

Grammar::

    status:  200 | 2xx | [200, 404, 3xx]          without it: 2xx
    time:    "< 500ms" | "<= 2s"
    size:    "< 64KiB" | "<= 1MiB"                the body's, decompressed
    headers: {NAME: TEXT | {OPERATOR: ARGUMENT, …}, …}
    cookies: {NAME: TEXT | {OPERATOR: ARGUMENT, …}, …}
    text:    TEXT | {OPERATOR: ARGUMENT, …}       the body, in the charset that it names
    json:    {JSONPATH: VALUE | {OPERATOR: ARGUMENT, …}, …}
    schema:  PATH | {file: PATH, remote: [HOST, …]}
    openapi: PATH | {document: PATH, operation?: ID, request?: false}
    snapshot: PATH | {file: PATH, mask?: [JSONPATH, …]}

Paths are from the suite's folder. A plain value means ``equals``; the operators are those of
`greenroom.plugins.suite_operators`. All selected values must meet an operator.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from greenroom.plugins.suite_model import CookieRule, Expect, HeaderRule, JsonRule
from greenroom.plugins.suite_operators import (
    HEADER_OPERATORS,
    JSON_OPERATORS,
    TEXT_OPERATORS,
    read_expectations,
    read_threshold,
)
from greenroom.plugins.suite_request import HEADER_NAME
from greenroom.plugins.suite_yaml import Mapping, Scalar, Sequence
from greenroom.validators.errors import SettingsError
from greenroom.validators.http import StatusSet
from greenroom.validators.threshold import Dimension

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

    from greenroom.plugins.suite_contract import Contract, Contracts
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_openapi import Described
    from greenroom.plugins.suite_snapshot import Snapshot
    from greenroom.plugins.suite_yaml import Node, Place
    from greenroom.validators.json_values import Expectation
    from greenroom.validators.threshold import Threshold

EXPECT_KEYS = (
    *("status", "time", "size", "headers", "cookies", "text", "json", "schema"),
    *("openapi", "snapshot"),
)
SCHEMA_KEYS = ("file", "remote")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_SUCCESS = StatusSet(classes=frozenset({2}))
_STATUS_CLASS = re.compile(r"[1-5]xx")


def read_expect(fields: Fields, node: Node, contracts: Contracts) -> Expect:
    """Read an ``expect`` mapping; an empty one is an error, as it would prove nothing."""
    found = fields.mapping(node, "expect", EXPECT_KEYS)
    values = {key: entry.value for key, entry in found.items()}
    return Expect(
        status=_status(fields, values["status"]) if "status" in values else _SUCCESS,
        time=_time(fields, values["time"]) if "time" in values else None,
        size=_size(fields, values["size"]) if "size" in values else None,
        headers=_headers(fields, values["headers"]) if "headers" in values else (),
        cookies=_cookies(fields, values["cookies"]) if "cookies" in values else (),
        text=_text(fields, values["text"]) if "text" in values else (),
        json=_json(fields, values["json"]) if "json" in values else (),
        contract=_contract(fields, values["schema"], contracts) if "schema" in values else None,
        openapi=_openapi(fields, values["openapi"], contracts) if "openapi" in values else None,
        snapshot=_snapshot(fields, values["snapshot"], contracts) if "snapshot" in values else None,
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
    limit = read_threshold(fields, node, "time", form)
    if limit.dimension is not Dimension.TIME or limit.operator not in {"<", "<="}:
        raise fields.error(node.place, "time must be below a duration", form)
    return limit


def _size(fields: Fields, node: Node) -> Threshold:
    form = 'write a limit such as "< 64KiB", "<= 1MiB" or "> 0B"'
    limit = read_threshold(fields, node, "size", form)
    if limit.dimension is not Dimension.SIZE:
        raise fields.error(node.place, "size needs a unit", form)
    return limit


def _headers(fields: Fields, node: Node) -> tuple[HeaderRule, ...]:
    rules = []
    for entry in fields.entries(node, "headers"):
        if not HEADER_NAME.fullmatch(entry.key):
            raise fields.error(entry.place, f"{entry.key!r} is not a header's name")
        found = read_expectations(fields, entry.key, entry.value, HEADER_OPERATORS, text=True)
        rules += [HeaderRule(entry.key, one) for one in found]
    return tuple(rules)


def _cookies(fields: Fields, node: Node) -> tuple[CookieRule, ...]:
    rules = []
    for entry in fields.entries(node, "cookies"):
        if not HEADER_NAME.fullmatch(entry.key):  # RFC 6265: both are tokens
            raise fields.error(entry.place, f"{entry.key!r} is not a cookie's name")
        found = read_expectations(fields, entry.key, entry.value, HEADER_OPERATORS, text=True)
        rules += [CookieRule(entry.key, one) for one in found]
    return tuple(rules)


def _text(fields: Fields, node: Node) -> tuple[Expectation, ...]:
    return tuple(read_expectations(fields, "text", node, TEXT_OPERATORS, text=True))


def _json(fields: Fields, node: Node) -> tuple[JsonRule, ...]:
    rules = []
    for entry in fields.entries(node, "json"):
        query = read_query(fields, entry.place, entry.key)
        found = read_expectations(fields, entry.key, entry.value, JSON_OPERATORS, text=False)
        rules += [JsonRule(entry.key, query, one) for one in found]
    return tuple(rules)


def read_query(fields: Fields, place: Place, path: str) -> JSONPathQuery:
    """Return the compiled JSONPath that stands at ``place``."""
    import jsonpath_rfc9535  # noqa: PLC0415 - the plugin's start must stay light

    if "${" in path:
        hint = "of a name that holds it, write \"$['\\\\u0024{…']\""
        raise fields.error(place, f"{path!r}: a JSONPath holds no variable", hint)
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
    given = node
    hosts: tuple[str, ...] = ()
    if isinstance(node, Mapping):
        found = fields.mapping(node, "schema", SCHEMA_KEYS)
        given = fields.required(found, "file", node, "schema")
        if "remote" in found:
            listed = fields.items(found["remote"].value, "remote")
            hosts = tuple(_host(fields, item) for item in listed)
    name = read_path(fields, given, "schema")
    try:
        return contracts.load(name, hosts)
    except SettingsError as error:
        raise fields.error(given.place, str(error), error.hint) from error


def read_path(fields: Fields, node: Node, what: str) -> str:
    """Read the path of a file from the suite's folder."""
    name = fields.text(node, what)
    if name.startswith("/"):
        raise fields.error(node.place, f"{what} must be a path from the suite's folder")
    return name


def _openapi(fields: Fields, node: Node, contracts: Contracts) -> Described:
    from greenroom.plugins import suite_openapi  # noqa: PLC0415 - loads jsonschema

    return suite_openapi.read_openapi_expectation(fields, node, contracts)


def _snapshot(fields: Fields, node: Node, contracts: Contracts) -> Snapshot:
    from greenroom.plugins import suite_snapshot  # noqa: PLC0415 - few checks have one

    return suite_snapshot.read_snapshot(fields, node, contracts)


def _host(fields: Fields, node: Node) -> str:
    host = fields.text(node, "a host of remote")
    if not _HOST.fullmatch(host):
        raise fields.error(
            node.place, f"{host!r} is no host", "write host or host:port, no wildcard"
        )
    return host
