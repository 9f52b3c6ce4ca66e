"""The request of a check: its method and path, headers and body."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from greenroom.plugins.suite_model import Request

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_model import Defaults
    from greenroom.plugins.suite_yaml import Entry, Node

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
HTTP_KEYS = (*METHODS, "headers", "json", "body", "follow_redirects")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read_request(fields: Fields, node: Node, defaults: Defaults) -> Request:
    """Read an ``http`` mapping; its headers take the place of the defaults' of the same name."""
    found = fields.mapping(node, "http", HTTP_KEYS)
    given = [key for key in found if key in METHODS]
    if len(given) != 1:
        raise fields.error(
            node.place,
            f"http must have one method, found {', '.join(given) or 'none'}",
            f"give one of: {', '.join(METHODS)}",
        )
    if "json" in found and "body" in found:
        raise fields.error(found["body"].place, "http has both json and body", "keep one")
    own = read_headers(fields, found["headers"].value) if "headers" in found else ()
    content, content_type = _body(fields, found)
    headers = joined(content_type if content is not None else (), defaults.headers)
    follow = found.get("follow_redirects")
    return Request(
        method=given[0].upper(),
        path=_path(fields, found[given[0]].value),
        headers=joined(headers, own),
        content=content,
        follow_redirects=follow is not None and fields.flag(follow.value, "follow_redirects"),
    )


def _path(fields: Fields, node: Node) -> str:
    path = fields.filled(node, "the path")
    if not path.startswith("/") or not path.isprintable() or "#" in path:
        raise fields.error(
            node.place,
            f"the path {path!r} must start with / and hold no # and no control character",
            "it is joined to the suite's target",
        )
    return path


def _body(
    fields: Fields, found: dict[str, Entry]
) -> tuple[bytes | None, tuple[tuple[str, str], ...]]:
    if "json" in found:
        value = fields.json(found["json"].value)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        return text.encode(), (("Content-Type", "application/json"),)
    if "body" in found:
        text = fields.filled(found["body"].value, "body")
        return text.encode(), (("Content-Type", "text/plain; charset=utf-8"),)
    return None, ()


def read_headers(fields: Fields, node: Node) -> tuple[tuple[str, str], ...]:
    """Read a mapping of header names to values."""
    return tuple(_header(fields, entry) for entry in fields.entries(node, "headers"))


def _header(fields: Fields, entry: Entry) -> tuple[str, str]:
    if not HEADER_NAME.fullmatch(entry.key):
        raise fields.error(entry.place, f"{entry.key!r} is not a header's name")
    value = fields.filled(entry.value, f"header {entry.key}").strip()
    if not value.isascii() or not value.replace("\t", " ").isprintable():
        raise fields.error(
            entry.value.place, f"header {entry.key} must be one line of ASCII characters"
        )
    return entry.key, value


def joined(
    first: tuple[tuple[str, str], ...], second: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return both, where a name of ``second`` takes the place of the same name in ``first``."""
    names = {name.lower() for name, _ in second}
    return (*((name, value) for name, value in first if name.lower() not in names), *second)
