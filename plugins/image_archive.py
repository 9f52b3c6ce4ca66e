"""Archives as ``docker save`` writes them: one image, and every layer of it whole."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

from greenroom.validators.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from pathlib import Path

_BROKEN = "write the archive again: it was cut short or changed"
_MANIFEST = "manifest.json"
_BLOCK = 512


def archive_layers(path: Path) -> int:
    """Return how many layers the archive's only image has; headers are read, contents are not.

    Raises `ToolError` where it is cut short or lacks a layer, `SettingsError` where it holds
    several images or is no file.
    """
    if not path.is_file():
        raise SettingsError(f"{path} is no file", hint="name the archive itself")
    try:
        with tarfile.open(path) as archive:
            names = {member.name for member in archive}
            _ended(path, archive)
            content = archive.extractfile(_MANIFEST)
            images = json.loads(content.read()) if content is not None else []
        layers = [list(image["Layers"]) for image in images]
    except (tarfile.TarError, OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ToolError(f"{path} is no whole archive of an image: {error}", hint=_BROKEN) from error
    if len(layers) != 1:
        raise SettingsError(f"{path} holds {len(layers)} images", hint="save one image alone")
    if missing := [name for name in layers[0] if name not in names]:
        raise ToolError(f"{path} lacks the layer {missing[0]}", hint=_BROKEN)
    return len(layers[0])


def _ended(path: Path, archive: tarfile.TarFile) -> None:
    """Raise where the two empty blocks are missing with which every archive ends."""
    if archive.fileobj is None:
        raise ToolError(f"{path} cannot be read", hint=_BROKEN)
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(2 * _BLOCK) != bytes(2 * _BLOCK):
        raise ToolError(f"{path} is cut short: it has no end", hint=_BROKEN)
