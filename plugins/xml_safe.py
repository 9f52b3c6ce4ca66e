"""Reads XML that a tool wrote, as data that nobody vouches for.

No entities, nothing external; at most `BYTES_MOST` bytes, `ELEMENTS_MOST` elements, `DEPTH_MOST`
levels. Any encoding that Python knows, where it is declared; else UTF-8 (or UTF-16 with its mark).
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError, TreeBuilder

from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

BYTES_MOST = 64 * 1024 * 1024
ELEMENTS_MOST = 2_000_000
DEPTH_MOST = 100
_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")
_SLOW = frozenset({"punycode", "idna"})
"""Encodings of names: their time grows with the square of the length."""
_NATIVE = frozenset({b"utf-8", b"utf8", b"utf-16", b"iso-8859-1", b"us-ascii"})


def read_xml(path: Path) -> Element:
    """Return the root element of a file; names lose their namespace. Raises `ToolError`."""
    return parse_xml(read_bounded(path), path.name)


def read_bounded(path: Path) -> bytes:
    """Return a report's bytes: not none of them, not more than `BYTES_MOST`."""
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MOST + 1)
    except OSError as error:
        raise ToolError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > BYTES_MOST:
        raise ToolError(
            f"{path.name} is larger than {BYTES_MOST >> 20} MiB",
            hint="have the runner write less output into it, or several files",
        )
    if not data.strip():
        raise ToolError(f"{path.name} is empty", hint="the runner did not write its report")
    return data


def parse_xml(data: bytes, name: str, *, doctype: bool = False) -> Element:
    """Parse ``data``, as `read_xml` does; errors call it ``name``.

    ``doctype``: a document type may be named (it is never fetched).
    """
    from defusedxml.common import DefusedXmlException  # noqa: PLC0415 - only who needs it loads it
    from defusedxml.ElementTree import DefusedXMLParser  # noqa: PLC0415 - as above

    parser = DefusedXMLParser(target=_Builder(name), forbid_dtd=not doctype)
    try:
        parser.feed(_decoded(data))
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise ToolError(
            f"{name} is refused: it holds {_forbidden(error)}",
            hint="a report needs none: see what wrote it",
        ) from error
    except (ParseError, UnicodeError, LookupError, ValueError) as error:
        raise ToolError(
            f"{name} is not whole XML: {error}",
            hint="it was cut short, or something else than its tool wrote to it",
        ) from error
    return root


def _decoded(data: bytes) -> bytes | str:
    """Decode what expat does not know by itself."""
    declared = _DECLARED.match(data[:256])
    if declared is None or declared[1].lower() in _NATIVE:
        return data
    name = declared[1].decode("ascii")
    if codecs.lookup(name).name in _SLOW:
        raise LookupError(f"no report is written in {name}")
    return data.decode(name)


def _forbidden(error: Exception) -> str:
    return {
        "DTDForbidden": "a document type",
        "EntitiesForbidden": "an entity",
        "ExternalReferenceForbidden": "an external reference",
    }.get(type(error).__name__, "what no report needs")


class _Builder(TreeBuilder):
    """Builds a tree, within limits."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._depth = self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > DEPTH_MOST:
            raise ToolError(f"{self._name} is refused: more than {DEPTH_MOST} levels deep")
        if self._elements > ELEMENTS_MOST:
            raise ToolError(f"{self._name} is refused: more than {ELEMENTS_MOST:,} elements")
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag.rpartition("}")[2])
