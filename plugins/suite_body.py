"""Bodies of requests beside JSON and text: forms, files, several parts; and their compression.

::

    form:      {NAME: VALUE | [VALUE, …], …}
    multipart: {NAME: PART | [PART, …], …}     PART = VALUE | {file: PATH, name?: TEXT, type?: TEXT}
    file:      PATH                            from the suite's folder, read with the suite
    compress:  gzip
"""

from __future__ import annotations

import gzip
import hashlib
import re
from mimetypes import MimeTypes
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote_plus

from greenroom.plugins.suite_yaml import Mapping, Scalar, Sequence
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_files import Files
    from greenroom.plugins.suite_yaml import Entry, Node

    Pairs = tuple[tuple[str, str], ...]

PART_KEYS = ("file", "name", "type")
COMPRESSIONS = ("gzip",)
_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(;[ -~]*)?")
_UNKNOWN = "application/octet-stream"
_KNOWN_TYPES = MimeTypes(filenames=())
"""The same on every machine: no file of the system's is read."""


class _Part(NamedTuple):
    name: str
    content: bytes
    file: str = ""
    type: str = ""


def read_content(fields: Fields, key: str, node: Node, files: Files) -> tuple[bytes, str]:
    """Return the body that ``form``, ``multipart`` or ``file`` describes, and its type."""
    if key == "form":
        text = coded(read_pairs(fields, node, key))
        return text.encode("ascii"), "application/x-www-form-urlencoded"
    if key == "file":
        name = fields.text(node, key)
        return _content(fields, node, name, files), _type_of(name)
    parts = [
        _part(fields, entry.key, item, files)
        for entry in fields.entries(node, key)
        for item in _several(fields, entry)
    ]
    return _joined(parts)


def compressed(fields: Fields, node: Node, content: bytes | None) -> bytes:
    """Return ``content`` in gzip, alike at every run."""
    if not isinstance(node, Scalar) or node.value not in COMPRESSIONS:
        raise fields.error(node.place, f"compress must be {', '.join(COMPRESSIONS)}")
    if content is None:
        raise fields.error(node.place, "there is no body to compress", "give json, body, form, …")
    return gzip.compress(content, mtime=0)


def read_pairs(fields: Fields, node: Node, what: str) -> Pairs:
    """Read a mapping of names to values, or lists of them."""
    return tuple(
        (entry.key, fields.filled(item, f"{what} {entry.key}"))
        for entry in fields.entries(node, what)
        for item in _several(fields, entry)
    )


def coded(pairs: Pairs) -> str:
    """Return pairs as HTML's forms are sent."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)


def _several(fields: Fields, entry: Entry) -> tuple[Node, ...]:
    if isinstance(entry.value, Sequence):
        return fields.items(entry.value, entry.key)
    return (entry.value,)


def _part(fields: Fields, name: str, node: Node, files: Files) -> _Part:
    if not isinstance(node, Mapping):
        return _Part(name, fields.filled(node, f"multipart {name}").encode())
    found = fields.mapping(node, f"the part {name}", PART_KEYS)
    given = fields.required(found, "file", node, f"the part {name}")
    path = fields.text(given, "file")
    kind = fields.filled(found["type"].value, "type") if "type" in found else _type_of(path)
    if not _TYPE.fullmatch(kind):
        raise fields.error(found["type"].value.place, f"{kind!r} is no content type", "as text/csv")
    shown = path.rpartition("/")[2]
    if "name" in found:
        shown = fields.filled(found["name"].value, "name")
    return _Part(name, _content(fields, given, path, files), shown, kind)


def _content(fields: Fields, node: Node, name: str, files: Files) -> bytes:
    try:
        return files.content(name)
    except SettingsError as error:
        raise fields.error(node.place, str(error), error.hint) from None


def _type_of(name: str) -> str:
    kind, coding = _KNOWN_TYPES.guess_type(name)
    return kind if kind and not coding else _UNKNOWN


def _joined(parts: list[_Part]) -> tuple[bytes, str]:
    """Return the parts as multipart/form-data (RFC 7578; names as browsers write them)."""
    # No part can hold the digest of them all; and it is the same at every run.
    digest = hashlib.sha256()
    for part in parts:
        for one in (part.name, part.file, part.type):
            digest.update(f"{len(one)}:{one}".encode())
        digest.update(f"{len(part.content)}:".encode() + part.content)
    boundary = digest.hexdigest()
    content = b"".join(
        f"--{boundary}\r\n{_head(part)}\r\n\r\n".encode() + part.content + b"\r\n" for part in parts
    )
    return content + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _head(part: _Part) -> str:
    head = f'Content-Disposition: form-data; name="{_quoted(part.name)}"'
    if not part.type:
        return head
    return f'{head}; filename="{_quoted(part.file)}"\r\nContent-Type: {part.type}'


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
