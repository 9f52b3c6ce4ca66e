"""A mock service from an OpenAPI document, 3.0 or 3.1.

Requests are validated: path, query and header parameters, and JSON bodies; a query parameter that
the document does not know is a breach, too. Answers are the document's examples, else made from the
schema; either must fit the schema. Security requirements, cookies and bodies other than JSON are
not looked at. References stay within the document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from greenroom.plugins.mock_model import METHODS, Api, Route
from greenroom.plugins.mock_response import Answers
from greenroom.plugins.mock_routes import check_template, refuse_twice
from greenroom.plugins.mock_schemas import DATA, Schemas, leads_somewhere, modern
from greenroom.plugins.suite_yaml import Mapping, Node, Scalar, Sequence, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.suite_yaml import Document, Entry

_VERSIONS = ("3.0.", "3.1.")
_OF_A_PATH = ("summary", "description", "servers", "parameters", "$ref")
_SWAGGER = "convert it to OpenAPI 3.1: most editors and generators can"


def read_openapi(document: Document, root: Mapping) -> Api:
    """Read an OpenAPI document; raises `SettingsError` with the place of what is wrong."""
    version = root.get("openapi")
    if not isinstance(version, Scalar) or not version.raw.startswith(_VERSIONS):
        place = (version or root).place
        raise document.error(place, "OpenAPI 3.0 and 3.1 are read", _SWAGGER)
    content = plain(root)
    _refuse_references(document, root, content)
    if version.raw.startswith("3.0"):
        content = modern(content)
    reader = _Reader(document, root, Schemas(document.path, content))
    routes = tuple(reader.routes())
    if not routes:
        raise document.error(root.place, "the document has no operation")
    return Api(document.path.stem, routes, _base(document, root))


def _base(document: Document, root: Mapping) -> str:
    """Return the path of the document's first server, its variables at their defaults."""
    servers = root.get("servers")
    if not isinstance(servers, Sequence) or not servers.items:
        return ""
    first = plain(servers.items[0])
    try:
        url: str = first.get("url") or ""
        for name, variable in first.get("variables", {}).items():
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        return urlsplit(url).path.rstrip("/")
    except (AttributeError, TypeError, ValueError):
        hint = "servers: [{url: 'https://host.example/base'}]"
        raise document.error(servers.items[0].place, "it is no server", hint) from None


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Document
    root: Mapping
    schemas: Schemas

    def routes(self) -> Iterator[Route]:
        seen: set[str] = set()
        paths = self._mapping(self.root.get("paths") or self.root, "paths")
        if self.root.get("paths") is None:
            raise self.document.error(self.root.place, "the document has no `paths`")
        for entry in paths.entries:
            if entry.key.startswith("x-"):
                continue
            check_template(self.document, entry, entry.key)
            for operation in self._operations(entry):
                refuse_twice(self.document, entry, operation, seen)
                yield operation

    def _operations(self, path: Entry) -> Iterator[Route]:
        pointer = ["paths", path.key]
        item = self._mapping(path.value, f"the path {path.key}")
        shared = self._parameters(item, pointer)
        for entry in item.entries:
            if entry.key in METHODS:
                operation = self._mapping(entry.value, f"{entry.key} of {path.key}")
                yield self._route(path.key, entry, operation, shared)
            elif entry.key not in _OF_A_PATH and not entry.key.startswith("x-"):
                hint = f"methods: {', '.join(METHODS)}"
                raise self.document.error(entry.place, f"unknown method {entry.key!r}", hint)

    def _route(
        self, path: str, entry: Entry, operation: Mapping, shared: dict[tuple[str, str], list[str]]
    ) -> Route:
        pointer = ["paths", path, entry.key]
        parameters = shared | self._parameters(operation, pointer)
        responses = operation.get("responses")
        if not isinstance(responses, Mapping) or not responses.entries:
            raise self.document.error(entry.place, f"{entry.key} {path} has no `responses`")
        for response in responses.entries:
            self._mapping(response.value, f"the response {response.key}")
        answers = Answers(
            schemas=self.schemas,
            operation=tuple(pointer),
            parameters=tuple(tuple(one) for one in parameters.values()),
            where=f"{self.document.path}:{entry.place.line}:{entry.place.column}",
        )
        return Route(entry.key.upper(), path, answers)

    def _parameters(self, holder: Mapping, pointer: list[str]) -> dict[tuple[str, str], list[str]]:
        """Return where each parameter stands in the document, by its place and name."""
        node = holder.get("parameters")
        if node is None:
            return {}
        if not isinstance(node, Sequence):
            raise self.document.error(node.place, "parameters must be a list")
        found = {}
        for at, item in enumerate(node.items):
            place = [*pointer, "parameters", str(at)]
            value, resolved = self.schemas.follow(place)
            if not isinstance(value, dict) or not {"name", "in"} <= set(value):
                raise self.document.error(item.place, "a parameter has `name` and `in`")
            found[str(value["in"]), str(value["name"])] = resolved
        return found

    def _mapping(self, node: Node, what: str) -> Mapping:
        if not isinstance(node, Mapping):
            raise self.document.error(node.place, f"{what} must be a mapping")
        return node


def _refuse_references(document: Document, node: Node, content: dict[str, Any]) -> None:
    """Fail at a reference that leaves the document or leads nowhere."""
    for place, reference in _references(node):
        if not reference.startswith("#/"):
            message = f"the reference {reference!r} leaves the document"
            raise document.error(place.place, message, "bundle it into one file")
        if not leads_somewhere(content, reference):
            raise document.error(place.place, f"the reference {reference!r} has no definition")


def _references(node: Node) -> Iterator[tuple[Scalar, str]]:
    if isinstance(node, Mapping):
        for entry in node.entries:
            if entry.key == "$ref" and isinstance(entry.value, Scalar):
                yield entry.value, entry.value.raw
            elif entry.key not in DATA:
                yield from _references(entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _references(item)
