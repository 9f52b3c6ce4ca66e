"""Values that processes share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.shared_cache import SharedCache

if TYPE_CHECKING:
    from pathlib import Path


def entry(cache: SharedCache) -> Path:
    [path] = cache.folder.iterdir()
    return path


def test_a_value_is_that_of_its_whole_key(tmp_path: Path) -> None:
    cache = SharedCache(tmp_path)
    cache.put(("a", 1), {"found": 2})
    assert cache.get(("a", 1)) == {"found": 2}
    assert cache.get(("a", 2)) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"[1", b"[" * 100_000, b"[]", b'{"format": 0}', b'{"format": 1, "key": ["b"]}'],
    ids=["empty", "cut", "deep", "list", "another-format", "another-key"],
)
def test_what_cannot_be_believed_is_no_value(tmp_path: Path, content: bytes) -> None:
    cache = SharedCache(tmp_path)
    cache.put(("a",), 1)
    entry(cache).write_bytes(content)
    assert cache.get(("a",)) is None


def test_a_value_that_cannot_be_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = SharedCache(tmp_path)
    cache.put(("a",), 1)
    kept = entry(cache)
    kept.unlink()
    kept.mkdir()
    cache.put(("a",), 1)
    assert list(tmp_path.iterdir()) == [kept]


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    cache = SharedCache(tmp_path)
    cache.put(("old",), 1)
    os.utime(entry(cache), (0, 0))
    cache.put(("new",), 2)
    cache.forget(60.0)
    assert (cache.get(("old",)), cache.get(("new",))) == (None, 2)
