from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import FOLDERS, ROOT, copy_to

BIN = Path(sys.executable).parent


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "lint-imports", "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("validators/planted.py", "import greenroom.reports", "Imports point one way"),
        ("reports/planted.py", "import greenroom.plugins.cli", "Imports point one way"),
        ("validators/planted.py", "import pytest", "The core knows no outside thing"),
        ("validators/planted.py", "import socket", "The core knows no outside thing"),
        ("validators/planted.py", "import os.path", "The core knows no outside thing"),
        ("validators/planted.py", "from time import time", "The core knows no outside thing"),
    ],
    ids=[
        "core-to-reports",
        "reports-to-plugins",
        "core-to-pytest",
        "core-to-socket",
        "core-to-os",
        "core-to-time",
    ],
)
def test_a_planted_import_against_the_direction_is_caught(
    module: str, line: str, broken: str, tmp_path: Path
) -> None:
    copy_to(tmp_path)
    (tmp_path / module).write_text(f"{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert f"{broken} BROKEN" in done.stdout


def ban(line: str) -> str:
    done = subprocess.run(
        [BIN / "ruff", "check", "--select=TID251", "--stdin-filename=plugins/x.py", "-"],
        cwd=ROOT,
        input=f"{line}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("line", ["import {}", "from {} import x", "import {}.x"])
def test_the_bare_name_of_a_folder_is_banned(name: str, line: str) -> None:
    assert "TID251" in ban(line.format(name))


@pytest.mark.parametrize("name", FOLDERS)
def test_the_installed_name_is_allowed(name: str) -> None:
    assert "TID251" not in ban(f"import greenroom.{name}")
