"""What tests with mocks, and unpacked bundles, call a success having examined nothing."""

from __future__ import annotations

import subprocess
import sys
import unittest
import zipfile
from typing import TYPE_CHECKING
from unittest.mock import Mock

from greenroom.plugins.mock_record import judge_end
from greenroom.plugins.mock_routes import read_api
from greenroom.plugins.mock_service import MockService
from greenroom.plugins.recording import Recording
from greenroom.plugins.unpack import unpack
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from tests.support.silent import SilentPass

if TYPE_CHECKING:
    from pathlib import Path


class _Uncalled(unittest.TestCase):
    def runTest(self) -> None:  # noqa: N802 - unittest's name
        Mock(name="users")


def _bare_mock(_: Path) -> str:
    result = unittest.TestResult()
    _Uncalled().run(result)
    return f"{result.testsRun} test, {len(result.failures)} failures"


def _our_mock(folder: Path) -> Finding:
    (folder / "users.yaml").write_text("routes: [{get: /users}]")
    with MockService(read_api(folder / "users.yaml"), Recording().verify) as service:
        pass
    finding = judge_end(service)
    assert finding is not None
    return finding


def _bundle(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "bundle.zip", "w") as archive:
        archive.writestr("../app.py", "")
    return folder / "bundle.zip"


def _bare_unpack(folder: Path) -> str:
    command = [sys.executable, "-m", "zipfile", "-e", str(_bundle(folder)), "out"]
    return f"exit {subprocess.run(command, cwd=folder, check=False).returncode}"


def _our_unpack(folder: Path) -> Finding:
    files = unpack(_bundle(folder), folder / "out").files
    rule = Rule("files", ">= 1", str(files), met=files > 0)
    return Finding.judged((rule,), (Evidence("files", files, "zip", "", ""),))


ROWS: tuple[SilentPass, ...] = (
    SilentPass(
        "mock-never-called",
        "unittest.mock",
        "a mock service that the code under test never calls",
        _bare_mock,
        _our_mock,
    ),
    SilentPass(
        "bundle-outside",
        "python -m zipfile",
        "a bundle with a file that belongs outside its folder",
        _bare_unpack,
        _our_unpack,
    ),
)
