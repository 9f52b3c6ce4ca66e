"""Families of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins import processes
from greenroom.plugins.processes import end_family, family, oom_score, private_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TREE = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                         start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        yield process
        end_family(process.pid)


def test_a_child_in_a_session_of_its_own_is_family(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert family(parent.pid) == {parent.pid, child}
    end_family(parent.pid)
    parent.wait()
    assert not family(child)


def test_nobody_is_their_own_family(parent: subprocess.Popen[str]) -> None:
    assert os.getpid() not in family(parent.pid)


def test_without_proc_the_group_is_still_ended(
    parent: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(processes, "_PROC", tmp_path / "none")
        assert family(parent.pid) == frozenset()
        end_family(parent.pid)
    assert parent.wait() == -9


def test_a_process_that_is_gone_has_no_memory_and_no_score() -> None:
    assert private_bytes(os.getpid()) > 0
    assert oom_score(os.getpid()) >= 0
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    assert private_bytes(gone.pid) == 0
    assert oom_score(gone.pid) == -1
