"""Deterministic archives: the same files give the same bytes, whenever and wherever."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import stat
import zipfile
from typing import TYPE_CHECKING

from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows
_UNIX = 3
_LEVEL = 9


def names_of(folder: Path) -> dict[str, Path]:
    """Return every file below ``folder`` by its name in an archive, sorted."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return dict(sorted((path.relative_to(folder).as_posix(), path) for path in files))


def write_zip(files: Mapping[str, Path], out: Path, *, most: int) -> str:
    """Write ``files`` to ``out`` at once or not at all; return the archive's SHA-256.

    Raises `ToolError` if it cannot be written or is larger than ``most`` bytes; what was at ``out``
    is then still there.
    """
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(part, "x", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            for name, path in sorted(files.items()):
                archive.writestr(_entry(name, path), path.read_bytes(), compresslevel=_LEVEL)
        _within(part, most)
        with part.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        part.replace(out)
    except OSError as error:
        raise ToolError(
            f"{out} cannot be written: {error.strerror or error}", hint="check the folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return digest


def _entry(name: str, path: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    executable = path.stat().st_mode & stat.S_IXUSR
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    return entry


def _within(part: Path, most: int) -> None:
    if (size := part.stat().st_size) > most:
        raise ToolError(
            f"the bundle has {size} bytes zipped, and Lambda takes {most} in a direct upload",
            hint="leave packages or files out, or upload through S3: --via-s3",
        )
