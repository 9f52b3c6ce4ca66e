"""Subjects that are broken, absent or ambiguous are refused before any scan."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tarfile
from math import inf
from random import Random
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.image_archive import archive_layers
from greenroom.plugins.image_layout import layout_digest, layout_images
from greenroom.plugins.image_subject import Subject, SubjectKind, open_subject
from greenroom.plugins.shared_cache import SharedCache
from greenroom.validators.errors import SettingsError, ToolError
from tests.support import oci
from tests.support.scans import NEW, Scans, image

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.image_subject import Opened
    from greenroom.plugins.workplace import Workplace

CONTENT = image(oci.debian(NEW))


def layout(folder: Path, content: oci.Image | oci.Index = CONTENT) -> Path:
    return oci.write_layout(folder / "app", {"latest": content})


def blob(folder: Path, content: bytes) -> Path:
    return folder / "blobs" / "sha256" / oci.digest(content).removeprefix("sha256:")


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as written:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            written.addfile(entry, io.BytesIO(data))
    return path


def opened(subject: Subject, place: Workplace, work: Path) -> Opened:
    with open_subject(subject, place, work) as found:
        return found


def test_a_tag_that_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no tag 'new'") as caught:
        layout_images(layout(tmp_path), "new", SharedCache(tmp_path / "v"))
    assert caught.value.hint == "its tags: latest"


@pytest.mark.parametrize(
    ("content", "said"),
    [(CONTENT.manifest, "other content"), (CONTENT.config, "other content")],
    ids=["manifest", "config"],
)
def test_a_spoilt_blob_is_an_error(tmp_path: Path, content: bytes, said: str) -> None:
    folder = layout(tmp_path)
    blob(folder, content).write_bytes(b"{}")
    with pytest.raises(ToolError, match=said):
        layout_images(folder, "latest", SharedCache(tmp_path / "v"))


def test_a_layer_that_was_verified_and_changed_since_is_an_error(tmp_path: Path) -> None:
    folder, verified = layout(tmp_path), SharedCache(tmp_path / "v")
    layout_images(folder, "latest", verified)
    assert layout_images(folder, "latest", verified)[0] == CONTENT.digest
    whole = CONTENT.layers[0]
    blob(folder, whole).write_bytes(bytes(len(whole)))
    with pytest.raises(ToolError, match="other content"):
        layout_images(folder, "latest", verified)


def test_an_empty_layer_is_an_error(tmp_path: Path) -> None:
    cut = oci.Image(CONTENT.config, (b"",))
    with pytest.raises(ToolError, match="is empty"):
        layout_images(layout(tmp_path, cut), "latest", SharedCache(tmp_path / "v"))


def test_a_missing_layer_is_an_error(tmp_path: Path) -> None:
    folder = layout(tmp_path)
    blob(folder, CONTENT.layers[0]).unlink()
    with pytest.raises(ToolError, match="lacks the blob"):
        layout_images(folder, "", SharedCache(tmp_path / "v"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "broken manifest"),
        ("{}", "is no OCI layout: KeyError"),
        ('["abc"]', "no JSON object"),
        ('{"manifests": [{"digest": "../../etc/passwd"}]}', "is no digest"),
        ('{"manifests": ["x"]}', "is no OCI layout: AttributeError"),
        (" " * (17 << 20), "more than 16,777,216 bytes"),
    ],
    ids=["cut", "empty", "list", "path", "text", "too-large"],
)
def test_a_broken_index_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    folder = layout(tmp_path)
    (folder / "index.json").write_text(text)
    with pytest.raises(ToolError, match=said):
        layout_images(folder, "", SharedCache(tmp_path / "v"))


def test_an_index_that_breaks_while_it_is_scanned_is_an_error(tmp_path: Path) -> None:
    folder = layout(tmp_path)
    (folder / "index.json").write_text("{}")
    with pytest.raises(ToolError, match="is no OCI layout"):
        layout_digest(folder, "")


def test_two_images_for_one_platform_are_an_error(tmp_path: Path) -> None:
    layout(tmp_path, oci.Index((CONTENT, image({"a": "b"}))))
    scans = Scans(tmp_path)
    with pytest.raises(ToolError, match="two images for the same platform"):
        opened(Subject(SubjectKind.LAYOUT, "app"), scans.place, tmp_path)


def test_a_folder_that_is_no_layout_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    with pytest.raises(ToolError, match="app is no OCI layout"):
        opened(Subject(SubjectKind.LAYOUT, "app"), Scans(tmp_path).place, tmp_path)


@pytest.mark.parametrize("kind", [SubjectKind.SBOM, SubjectKind.ARCHIVE])
def test_a_folder_where_a_file_is_needed_is_refused(tmp_path: Path, kind: SubjectKind) -> None:
    (tmp_path / "app").mkdir()
    with pytest.raises(SettingsError, match="is no file"):
        opened(Subject(kind, "app"), Scans(tmp_path).place, tmp_path)


def test_a_link_is_no_file_that_is_examined(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "link").symlink_to("/etc/passwd")
    found = opened(Subject(SubjectKind.FS, "app"), Scans(tmp_path).place, tmp_path)
    assert [target.files for target in found.targets] == [0]


def test_what_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="image fs: app does not exist"):
        opened(Subject(SubjectKind.FS, "app"), Scans(tmp_path).place, tmp_path)


@pytest.mark.parametrize(
    ("members", "error", "said"),
    [
        ({}, ToolError, "no whole archive"),
        ({"manifest.json": b"{"}, ToolError, "no whole archive"),
        ({"manifest.json": b"[" * 100_000}, ToolError, "no whole archive"),
        ({"manifest.json": b'[{"Layers": ["a.tar"]}]'}, ToolError, "lacks the layer a.tar"),
        ({"manifest.json": json.dumps([{"Layers": []}] * 2).encode()}, SettingsError, "2 images"),
    ],
    ids=["empty", "broken", "deep", "no-layer", "two-images"],
)
def test_an_archive_without_its_one_image_is_refused(
    tmp_path: Path, members: dict[str, bytes], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        archive_layers(archive(tmp_path / "a.tar", members), inf)


def saved(path: Path, layer: bytes, *twice: str) -> Path:
    """Write an archive that should hold the layer ``a layer``, and holds ``layer``."""
    members = {
        "c.json": json.dumps({"rootfs": {"diff_ids": [oci.digest(b"a layer")]}}).encode(),
        "l.tar": layer,
        "manifest.json": json.dumps([{"Config": "c.json", "Layers": ["l.tar"]}]).encode(),
    }
    return archive(path, members | {f"./{name}": members[name] for name in twice})


@pytest.mark.parametrize("layer", [b"a layer", gzip.compress(b"a layer")], ids=["plain", "gzip"])
def test_a_whole_archive_has_its_layers(tmp_path: Path, layer: bytes) -> None:
    assert archive_layers(saved(tmp_path / "a.tar", layer), inf) == 1


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (b"a spoilt layer", r"the layer l\.tar has other content"),
        (gzip.compress(b"a spoilt layer"), r"the layer l\.tar has other content"),
        (gzip.compress(b"a layer")[:-9], "no whole archive"),
        (gzip.compress(b"a layer")[:10] + b"\xff" * 20, "no whole archive"),
    ],
    ids=["plain", "gzip", "gzip-cut", "gzip-spoilt"],
)
def test_a_layer_of_an_archive_has_the_content_that_it_should_have(
    tmp_path: Path, layer: bytes, said: str
) -> None:
    with pytest.raises(ToolError, match=said):
        archive_layers(saved(tmp_path / "a.tar", layer), inf)


@pytest.mark.parametrize("part", ["manifest.json", "c.json", "l.tar"])
def test_a_part_that_is_there_twice_is_refused(tmp_path: Path, part: str) -> None:
    with pytest.raises(ToolError, match=f"holds {part} twice"):
        archive_layers(saved(tmp_path / "a.tar", b"a layer", part), inf)


def test_a_layer_that_unpacks_without_end_costs_no_more_than_the_time_given(
    tmp_path: Path,
) -> None:
    with pytest.raises(ToolError, match="no time is left"):
        archive_layers(saved(tmp_path / "a.tar", gzip.compress(bytes(1 << 22))), 0.0)


def test_a_layer_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    manifest = [{"Config": "c.json", "Layers": ["layer"]}]
    members = {
        "c.json": json.dumps({"rootfs": {"diff_ids": [oci.digest(b"")]}}).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    path = archive(tmp_path / "a.tar", members)
    folder = tarfile.TarInfo("layer")
    folder.type = tarfile.DIRTYPE
    with tarfile.open(path, "a") as written:
        written.addfile(folder)
    with pytest.raises(ToolError, match="the layer layer is no file"):
        archive_layers(path, inf)


def test_a_manifest_that_unpacks_to_too_much_is_not_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", {"manifest.json": b" " * (17 << 20)})
    with pytest.raises(ToolError, match=r"manifest\.json has more than 16,777,216 bytes"):
        archive_layers(path, inf)


def test_a_packed_archive_that_was_spoilt_is_an_error(tmp_path: Path) -> None:
    whole = archive(tmp_path / "a.tar", {"a": Random(1).randbytes(100_000)})  # noqa: S311 - no secret
    packed = bytearray(lzma.compress(whole.read_bytes()))
    packed[50_000] ^= 0xFF
    (tmp_path / "a.tar").write_bytes(packed)
    with pytest.raises(ToolError, match="no whole archive"):
        archive_layers(tmp_path / "a.tar", inf)


def test_an_archive_without_its_end_is_cut_short(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", {"manifest.json": b'[{"Layers": []}]'})
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(ToolError, match="cut short"):
        archive_layers(path, inf)
