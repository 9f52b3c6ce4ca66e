from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MAKEFILE = (ROOT / "Makefile").read_text()


def program(folder: Path, name: str, body: str) -> dict[str, str]:
    """Put a program before all others on the PATH of the environment that is returned."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("target", ["demo", "test", "lint", "bench", "clean"])
def test_help_names_the_target(target: str) -> None:
    out = subprocess.check_output(["make", "--silent"], cwd=ROOT, text=True)
    assert re.search(rf"^make {target} ", out, re.MULTILINE)


def test_every_installation_is_pinned() -> None:
    text = MAKEFILE.replace("\\\n", " ")
    calls = re.findall(r"^\t.*pip.* install .*$|^\t.*\$\(PIP\) install .*$", text, re.MULTILINE)
    assert len(calls) == 4
    pins = ("$(PINNED)", "--constraint constraints.txt", "--requirement .ci/$$tool.txt")
    assert all(any(pin in call for pin in pins) for call in calls)


@pytest.mark.parametrize("tool", ["schemathesis", "wapiti"])
def test_all_that_a_scanner_needs_is_pinned(tool: str) -> None:
    lines = (ROOT / ".ci" / f"{tool}.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+!]+", line)] == []
    assert any(line.lower().startswith(tool) for line in lines)


def test_an_old_python_is_refused_with_the_way_out(tmp_path: Path) -> None:
    old = f'exec {sys.executable} -c "import sys; sys.version_info = (3, 9, 1); $2"'
    environment = program(tmp_path, "python3.9", old)
    done = subprocess.run(
        ["make", "lint", "PYTHON=python3.9", f"VENV={tmp_path}/venv"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Greenroom needs Python 3.11 or newer, and python3.9 is 3.9" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("echo '== 3 passed in 1.00s =='", 0),
        ("echo '== 3 passed, 1 skipped in 1.00s =='", 1),
        ("echo '== 3 passed, 1 xfailed in 1.00s =='", 1),
        ("echo '== 3 passed, 2 deselected in 1.00s =='", 1),
        ("echo '== 3 passed in 1.00s =='; exit 2", 2),
        ("echo 'lint failed'; exit 1", 1),
        ("true", 1),
    ],
    ids=["passed", "skipped", "xfailed", "deselected", "gate-shut", "failed", "silent"],
)
def test_ci_is_green_only_when_everything_ran(body: str, status: int, tmp_path: Path) -> None:
    environment = program(tmp_path, "make", body)
    done = subprocess.run([ROOT / ".ci" / "run"], env=environment, check=False)
    assert done.returncode == status
