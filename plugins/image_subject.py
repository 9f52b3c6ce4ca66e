"""What Trivy is to scan: images by reference, archive or layout, bundles, folders, SBOMs.

A subject is opened into targets, one for each platform, each with what identifies its content.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.image_archive import archive_layers
from greenroom.plugins.image_layout import layout_digest, layout_images, write_view
from greenroom.plugins.shared_cache import SharedCache
from greenroom.validators.errors import SettingsError, ToolError
from greenroom.validators.image import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from greenroom.plugins.registry import Asking
    from greenroom.plugins.workplace import Workplace

_INDEX = ("index.json", "oci-layout")


class SubjectKind(StrEnum):
    """How the subject is given."""

    REF = "ref"
    ARCHIVE = "archive"
    LAYOUT = "layout"
    ROOTFS = "rootfs"
    FS = "fs"
    SBOM = "sbom"
    CONFIG = "config"

    @property
    def command(self) -> str:
        """Trivy's own command for it."""
        image = self in {SubjectKind.REF, SubjectKind.ARCHIVE, SubjectKind.LAYOUT}
        return "image" if image else self.value

    @property
    def scanners(self) -> tuple[Scanner, ...]:
        """The scanners that can be asked of it; the first is what it is asked by default."""
        match self:
            case SubjectKind.CONFIG:
                return (Scanner.MISCONFIG,)
            case SubjectKind.SBOM:
                return (Scanner.VULN, Scanner.LICENSE)
            case _:
                return tuple(Scanner)


@dataclass(frozen=True, slots=True)
class Subject:
    """``name`` is a reference, or a path from the project's root.

    ``tag`` chooses an image of a layout; ``platforms`` choose from several, all if empty.
    """

    kind: SubjectKind
    name: str
    tag: str = ""
    platforms: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}" if self.tag else self.name


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to scan: Trivy's arguments, and the digest of its content ("" for a folder).

    ``layers`` are how many must be read (0 unknown), ``files`` how many a folder holds.
    """

    platform: str
    arguments: tuple[str, ...]
    digest: str = ""
    layers: int = 0
    files: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A subject's targets; ``digest_now`` tells what the subject's name leads to by now."""

    digest: str
    targets: tuple[Target, ...]
    digest_now: Callable[[], str]


@contextlib.contextmanager
def open_subject(subject: Subject, place: Workplace, work: Path) -> Iterator[Opened]:
    """Open ``subject``; what must be unpacked goes to the folder ``work``.

    Raises `SettingsError` where it does not exist, `ToolError` where it is broken, `ServiceError`
    where a registry does not answer.
    """
    if subject.kind is not SubjectKind.REF:
        yield _local(subject, place, work)
        return
    from greenroom.plugins.registry import (  # noqa: PLC0415 - only references need its client
        asking,
        parse_reference,
    )

    reference = parse_reference(subject.name)
    with asking(reference, place.environ, place.until) as registry:
        yield _remote(subject, registry, SharedCache(place.cache / "platforms"))


def _local(subject: Subject, place: Workplace, work: Path) -> Opened:
    # Trivy does not follow a link, not even that to the folder which it is given.
    path = place.path(subject.name, f"image {subject.kind.value}").resolve()
    match subject.kind:
        case SubjectKind.LAYOUT:
            verified = SharedCache(place.cache / "verified-blobs")
            return _layout(subject, path, work, verified)
        case SubjectKind.ARCHIVE:
            layers = archive_layers(path, place.until)
            return _file(path, ("--input", str(path)), layers=layers)
        case SubjectKind.SBOM:
            return _file(path, (str(path),))
        case SubjectKind.ROOTFS if path.is_file():
            return _bundle(path, work / "bundle")
        case _:
            target = Target("", (str(path),), files=_count(path))
            return Opened("", (target,), lambda: "")


def _remote(subject: Subject, registry: Asking, known: SharedCache) -> Opened:
    found = registry.resolved(known)
    reference = found.reference
    usable = [one for one in found.platforms if one.os != "unknown"]
    digests = {str(one): one.digest for one in usable}
    names = _platforms(subject, digests)
    _refuse_twice(subject, [str(one) for one in usable if str(one) in names])
    repository = f"{reference.registry}/{reference.repository}"
    targets = tuple(
        Target(
            name,
            ("--image-src", "remote", "--platform", name, f"{repository}@{digests[name]}"),
            digests[name],
        )
        for name in names
    )
    return Opened(found.digest, targets, registry.digest)


def _layout(subject: Subject, path: Path, work: Path, verified: SharedCache) -> Opened:
    if not all((path / name).is_file() for name in _INDEX):
        raise ToolError(f"{subject.name} is no OCI layout", hint=f"it lacks {' or '.join(_INDEX)}")
    digest, images = layout_images(path, subject.tag, verified)
    by_name = {image.platform: image for image in images}
    _refuse_twice(subject, [image.platform for image in images])
    targets = []
    for number, name in enumerate(_platforms(subject, by_name)):
        image, view = by_name[name], work / f"layout{number}"
        write_view(path, image, view)
        targets.append(Target(name, ("--input", str(view)), image.digest, image.layers))
    return Opened(digest, tuple(targets), lambda: layout_digest(path, subject.tag))


def _refuse_twice(subject: Subject, platforms: Sequence[str]) -> None:
    """Refuse two images for one platform: which of them runs depends on who pulls."""
    if twice := sorted({name for name in platforms if platforms.count(name) > 1}):
        raise ToolError(
            f"{subject}: two images for the same platform, {', '.join(twice)}",
            hint="build it again, or name the image that is deployed by its digest",
        )


def _platforms(subject: Subject, known: Collection[str]) -> Sequence[str]:
    if missing := [name for name in subject.platforms if name not in known]:
        raise SettingsError(
            f"{subject} has no image for {', '.join(missing)}",
            hint=f"its platforms: {', '.join(sorted(known)) or 'none'}",
        )
    return subject.platforms or sorted(known)


def _file(path: Path, arguments: tuple[str, ...], *, files: int = 1, layers: int = 0) -> Opened:
    if not path.is_file():
        raise SettingsError(f"{path} is no file", hint="name the file itself")
    digest = _digest(path)
    target = Target("", arguments, digest, layers, files)
    return Opened(digest, (target,), lambda: _digest(path))


def _bundle(path: Path, into: Path) -> Opened:
    from greenroom.plugins.unpack import unpack  # noqa: PLC0415 - only bundles need it

    return _file(path, (str(into),), files=unpack(path, into).files)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}") from error


def _count(path: Path) -> int:
    if path.is_file():
        return 1
    found = (Path(folder, name) for folder, _, files in os.walk(path) for name in files)
    return sum(not file.is_symlink() for file in found)
