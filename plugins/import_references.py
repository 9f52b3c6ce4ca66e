"""References of an OpenAPI document: they stay within it, and lead somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.plugins.mock_schemas import leads_somewhere
from greenroom.validators.json_values import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.import_file import Source

_DATA = frozenset({"example", "examples", "default", "enum", "const", "value"})
_NAMES = frozenset({"properties", "patternProperties", "schemas", "parameters", "responses"})


def refuse_references(source: Source) -> None:
    """Raise a `SettingsError` for a reference that leaves the document or has no definition."""
    for place, reference in _references(source.content, "#"):
        shown = f"the reference {cut(printable(reference))!r} at {cut(printable(place))}"
        if not reference.startswith("#"):
            raise source.error(
                f"{shown} leaves the document, and nothing is fetched",
                "bundle the document into one file first",
            )
        if not reference.startswith("#/"):
            raise source.error(f"{shown} is not read", "write it as in #/components/schemas/NAME")
        if not leads_somewhere(source.content, reference):
            raise source.error(f"{shown} has no definition", "correct it")


def _references(node: Any, place: str, *, names: bool = False) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a JSON value
    """Yield place and text of each ``$ref``; below ``names`` the keys are the user's own."""
    if isinstance(node, dict):
        for key, value in node.items():
            if names:
                yield from _references(value, f"{place}/{key}")
            elif key == "$ref" and isinstance(value, str):
                yield place, value
            elif key not in _DATA:
                yield from _references(value, f"{place}/{key}", names=key in _NAMES)
    elif isinstance(node, list):
        for at, item in enumerate(node):
            yield from _references(item, f"{place}/{at}")
