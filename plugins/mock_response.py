"""How one operation of an OpenAPI document answers: the request validated, the reply from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.mock_model import Call, Reply, json_reply
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from greenroom.plugins.mock_schemas import Schemas

_GIVE = "give an `example` that fits, beside the schema"
_UNTESTED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Parameters of these names are to be ignored, says OpenAPI."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers the calls of one operation; ``where`` is its file, line and column."""

    schemas: Schemas
    operation: tuple[str, ...]
    parameters: tuple[tuple[str, ...], ...]
    where: str

    def __call__(self, call: Call) -> tuple[Reply, tuple[str, ...]]:
        """Return the reply, and in which ways the call breaks the document."""
        breaches = self.breaches(call)
        try:
            return self._reply(), breaches
        except SettingsError as error:
            text = error.explain()
            return json_reply({"error": text}, 500), (*breaches, text)

    # The request

    def breaches(self, call: Call) -> tuple[str, ...]:
        """Return in which ways a request breaks the document."""
        return (*self._of_parameters(call), *self._of_body(call))

    def _of_parameters(self, call: Call) -> Iterator[str]:
        known = set()
        for pointer in self.parameters:
            parameter, _ = self.schemas.follow(pointer)
            where, name = str(parameter["in"]), str(parameter["name"])
            if where == "query":
                known.add(name)
            if where in {"path", "query"} or (
                where == "header" and name.lower() not in _UNTESTED_HEADERS
            ):
                yield from self._of_parameter(call, pointer, parameter)
        known |= self._keys_in_query()
        for name, _ in call.query:
            if name.partition("[")[0] not in known and name not in known:
                yield f"the query parameter {name!r} is not in the document"

    def _of_parameter(
        self, call: Call, pointer: tuple[str, ...], parameter: dict[str, Any]
    ) -> Iterator[str]:
        name = str(parameter["name"])
        what = f"the {parameter['in']} parameter {name!r}"
        texts = _texts(call, str(parameter["in"]), name)
        if not texts:
            if parameter.get("required") and parameter.get("style") != "deepObject":
                yield f"{what} is missing"
            return
        schema, at = self.schemas.follow((*pointer, "schema"))
        if schema is None:
            return
        items, _ = self.schemas.follow((*at, "items"))
        value = value_of(texts, schema, items, explode=parameter.get("explode", True))
        for breach in self.schemas.breaches((*pointer, "schema"), value, sent=True):
            yield f"{what}: {breach}"

    def _keys_in_query(self) -> set[str]:
        schemes, _ = self.schemas.follow(("components", "securitySchemes"))
        names = schemes if isinstance(schemes, dict) else {}
        found = (self.schemas.follow(("components", "securitySchemes", name))[0] for name in names)
        return {
            str(one.get("name"))
            for one in found
            if isinstance(one, dict) and one.get("in") == "query"
        }

    def _of_body(self, call: Call) -> Iterator[str]:
        body, at = self.schemas.follow((*self.operation, "requestBody"))
        if not isinstance(body, dict):
            if call.body:
                yield "the operation takes no body"
            return
        if not call.body:
            if body.get("required"):
                yield "the body is missing"
            return
        sent = (call.header("content-type") or "").partition(";")[0].strip().lower()
        content = body.get("content", {})
        media = media_of(sent, content)
        if media is None:
            yield f"the content type {sent!r} is none of {', '.join(content)}"
        elif is_json(sent) and "schema" in content[media]:
            yield from self._of_json(call, (*at, "content", media, "schema"))

    def _of_json(self, call: Call, pointer: tuple[str, ...]) -> Iterator[str]:
        try:
            value = call.json
        except ValueError as error:
            yield f"the body is no JSON: {error}"
            return
        for breach in self.schemas.breaches(pointer, value, sent=True):
            yield f"the body: {breach}"

    # The reply

    def _reply(self) -> Reply:
        responses, at = self.schemas.follow((*self.operation, "responses"))
        key, status = _best(responses)
        response, at = self.schemas.follow((*at, key))
        content = response.get("content") if isinstance(response, dict) else None
        if not isinstance(content, dict) or not content:
            return Reply(status)
        media = next((name for name in content if is_json(name)), next(iter(content)))
        value = self._example((*at, "content", media), content[media])
        headers = (("content-type", "application/json" if "*" in media else media),)
        if is_json(media) or not isinstance(value, str):
            return Reply(status, headers, json.dumps(value, ensure_ascii=False).encode())
        return Reply(status, headers, value.encode())

    def _example(self, pointer: tuple[str, ...], media: dict[str, Any]) -> Any:  # noqa: ANN401
        """Return the example of a media type, else a value for its schema; both must fit."""
        named = media.get("examples")
        if "example" in media:
            value = media["example"]
        elif isinstance(named, dict) and named:
            first, _ = self.schemas.follow((*pointer, "examples", next(iter(named))))
            value = first.get("value") if isinstance(first, dict) else None
        elif "schema" in media:
            try:
                value = self.schemas.made((*pointer, "schema"))
            except ValueError as error:
                raise self._error(str(error)) from error
        else:
            raise self._error("the response has neither example nor schema")
        if "schema" in media:
            for breach in self.schemas.breaches((*pointer, "schema"), value, sent=False):
                raise self._error(f"the answer does not fit its schema: {breach}")
        return value

    def _error(self, what: str) -> SettingsError:
        method, path = self.operation[-1].upper(), self.operation[-2]
        return SettingsError(f"{self.where}: {method} {path}: {what}", hint=_GIVE)


def _texts(call: Call, where: str, name: str) -> list[str]:
    match where:
        case "path":
            return [value for key, value in call.parameters if key == name]
        case "query":
            return [value for key, value in call.query if key == name]
        case _:
            value = call.header(name)
            return [] if value is None else [value]


def value_of(texts: list[str], schema: Any, items: Any, *, explode: bool) -> Any:  # noqa: ANN401
    """Return what the texts of a parameter stand for: a list, or a value, by its ``schema``."""
    if isinstance(schema, dict) and "array" in _types(schema):
        if len(texts) == 1 and ("," in texts[0] or not explode):
            texts = texts[0].split(",")
        return [_scalar(text, items) for text in texts]
    return _scalar(texts[-1], schema)


def _scalar(text: str, schema: Any) -> Any:  # noqa: ANN401 - a JSON value
    """Return the value that a text stands for where the schema wants no text."""
    types = _types(schema) if isinstance(schema, dict) else set()
    if "string" in types:
        return text
    if not types and isinstance(schema, dict):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _types(schema: dict[str, Any]) -> set[str]:
    named = schema.get("type", [])
    return {named} if isinstance(named, str) else set(named)


def _best(responses: dict[str, Any]) -> tuple[str, int]:
    """Return the response to give, and its status: the first success, else what there is."""
    numbered = sorted(key for key in responses if key.isdecimal())
    for key in [*[key for key in numbered if key.startswith("2")], "2XX", "default", *numbered]:
        if key in responses:
            return key, int(key) if key.isdecimal() else 200
    return next(iter(responses)), 200


def media_of(sent: str, content: Iterable[str]) -> str | None:
    """Return which media type of ``content`` is meant by the type ``sent``; the nearest one."""
    names = {name.partition(";")[0].strip().lower(): name for name in content}
    nearest = (sent, f"{sent.partition('/')[0]}/*", "*/*")
    return next((names[name] for name in nearest if name in names), None)


def is_json(media: str) -> bool:
    """Tell whether a media type, or a range of them, can be JSON."""
    plain = media.partition(";")[0].strip().lower()
    return (
        plain == "application/json" or plain.endswith("+json") or plain in {"*/*", "application/*"}
    )
