"""JSON of answers: read strictly, and validated against a JSON Schema that is compiled once."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_files import Files
from greenroom.plugins.suite_yaml import Document, Place
from greenroom.validators.errors import SettingsError
from greenroom.validators.http import Violation
from greenroom.validators.json_values import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jsonschema.protocols import Validator

_VIOLATIONS_MOST = 100
_DATA_KEYWORDS = frozenset({"const", "enum", "default", "examples"})
"""Keywords that hold data: a ``$ref`` within them is none."""


def read_json(body: bytes) -> Any:  # noqa: ANN401 - a JSON value
    """Read an answer's body as JSON by the letter; raises `ValueError` that says what is wrong.

    Refused, as no two readers agree on them: duplicate names, NaN and Infinity, numbers beyond what
    a double holds, text that is not UTF-8, and nesting too deep to walk.
    """
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


@dataclass(frozen=True, slots=True)
class Contract:
    """A compiled JSON Schema; ``name`` is its path as the suite gives it."""

    name: str
    validator: Validator

    def violations(self, value: Any) -> tuple[Violation, ...]:  # noqa: ANN401 - a JSON value
        """Return the ways in which ``value`` breaks the schema, at most 100."""
        errors = islice(self.validator.iter_errors(value), _VIOLATIONS_MOST)
        return tuple(
            Violation(
                "".join(f"/{part}" for part in error.absolute_path), cut(printable(error.message))
            )
            for error in errors
        )


class Contracts:
    """The contracts of one suite, by their paths from ``folder``, each compiled once.

    Their files must lie below ``root``, wherever links lead.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self.files = Files(folder, root)
        self._loaded: dict[str, Contract] = {}

    def load(self, name: str) -> Contract:
        """Return the contract of this name; raises `SettingsError`."""
        if name not in self._loaded:
            path = self.files.path(name, "schema")
            self._loaded[name] = load_contract(path, name)
        return self._loaded[name]


def load_contract(path: Path, name: str) -> Contract:
    """Compile the schema in ``path``; raises `SettingsError`. References stay within the file."""
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - takes 150 ms
    from jsonschema.validators import validator_for  # noqa: PLC0415 - as above
    from referencing import Registry  # noqa: PLC0415 - as above

    schema = _load(path)
    if not isinstance(schema, dict) or not schema:
        raise SettingsError(
            f"{path}: a contract must be a JSON object with keywords",
            hint="a schema that accepts everything proves nothing; see json-schema.org",
        )
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise SettingsError(
                f"{path}: the reference {reference!r} leaves the file",
                hint="copy the definition below $defs and refer to it as #/$defs/NAME",
            )
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise SettingsError(
            f"{path}: not a valid JSON Schema at {error.json_path}: {error.message}"
        ) from error
    if not set(schema) & set(kind.VALIDATORS):
        raise SettingsError(
            f"{path}: none of its keywords constrains anything: {', '.join(schema)}",
            hint="a schema that accepts everything proves nothing; is a keyword misspelt?",
        )
    # An empty registry retrieves nothing: no reference can reach the network.
    registry: Registry[Any] = Registry()
    validator = kind(schema, registry=registry, format_checker=kind.FORMAT_CHECKER)
    _resolve_all(path, schema, validator)
    return Contract(name, validator)


def _load(path: Path) -> Any:  # noqa: ANN401 - a JSON value
    document = Document.load(path, "the schema", "the path starts at the suite's folder")
    try:
        return read_json(document.text.encode())
    except json.JSONDecodeError as error:
        raise document.error(Place(error.lineno, error.colno), error.msg) from error
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in {"$ref", "$dynamicRef", "$recursiveRef"} and isinstance(value, str):
                yield value
            elif key not in _DATA_KEYWORDS:
                yield from _references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _references(item)


def _resolve_all(path: Path, schema: dict[str, Any], validator: Validator) -> None:
    """Fail now, not in the middle of a run, if a reference has no definition."""
    from referencing import Registry, Resource  # noqa: PLC0415 - loaded with jsonschema
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - as above
    from referencing.jsonschema import specification_with  # noqa: PLC0415 - as above

    dialect = validator.META_SCHEMA.get("$schema", "")
    resource = Resource.from_contents(schema, default_specification=specification_with(dialect))
    resolver = Registry[Any]().with_resource("", resource).resolver()
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            raise SettingsError(f"{path}: the reference {reference!r} has no definition") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"duplicate name {twice!r}")
    return value


def _no_constant(name: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {cut(text, 20)} is too large")
    return number
