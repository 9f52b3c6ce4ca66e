"""What to expect of an answer like one that was seen: its main shape, none of its values."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from greenroom.validators.json_values import JsonType, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.import_vault import Vault

_EXPECTED_MOST = 20
_MEMBERS_MOST = 30
"""Members of an object that is no map of names that come and go."""
_ITEMS_MOST = 100
_DEPTH_MOST = 2
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VOLATILE = re.compile(r"[0-9]+|[0-9a-fA-F-]{16,}|[0-9]{4}-[0-9]{2}(-[0-9]{2}.*)?")


def shape_of(value: Any, vault: Vault) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    """Return JSONPaths with the types that every value there has, at most 20.

    Numbers are ``number``, whole or not; a null says nothing of its type. Names that look like
    values (numbers, dates, secrets) are left out with what is beside them.
    """
    found: dict[str, Any] = {}
    for path, kind in _types("$", [value], vault, 0):
        if len(found) == _EXPECTED_MOST:
            break
        found[path] = {"type": kind}
    return found


def _types(path: str, values: list[Any], vault: Vault, depth: int) -> Iterator[tuple[str, str]]:
    """Yield what all ``values``, which stand at ``path``, have in common: breadth comes first."""
    kind = _common(values)
    if kind is None:
        return
    if depth == 0:
        yield path, kind
    if kind == "array":
        items = [item for value in values for item in value][:_ITEMS_MOST]
        if items and _common(items) == "object":
            yield from _types(f"{path}[*]", items, vault, max(depth, 1))
    if kind == "object" and depth <= _DEPTH_MOST:
        yield from _members(path, values, vault, depth)


def _members(path: str, values: list[Any], vault: Vault, depth: int) -> Iterator[tuple[str, str]]:
    names = [name for name in values[0] if all(name in value for value in values)]
    if len(names) > _MEMBERS_MOST or any(_is_value(name, vault) for name in names):
        return
    below = {f"{path}{_step(name)}": [value[name] for value in values] for name in names}
    for at, found in below.items():
        if (kind := _common(found)) is not None:
            yield at, kind
    if depth < _DEPTH_MOST:
        for at, found in below.items():
            yield from _types(at, found, vault, depth + 1)


def _common(values: list[Any]) -> str | None:
    kinds = {type_of(value) for value in values}
    if kinds <= {JsonType.INTEGER, JsonType.NUMBER}:
        return JsonType.NUMBER.value
    kind = kinds.pop()
    return None if kinds or kind is JsonType.NULL else kind.value


def _is_value(name: str, vault: Vault) -> bool:
    return _VOLATILE.fullmatch(name) is not None or vault.shows_secret(name)


def _step(name: str) -> str:
    """Return the step of a path to a member; it must not look as if it held a variable."""
    if _NAME.fullmatch(name):
        return f".{name}"
    written = json.dumps(name).replace("${", r"\u0024{")
    return f"[{written}]"
