"""The files of a JSON Schema: where its references lead, and what may be read there.

A reference leads within its file, to another file below the root, or to a host that the suite
names. Nothing else is ever opened.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from greenroom.plugins.suite_contract import read_json
from greenroom.plugins.suite_yaml import Document, Place
from greenroom.validators.errors import GreenroomError, ServiceError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from referencing import Specification
    from referencing._core import Resolver

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_FILES_MOST = 500


@dataclass(frozen=True, slots=True)
class Resolved:
    """All that a schema leads to.

    ``registry`` holds every document, ``formats`` are the names that its schemas give, ``contents``
    those schemas themselves. ``uri`` is the schema's own address; ``leaves`` tells that it needs
    more than its own file.
    """

    registry: Registry[Any]
    uri: str
    formats: frozenset[str]
    contents: tuple[dict[str, Any], ...]
    leaves: bool


class SchemaFiles:
    """A schema's file and those that it may refer to, below ``root`` with links resolved.

    ``dialect`` is the URI of its draft; ``hosts`` may be asked for documents by ``fetch``, which
    raises `ServiceError`.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a file, its content, and what may be read beside it
        self,
        path: Path,
        root: Path,
        schema: dict[str, Any],
        dialect: str,
        hosts: tuple[str, ...] = (),
        fetch: Callable[[str], bytes] | None = None,
    ) -> None:
        self.path = path
        self._root = root
        self._hosts = hosts
        self._fetch = fetch
        self._specification = specification_with(dialect)
        self._resource = self._specification.create_resource(schema)
        self._found: dict[str, Resource[Any]] = {}
        file = Path(realpath(path)).as_uri()
        self.uri = urldefrag(urljoin(file, self._resource.id() or "")).url

    def resolved(self, *, ask: bool) -> Resolved | None:
        """Follow every reference; None if that needs to ``ask`` a host, and it may not now.

        Raises `SettingsError` for a reference that leads nowhere or where it may not.
        """

        def retrieve(uri: str) -> Resource[Any]:
            return self._retrieve(uri, ask=ask)

        own: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg]  # an alias of attrs, which mypy does not see
        registry = SPECIFICATIONS.combine(own).with_resource(self.uri, self._resource).crawl()
        walk = _Walk(self.path, self._specification)
        try:
            walk.run(self._resource, registry.resolver(self.uri))
        except _LaterError:
            return None
        # Without `retrieve`: whatever validates cannot reach any further.
        known = Registry[Any]().with_resources([(self.uri, self._resource), *self._found.items()])
        return Resolved(
            SPECIFICATIONS.combine(known).crawl(),
            self.uri,
            frozenset(walk.formats),
            tuple(walk.contents),
            leaves=bool(self._found),
        )

    def _retrieve(self, uri: str, *, ask: bool) -> Resource[Any]:
        if uri not in self._found:
            if len(self._found) >= _FILES_MOST:
                raise SettingsError(f"{self.path}: its references lead to over {_FILES_MOST} files")
            file = self._file_of(uri)
            content = self._load(file) if file is not None else self._ask(uri, ask=ask)
            self._found[uri] = _resource(content, self._specification)
        return self._found[uri]

    def _file_of(self, uri: str) -> Path | None:
        """Return the file that is meant: also of an address beside the schema's own ``$id``."""
        parts = urlsplit(uri)
        if parts.scheme == "file":
            return Path(unquote(parts.path))
        folder = self.uri.rpartition("/")[0] + "/"
        if not uri.startswith(folder):
            return None
        near = self.path.parent / unquote(urlsplit(uri[len(folder) :]).path)
        return near if near.is_file() else None

    def _load(self, file: Path) -> Any:  # noqa: ANN401 - a JSON value
        inside(file, self._root, f"{self.path}: its reference to {file}")
        return load_schema(file)

    def _ask(self, uri: str, *, ask: bool) -> Any:  # noqa: ANN401 - a JSON value
        host = urlsplit(uri).netloc
        if host not in self._hosts or self._fetch is None:
            named = host.rpartition("@")[2] or "HOST"
            shown = uri if urlsplit(uri).username is None else host.rpartition("@")[2]
            raise SettingsError(
                f"{self.path}: the reference to {shown} leaves the file, to a host not allowed",
                hint="keep a copy beside the schema, or allow the host: "
                f"schema: {{file: {self.path.name}, remote: [{named}]}}",
            )
        if not ask:
            raise _LaterError
        try:
            return read_json(self._fetch(uri))
        except ValueError as error:
            raise ServiceError(f"{self.path}: {uri} is no JSON: {error}") from error


class _LaterError(Exception):
    """A host must be asked, and this is no time to."""


class _Walk:
    """Goes through the schemas of a schema by its draft, and through those that it refers to."""

    def __init__(self, path: Path, specification: Specification[Any]) -> None:
        self._path = path
        self._specification = specification
        self.formats: set[str] = set()
        self.contents: list[dict[str, Any]] = []
        self._left: deque[tuple[Resource[Any], Resolver[Any]]] = deque()

    def run(self, resource: Resource[Any], resolver: Resolver[Any]) -> None:
        seen: set[int] = set()
        self._left.append((resource, resolver))
        while self._left:
            one, at = self._left.popleft()
            if isinstance(one.contents, dict) and id(one.contents) not in seen:
                seen.add(id(one.contents))
                self._schema(one, at)

    def _schema(self, resource: Resource[Any], resolver: Resolver[Any]) -> None:
        content = resource.contents
        self.contents.append(content)
        if isinstance(named := content.get("format"), str):
            self.formats.add(named)
        for keyword in _REFERENCES:
            if isinstance(reference := content.get(keyword), str):
                self._follow(reference, resolver)
        for part in resource.subresources():
            self._left.append((part, resolver.in_subresource(part)))

    def _follow(self, reference: str, resolver: Resolver[Any]) -> None:
        try:
            found = resolver.lookup(reference)
        except Unresolvable as error:
            cause: BaseException | None = error
            while cause is not None:
                if isinstance(cause, GreenroomError | _LaterError):
                    raise cause from None
                cause = cause.__cause__
            raise SettingsError(
                f"{self._path}: the reference {reference!r} has no definition"
            ) from error
        self._left.append((_resource(found.contents, self._specification), found.resolver))


def _resource(content: Any, default: Specification[Any]) -> Resource[Any]:  # noqa: ANN401 - a JSON value
    named = content.get("$schema") if isinstance(content, dict) else None
    own = specification_with(named, default=default) if isinstance(named, str) else default
    return own.create_resource(content)


def load_schema(path: Path) -> Any:  # noqa: ANN401 - a JSON value
    """Return the JSON of a schema's file; raises `SettingsError`."""
    document = Document.load(path, "the schema", "the path starts at the suite's folder")
    try:
        return read_json(document.text.encode())
    except json.JSONDecodeError as error:
        raise document.error(Place(error.lineno, error.colno), error.msg) from error
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error


def inside(path: Path, root: Path, what: str) -> None:
    """Refuse a file that lies outside ``root``, wherever links lead; raises `SettingsError`."""
    # Not Path.resolve(), which raises its own errors for a link that leads to itself.
    if not Path(realpath(path)).is_relative_to(realpath(root)):
        raise SettingsError(
            f"{what} is outside {root}",
            hint="keep schemas below pytest's root folder (--rootdir), links included",
        )
