"""The fields of JSON documents: those that a schema describes, and those that a value holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.validators.json_diff import member

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greenroom.plugins.mock_schemas import Schemas

_DEEPEST = 8
_MOST = 1000
_JOINED = ("allOf", "anyOf", "oneOf")


def described_fields(schemas: Schemas, pointer: Sequence[str]) -> tuple[str, ...]:
    """Return the fields below the schema at ``pointer`` as JSONPaths, ``[*]`` for any item.

    At most 1,000, eight levels deep; a schema within itself is entered once.
    """
    found: dict[str, None] = {}
    for path in _described(schemas, pointer, "$", ()):
        if len(found) >= _MOST:
            break
        found[path] = None
    return tuple(found)


def seen_fields(value: Any) -> set[str]:  # noqa: ANN401 - a JSON value
    """Return the fields that ``value`` holds, written as `described_fields` writes them."""
    return set(_seen(value, "$", 0))


def _described(
    schemas: Schemas, pointer: Sequence[str], path: str, within: tuple[str, ...]
) -> Iterator[str]:
    schema, at = schemas.follow(pointer)
    place = "/".join(at)
    if not isinstance(schema, dict) or place in within or path.count(".") > _DEEPEST:
        return
    inner = (*within, place)
    properties = schema.get("properties")
    for name in properties if isinstance(properties, dict) else ():
        yield member(path, name)
        yield from _described(schemas, (*at, "properties", name), member(path, name), inner)
    if isinstance(schema.get("items"), dict):
        yield from _described(schemas, (*at, "items"), f"{path}[*]", inner)
    for keyword in _JOINED:
        parts = schema.get(keyword)
        for index in range(len(parts) if isinstance(parts, list) else 0):
            yield from _described(schemas, (*at, keyword, str(index)), path, inner)


def _seen(value: Any, path: str, depth: int) -> Iterator[str]:  # noqa: ANN401 - a JSON value
    if depth > 2 * _DEEPEST:
        return
    if isinstance(value, dict):
        for name, one in value.items():
            yield member(path, name)
            yield from _seen(one, member(path, name), depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _seen(one, f"{path}[*]", depth + 1)
