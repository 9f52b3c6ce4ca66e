from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.project import FOLDERS, copy_to, modules_and_data

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def built(folder: Path, *options: str) -> Path:
    """Build a wheel without the network: the build's requirements are in this environment."""
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", *options, folder],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def as_text_files(folder: Path) -> Path:
    """Replace each link by what git writes where there are no symbolic links."""
    for name in FOLDERS:
        link = folder / "src" / "greenroom" / name
        target = link.readlink()
        link.unlink()
        link.write_text(str(target))
    return folder


def test_a_wheel_from_the_source_archive_holds_every_file_under_one_name(tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(built(copy_to(tmp_path))).namelist())
    assert modules_and_data() - names == set()
    assert {"greenroom/__init__.py", "greenroom/py.typed"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"greenroom", "greenroom-0.1.0.dist-info"}


def test_a_checkout_without_symbolic_links_installs_and_works(tmp_path: Path) -> None:
    wheel = built(as_text_files(copy_to(tmp_path)), "--wheel")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    code = (
        "import greenroom.validators.record as it, greenroom.reports, greenroom.plugins.cli as cli;"
        "from greenroom.plugins.bundle_itself import own_files; print(len(own_files()) > 50);"
        "print(it.__file__); print(cli.main(['--version']))"
    )
    out = subprocess.check_output(
        [sys.executable, "-c", code], text=True, env={"PYTHONPATH": str(installed)}
    )
    assert out.splitlines()[0] == "True"
    assert out.splitlines()[1] == str(installed / "greenroom" / "validators" / "record.py")
    assert out.splitlines()[-1] == "0"
