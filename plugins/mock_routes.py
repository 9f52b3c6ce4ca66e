"""The file that a mock service is read from: our YAML of routes, or an OpenAPI document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.mock_model import METHODS, Api, Call, Reply, Route, json_reply
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_variables import Variables
from greenroom.plugins.suite_yaml import Document, Mapping, Scalar, plain

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_yaml import Entry, Node

_ROUTE_KEYS = (*METHODS, "status", "json", "text", "headers", "delay")
_TEMPLATE = re.compile(r"/(?:[^{}<>?#\s]|\{[^{}/\s]+\})*")
_NO_VARIABLES = Variables({}, {}, {}, Redactor())


def read_api(path: Path) -> Api:
    """Read a mock service from a file; raises `SettingsError` with the place of what is wrong."""
    hint = "the path starts at the folder of the test file"
    document = Document.load(path, "the mock service", hint)
    root = document.read()
    if isinstance(root, Mapping) and root.get("openapi") is not None:
        from greenroom.plugins.mock_openapi import read_openapi  # noqa: PLC0415 - loads jsonschema

        return read_openapi(document, root)
    if isinstance(root, Mapping) and root.get("routes") is not None:
        return _read_routes(document, root)
    raise document.error(
        root.place,
        "neither an OpenAPI document nor routes",
        "begin with `openapi: 3.1.0`, or with `routes:` and a list of routes",
    )


def check_template(document: Document, place: Entry | Node, path: str) -> None:
    """Refuse a path that no request can have, or that names a parameter twice."""
    names = re.findall(r"\{([^{}]*)\}", path)
    if not _TEMPLATE.fullmatch(path):
        raise document.error(
            place.place, f"{path!r} is no path of a route", "write it as in /users/{id}"
        )
    if len(set(names)) < len(names):
        raise document.error(place.place, f"{path!r} names a parameter twice")


def refuse_twice(document: Document, place: Entry | Node, route: Route, seen: set[str]) -> None:
    """Refuse a route that answers the same requests as one before; note it in ``seen``."""
    shape = f"{route.method} {re.sub(r'{[^{}]*}', '{}', route.path)}"
    if shape in seen:
        raise document.error(place.place, f"{route.name} is there twice", "keep one of them")
    seen.add(shape)


def _read_routes(document: Document, root: Node) -> Api:
    fields = Fields(document, _NO_VARIABLES)
    top = fields.mapping(root, "the mock service", ("version", "name", "routes"))
    if version := top.get("version"):
        fields.whole(version.value, "version", 1, 1)
    name = fields.text(top["name"].value, "name") if "name" in top else document.path.stem
    seen: set[str] = set()
    routes = []
    for node in fields.items(top["routes"].value, "routes"):
        route = _read_route(fields, node)
        refuse_twice(document, node, route, seen)
        routes.append(route)
    return Api(name, tuple(routes))


def _read_route(fields: Fields, node: Node) -> Route:
    keys = fields.mapping(node, "a route", _ROUTE_KEYS)
    methods = [key for key in METHODS if key in keys]
    if len(methods) != 1:
        raise fields.error(
            node.place, "a route has one method", f"give one of {', '.join(METHODS)}: /path"
        )
    path = fields.text(keys[methods[0]].value, "a route's path")
    check_template(fields.document, keys[methods[0]].value, path)
    return Route(methods[0].upper(), path, _Always(_read_reply(fields, keys)))


@dataclass(frozen=True, slots=True)
class _Always:
    """Answers every call alike."""

    reply: Reply

    def __call__(self, call: Call) -> tuple[Reply, tuple[str, ...]]:
        """Return the reply; routes have no contract to break."""
        del call
        return self.reply, ()


def _read_reply(fields: Fields, keys: dict[str, Entry]) -> Reply:
    if "json" in keys and "text" in keys:
        raise fields.error(keys["text"].place, "a route has `json` or `text`, not both")
    body = Reply(200)
    if "json" in keys:
        body = json_reply(plain(keys["json"].value))
    elif "text" in keys:
        body = _text_reply(fields, keys["text"].value)
    headers = _read_headers(fields, keys["headers"].value) if "headers" in keys else ()
    named = {name.lower() for name, _ in headers}
    kept = tuple(pair for pair in body.headers if pair[0] not in named)
    return Reply(
        fields.whole(keys["status"].value, "status", 200, 599) if "status" in keys else 200,
        kept + headers,
        body.body,
        fields.seconds(keys["delay"].value, "delay") if "delay" in keys else 0.0,
    )


def _text_reply(fields: Fields, node: Node) -> Reply:
    if not isinstance(node, Scalar) or node.value is None:
        raise fields.error(node.place, "text must be a text")
    return Reply(200, (("content-type", "text/plain; charset=utf-8"),), node.raw.encode())


def _read_headers(fields: Fields, node: Node) -> tuple[tuple[str, str], ...]:
    found = []
    for entry in fields.entries(node, "headers"):
        value = entry.value
        if not isinstance(value, Scalar) or not re.fullmatch(r"[!#-'*+.^`|~\w-]+", entry.key):
            raise fields.error(entry.place, f"{entry.key!r} is no header with one value")
        if not value.raw.isprintable() or not value.raw.isascii():
            raise fields.error(value.place, "a header's value is one line of ASCII")
        found.append((entry.key, value.raw))
    return tuple(found)
