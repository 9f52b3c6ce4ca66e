"""Archives as ``docker save`` writes them: one image, and every layer of it whole."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import posixpath
import tarfile
import time
import zlib
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

from greenroom.validators.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_BROKEN = "write the archive again: it was cut short or changed"
_MANIFEST = "manifest.json"
_BLOCK = 512
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_UNREADABLE = (
    *(tarfile.TarError, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(KeyError, TypeError, ValueError, RecursionError),
)
_JSON_MOST = 16 * 1024 * 1024


def archive_layers(path: Path, until: float) -> int:
    """Return how many layers the archive's only image has, each with the content it should have.

    Raises `SettingsError` where it holds several images or is no file, `ToolError` where it is cut
    short, lacks a layer, cannot be read by ``until`` (time.monotonic seconds) or holds a part of
    the image twice: which one counts depends on who reads it.
    """
    if not path.is_file():
        raise SettingsError(f"{path} is no file", hint="name the archive itself")
    try:
        with tarfile.open(path) as archive:
            names = Counter(posixpath.normpath(member.name) for member in archive)
            _ended(path, archive)
            images = _json(archive, _MANIFEST)
            if len(images) != 1:
                raise SettingsError(f"{path} holds {len(images)} images", hint="save one alone")
            layers = list(images[0]["Layers"])
            if missing := [name for name in layers if posixpath.normpath(name) not in names]:
                raise ToolError(f"{path} lacks the layer {missing[0]}", hint=_BROKEN)
            _once(path, names, (_MANIFEST, images[0]["Config"], *layers))
            config = _json(archive, images[0]["Config"])
            pairs = zip(layers, config["rootfs"]["diff_ids"], strict=True)
            _verify(path, archive, pairs, until)
    except _UNREADABLE as error:
        raise ToolError(f"{path} is no whole archive of an image: {error}", hint=_BROKEN) from error
    return len(layers)


def _once(path: Path, names: Counter[str], parts: Iterable[str]) -> None:
    if twice := [part for part in parts if names[posixpath.normpath(part)] > 1]:
        raise ToolError(f"{path} holds {twice[0]} twice", hint=_BROKEN)


def _json(archive: tarfile.TarFile, name: str) -> Any:  # noqa: ANN401 - a JSON value
    if archive.getmember(name).size > _JSON_MOST:
        raise ValueError(f"{name} has more than {_JSON_MOST:,} bytes")
    content = archive.extractfile(name)
    return json.loads(content.read()) if content is not None else None


def _verify(
    path: Path, archive: tarfile.TarFile, layers: Iterable[tuple[str, str]], until: float
) -> None:
    for name, digest in layers:
        content = archive.extractfile(name)
        if content is None:
            raise ToolError(f"{path}: the layer {name} is no file", hint=_BROKEN)
        real = hashlib.sha256()
        for chunk in _unpacked(content):
            real.update(chunk)
            if time.monotonic() >= until:
                raise ToolError(
                    f"{path}: no time is left to read the layer {name}",
                    hint="give it more time: `timeout:`",
                )
        if digest != f"sha256:{real.hexdigest()}":
            raise ToolError(f"{path}: the layer {name} has other content", hint=_BROKEN)


def _unpacked(content: IO[bytes]) -> Iterator[bytes]:
    """Yield a layer as its digest in the configuration counts it: not compressed."""
    packed = content.read(len(_GZIP)) == _GZIP
    content.seek(0)
    plain = gzip.GzipFile(fileobj=content) if packed else content
    while chunk := plain.read(_CHUNK):
        yield chunk


def _ended(path: Path, archive: tarfile.TarFile) -> None:
    """Raise where the two empty blocks are missing with which every archive ends."""
    if archive.fileobj is None:
        raise ToolError(f"{path} cannot be read", hint=_BROKEN)
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(2 * _BLOCK) != bytes(2 * _BLOCK):
        raise ToolError(f"{path} is cut short: it has no end", hint=_BROKEN)
