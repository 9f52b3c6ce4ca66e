from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.plugins.unpack import Limits, Unpacked, unpack
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

LINK = stat.S_IFLNK | 0o777


def entry(name: str, mode: int = 0o100644, system: int = 3) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.create_system = system
    return info


def packed(
    *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content, method)
    return buffer.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "bundle.zip"


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "out" / "bundle"


def refused(archive: Path, into: Path, limits: Limits | None = None) -> str:
    """Return why the archive is refused; nothing but an empty folder was made."""
    before = sorted(archive.parent.iterdir())
    with pytest.raises(ToolError) as caught:
        unpack(archive, into, limits or Limits())
    assert list(into.iterdir()) == []
    assert sorted(archive.parent.iterdir()) == sorted([*before, into.parent])
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "a/../b", "/etc/evil", "//host/evil", "C:evil", "c:/evil", ".."],
)
def test_a_name_that_leaves_the_folder_is_refused(archive: Path, into: Path, name: str) -> None:
    archive.write_bytes(packed(("fine", b"1"), (name, b"2")))
    assert f"has the entry {name!r}, which leaves the folder" in refused(archive, into)


@pytest.mark.parametrize("name", ["a\\b", "..\\evil", "a\nb", "a\x1b[31m"])
def test_a_name_that_means_different_things_is_refused(
    archive: Path, into: Path, name: str
) -> None:
    archive.write_bytes(packed((name, b"2")))
    assert "has a backslash or a control character" in refused(archive, into)


def test_a_name_with_a_hidden_end_is_refused(archive: Path, into: Path) -> None:
    archive.write_bytes(packed(("a.pyXevil", b"1")).replace(b"a.pyX", b"a.py\0"))
    assert "has a backslash or a control character" in refused(archive, into)


@pytest.mark.parametrize(
    "aim", ["/etc/passwd", "..", "../../x", "a/../../x", "a/..", "", "x" * 5000, "..\\x", "\xff"]
)
def test_a_link_that_leaves_the_folder_is_refused(archive: Path, into: Path, aim: str) -> None:
    archive.write_bytes(packed((entry("f", LINK), aim.encode("latin-1"))))
    assert "has the entry 'f', which is a link" in refused(archive, into)


def test_no_file_is_written_through_a_link(archive: Path, into: Path) -> None:
    archive.write_bytes(packed((entry("a", LINK), b"b"), ("a/evil", b"1")))
    assert "lies below 'a', which is no folder" in refused(archive, into)


def test_links_that_stay_are_made(archive: Path, into: Path) -> None:
    archive.write_bytes(
        packed(
            (entry("node_modules/.bin/tool", LINK), b"../tool/cli.js"),
            ("node_modules/tool/cli.js", b"run()"),
        )
    )
    assert unpack(archive, into) == Unpacked(files=1, octets=5)
    assert (into / "node_modules/.bin/tool").read_bytes() == b"run()"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (entry("a"), entry("a")),
        (entry("a"), entry("./a")),
        (entry("a"), entry("a", LINK)),
        (entry("a/b"), entry("a")),
        (entry("a"), entry("a/")),
    ],
    ids=["file", "normalised", "link", "folder-first", "file-first"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(
    archive: Path, into: Path, first: zipfile.ZipInfo, second: zipfile.ZipInfo
) -> None:
    archive.write_bytes(packed((first, b"b"), (second, b"b")))
    assert "is there twice" in refused(archive, into)


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_a_special_file_is_refused(archive: Path, into: Path, kind: int) -> None:
    archive.write_bytes(packed((entry("f", kind | 0o644), b"")))
    assert "is a device, pipe or socket" in refused(archive, into)


def _encrypted(content: bytes) -> bytes:
    at = content.index(b"PK\x01\x02") + 8
    return content[:at] + b"\x01\0" + content[at + 2 :]


def _flipped(content: bytes) -> bytes:
    return content.replace(b"hello", b"jello")


def _cut(content: bytes) -> bytes:
    return content[:-30]


def _not_utf8(content: bytes) -> bytes:
    return content.replace("é".encode(), b"\xff\xfe")


def _unmarked(content: bytes) -> bytes:
    """Forget that names are UTF-8, as older tools do."""
    return content.replace(b"\x14\0\0\x08", b"\x14\0\0\0")


def _elsewhere(content: bytes) -> bytes:
    """Let the second entry begin within the first one's bytes."""
    at = content.rindex(b"PK\x01\x02") + 42
    return content[:at] + struct.pack("<I", 10) + content[at + 4 :]


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (_encrypted, "the entry 'a', which is encrypted"),
        (_flipped, "the entry 'a', which is broken: Bad CRC-32"),
        (_cut, "is no readable .zip"),
        (_elsewhere, "the entry 'a', which overlaps another one"),
        (_not_utf8, "is not UTF-8"),
        (lambda content: _unmarked(_not_utf8(content)), "is not UTF-8"),
        (lambda _: b"", "is no readable .zip"),
        (lambda content: b"PK" * len(content), "is no readable .zip"),
    ],
    ids=["encrypted", "crc", "cut", "overlap", "not-utf8", "unmarked", "nothing", "garbage"],
)
def test_a_harmed_archive_is_refused(
    archive: Path, into: Path, harm: Callable[[bytes], bytes], reason: str
) -> None:
    archive.write_bytes(harm(packed(("a", b"hello"), ("é", b"world"))))
    assert reason in refused(archive, into)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_a_packing_that_lambda_cannot_read_is_refused(
    archive: Path, into: Path, method: int
) -> None:
    archive.write_bytes(packed(("a", b"hello"), method=method))
    assert "Lambda cannot read" in refused(archive, into)


def _zeros(*sizes: int) -> bytes:
    return packed(
        *((f"z{at}", bytes(size)) for at, size in enumerate(sizes)), method=zipfile.ZIP_DEFLATED
    )


@pytest.mark.parametrize(
    ("content", "limits", "reason"),
    [
        (_zeros(60_000, 60_000), Limits(octets=100_000), "'z1', which unpacks to more than"),
        (_zeros(2 << 20), Limits(ratio=100), "'z0', which unpacks to over 100 times"),
        (_zeros(1, 1, 1), Limits(files=2), "has 3 entries, more than 2"),
        (packed(("a/b/c/d", b"")), Limits(depth=3), "lies more than 3 folders deep"),
    ],
    ids=["octets", "ratio", "files", "depth"],
)
def test_a_bomb_is_refused(
    archive: Path, into: Path, content: bytes, limits: Limits, reason: str
) -> None:
    archive.write_bytes(content)
    assert reason in refused(archive, into, limits)


def test_an_understated_size_does_not_pass(archive: Path, into: Path) -> None:
    content = _zeros(300_000)
    archive.write_bytes(content.replace(struct.pack("<I", 300_000), struct.pack("<I", 10)))
    assert "is broken" in refused(archive, into)


def test_a_missing_archive_says_so(archive: Path, into: Path) -> None:
    with pytest.raises(ToolError, match="No such file"):
        unpack(archive, into)


def test_a_folder_in_use_is_left_alone(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(packed(("a", b"1")))
    with pytest.raises(ToolError, match="is not empty"):
        unpack(archive, tmp_path)
    assert archive.exists()


def test_a_place_that_is_no_folder_says_so(archive: Path) -> None:
    archive.write_bytes(packed(("a", b"1")))
    with pytest.raises(ToolError, match="cannot be unpacked to"):
        unpack(archive, archive / "below")


def test_a_name_too_long_for_the_file_system_says_so(archive: Path, into: Path) -> None:
    archive.write_bytes(packed(("a" * 300, b"1")))
    assert "File name too long" in refused(archive, into)


def test_an_entry_without_a_name_is_refused(archive: Path, into: Path) -> None:
    archive.write_bytes(packed((".", b"1")))
    assert "has no name" in refused(archive, into)


@pytest.mark.parametrize("folders", [(), ("./",), ("a/", "a/b/")], ids=["bare", "root", "folders"])
def test_an_archive_without_files_unpacks_to_nothing(
    archive: Path, into: Path, folders: tuple[str, ...]
) -> None:
    archive.write_bytes(packed(*((name, b"") for name in folders)))
    assert unpack(archive, into) == Unpacked(0, 0)


def test_files_get_plain_permissions(archive: Path, into: Path) -> None:
    given_modes = {"app": 0o106777, "data": 0o100666, "closed": 0o100000}
    archive.write_bytes(packed(*((entry(name, mode), b"1") for name, mode in given_modes.items())))
    assert unpack(archive, into) == Unpacked(3, 3)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in into.iterdir()}
    assert modes == {"app": 0o755, "data": 0o644, "closed": 0o644}


def test_a_windows_entry_is_a_file_whatever_its_unix_bits(archive: Path, into: Path) -> None:
    archive.write_bytes(packed((entry("f", LINK, system=0), b"/etc/passwd")))
    unpack(archive, into)
    assert not (into / "f").is_symlink()


@pytest.mark.parametrize("harm", [bytes, _unmarked], ids=["marked", "unmarked"])
def test_a_name_in_utf8_is_kept(archive: Path, into: Path, harm: Callable[[bytes], bytes]) -> None:
    archive.write_bytes(harm(packed(("é/ü", b"1"))))
    unpack(archive, into)
    assert (into / "é" / "ü").read_bytes() == b"1"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 400), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_no_changed_byte_gets_anything_outside(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, cut: int
) -> None:
    tmp = tmp_path_factory.mktemp("changed")
    content = bytearray(packed(("a/b", b"hello"), (entry("l", LINK), b"a/b"), ("c", b"x" * 50)))
    content[at % len(content)] = value
    (tmp / "bundle.zip").write_bytes(content[: len(content) - max(0, cut - 350)])
    try:
        unpack(tmp / "bundle.zip", tmp / "into")
    except ToolError:
        assert list((tmp / "into").iterdir()) == []
    assert sorted(path.name for path in tmp.iterdir()) == ["bundle.zip", "into"]
    assert all(
        Path(os.path.realpath(path)).is_relative_to(tmp) for path in (tmp / "into").rglob("*")
    )
