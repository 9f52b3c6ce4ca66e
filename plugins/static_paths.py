"""The paths that a tool is given: files, folders and patterns, as its folder sees them."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.workplace import matching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greenroom.plugins.workplace import Workplace

_PATTERN = "*?["
_LEFT_OUT = {"node_modules", "__pycache__", "venv", "site-packages"}


def given_paths(
    paths: Sequence[str], globs: Sequence[str], place: Workplace, folder: Path
) -> tuple[str, ...]:
    """Return the paths, relative to ``folder`` and sorted; those of a pattern may be none.

    With ``globs`` a folder stands for the files below it whose names match one of them; hidden
    folders and installed packages are left out. Raises `SettingsError` for what does not exist.
    """
    found: set[str] = set()
    for name in paths:
        for path in _matching(name, place):
            files = _files(path, globs) if globs and path.is_dir() else (path,)
            found.update(os.path.relpath(file, folder) for file in files)
    return tuple(f"./{path}" if path.startswith("-") else path for path in sorted(found))


def _matching(name: str, place: Workplace) -> tuple[Path, ...]:
    if (place.root / name).exists() or not any(sign in name for sign in _PATTERN):
        return (place.path(name, "paths"),)
    return tuple(matching(place.root, name))


def _files(folder: Path, globs: Sequence[str]) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".") and one not in _LEFT_OUT]
        yield from (
            Path(parent, name) for name in names if any(fnmatchcase(name, glob) for glob in globs)
        )
