"""The import paths that a child process needs to find what its parent found."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def added_paths() -> list[str]:
    """Return the import paths beyond the interpreter's own: Lambda's runtime and layers."""
    own = {Path(path).resolve() for path in sysconfig.get_paths().values()}
    return [
        path
        for path in sys.path
        if Path(path).is_dir() and not any(_within(path, folder) for folder in own)
    ]


def with_import_paths(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` with this process's own import paths before its PYTHONPATH's."""
    known = environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = list(dict.fromkeys(filter(None, [*added_paths(), *known])))
    return {**environ, **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})}


def _within(path: str, folder: Path) -> bool:
    return Path(path).resolve() in (folder, folder / "lib-dynload")
