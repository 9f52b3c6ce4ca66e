"""What Trivy learnt of an image's layers, kept for each digest: a folder that only it may open.

Trivy keeps layers of all images in one database and gives up after five seconds where another
process has it open; a folder for each digest has no such neighbours.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from typing import TYPE_CHECKING

from greenroom.plugins.shared_cache import name_of, only_one
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KEPT_S = 14 * 24 * 3600.0
"""How long what nobody uses is kept."""
_DATABASES = ("db", "java-db", "policy")


@contextlib.contextmanager
def layer_cache(root: Path, databases: Path, key: Sequence[object], until: float) -> Iterator[Path]:
    """Hold the folder of ``key`` below ``root``, with the databases of the folder ``databases``.

    Raises `ToolError` where another process holds it beyond ``until`` (time.monotonic seconds), and
    where it is not what this function left there.
    """
    folder = root / name_of(key)
    with only_one(_lock(folder), until, "the same image"):
        try:
            _prune(root, folder)
            _prepare(folder, databases)
        except OSError as error:
            raise ToolError(
                f"{folder} cannot be used: {error.strerror}", hint="delete it: it is a cache"
            ) from error
        yield folder


def _lock(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def _prepare(folder: Path, databases: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for database in _DATABASES:
        (folder / database).unlink(missing_ok=True)
        (folder / database).symlink_to(databases / database, target_is_directory=True)
    os.utime(folder)


def _prune(root: Path, used: Path) -> None:
    """Remove what nobody used for long, and nobody holds."""
    oldest = time.time() - KEPT_S
    for path in root.iterdir():
        with contextlib.suppress(OSError, ToolError):
            if path.is_dir() and path != used and path.stat().st_mtime < oldest:
                with only_one(_lock(path), 0.0, "an old image"):
                    shutil.rmtree(path)
