"""The request of a check: its method and path, headers and body."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from greenroom.plugins.revision import RELEASED, answered_by
from greenroom.plugins.suite_model import Request
from greenroom.plugins.suite_yaml import Mapping
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from greenroom.plugins.revision import AnsweredBy
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_files import Files
    from greenroom.plugins.suite_model import Defaults
    from greenroom.plugins.suite_yaml import Entry, Node

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
BODY_KEYS = ("json", "body", "form", "multipart", "file")
SENDING_KEYS = ("query", "cookies", "accept_encoding", "http2")
HTTP_KEYS = (
    *(*METHODS, "headers", *BODY_KEYS, "compress", *SENDING_KEYS),
    *("follow_redirects", "at"),
)
ANSWERED_BY_KEYS = ("header", "json", "equals")
EACH_TARGET = "each-target"
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read_request(fields: Fields, node: Node, defaults: Defaults, files: Files) -> Request:
    """Read an ``http`` mapping; its headers take the place of the defaults' of the same name."""
    found = fields.mapping(node, "http", HTTP_KEYS)
    given = [key for key in found if key in METHODS]
    if len(given) != 1:
        raise fields.error(
            node.place,
            f"http must have one method, found {', '.join(given) or 'none'}",
            f"give one of: {', '.join(METHODS)}",
        )
    own = read_headers(fields, found["headers"].value) if "headers" in found else ()
    content, described = _body(fields, found, files)
    headers = joined(described, defaults.headers)
    follow = "follow_redirects" in found and _follows(fields, found["follow_redirects"].value)
    request = Request(
        method=given[0].upper(),
        path=_path(fields, found[given[0]].value),
        headers=joined(headers, own),
        content=content,
        follow_redirects=follow,
        each_target="at" in found and _each_target(fields, found["at"].value, follow=follow),
    )
    policy = follow and isinstance(found["follow_redirects"].value, Mapping)
    if defaults.auth is None and not policy and not any(key in found for key in SENDING_KEYS):
        return request
    from greenroom.plugins.suite_sending import completed  # noqa: PLC0415 - few checks say more

    return completed(fields, found, request, defaults.auth)


def _follows(fields: Fields, node: Node) -> bool:
    return isinstance(node, Mapping) or fields.flag(node, "follow_redirects")


def read_answered_by(fields: Fields, node: Node) -> AnsweredBy:
    """Read an ``answered_by`` mapping: where an answer names its revision, and which it must be."""
    found = fields.mapping(node, "answered_by", ANSWERED_BY_KEYS)
    texts = {key: fields.text(found[key].value, key) for key in ("header", "json") if key in found}
    if not HEADER_NAME.fullmatch(texts.get("header", "x")):
        raise fields.error(found["header"].place, f"{texts['header']!r} is not a header's name")
    equals = found["equals"].value if "equals" in found else None
    # A value that is given is filled here, so that its error stands at its own place.
    value = RELEASED if equals is None else fields.filled(equals, "equals")
    try:
        proof = answered_by(
            equals=value, header=texts.get("header", ""), path=texts.get("json", "")
        )
        return proof.filled(fields.variables) if equals is None else proof.known()
    except SettingsError as error:
        place = node.place if equals is None else equals.place
        raise fields.error(place, str(error), error.hint) from None


def _each_target(fields: Fields, node: Node, *, follow: bool) -> bool:
    if fields.text(node, "at") != EACH_TARGET:
        raise fields.error(node.place, "at must be each-target", "or leave it out")
    if follow:
        raise fields.error(
            node.place, "at: each-target follows no redirects", "request the final address"
        )
    return True


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
    fields: Fields, found: dict[str, Entry], files: Files
) -> tuple[bytes | None, tuple[tuple[str, str], ...]]:
    """Return the body, and the headers that describe it."""
    given = [key for key in BODY_KEYS if key in found]
    if len(given) > 1:
        raise fields.error(
            found[given[1]].place, f"http has both {given[0]} and {given[1]}", "keep one"
        )
    content, kind = _content(fields, given[0], found, files) if given else (None, "")
    headers = (("Content-Type", kind),) if kind else ()
    if "compress" not in found:
        return content, headers
    from greenroom.plugins.suite_body import compressed  # noqa: PLC0415 - few requests

    content = compressed(fields, found["compress"].value, content)
    return content, (*headers, ("Content-Encoding", "gzip"))


def _content(fields: Fields, key: str, found: dict[str, Entry], files: Files) -> tuple[bytes, str]:
    """Return the body, and its type."""
    node = found[key].value
    if key == "json":
        text = json.dumps(fields.json(node), ensure_ascii=False, allow_nan=False)
        return text.encode(), "application/json"
    if key == "body":
        return fields.filled(node, "body").encode(), "text/plain; charset=utf-8"
    from greenroom.plugins.suite_body import read_content  # noqa: PLC0415 - few requests have any

    return read_content(fields, key, node, files)


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
