"""``openapi:`` of an expectation: request and answer must be as an OpenAPI document says.

::

    openapi: PATH | {document: PATH, operation?: OPERATION-ID, request?: false}

The document is OpenAPI 3.0 or 3.1. ``operation`` is the operation that the request must meet;
``request: false`` leaves the request alone, for a check that sends a wrong one on purpose.
"""

from __future__ import annotations

import gzip
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from jsonschema.exceptions import UnknownType

from greenroom.plugins.mock_model import Call
from greenroom.plugins.openapi_match import Operation, met, operations_of
from greenroom.plugins.suite_yaml import Mapping
from greenroom.validators.drift import Exercised
from greenroom.validators.errors import SettingsError
from greenroom.validators.finding import Rule
from greenroom.validators.json_values import cut, printable

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_contract import Contracts
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_model import Request
    from greenroom.plugins.suite_yaml import Node
    from greenroom.validators.http import Answer

OPENAPI_KEYS = ("document", "operation", "request")
_SHOWN = 5
_RULE = "openapi"


@dataclass(frozen=True, slots=True)
class Told:
    """The rules of one exchange, what it exercised, and whether the document left it open."""

    rules: tuple[Rule, ...]
    notes: tuple[str, ...] = ()
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """An expectation: the document ``name`` in ``path``, and the operation's id if one is named.

    ``shown`` is the path from the root folder, by which the run's drift knows the document.
    """

    name: str
    path: Path
    shown: str
    operation: str = ""
    request: bool = True

    def judge(self, request: Request, target: str, answer: Answer) -> Told:
        """Judge ``request``, sent below ``target``, and its answer."""
        try:
            return self._judge(request, target, answer)
        except (SettingsError, UnknownType, re.error, RecursionError) as error:
            why = cut(printable(str(error))) or "nested too deeply"
            return Told((Rule(_RULE, self.name, f"not observed: {why}", None),))

    def _judge(self, request: Request, target: str, answer: Answer) -> Told:
        asked = f"{urlsplit(target).path.rstrip('/')}{request.path.partition('?')[0]}"
        operation, why = met(self.path, request.method, asked)
        if operation is None and asked != request.path.partition("?")[0]:
            operation, _ = met(self.path, request.method, request.path.partition("?")[0])
        if operation is None:
            return Told((Rule(_RULE, self.name, why, met=False),))
        if self.operation not in {"", operation.id}:
            seen = f"{operation.name} ({operation.id or 'without an operationId'})"
            limit = f"{self.name}, operation {self.operation}"
            return Told((Rule(_RULE, limit, seen, met=False),))
        return self._of(operation, request, answer)

    def _of(self, operation: Operation, request: Request, answer: Answer) -> Told:
        rules = []
        if self.request:
            breaches = operation.answers.breaches(_call(operation, request))
            rules.append(_rule(f"{_RULE} request", f"{self.name}, {operation.name}", breaches))
        described = operation.described(answer, head=request.method == "HEAD")
        limit = f"{self.name}, {operation.name} {described.status}".rstrip()
        rules.append(_rule(f"{_RULE} response", limit, described.breaches))
        if described.doubt:
            rules.append(Rule(_RULE, limit, described.doubt, None))
        key = described.status or str(answer.status)
        note = str(Exercised(self.shown, operation.name, key, described.absent))
        return Told(tuple(rules), (note,), doubt=bool(described.doubt))


def read_openapi_expectation(fields: Fields, node: Node, contracts: Contracts) -> Described:
    """Read the value of ``openapi``; raises `SettingsError`."""
    given, operation, request = node, "", True
    if isinstance(node, Mapping):
        found = fields.mapping(node, "openapi", OPENAPI_KEYS)
        given = fields.required(found, "document", node, "openapi")
        request = "request" not in found or fields.flag(found["request"].value, "request")
        if "operation" in found:
            operation = fields.text(found["operation"].value, "operation")
    name = fields.text(given, "document")
    if name.startswith("/"):
        raise fields.error(given.place, "document must be a path from the suite's folder")
    try:
        path = contracts.files.path(name, "OpenAPI document")
        _, operations = operations_of(path)
    except SettingsError as error:
        raise fields.error(given.place, str(error), error.hint) from error
    known = sorted({one.id for one in operations if one.id})
    if operation and operation not in known:
        hint = f"those there are: {', '.join(known) or 'none'}"
        raise fields.error(node.place, f"{name} has no operation {operation!r}", hint)
    shown = os.path.relpath(path, contracts.root)
    return Described(name, path, shown, operation, request)


def _call(operation: Operation, request: Request) -> Call:
    path, _, query = request.path.partition("?")
    headers = tuple((name.lower(), value) for name, value in request.headers)
    return Call(
        method=request.method,
        path=path,
        route=operation.name,
        parameters=operation.parameters,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=_plain(request.content or b"", dict(headers).get("content-encoding", "")),
    )


def _plain(body: bytes, coding: str) -> bytes:
    """Return the body of a suite's request as it was before it was compressed."""
    return gzip.decompress(body) if body and coding.strip().lower() == "gzip" else body


def _rule(name: str, limit: str, breaches: tuple[str, ...]) -> Rule:
    shown = "; ".join(breaches[:_SHOWN])
    more = f"; and {len(breaches) - _SHOWN} more" if len(breaches) > _SHOWN else ""
    return Rule(name, limit, f"{shown}{more}" if breaches else "as described", not breaches)
