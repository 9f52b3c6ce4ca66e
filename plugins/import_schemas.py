"""Schemas of an OpenAPI document as files of their own: what an answer must be like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAMES = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
"""Keywords whose members' names are the user's own."""
_DATA = frozenset({"const", "enum"})
_EXAMPLES = frozenset({"example", "examples", "default", "value"})
_DROPPED = frozenset(
    {"example", "examples", "default", "xml", "externalDocs", "discriminator", "nullable"}
    | {"readOnly", "writeOnly", "deprecated"}
)
"""Keywords that constrain no answer, and may show data that is none of a suite's."""
_COMPONENTS = "#/components/schemas/"
_SILENT = frozenset({"$schema", "$defs", "title", "description", "format"})


def answer_schema(schema: Any, look_up: Callable[[str], Any]) -> dict[str, Any] | None:  # noqa: ANN401 - a JSON value
    """Return the schema of an answer with all that it refers to below ``$defs``.

    None where it accepts everything. ``look_up`` returns what a reference leads to. Properties that
    are only written need not be there.
    """
    reader = _Reader(look_up)
    root = reader.read(schema)
    if not isinstance(root, dict) or not set(root) - _SILENT:
        return None
    definitions: dict[str, Any] = {}
    while reader.pending:
        reference = reader.pending.pop(0)
        definitions[reader.names[reference]] = reader.read(look_up(reference))
    defined = {"$defs": dict(sorted(definitions.items()))} if definitions else {}
    return {"$schema": DIALECT, **root, **defined}


class _Reader:
    def __init__(self, look_up: Callable[[str], Any]) -> None:
        self._look_up = look_up
        self.names: dict[str, str] = {}
        self.pending: list[str] = []

    def read(self, node: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - a JSON value
        """Return a schema; of a mapping of ``names`` to schemas, each schema."""
        if isinstance(node, list):
            return [self.read(item) for item in node]
        if not isinstance(node, dict):
            return node
        if names:
            return {name: self.read(item) for name, item in node.items()}
        return self._keywords(node)

    def _keywords(self, schema: dict[str, Any]) -> dict[str, Any]:
        result = {
            key: value if key in _DATA else self.read(value, names=key in _NAMES)
            for key, value in schema.items()
            if key not in _DROPPED and not key.startswith("x-")
        }
        if isinstance(reference := schema.get("$ref"), str):
            result["$ref"] = f"#/$defs/{self._named(reference)}"
        if isinstance(required := schema.get("required"), list):
            written = list(self._written(schema))
            result["required"] = [name for name in required if name not in written]
        return result

    def _written(self, schema: dict[str, Any]) -> Iterator[str]:
        properties = schema.get("properties")
        for name, item in properties.items() if isinstance(properties, dict) else ():
            found = item
            if isinstance(item, dict) and isinstance(item.get("$ref"), str):
                found = self._look_up(item["$ref"])
            if _says(found, "writeOnly"):
                yield name

    def _named(self, reference: str) -> str:
        if reference not in self.names:
            plain = reference.removeprefix(_COMPONENTS).removeprefix("#/")
            name = "".join(char if char.isalnum() or char in "._-" else "-" for char in plain)
            while name in self.names.values():
                name += "-"
            self.names[reference] = name
            self.pending.append(reference)
        return self.names[reference]


def with_nulls(node: Any) -> Any:  # noqa: ANN401 - a JSON value
    """Return a 3.0 document where ``nullable`` beside ``allOf`` and its like says so by ``anyOf``.

    By the letter it has an effect beside ``type`` alone; those who write it mean null all the same.
    """
    if isinstance(node, list):
        return [with_nulls(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {
        key: value if key in _DATA | _EXAMPLES else with_nulls(value) for key, value in node.items()
    }
    if result.get("nullable") is not True or "type" in result:
        return result
    for choice in ("anyOf", "oneOf"):
        if isinstance(result.get(choice), list):
            return {**result, choice: [*result[choice], {"type": "null"}]}
    if isinstance(parts := result.pop("allOf", None), list):
        whole = parts[0] if len(parts) == 1 else {"allOf": parts}
        return {**result, "anyOf": [whole, {"type": "null"}]}
    return result


def as_sent(node: Any) -> Any:  # noqa: ANN401 - a JSON value
    """Return a document with its schemas as a client has to meet them: nothing is only read."""
    if isinstance(node, list):
        return [as_sent(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {
        key: value if key in _DATA | _EXAMPLES else as_sent(value) for key, value in node.items()
    }
    if isinstance(properties := result.get("properties"), dict):
        only_read = [name for name, item in properties.items() if _says(item, "readOnly")]
        result["properties"] = {
            name: {key: value for key, value in item.items() if key != "writeOnly"}
            if isinstance(item, dict)
            else item
            for name, item in properties.items()
            if name not in only_read
        }
        if isinstance(required := result.get("required"), list):
            result["required"] = [name for name in required if name not in only_read]
    return result


def _says(schema: Any, flag: str) -> bool:  # noqa: ANN401 - a JSON value
    return isinstance(schema, dict) and schema.get(flag) is True
