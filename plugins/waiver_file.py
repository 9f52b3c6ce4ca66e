"""A file of waivers for single results.

::

    version: 1
    waivers:
      - id: CVE-2024-12345        # a shell pattern
        reason: not reachable: no TLS here
        expires: 2027-01-31       # the last day on which it holds
        package: openssl          # optional, as version and path: shell patterns
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_variables import Variables
from greenroom.plugins.suite_yaml import Document
from greenroom.validators.result_waiver import ResultWaiver

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_yaml import Entry, Node

WAIVER_KEYS = ("id", "reason", "expires", "package", "version", "path")
_OPTIONAL = ("package", "version", "path")


def read_waivers(path: Path) -> tuple[ResultWaiver, ...]:
    """Read a waiver file; a `SettingsError` shows the line, the column and what is wrong."""
    document = Document.load(path, "the waivers")
    root = document.read()
    fields = Fields(document, Variables({}, {}, {}, Redactor()))
    found = fields.mapping(root, "the file of waivers", ("version", "waivers"))
    fields.whole(fields.required(found, "version", root, "the file"), "version", 1, 1)
    listed = fields.required(found, "waivers", root, "the file")
    return tuple(_waiver(fields, node) for node in fields.items(listed, "waivers"))


def _waiver(fields: Fields, node: Node) -> ResultWaiver:
    found = fields.mapping(node, "a waiver", WAIVER_KEYS)
    for key in ("id", "reason", "expires"):
        fields.required(found, key, node, "the waiver")
    if not set(_text(fields, found, "id")) - set("*?") and not {"package", "path"} & set(found):
        place = found["id"].value.place
        raise fields.error(place, "it waives whatever is found", "name an id, a package or a path")
    return ResultWaiver(
        id=_text(fields, found, "id"),
        reason=_text(fields, found, "reason"),
        expires=_day(fields, found["expires"].value),
        where=f"{fields.document.path.name}:{node.place.line}",
        **{key: _text(fields, found, key) for key in _OPTIONAL if key in found},
    )


def _text(fields: Fields, found: dict[str, Entry], key: str) -> str:
    text = fields.text(found[key].value, key)
    if not text.strip():
        raise fields.error(found[key].value.place, f"{key} is blank", f"give {key} as a text")
    return text


def _day(fields: Fields, node: Node) -> date:
    text = fields.text(node, "expires")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise fields.error(
            node.place, f"expires is {text!r}, not a date", "give a last day as YYYY-MM-DD"
        ) from None
