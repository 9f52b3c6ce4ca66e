"""Finds the files of the project that a report names in its own way."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PARTS_MOST = 64
"""How many parts of a name are tried without those before them: no project is as deep."""
_FILES_MOST = 200_000
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})


class SourceTree:
    """The files below ``root``; reports were written by a tool that ran in ``folder``."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root.resolve()
        self._folder = folder.resolve()
        self._names: dict[str, list[PurePosixPath]] | None = None
        self._found: dict[tuple[str, tuple[str, ...]], str | None] = {}

    def find(self, name: str, bases: Iterable[str] = ()) -> str | None:
        """Return the path from the root of the file that a report calls ``name``, or None.

        Tried are: ``name`` as it is, below each of ``bases``, below the folder and the root; then
        without its first parts (it was written in a container), as far as two parts are left.
        """
        key = (name, tuple(bases))
        if key not in self._found:
            tried = map(self._inside, self._candidates(name.replace("\\", "/"), key[1]))
            self._found[key] = next(filter(None, tried), None)
        return self._found[key]

    def find_below(self, name: str) -> str | None:
        """Return the only file whose path ends with ``name``, or None."""
        wanted = PurePosixPath(name)
        length = len(wanted.parts)
        ends = [path for path in self._named(wanted.name) if path.parts[-length:] == wanted.parts]
        return ends[0].as_posix() if len(ends) == 1 else None

    def outside(self, name: str) -> bool:
        """Tell whether ``name`` is a file of this machine that is none of the project's."""
        path = Path(name)
        return path.is_absolute() and self._inside(path) is None and path.is_file()

    def _candidates(self, name: str, bases: tuple[str, ...]) -> Iterator[Path]:
        for base in (*bases, "."):
            yield self._folder / base / name
        yield self._root / name
        parts = PurePosixPath(name).parts
        for start in range(max(1, len(parts) - _PARTS_MOST), len(parts) - 1):
            yield self._folder.joinpath(*parts[start:])
            yield self._root.joinpath(*parts[start:])

    def _inside(self, path: Path) -> str | None:
        try:
            if not (path.is_file() or Path(os.path.normpath(path)).is_file()):
                return None  # most candidates: it costs a hundredth of what follows
            resolved = path.resolve()
            return (
                resolved.relative_to(self._root).as_posix()
                if resolved.is_file() and resolved.is_relative_to(self._root)
                else None
            )
        except (OSError, ValueError):  # too long, or a NUL in it
            return None

    def _named(self, name: str) -> list[PurePosixPath]:
        if self._names is None:
            self._names = {}
            for path in self._walk():
                self._names.setdefault(path.name, []).append(path)
        return self._names.get(name, [])

    def _walk(self) -> Iterator[PurePosixPath]:
        left = _FILES_MOST
        for folder, folders, files in os.walk(self._root):
            folders[:] = [one for one in folders if one not in _SKIPPED and one[0] != "."]
            below = PurePosixPath(Path(folder).relative_to(self._root).as_posix())
            left -= len(files)
            if left < 0:
                return
            yield from (below / name for name in files)
