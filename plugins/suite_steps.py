"""``steps:`` of a check: requests in their order, with what they capture for one another.

::

    setup:    [{http: {post: /orders, json: {item: 1}}, expect: {status: 201}, capture: {id: $.id}}]
    steps:    [{http: {get: "/orders/${capture.id}"}, expect: {json: {$.item: 1}}}]
    teardown: [{http: {delete: "/orders/${capture.id}"}, expect: {status: 204}}]

    CAPTURE = JSONPATH | {json: JSONPATH | header: NAME | cookie: NAME | text: REGEX, secret?: true}
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_checks import ASK_KEYS, COMMON_KEYS, REQUEST_KEYS, STEPS
from greenroom.plugins.suite_expect import read_query
from greenroom.plugins.suite_model import Capture, HttpCheck, Step, StepsCheck
from greenroom.plugins.suite_request import HEADER_NAME, METHODS
from greenroom.plugins.suite_rows import CAPTURE, Values, names_of, node_of
from greenroom.plugins.suite_yaml import Mapping, Scalar
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Gate

if TYPE_CHECKING:
    from collections.abc import Mapping as Mapping_

    from greenroom.plugins.suite_checks import CheckReader
    from greenroom.plugins.suite_yaml import Entry, Node

PARTS = ("setup", STEPS, "teardown")
STEPS_KEYS = (*COMMON_KEYS, *ASK_KEYS, *PARTS)
STEP_KEYS = ("name", *ASK_KEYS, *REQUEST_KEYS, CAPTURE)
CAPTURE_KEYS = ("json", "header", "cookie", "text", "secret")
_PLACEHOLDER = "/captured"
"""What a captured value is taken for while a suite is read: a path may begin with it."""
_WHERE = "captured values can stand in paths, headers, bodies and expected texts and JSON values"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def read_steps(reader: CheckReader, node: Node) -> StepsCheck:
    """Read a check of several requests."""
    from greenroom.plugins.suite_defaults import merged  # noqa: PLC0415 - beside its only use

    fields = reader.fields
    found = fields.mapping(node, "a check of steps", STEPS_KEYS)
    own = merged(fields, reader.defaults, found)
    inner = _Steps(replace(reader, defaults=own))
    parts = {
        part: tuple(inner.step(item, part) for item in fields.items(found[part].value, part))
        for part in PARTS
        if part in found
    }
    return StepsCheck(
        line=node.place.line,
        steps=parts[STEPS],
        setup=parts.get("setup", ()),
        teardown=parts.get("teardown", ()),
        timeout_s=own.timeout_s,
        max_body=own.max_body,
        answered_by=own.answered_by,
        serial=reader.serial(found),
        **reader.common(node, found, reader.default_kind),
    )


class _Steps:
    """Reads the steps of one check; knows what those before have captured."""

    def __init__(self, reader: CheckReader) -> None:
        self._reader = reader
        self._captured: dict[str, Node] = {}

    def step(self, node: Node, part: str) -> Step:
        fields = self._reader.fields
        found = fields.mapping(node, f"a step of {part}", STEP_KEYS)
        bind = functools.partial(_bound, self._reader, node)
        needs = tuple(dict.fromkeys(name for _, name in names_of(node, CAPTURE)))
        try:
            check = _read(self._reader, node, self._captured)
        except SettingsError as error:
            if not needs:
                raise
            told = str(error).replace(repr(_PLACEHOLDER), "a captured value")
            hint = f"{error.hint}; {_WHERE}" if error.hint else _WHERE
            raise SettingsError(told, hint=hint) from None
        if check.request.each_target:
            raise fields.error(node.place, "a step cannot be asked at each target")
        given = fields.entries(found[CAPTURE].value, CAPTURE) if CAPTURE in found else ()
        captures = tuple(self._capture(entry) for entry in given)
        return Step(
            check.name or _asked(found["http"].value), needs, captures, check.longest_s, bind
        )

    def _capture(self, entry: Entry) -> Capture:
        fields = self._reader.fields
        if not _NAME.fullmatch(entry.key):
            raise fields.error(entry.place, f"{entry.key!r} cannot be a variable's name")
        if entry.key in self._captured:
            raise fields.error(entry.place, f"{entry.key!r} is captured already", "rename one")
        capture = self._of(entry)
        self._captured[entry.key] = Scalar(entry.place, _PLACEHOLDER, _PLACEHOLDER)
        return capture

    def _of(self, entry: Entry) -> Capture:
        fields, node = self._reader.fields, entry.value
        if isinstance(node, Scalar):
            path = fields.text(node, CAPTURE)
            return Capture(entry.key, path=path, query=read_query(fields, node.place, path))
        found = fields.mapping(node, f"the capture {entry.key}", CAPTURE_KEYS)
        secret = "secret" in found and fields.flag(found["secret"].value, "secret")
        given = [key for key in found if key != "secret"]
        if len(given) != 1:
            kinds = ", ".join(CAPTURE_KEYS[:-1])
            raise fields.error(node.place, "a capture needs one source", f"give one of: {kinds}")
        source = found[given[0]].value
        text = fields.text(source, given[0])
        return replace(self._source(given[0], text, source, entry.key), secret=secret)

    def _source(self, kind: str, text: str, node: Node, name: str) -> Capture:
        fields = self._reader.fields
        match kind:
            case "json":
                return Capture(name, path=text, query=read_query(fields, node.place, text))
            case "header":
                if not HEADER_NAME.fullmatch(text):
                    raise fields.error(node.place, f"{text!r} is not a header's name")
                return Capture(name, header=text)
            case "cookie":
                return Capture(name, cookie=text)
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise fields.error(node.place, f"not a regular expression: {error}") from None
        if pattern.groups != 1:
            raise fields.error(
                node.place, "text needs a pattern with one group", 'as "id=([0-9]+)"'
            )
        return Capture(name, text=pattern)


def _bound(reader: CheckReader, node: Node, values: Mapping_[str, Any]) -> HttpCheck:
    """Return a step's check with captured values in it; raises `SettingsError`."""
    nodes = {name: node_of(one, node.place) for name, one in values.items()}
    return reader.hiding(_read(reader, node, nodes))


def _read(reader: CheckReader, node: Node, captured: Mapping_[str, Node]) -> HttpCheck:
    filled = Values(reader.fields, CAPTURE, captured, "value that an earlier step captures").put(
        node
    )
    found = {entry.key: entry for entry in filled.entries} if isinstance(filled, Mapping) else {}
    kind = reader.default_kind
    check = reader.request(filled, found, name="", kind=kind, gate=Gate.BLOCK, tags=())
    return replace(check, name=reader.name(found["name"].value)) if "name" in found else check


def _asked(http: Node) -> str:
    """Return the method and path of a request as they are written."""
    entries = http.entries if isinstance(http, Mapping) else ()
    method = next(entry for entry in entries if entry.key in METHODS)
    return f"{method.key.upper()} {method.value.raw if isinstance(method.value, Scalar) else ''}"
