"""A Trivy vulnerability database in plain Python: a bbolt file and its metadata.

bbolt's format (version 2): pages of 4096 bytes, little endian. Pages 0 and 1 are metas of which the
higher valid transaction counts, page 2 is an empty free list, and B+trees of leaf and branch pages
follow. A bucket is a leaf item whose value is its root page, or, where small, holds that page.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Item = TypeVar("Item")
Tree = dict[bytes, "bytes | Tree"]
"""A bucket: values and buckets by key."""

_PAGE = 4096
_INLINE_MOST = _PAGE // 4
_BRANCH, _LEAF, _META, _FREE = 0x01, 0x02, 0x04, 0x10
_HEAD = struct.Struct("<QHHI")  # page, kind, number of items, further pages
_LEAF_ITEM = struct.Struct("<IIII")  # 1 for a bucket, offset of the key, sizes of key and value
_BRANCH_ITEM = struct.Struct("<IIQ")  # offset and size of the key, page
_BUCKET = struct.Struct("<QQ")  # root page (0: it follows), sequence
_SEVERITIES = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_LANGUAGES = {
    "pip": ("pip::GitHub Security Advisory Pip", "GitHub Security Advisory Pip"),
    "npm": ("npm::GitHub Security Advisory Npm", "GitHub Security Advisory Npm"),
}


@dataclass(frozen=True)
class Advisory:
    """What a database knows of one flaw.

    ``platform`` is ``alpine 3.22``, ``debian 12``, ``pip`` or ``npm``; ``package`` is the source
    package there. Without ``fixed`` there is no fixed version.
    """

    platform: str
    package: str
    id: str
    fixed: str = ""
    severity: str = "HIGH"
    score: float = 7.5
    title: str = "A flaw of a test"


def write_database(
    cache: Path, advisories: Iterable[Advisory], *, updated: datetime | None = None
) -> None:
    """Write ``<cache>/db``; ``updated`` (now, if not given) is when its source was last read."""
    at = updated or datetime.now(UTC)
    folder = cache / "db"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trivy.db").write_bytes(bolt(_tree(advisories)))
    metadata = {
        "Version": 2,
        "NextUpdate": (at + timedelta(days=1)).isoformat(),
        "UpdatedAt": at.isoformat(),
        "DownloadedAt": at.isoformat(),
    }
    (folder / "metadata.json").write_text(json.dumps(metadata))


def bolt(tree: Tree) -> bytes:
    """Return the bbolt file that holds ``tree``."""
    pages = _Pages()
    root = pages.add_tree(tree)
    metas = (_meta(number, root, pages.next) for number in (0, 1))
    return b"".join((*metas, _page(2, _FREE, 0, b""), *pages.written))


def _tree(advisories: Iterable[Advisory]) -> Tree:
    tree: Tree = {b"vulnerability": {}, b"data-source": {}}
    for advisory in advisories:
        bucket, source = _source(advisory.platform)
        _put(tree, (bucket, advisory.package, advisory.id), _affected(advisory))
        _put(tree, ("vulnerability", advisory.id), _details(advisory))
        _put(tree, ("data-source", bucket), source)
    return tree


def _source(platform: str) -> tuple[str, dict[str, str]]:
    if platform in _LANGUAGES:
        bucket, name = _LANGUAGES[platform]
        return bucket, {"ID": "ghsa", "Name": name, "URL": "https://github.com/advisories"}
    family = platform.split(maxsplit=1)[0]
    return platform, {"ID": family, "Name": f"{family} tracker", "URL": "https://example.test/"}


def _affected(advisory: Advisory) -> dict[str, Any]:
    if advisory.platform in _LANGUAGES:
        below = f"<{advisory.fixed}" if advisory.fixed else ">=0"
        return {
            "PatchedVersions": [advisory.fixed] if advisory.fixed else [],
            "VulnerableVersions": [below],
        }
    severity = _SEVERITIES.index(advisory.severity)
    return {"FixedVersion": advisory.fixed} if advisory.fixed else {"Severity": severity}


def _details(advisory: Advisory) -> dict[str, Any]:
    return {
        "Title": advisory.title,
        "Description": f"{advisory.title}, described.",
        "Severity": advisory.severity,
        "VendorSeverity": {"nvd": _SEVERITIES.index(advisory.severity)},
        "CVSS": {"nvd": {"V3Score": advisory.score}},
        "References": [f"https://example.test/{advisory.id}"],
    }


def _put(tree: Tree, keys: Sequence[str], value: object) -> None:
    *parents, last = keys
    for key in parents:
        child = tree.setdefault(key.encode(), {})
        assert isinstance(child, dict)
        tree = child
    tree[last.encode()] = json.dumps(value).encode()


class _Pages:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.next = 3

    def add_tree(self, tree: Tree) -> int:
        """Write a bucket's B+tree; return its root page."""
        items = [(key, *self._value(value)) for key, value in sorted(tree.items())]
        if not items:
            return self._add(_LEAF, 0, b"")
        level = [
            (part[0][0], self._add(_LEAF, len(part), _leaf(part)))
            for part in _parts(items, [_leaf_size(item) for item in items])
        ]
        while len(level) > 1:
            sizes = [_BRANCH_ITEM.size + len(key) for key, _ in level]
            level = [
                (part[0][0], self._add(_BRANCH, len(part), _branch(part)))
                for part in _parts(level, sizes)
            ]
        return level[0][1]

    def _value(self, value: bytes | Tree) -> tuple[int, bytes]:
        if isinstance(value, bytes):
            return 0, value
        plain = [(key, 0, item) for key, item in sorted(value.items()) if isinstance(item, bytes)]
        body = _leaf(plain)
        if len(plain) == len(value) and _HEAD.size + len(body) <= _INLINE_MOST:
            return 1, _BUCKET.pack(0, 0) + _HEAD.pack(0, _LEAF, len(plain), 0) + body
        return 1, _BUCKET.pack(self.add_tree(value), 0)

    def _add(self, kind: int, count: int, body: bytes) -> int:
        number = self.next
        page = _page(number, kind, count, body)
        self.written.append(page)
        self.next += len(page) // _PAGE
        return number


def _leaf_size(item: tuple[bytes, int, bytes]) -> int:
    return _LEAF_ITEM.size + len(item[0]) + len(item[2])


def _leaf(items: Sequence[tuple[bytes, int, bytes]]) -> bytes:
    heads, data = b"", b""
    for index, (key, kind, value) in enumerate(items):
        offset = (len(items) - index) * _LEAF_ITEM.size + len(data)
        heads += _LEAF_ITEM.pack(kind, offset, len(key), len(value))
        data += key + value
    return heads + data


def _branch(items: Sequence[tuple[bytes, int]]) -> bytes:
    heads, data = b"", b""
    for index, (key, page) in enumerate(items):
        offset = (len(items) - index) * _BRANCH_ITEM.size + len(data)
        heads += _BRANCH_ITEM.pack(offset, len(key), page)
        data += key
    return heads + data


def _parts(items: Sequence[Item], sizes: Sequence[int]) -> list[list[Item]]:
    """Return ``items`` in groups that fit a page each; an item too large stands alone."""
    parts: list[list[Item]] = []
    left = -1
    for item, size in zip(items, sizes, strict=True):
        if size > left:
            parts.append([])
            left = _PAGE - _HEAD.size
        parts[-1].append(item)
        left -= size
    return parts


def _page(number: int, kind: int, count: int, body: bytes) -> bytes:
    further = (_HEAD.size + len(body) - 1) // _PAGE
    page = _HEAD.pack(number, kind, count, further) + body
    return page.ljust((further + 1) * _PAGE, b"\0")


def _meta(number: int, root: int, pages: int) -> bytes:
    body = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, _PAGE, 0, root, 0, 2, pages, number)
    return _page(number, _META, 0, body + struct.pack("<Q", _fnv1a(body)))


def _fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value
