"""An OpenAPI document as a contract: which operation a request meets, and how an answer breaks it.

Requests are judged as mock services judge them (`greenroom.plugins.mock_response`). Of an answer
are judged: its status, its required headers and theirs schemas, its content type, and its body:
JSON by the schema, a text where the schema is a text's.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from greenroom.plugins.mock_openapi import read_openapi
from greenroom.plugins.mock_response import Answers, is_json, media_of, value_of
from greenroom.plugins.openapi_fields import described_fields, seen_fields
from greenroom.plugins.redaction import is_sensitive
from greenroom.plugins.suite_contract import read_json
from greenroom.plugins.suite_yaml import Document, Mapping
from greenroom.validators.json_values import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.plugins.mock_model import Api, Route
    from greenroom.validators.http import Answer

_EMPTY = frozenset({204, 205, 304})
_KEYWORDS = frozenset(Draft202012Validator.VALIDATORS)


@dataclass(frozen=True, slots=True)
class Described:
    """How an answer fits its description.

    ``status`` is the key of the response that describes it, empty if none does; ``doubt`` says what
    the document leaves open; ``absent`` are the fields that it describes and the answer lacks, None
    where it has no JSON.
    """

    status: str
    breaches: tuple[str, ...] = ()
    doubt: str = ""
    absent: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, and the texts in the place of its path's ``{names}``."""

    name: str
    id: str
    answers: Answers
    parameters: tuple[tuple[str, str], ...] = ()

    def described(self, answer: Answer, *, head: bool) -> Described:
        """Judge an answer; that of a ``head`` request has no body."""
        schemas = self.answers.schemas
        responses, at = schemas.follow((*self.answers.operation, "responses"))
        key = _key(answer.status, responses)
        if key is None:
            known = ", ".join(map(str, responses))
            return Described("", (f"the status {answer.status} is none of {known}",))
        response, at = schemas.follow((*at, key))
        if not isinstance(response, dict):
            return Described(key, doubt=f"the response {key} is described by nothing")
        breaches = tuple(_of_headers(self.answers, (*at, "headers"), answer))
        if head or (answer.status in _EMPTY and not answer.body):
            return Described(key, breaches)
        body = _of_body(self.answers, (*at, "content"), answer)
        return Described(key, (*breaches, *body.breaches), body.doubt, body.absent)


@functools.lru_cache(maxsize=32)
def operations_of(path: Path) -> tuple[Api, tuple[Operation, ...]]:
    """Return the operations of the document in ``path``, read once; raises `SettingsError`."""
    document = Document.load(path, "the OpenAPI document", "the path starts at the suite's folder")
    root = document.read()
    if not isinstance(root, Mapping):
        raise document.error(root.place, "it is no OpenAPI document", "begin with `openapi: 3.1.0`")
    api = read_openapi(document, root)
    return api, tuple(_operation(route) for route in api.routes)


def met(path: Path, method: str, asked: str) -> tuple[Operation | None, str]:
    """Return the operation that a request for the path ``asked`` meets, else why there is none.

    Plain paths come before those with ``{names}``. ``asked`` may or may not begin with the path of
    the document's first server.
    """
    api, operations = operations_of(path)
    others: dict[str, None] = {}
    for one in (asked.removeprefix(api.base), asked):
        for operation in sorted(operations, key=lambda each: "{" in each.name):
            verb, _, template = operation.name.partition(" ")
            found = _pattern(template).fullmatch(one)
            if found and verb == method:
                names = re.findall(r"\{([^{}]*)\}", template)
                values = map(unquote, found.groups())
                given = tuple(zip(names, values, strict=True))
                return Operation(operation.name, operation.id, operation.answers, given), ""
            if found:
                others[verb] = None
    if others:
        return None, f"{asked} has no {method} in it, only {', '.join(others)}"
    return None, f"no path in it is {asked}"


def _operation(route: Route) -> Operation:
    answers = route.answer
    assert isinstance(answers, Answers)  # noqa: S101 - `read_openapi` makes no others
    identity, _ = answers.schemas.follow((*answers.operation, "operationId"))
    return Operation(route.name, identity if isinstance(identity, str) else "", answers)


@functools.lru_cache(maxsize=1024)
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^{}]*\}", template)
    return re.compile("([^/]+)".join(map(re.escape, parts)))


def _key(status: int, responses: dict[str, Any]) -> str | None:
    wanted = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
    return next((key for key in wanted if key in responses), None)


def _of_headers(answers: Answers, at: tuple[str, ...], answer: Answer) -> Iterator[str]:
    headers, at_headers = answers.schemas.follow(at)
    for name in headers if isinstance(headers, dict) else ():
        header, where = answers.schemas.follow((*at_headers, name))
        if name.lower() == "content-type" or not isinstance(header, dict):
            continue
        text = answer.header(name)
        if text is None and header.get("required"):
            yield f"the header {name.lower()} is missing"
        schema, at_schema = answers.schemas.follow((*where, "schema"))
        if text is None or schema is None:
            continue
        items, _ = answers.schemas.follow((*at_schema, "items"))
        value = value_of([text], schema, items, explode=False)
        for breach in answers.schemas.breaches(at_schema, value, sent=False):
            shown = "it does not fit its schema" if is_sensitive(name) else breach
            yield f"the header {name.lower()}: {shown}"


def _of_body(answers: Answers, at: tuple[str, ...], answer: Answer) -> Described:
    content, at_content = answers.schemas.follow(at)
    if not isinstance(content, dict) or not content:
        size = f"{len(answer.body):,} bytes"
        return Described("", doubt=f"it describes no body, and {size} came" if answer.body else "")
    sent = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    media = media_of(sent, content)
    if media is None:
        return Described("", (f"the content type {sent!r} is none of {', '.join(content)}",))
    place = (*at_content, media, "schema")
    schema, _ = answers.schemas.follow(place)
    limits = isinstance(schema, dict) and schema.keys() & _KEYWORDS
    if is_json(sent):
        if not limits and schema is not False:
            return Described("", doubt=f"it has no schema for {media} that says anything")
        return _of_json(answers, place, answer)
    if not limits:
        return Described("")  # that such a content came is all that it says
    return _of_text(answers, place, answer, sent)


def _of_json(answers: Answers, place: tuple[str, ...], answer: Answer) -> Described:
    try:
        value = read_json(answer.body)
    except ValueError as error:
        what = f"no JSON: {cut(printable(str(error)))}" if answer.body else "empty"
        return Described("", (f"the body is {what}",))
    breaches = answers.schemas.breaches(place, value, sent=False)
    held = seen_fields(value)
    absent = tuple(name for name in _fields(answers, place) if name not in held)
    return Described("", tuple(f"the body: {one}" for one in breaches), absent=absent)


def _of_text(answers: Answers, place: tuple[str, ...], answer: Answer, sent: str) -> Described:
    schema, _ = answers.schemas.follow(place)
    if schema.get("format") == "binary" and schema.keys() <= {"type", "format", "description"}:
        return Described("")
    if not sent.startswith("text/") or schema.get("type") != "string":
        return Described("", doubt=f"its schema for {sent} cannot be held against such a body")
    try:
        text = answer.text()
    except ValueError as error:
        return Described("", (f"the body is {error}",))
    breaches = answers.schemas.breaches(place, text, sent=False)
    return Described("", tuple(f"the body: {one}" for one in breaches))


@functools.lru_cache(maxsize=1024)
def _fields(answers: Answers, place: tuple[str, ...]) -> tuple[str, ...]:
    return described_fields(answers.schemas, place)
