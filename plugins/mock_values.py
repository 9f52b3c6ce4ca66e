"""Values made from a JSON Schema: the plainest one that fits, always the same for a schema.

What is given comes first: ``example``, ``examples``, ``const``, ``default``, the first of ``enum``.
A schema that cannot be met this way (a pattern, say) gets a value that does not fit: whoever asks
validates it, and tells the user to give an example.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "user@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uri-reference": "/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "byte": "dGV4dA==",
}
_ITEMS_MOST = 1000
_LONGEST = 100_000


class _EndlessError(Exception):
    """A schema that contains itself without an end."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes values; ``look_up`` returns what a ``$ref`` refers to."""

    look_up: Callable[[str], Any]

    def value(self, schema: Any) -> Any:  # noqa: ANN401 - a JSON value
        """Return a value for ``schema``; `ValueError` where it would have no end."""
        try:
            return self._value(schema, ())
        except _EndlessError as error:
            raise ValueError("the schema needs itself within itself, without an end") from error

    def _value(self, schema: Any, within: tuple[str, ...]) -> Any:  # noqa: ANN401 - a JSON value
        if not isinstance(schema, dict):
            return {}
        found, value = _given(schema)
        if found:
            return value
        if isinstance(reference := schema.get("$ref"), str):
            if reference in within:
                raise _EndlessError
            return self._value(self.look_up(reference), (*within, reference))
        for choice in ("oneOf", "anyOf"):
            if options := schema.get(choice):
                return self._first(schema, options, within)
        if parts := schema.get("allOf"):
            return self._merged([{**schema, "allOf": None}, *parts], within)
        return self._of_type(schema, within)

    def _first(self, schema: dict[str, Any], options: list[Any], within: tuple[str, ...]) -> Any:  # noqa: ANN401
        """Return the first option that has an end, with what stands beside the choice."""
        beside = {k: v for k, v in schema.items() if k not in {"oneOf", "anyOf"}}
        for option in options:
            try:
                return self._merged([beside, option], within)
            except _EndlessError:
                continue
        raise _EndlessError

    def _merged(self, schemas: list[Any], within: tuple[str, ...]) -> Any:  # noqa: ANN401 - a JSON value
        values = [self._value(one, within) for one in schemas if _says_something(one)]
        if values and all(isinstance(value, dict) for value in values):
            return {name: item for value in values for name, item in value.items()}
        return next((value for value in reversed(values) if value != {}), {})

    def _of_type(self, schema: dict[str, Any], within: tuple[str, ...]) -> Any:  # noqa: ANN401, PLR0911 - JSON
        match _type(schema):
            case "object":
                return self._object(schema, within)
            case "array":
                return self._array(schema, within)
            case "string":
                return _string(schema)
            case "integer":
                return _number(schema, whole=True)
            case "number":
                return _number(schema, whole=False)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return {}

    def _object(self, schema: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        value = {}
        required = schema.get("required", ())
        for name, part in schema.get("properties", {}).items():
            if isinstance(part, dict) and part.get("writeOnly"):
                continue
            try:
                value[name] = self._value(part, within)
            except _EndlessError:
                if name in required:
                    raise
        return value

    def _array(self, schema: dict[str, Any], within: tuple[str, ...]) -> list[Any]:
        first = schema.get("prefixItems", [])
        least = min(schema.get("minItems", 0), _ITEMS_MOST)
        count = min(max(least, 1), schema.get("maxItems", _ITEMS_MOST))
        parts = [*first, *[schema.get("items", {})] * max(count - len(first), 0)]
        try:
            return [self._value(part, within) for part in parts]
        except _EndlessError:
            if least:
                raise
            return []


def _given(schema: dict[str, Any]) -> tuple[bool, Any]:
    for key in ("example", "const", "default"):
        if key in schema:
            return True, schema[key]
    for key in ("examples", "enum"):
        if isinstance(values := schema.get(key), list) and values:
            return True, values[0]
    return False, None


def _says_something(schema: Any) -> bool:  # noqa: ANN401 - a JSON value
    silent = {"allOf", "description", "title", "discriminator", "required", "nullable"}
    return isinstance(schema, dict) and bool(set(schema) - silent)


def _type(schema: dict[str, Any]) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        named = next((one for one in named if one != "null"), "null")
    if named is None:
        named = "object" if "properties" in schema else "array" if "items" in schema else ""
    return str(named)


def _string(schema: dict[str, Any]) -> str:
    text = _FORMATS.get(schema.get("format", ""), "text")
    longest = min(schema.get("maxLength", _LONGEST), _LONGEST)
    return text.ljust(min(schema.get("minLength", 0), _LONGEST), "x")[:longest]


def _number(schema: dict[str, Any], *, whole: bool) -> Any:  # noqa: ANN401 - a JSON number
    """Return the number next to 1 within the limits, a multiple where one is asked for."""
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", -math.inf)
    if (above := schema.get("exclusiveMinimum")) is not None:
        low = max(low, above + (step if whole else min(step, 1) / 2))
    high = schema.get("maximum", math.inf)
    if (below := schema.get("exclusiveMaximum")) is not None:
        high = min(high, below - (step if whole else min(step, 1) / 2))
    number = min(max(1, low), high)
    if "multipleOf" in schema:
        number = math.ceil(number / step) * step
        number = number if number <= high else number - step
    return math.ceil(number) if whole and math.isfinite(number) else number
