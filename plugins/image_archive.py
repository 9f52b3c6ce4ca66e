"""Archives as ``docker save`` writes them: one image, and every layer of it whole."""

from __future__ import annotations

import hashlib
import json
import lzma
import tarfile
import zlib
from typing import TYPE_CHECKING, Any, cast

from greenroom.validators.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import BufferedReader
    from pathlib import Path

_BROKEN = "write the archive again: it was cut short or changed"
_MANIFEST = "manifest.json"
_BLOCK = 512
_GZIP = b"\x1f\x8b"
_UNREADABLE = (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError)
_UNEXPECTED = (KeyError, TypeError, ValueError, RecursionError)


def archive_layers(path: Path) -> int:
    """Return how many layers the archive's only image has, each with the content it should have.

    Raises `ToolError` where it is cut short or lacks a layer, `SettingsError` where it holds
    several images or is no file. A compressed layer has a checksum of its own, left to the scanner.
    """
    if not path.is_file():
        raise SettingsError(f"{path} is no file", hint="name the archive itself")
    try:
        with tarfile.open(path) as archive:
            names = {member.name for member in archive}
            _ended(path, archive)
            images = _json(archive, _MANIFEST)
            if len(images) != 1:
                raise SettingsError(f"{path} holds {len(images)} images", hint="save one alone")
            layers = list(images[0]["Layers"])
            if missing := [name for name in layers if name not in names]:
                raise ToolError(f"{path} lacks the layer {missing[0]}", hint=_BROKEN)
            config = _json(archive, images[0]["Config"])
            _verify(path, archive, zip(layers, config["rootfs"]["diff_ids"], strict=True))
    except (*_UNREADABLE, *_UNEXPECTED) as error:
        raise ToolError(f"{path} is no whole archive of an image: {error}", hint=_BROKEN) from error
    return len(layers)


def _json(archive: tarfile.TarFile, name: str) -> Any:  # noqa: ANN401 - a JSON value
    content = archive.extractfile(name)
    return json.loads(content.read()) if content is not None else None


def _verify(path: Path, archive: tarfile.TarFile, layers: Iterable[tuple[str, str]]) -> None:
    for name, digest in layers:
        content = archive.extractfile(name)
        if content is None or content.read(len(_GZIP)) == _GZIP:
            continue
        content.seek(0)
        real = hashlib.file_digest(cast("BufferedReader", content), "sha256").hexdigest()
        if digest != f"sha256:{real}":
            raise ToolError(f"{path}: the layer {name} has other content", hint=_BROKEN)


def _ended(path: Path, archive: tarfile.TarFile) -> None:
    """Raise where the two empty blocks are missing with which every archive ends."""
    if archive.fileobj is None:
        raise ToolError(f"{path} cannot be read", hint=_BROKEN)
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(2 * _BLOCK) != bytes(2 * _BLOCK):
        raise ToolError(f"{path} is cut short: it has no end", hint=_BROKEN)
