"""The request of an OpenAPI operation: path, headers and body from what the document gives."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from greenroom.plugins.import_har_entry import is_json
from greenroom.plugins.import_model import UnwritableError
from greenroom.plugins.import_openapi_security import Credentials
from greenroom.plugins.import_vault import is_secret_name
from greenroom.plugins.suite_request import HEADER_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.import_vault import Vault
    from greenroom.plugins.mock_schemas import Schemas

_FORM = "application/x-www-form-urlencoded"
_SPECIAL_HEADERS = ("accept", "content-type", "authorization")
"""Header parameters that OpenAPI ignores: the operation says these in other ways."""
_IDENTITIES = ("uuid", "byte", "binary", "uri", "password", "")
"""Formats that a value can have and yet lead nowhere."""
_GENERIC = ("id", "key", "name", "slug", "uuid", "code", "number")


@dataclass(frozen=True, slots=True)
class Parts:
    """What an operation's parts are made with: schemas as a client meets them.

    ``where`` is how messages call the operation.
    """

    schemas: Schemas
    vault: Vault
    where: str

    def given(self, holder: dict[str, Any], at: list[str]) -> tuple[bool, Any]:
        """Return whether a parameter or media type has a value of its own, and that."""
        if "example" in holder:
            return True, holder["example"]
        examples = holder.get("examples")
        for name in examples if isinstance(examples, dict) else ():
            example, _ = self.schemas.follow([*at, "examples", name])
            if isinstance(example, dict) and "value" in example:
                return True, example["value"]
        return False, None

    def made(self, at: list[str]) -> Any:  # noqa: ANN401 - a JSON value
        """Return a value that fits the schema at ``at``; raises `UnwritableError`."""
        schema, _ = self.schemas.follow(at)
        try:
            value = self.schemas.made(at)
        except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
            raise UnwritableError(f"no value can be made from the schema: {error}") from error
        if schema is not None and self.schemas.breaches(at, value, sent=True):
            raise UnwritableError("no value can be made that fits the schema: give an example")
        return value


class Asking:
    """The parts of one operation's request, each written as a suite has it."""

    def __init__(self, parts: Parts, content: dict[str, Any], at: list[str]) -> None:
        self._parts = parts
        self._at = at
        self._operation = parts.schemas.follow(at)[0]
        self._parameters = dict(self._listed())
        self._credentials = Credentials(parts.schemas, parts.vault, self._operation, content)

    def path(self, base: str, template: str) -> str:
        """Return path and query; raises `UnwritableError`."""

        def value(found: re.Match[str]) -> str:
            return self._segment(found[1], template[: found.start()])

        path = re.sub(r"\{([^{}]*)\}", value, _quoted(template, "/{}%:@!$&'()*+,;=-._~"))
        pairs = [
            pair
            for (place, name), (parameter, at) in self._parameters.items()
            if place == "query" and parameter.get("required") is True
            for pair in self._pairs(name, parameter, at)
        ]
        pairs += [f"{_quoted(name)}={value}" for name, value in self._credentials.query()]
        base = self._parts.vault.path(_quoted(base, "/%:@!$&'()*+,;=-._~"), self._parts.where)
        return f"{base}/{path.lstrip('/')}" + (f"?{'&'.join(pairs)}" if pairs else "")

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of credentials, required parameters and the body's type."""
        found = {
            name: value
            for name, value in self._credentials.headers()
            if HEADER_NAME.fullmatch(name)
        }
        cookies = []
        for (place, name), (parameter, at) in self._parameters.items():
            if place not in {"header", "cookie"} or parameter.get("required") is not True:
                continue
            text = _plain(self._value(parameter, at, name))
            if place == "cookie":
                secret = self._parts.vault.secret(f"cookie_{name}", text, self._parts.where)
                cookies.append(f"{name}={secret}")
            elif name.lower() not in _SPECIAL_HEADERS and HEADER_NAME.fullmatch(name):
                found[name] = self._parts.vault.header(name, text, self._parts.where)
        if cookies:
            found["Cookie"] = "; ".join([*filter(None, [found.get("Cookie")]), *cookies])
        media = self._media()[0]
        if media and media != "application/json":
            found["Content-Type"] = self._parts.vault.header(
                "Content-Type", media, self._parts.where
            )
        return tuple(found.items())

    def content(self) -> tuple[str, Any] | None:
        """Return the body; raises `UnwritableError` where none can be made."""
        media, at = self._media()
        if not media:
            return None
        holder, _ = self._parts.schemas.follow(at)
        found, value = self._parts.given(holder if isinstance(holder, dict) else {}, at)
        value = value if found else self._parts.made([*at, "schema"])
        vault, where = self._parts.vault, self._parts.where
        if is_json(media):
            return "json", vault.json(value, where)
        if media == _FORM and isinstance(value, dict):
            pairs = [(name, _plain(item)) for name, item in value.items()]
            return "body", vault.pairs(urlencode(pairs), where)
        if not isinstance(value, str):
            raise UnwritableError(f"a body of {media} without an example")
        return "body", vault.text(value, where)

    def notes(self) -> Iterator[str]:
        """Yield what was left out of the request."""
        yield from self._credentials.notes

    def _listed(self) -> Iterator[tuple[tuple[str, str], tuple[dict[str, Any], list[str]]]]:
        """Yield the parameters by place and name; the operation's own come last and win."""
        for holder in (self._at[:-1], self._at):
            listed, at = self._parts.schemas.follow([*holder, "parameters"])
            for number in range(len(listed) if isinstance(listed, list) else 0):
                parameter, place = self._parts.schemas.follow([*at, str(number)])
                if isinstance(parameter, dict):
                    key = str(parameter.get("in")), str(parameter.get("name"))
                    yield key, (parameter, place)

    def _value(self, parameter: dict[str, Any], at: list[str], name: str) -> Any:  # noqa: ANN401 - a JSON value
        found, value = self._parts.given(parameter, at)
        try:
            return value if found else self._parts.made(_schema_of(parameter, at))
        except UnwritableError as error:
            raise UnwritableError(f"the parameter {name}: {error}") from error

    def _segment(self, name: str, before: str) -> str:
        """Return what stands for a path parameter; a variable where only the user knows."""
        if ("path", name) not in self._parameters:
            raise UnwritableError(
                f"the path parameter {name}, which the document does not describe"
            )
        parameter, at = self._parameters["path", name]
        schema, _ = self._parts.schemas.follow(_schema_of(parameter, at))
        found, value = self._parts.given(parameter, at)
        known = schema if isinstance(schema, dict) else {}
        if not found and not _says_value(known):
            return self._parts.vault.setting(_variable(name, before), f"in {self._parts.where}")
        text = _plain(value if found else self._parts.made(_schema_of(parameter, at)))
        if is_secret_name(name):
            return self._parts.vault.secret(name, text, self._parts.where)
        return self._parts.vault.text(_quoted(text, ",:@"), self._parts.where)

    def _pairs(self, name: str, parameter: dict[str, Any], at: list[str]) -> Iterator[str]:
        """Yield the pairs of a query parameter, in the style that the document gives it."""
        value = self._value(parameter, at, name)
        vault, where = self._parts.vault, self._parts.where
        if isinstance(value, dict):
            deep = parameter.get("style") == "deepObject"
            given = [(f"{name}[{key}]" if deep else key, item) for key, item in value.items()]
        elif isinstance(value, list) and parameter.get("explode") is not False:
            given = [(name, item) for item in value]
        else:
            given = [(name, value)]
        for key, item in given:
            yield vault.pairs(f"{_quoted(str(key), '[]')}={_quoted(_plain(item), ',:')}", where)

    def _media(self) -> tuple[str, list[str]]:
        """Return the body's media type (JSON, else a form, else the first) and where it stands."""
        body, at = self._parts.schemas.follow([*self._at, "requestBody"])
        content = body.get("content") if isinstance(body, dict) else None
        names = list(content) if isinstance(content, dict) else []
        name = next(filter(is_json, names), _FORM if _FORM in names else names[0] if names else "")
        if name.startswith("multipart/") or "*" in name:
            if not body.get("required"):
                return "", []
            raise UnwritableError(f"a body of {name}")
        return name, [*at, "content", name]


def _schema_of(parameter: dict[str, Any], at: list[str]) -> list[str]:
    content = parameter.get("content")
    if isinstance(content, dict) and content:
        return [*at, "content", next(iter(content)), "schema"]
    return [*at, "schema"]


def _says_value(schema: dict[str, Any]) -> bool:
    """Tell whether a schema gives a value that exists: a format such as ``date``, not an id."""
    given = {"example", "const", "default", "examples", "enum"} & set(schema)
    return bool(given) or schema.get("format", "") not in (*_IDENTITIES, "int32", "int64")


def _variable(name: str, before: str) -> str:
    """Return a variable's name: ``id`` alone would mean another thing in each path."""
    owner = next((part for part in reversed(before.split("/")) if part and "{" not in part), "")
    return f"{owner}_{name}" if name.lower() in _GENERIC and owner else name


def _quoted(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")


def _plain(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Return a value as a parameter's text."""
    match value:
        case str():
            return value
        case list():
            return ",".join(map(_plain, value))
        case _:
            return json.dumps(value)
