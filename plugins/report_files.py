"""Finds the reports that a program wrote, and tells them from those that were there before."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.workplace import matching
from greenroom.plugins.xml_safe import BYTES_MOST
from greenroom.validators.errors import ToolError
from greenroom.validators.words import few

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILES_MOST = 10_000
_CLOCKS_NS = 2_000_000_000
"""How far a file system's clock may be behind ours, and how coarse it may be."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file is written; one that is too large to be read has no ``digest``."""

    inode: int
    modified_ns: int
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """The reports of a run, in order; ``problems`` are why they are not all there, or not its."""

    paths: tuple[Path, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files below ``root`` that match ``patterns``, as they were before a program started."""

    root: Path
    patterns: tuple[str, ...]
    before: Mapping[Path, Stamp]
    since_ns: int

    @classmethod
    def before_start(cls, root: Path, patterns: tuple[str, ...]) -> ReportFiles:
        """Look at what is there; nothing is removed."""
        stamps = {path: _stamp(path) for pattern in patterns for path in _matching(root, pattern)}
        return cls(root, patterns, stamps, time.time_ns() - _CLOCKS_NS)

    def written(self) -> Written:
        """Return what was written since: each pattern must have matched, and nothing older."""
        fresh: dict[Path, None] = {}
        problems: list[str] = []
        for pattern in self.patterns:
            found = _matching(self.root, pattern)
            if not found:
                problems.append(f"no file {pattern} was written")
            elif len(found) > _FILES_MOST:
                problems.append(f"more than {_FILES_MOST:,} files are {pattern}")
                continue
            stale = {path: self._stale(path) for path in found}
            if old := [path.relative_to(self.root).as_posix() for path in found if stale[path]]:
                problems.append(f"not written by this run: {few(old)}")
            fresh.update(dict.fromkeys(path for path in found if not stale[path]))
        return Written(tuple(fresh), tuple(problems))

    def _stale(self, path: Path) -> bool:
        now = _stamp(path)
        return now == self.before.get(path) or now.modified_ns < self.since_ns


def _matching(root: Path, pattern: str) -> list[Path]:
    return [path for path in matching(root, pattern) if path.is_file()]


def _stamp(path: Path) -> Stamp:
    digest = b""
    try:
        seen = path.stat()
        if seen.st_size <= BYTES_MOST:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise ToolError(f"{path.name} cannot be read: {error.strerror}") from error
    return Stamp(seen.st_ino, seen.st_mtime_ns, seen.st_size, digest)
