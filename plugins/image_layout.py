"""OCI layouts: which image a tag means, and a view of one image for a scanner.

A scanner that is given a layout with several images takes the first in silence.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.plugins.shared_cache import SharedCache

_TAG = "org.opencontainers.image.ref.name"
_DIGEST = re.compile(r"(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128})")
_DESCRIPTOR = ("mediaType", "digest", "size")
_JSON_MOST = 16 * 1024 * 1024
_BROKEN = "write the layout again: it was cut short or changed"


@dataclass(frozen=True, slots=True)
class LayoutImage:
    """One image of a layout, for one platform ("" where it does not say); ``layers`` are many."""

    digest: str
    platform: str
    layers: int
    entry: dict[str, Any]


def layout_images(
    folder: Path, tag: str, verified: SharedCache
) -> tuple[str, tuple[LayoutImage, ...]]:
    """Return the digest that ``tag`` means, and its images, every blob of them verified.

    Without a tag the layout must hold one image or index; raises `SettingsError` otherwise, and
    `ToolError` for a layout that is broken. Layers that are ``verified`` and were not touched since
    are not read again.
    """
    with _described(folder):
        chosen = _chosen(folder, tag)
        return str(chosen["digest"]), tuple(_images(folder, chosen, verified))


def layout_digest(folder: Path, tag: str) -> str:
    """Return the digest that ``tag`` means now; raises as `layout_images` does."""
    with _described(folder):
        return str(_chosen(folder, tag)["digest"])


def write_view(folder: Path, image: LayoutImage, into: Path) -> None:
    """Make ``into`` a layout of that one image; its blobs are those of ``folder``."""
    into.mkdir()
    (into / "blobs").symlink_to((folder / "blobs").absolute(), target_is_directory=True)
    (into / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (into / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [image.entry]}))


@contextlib.contextmanager
def _described(folder: Path) -> Iterator[None]:
    """Turn what is missing or of another kind in a layout's JSON into `ToolError`."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"{folder} is no OCI layout: {error!r}", hint=_BROKEN) from error


def _chosen(folder: Path, tag: str) -> dict[str, Any]:
    entries = _json(_content(folder / "index.json"), folder)["manifests"]
    tags = {str((entry.get("annotations") or {}).get(_TAG, "")): entry for entry in entries}
    known = ", ".join(sorted(filter(None, tags))) or "none"
    if tag:
        if tag not in tags:
            raise SettingsError(f"{folder} has no tag {tag!r}", hint=f"its tags: {known}")
        return dict(tags[tag])
    if len(entries) != 1:
        raise SettingsError(
            f"{folder} holds {len(entries)} images", hint=f"name the tag; its tags: {known}"
        )
    return dict(entries[0])


def _images(
    folder: Path, entry: dict[str, Any], verified: SharedCache, depth: int = 0
) -> Iterator[LayoutImage]:
    manifest = _json(_blob(folder, entry["digest"]), folder)
    if "manifests" in manifest:
        if depth:
            raise ToolError(f"{folder}: an index within an index", hint=_BROKEN)
        for inner in manifest["manifests"]:
            if not _attestation(inner):
                yield from _images(folder, inner, verified, depth + 1)
        return
    config = _json(_blob(folder, manifest["config"]["digest"]), folder)
    for layer in manifest["layers"]:
        _verify_once(folder, layer["digest"], verified)
    platform = "/".join(
        str(config[key]) for key in ("os", "architecture", "variant") if config.get(key)
    )
    plain = {key: entry[key] for key in _DESCRIPTOR if key in entry}
    yield LayoutImage(str(entry["digest"]), platform, len(manifest["layers"]), plain)


def _attestation(entry: dict[str, Any]) -> bool:
    platform = entry.get("platform") or {}
    return bool(platform.get("os") == "unknown")


def _blob(folder: Path, digest: str) -> bytes:
    return _content(_verify(folder, digest))


def _verify_once(folder: Path, digest: str, verified: SharedCache) -> None:
    """Verify a blob unless that was done since it was last changed, as its inode tells."""
    path, _ = _place(folder, digest)
    try:
        seen = path.stat()
    except OSError as error:
        raise ToolError(f"{folder} lacks the blob {digest}", hint=_BROKEN) from error
    if not seen.st_size:
        raise ToolError(f"{folder}: the blob {digest} is empty", hint=_BROKEN)
    key = (path.absolute(), seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
    if verified.get(key) != digest:
        _verify(folder, digest)
        verified.put(key, digest)


def _place(folder: Path, digest: str) -> tuple[Path, str]:
    """Return a blob's path and the algorithm of its digest."""
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise ToolError(f"{folder}: {digest!r} is no digest", hint=_BROKEN)
    algorithm, name = found[1] or found[3], found[2] or found[4]
    return folder / "blobs" / algorithm / name, algorithm


def _verify(folder: Path, digest: str) -> Path:
    """Return the blob's path; raises `ToolError` where its content is not what its name says."""
    path, algorithm = _place(folder, digest)
    try:
        with path.open("rb") as content:
            real = hashlib.file_digest(content, algorithm).hexdigest()
    except OSError as error:
        raise ToolError(f"{folder} lacks the blob {digest}", hint=_BROKEN) from error
    if real != path.name:
        raise ToolError(f"{folder}: the blob {digest} has other content", hint=_BROKEN)
    return path


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_JSON_MOST + 1)
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}", hint=_BROKEN) from error
    if len(content) > _JSON_MOST:
        raise ToolError(f"{path} has more than {_JSON_MOST:,} bytes", hint=_BROKEN)
    return content


def _json(content: bytes, folder: Path) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{folder} holds a broken manifest: {error}", hint=_BROKEN) from error
    if not isinstance(read, dict):
        raise ToolError(f"{folder} holds a manifest that is no JSON object", hint=_BROKEN)
    return read
