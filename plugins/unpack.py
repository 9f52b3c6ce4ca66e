"""A Lambda bundle's .zip, unpacked so that nothing in it can reach outside its folder.

An archive is checked as a whole before its first byte is written: names, kinds, overlaps, counts.
Sizes are counted while writing, because an archive's own numbers may lie. Links are made last, so
that no file is ever written through one.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Literal

from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 16
_UNIX = frozenset({3, 19})
_ENCRYPTED = 0x41
_UTF8 = 0x800
_LOCAL_HEADER = 30
_LINK_LONGEST = 4096
_RATIO_FROM = 1 << 20
_BROKEN = "build the bundle again: it is cut short or was changed after it was written"
_CRAFTED = "no build tool writes such an archive: find out where it comes from"

_Kind = Literal["file", "folder", "link"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that an archive may unpack to; Lambda itself takes 250 MB.

    ``ratio`` is unpacked octets for each octet of the archive, and counts from 1 MiB on.
    """

    octets: int = 1 << 30
    files: int = 100_000
    ratio: int = 200
    depth: int = 60


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was written: regular files, and their octets together."""

    files: int
    octets: int


def unpack(archive: Path, into: Path, limits: Limits = Limits()) -> Unpacked:
    """Unpack a .zip into an absent or empty folder.

    Files become 0644, or 0755 where the archive says executable. Raises `ToolError`, which names
    the entry; the folder is empty then. An empty archive is ``Unpacked(0, 0)``.
    """
    _make_empty(into)
    try:
        with _mapped(archive), zipfile.ZipFile(archive) as opened:
            plan = _Plan(archive, limits)
            plan.read(opened)
            return _Writer(opened, plan, into, limits.ratio * archive.stat().st_size).write()
    except BaseException:
        _clear(into)
        raise


def _make_empty(into: Path) -> None:
    try:
        into.mkdir(mode=0o755, parents=True, exist_ok=True)
        used = any(into.iterdir())
    except OSError as error:
        raise ToolError(f"{into} cannot be unpacked to: {error.strerror}") from error
    if used:
        raise ToolError(f"{into} is not empty", hint="unpack into a folder of its own")


def _clear(into: Path) -> None:
    for path in into.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextlib.contextmanager
def _mapped(archive: Path) -> Iterator[None]:
    """Turn what zipfile, zlib and the file system raise into `ToolError`."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise _named_wrongly(archive, repr(error.object)) from error
    except OSError as error:
        raise ToolError(f"{archive}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise ToolError(f"{archive} is no readable .zip: {error}", hint=_BROKEN) from error


def _named_wrongly(archive: Path, name: str) -> ToolError:
    return ToolError(
        f"{archive}: the name of the entry {name} is not UTF-8", hint="rename the file to UTF-8"
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    info: zipfile.ZipInfo
    path: PurePosixPath
    kind: _Kind


@dataclass(slots=True)
class _Plan:
    """The entries of an archive, each proven to have a place of its own inside the folder."""

    archive: Path
    limits: Limits
    entries: list[_Entry] = field(default_factory=list)
    _kinds: dict[PurePosixPath, _Kind] = field(default_factory=dict)

    def read(self, opened: zipfile.ZipFile) -> None:
        infos = opened.infolist()
        if len(infos) > self.limits.files:
            raise self.error(f"has {len(infos):,} entries, more than {self.limits.files:,}")
        self._refuse_overlaps(infos, opened.start_dir)
        for info in infos:
            self._add(info)

    def error(self, what: str, hint: str = _CRAFTED) -> ToolError:
        return ToolError(f"{self.archive} {what}", hint=hint)

    def refuse(self, info: zipfile.ZipInfo, what: str, hint: str = _CRAFTED) -> ToolError:
        return self.error(f"has the entry {info.orig_filename!r}, which {what}", hint)

    def _refuse_overlaps(self, infos: list[zipfile.ZipInfo], end: int) -> None:
        for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
            if info.header_offset + _LOCAL_HEADER + info.compress_size > end:
                raise self.refuse(info, "overlaps another one")
            end = info.header_offset

    def _add(self, info: zipfile.ZipInfo) -> None:
        kind = self._kind(info)
        path = self._path(info)
        if not path.parts:
            if kind != "folder":
                raise self.refuse(info, "has no name")
            return
        for parent in path.parents[:-1]:
            if self._kinds.setdefault(parent, "folder") != "folder":
                raise self.refuse(info, f"lies below {str(parent)!r}, which is no folder")
        known = self._kinds.get(path)
        if known is not None and (known, kind) != ("folder", "folder"):
            raise self.refuse(info, f"is there twice, the other time as a {known}")
        self._kinds[path] = kind
        self.entries.append(_Entry(info, path, kind))

    def _kind(self, info: zipfile.ZipInfo) -> _Kind:
        if info.flag_bits & _ENCRYPTED:
            raise self.refuse(info, "is encrypted", "write the bundle without a password")
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise self.refuse(info, "is packed in a way that Lambda cannot read", "use deflate")
        mode = info.external_attr >> 16 if info.create_system in _UNIX else 0
        match stat.S_IFMT(mode):
            case stat.S_IFLNK:
                return "link"
            case 0 | stat.S_IFREG | stat.S_IFDIR:
                return "folder" if info.is_dir() else "file"
            case _:
                raise self.refuse(info, "is a device, pipe or socket")

    def _path(self, info: zipfile.ZipInfo) -> PurePosixPath:
        name = _name(self.archive, info)
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or name[1:2] == ":":
            raise self.refuse(info, "leaves the folder")
        if "\\" in name or not name.isprintable():
            raise self.refuse(
                info, "has a backslash or a control character in its name", "rename it"
            )
        path = PurePosixPath(name)
        if len(path.parts) > self.limits.depth:
            raise self.refuse(info, f"lies more than {self.limits.depth} folders deep")
        return path


def _name(archive: Path, info: zipfile.ZipInfo) -> str:
    """Return the name as it was meant: many tools write UTF-8 without saying so."""
    if info.flag_bits & _UTF8 or info.filename.isascii():
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode()
    except UnicodeEncodeError:
        return info.filename  # from the archive's own field for Unicode names
    except UnicodeDecodeError as error:
        raise _named_wrongly(archive, repr(info.orig_filename)) from error


@dataclass(slots=True)
class _Writer:
    opened: zipfile.ZipFile
    plan: _Plan
    into: Path
    ratio_octets: int
    octets: int = 0

    def write(self) -> Unpacked:
        kinds: dict[_Kind, list[_Entry]] = {"folder": [], "file": [], "link": []}
        for entry in self.plan.entries:
            kinds[entry.kind].append(entry)
        for entry in kinds["folder"]:
            (self.into / entry.path).mkdir(parents=True, exist_ok=True)
        for entry in kinds["file"]:
            self._file(entry)
        links = [(entry, self._aim(entry)) for entry in kinds["link"]]
        for entry, aim in links:
            path = self.into / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(aim)
        return Unpacked(len(kinds["file"]), self.octets)

    def _file(self, entry: _Entry) -> None:
        path = self.into / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._content(entry) as content, path.open("xb") as file:
            while chunk := content.read(_CHUNK):
                self._count(entry, len(chunk))
                file.write(chunk)
        path.chmod(0o755 if entry.info.external_attr >> 16 & 0o111 else 0o644)

    @contextlib.contextmanager
    def _content(self, entry: _Entry) -> Iterator[IO[bytes]]:
        """Open an entry; what is wrong with its bytes names it."""
        try:
            with self.opened.open(entry.info) as content:
                yield content
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise self.plan.refuse(entry.info, f"is broken: {error}", _BROKEN) from error

    def _count(self, entry: _Entry, more: int) -> None:
        self.octets += more
        if self.octets > (most := self.plan.limits.octets):
            raise self.plan.refuse(entry.info, f"unpacks to more than {most:,} octets in all")
        if self.octets > max(self.ratio_octets, _RATIO_FROM):
            raise self.plan.refuse(
                entry.info, f"unpacks to over {self.plan.limits.ratio} times the archive's size"
            )

    def _aim(self, entry: _Entry) -> str:
        """Return where a link points: below the folder, whatever the other links are.

        ``..`` may only lead, and from a real folder, so that no other link lies on the way up.
        """
        with self._content(entry) as content:
            raw = content.read(_LINK_LONGEST + 1)
        try:
            aim = raw.decode()
        except UnicodeDecodeError as error:
            raise self.plan.refuse(entry.info, "is a link to a name that is not UTF-8") from error
        parts = PurePosixPath(aim).parts
        ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
        usable = 0 < len(raw) <= _LINK_LONGEST and "\\" not in aim and aim.isprintable()
        inside = ups < len(entry.path.parts) and ".." not in parts[ups:]
        if not usable or not inside or aim.startswith("/"):
            raise self.plan.refuse(entry.info, f"is a link that leaves the folder: {aim[:200]!r}")
        return aim
