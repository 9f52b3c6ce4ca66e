from __future__ import annotations

import hashlib
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.bundle_zip import names_of, write_zip
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

PLENTY = 10**6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "c.py").write_text("x = 1\n")
    (folder / "a.sh").write_text("exit\n")
    (folder / "a.sh").chmod(0o700)
    return folder


def test_an_archive_that_is_too_large_leaves_the_old_one(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    out.write_text("before")
    with pytest.raises(ToolError, match="Lambda takes 10 in a direct upload"):
        write_zip(names_of(folder), out, most=10)
    assert out.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.zip", "task"]


def test_a_place_that_cannot_be_written_says_so(folder: Path) -> None:
    with pytest.raises(ToolError, match="cannot be written"):
        write_zip(names_of(folder), folder / "a.sh" / "out.zip", most=PLENTY)


def test_the_same_files_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = write_zip(names_of(folder), tmp_path / "1.zip", most=PLENTY)
    os.utime(folder / "b" / "c.py", (0, 0))
    (folder / "b" / "c.py").chmod(0o600)
    second = write_zip(dict(reversed(names_of(folder).items())), tmp_path / "2.zip", most=PLENTY)
    assert first == second == hashlib.sha256((tmp_path / "1.zip").read_bytes()).hexdigest()


def test_lambda_can_read_every_file(folder: Path, tmp_path: Path) -> None:
    write_zip(names_of(folder), tmp_path / "new" / "out.zip", most=PLENTY)
    with zipfile.ZipFile(tmp_path / "new" / "out.zip") as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes == {"a.sh": 0o100755, "b/c.py": 0o100644}
