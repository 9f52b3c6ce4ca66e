"""The schemas within an OpenAPI document: found by where they stand, and compiled once."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jsonschema import Draft202012Validator, SchemaError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from greenroom.plugins.mock_values import Maker
from greenroom.validators.errors import SettingsError
from greenroom.validators.json_values import cut, printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DOCUMENT = "urn:greenroom:openapi"
_BREACHES_MOST = 10
_FOLLOWED_MOST = 50
DATA = frozenset({"example", "examples", "default", "enum", "const", "value"})
"""Keywords whose values are data: a ``$ref`` within them is none."""
_NAMES = frozenset(
    {"properties", "patternProperties", "schemas", "parameters", "responses", "paths", "headers"}
)


class Schemas:
    """A document's values by their pointers (a list of keys), references followed."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self._path = path
        self._content = content
        resource = DRAFT202012.create_resource(content)
        # The registry retrieves nothing: no reference can reach a file or the network.
        self._registry: Registry[Any] = Registry().with_resource(_DOCUMENT, resource)
        self._compiled: dict[str, Draft202012Validator] = {}

    def follow(self, pointer: Sequence[str]) -> tuple[Any, list[str]]:
        """Return a value and where it really stands; None where there is none."""
        at = list(pointer)
        for _ in range(_FOLLOWED_MOST):
            value, at = self._walk(at)
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value, at
            at = keys_of(value["$ref"])
        raise SettingsError(
            f"{self._path}: the reference {'/'.join(pointer)} has no end",
            hint="let one of these references lead to a value",
        )

    def breaches(self, pointer: Sequence[str], value: Any, *, sent: bool) -> tuple[str, ...]:  # noqa: ANN401 - a JSON value
        """Return the ways in which ``value`` breaks the schema at ``pointer``, at most 10.

        What a client sends need not have read-only properties; what it gets, write-only ones.
        """
        exempt = "readOnly" if sent else "writeOnly"
        errors = (
            error
            for error in self._validator(pointer).iter_errors(value)
            if not (error.validator == "required" and _is_exempt(error, exempt))
        )
        return tuple(
            "".join(f"/{part}" for part in error.absolute_path)
            + (": " if error.absolute_path else "")
            + cut(printable(error.message))
            for error in islice(errors, _BREACHES_MOST)
        )

    def made(self, pointer: Sequence[str]) -> Any:  # noqa: ANN401 - a JSON value
        """Return a value for the schema at ``pointer``; raises `ValueError`."""
        schema, _ = self.follow(pointer)
        return Maker(lambda reference: self.follow(keys_of(reference))[0]).value(schema)

    def _walk(self, pointer: Sequence[str]) -> tuple[Any, list[str]]:
        """Go down the keys; a reference on the way is followed."""
        value: Any = self._content
        at: list[str] = []
        for step, key in enumerate(pointer):
            if isinstance(value, dict) and isinstance(value.get("$ref"), str) and key not in value:
                return self._walk([*keys_of(value["$ref"]), *pointer[step:]])
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            else:
                return None, list(pointer)
            at.append(key)
        return value, at

    def _validator(self, pointer: Sequence[str]) -> Draft202012Validator:
        schema, at = self.follow(pointer)
        where = "/".join(part.replace("~", "~0").replace("/", "~1") for part in at)
        if where not in self._compiled:
            try:
                Draft202012Validator.check_schema(schema)
            except SchemaError as error:
                raise SettingsError(
                    f"{self._path}: not a valid schema at #/{where}: {error.message}",
                    hint="correct the schema: JSON Schema 2020-12, as OpenAPI 3.1 takes it",
                ) from error
            self._compiled[where] = Draft202012Validator(
                {"$ref": f"{_DOCUMENT}#/{quote(where)}"},
                registry=self._registry,
                format_checker=Draft202012Validator.FORMAT_CHECKER,
            )
        return self._compiled[where]


def modern(node: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - a JSON value
    """Return a 3.0 document with its schemas as those of 3.1: null is a type, limits are numbers.

    ``names`` tells that the keys of ``node`` are the user's own names, not keywords.
    """
    if isinstance(node, list):
        return [modern(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {
        key: value
        if key in DATA and not names
        else modern(value, names=key in _NAMES and not names)
        for key, value in node.items()
    }
    return result if names else _modern_keywords(result)


def _modern_keywords(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.pop("nullable", False) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flagged = isinstance(schema.get(exclusive), bool) and schema.pop(exclusive)
        if flagged and limit in schema:
            schema[exclusive] = schema.pop(limit)
    return schema


def keys_of(reference: str) -> list[str]:
    """Return the pointer that a ``$ref`` within the document holds."""
    parts = reference.removeprefix("#").split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def leads_somewhere(content: Any, reference: str) -> bool:  # noqa: ANN401 - a JSON value
    """Tell whether ``content`` has what a ``$ref`` within it names."""
    for key in keys_of(reference):
        if isinstance(content, dict) and key in content:
            content = content[key]
        elif isinstance(content, list) and key.isdecimal() and int(key) < len(content):
            content = content[int(key)]
        else:
            return False
    return True


def _is_exempt(error: Any, keyword: str) -> bool:  # noqa: ANN401 - jsonschema's own is untyped
    properties = error.schema.get("properties", {})
    return any(
        error.message.startswith(f"{name!r} ")
        and isinstance(properties.get(name), dict)
        and properties[name].get(keyword) is True
        for name in error.validator_value
    )
