"""Families of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins import processes
from greenroom.plugins.processes import (
    await_end,
    end_family,
    family,
    has_ended,
    oom_score,
    private_bytes,
)

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


def test_who_takes_long_to_die_is_gone_when_their_family_is_ended() -> None:
    hog = f"import sys, time; hog = b'x' * {256 << 20}; print(flush=True); time.sleep(60)"
    child = ["import subprocess, sys, time; from subprocess import PIPE"]
    child += [f"child = subprocess.Popen([sys.executable, '-c', {hog!r}], stdout=PIPE)"]
    child += ["child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"]
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join(child)], stdout=subprocess.PIPE, start_new_session=True
    ) as parent:
        assert parent.stdout
        slow = int(parent.stdout.readline())
        end_family(parent.pid)
        assert not family(slow)


@pytest.mark.parametrize(
    ("code", "status"),
    [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 15)", -15)],
    ids=["exit", "signal"],
)
def test_an_end_can_be_seen_while_the_process_id_stays_taken(code: str, status: int) -> None:
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        assert await_end(process) == status
        assert has_ended(process)
        os.kill(process.pid, 0)
        process.wait()
        assert (await_end(process), has_ended(process)) == (status, True)
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


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
