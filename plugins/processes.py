"""Families of processes: a process with all its descendants, signalled or ended as one.

A process group alone misses whoever started a session of its own; where ``/proc`` exists (Linux),
the tree of parents and the sessions in it find them. Elsewhere only the group is reached.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable, Iterator

_PROC = Path("/proc")
_ROUNDS = 5  # a fork bomb must not keep the collector busy for ever
_BURIAL_S = 0.5  # a killed process with much memory is still there for a moment
_LOOK_S = 0.005
_DEAD = "ZX"
_NO_WAITID = (AttributeError, ChildProcessError)  # macOS before Python 3.13; already waited for
_STARTED = 19  # its place after the command in /proc/PID/stat: proc(5), field 22
_PAGE = os.sysconf("SC_PAGE_SIZE")


class _Status(NamedTuple):
    """``started`` counts the kernel's ticks since the machine did."""

    parent: int
    session: int
    state: str
    started: int


def family(root: int, *, marker: str = "") -> frozenset[int]:
    """Return the process ids of ``root``, its descendants and their sessions' members.

    ``root`` leads a session of its own; it may have ended, but must not have been waited for.
    ``marker`` is a ``NAME=value`` that also claims each process with it in its environment: it
    finds those whose parents have died, so that no line of descent is left. Zombies are left out,
    and so is the calling process.
    """
    table = _table()
    found = {pid for pid, status in table.items() if root in (pid, status.session)}
    if marker:
        first = _started(root)
        later = (pid for pid, status in table.items() if status.started >= first)
        found |= {pid for pid in later if _carries(pid, marker.encode())}
    grown = True
    while grown:
        sessions = {table[pid].session for pid in found if pid in table} - {_own_session(), 0}
        more = {p for p, s in table.items() if s.parent in found or s.session in sessions} - found
        found |= more
        grown = bool(more)
    return frozenset(found - {os.getpid()})


def signal_family(root: int, number: int, *, marker: str = "") -> None:
    """Send signal ``number`` to the family of ``root`` and to its process group."""
    for pid in family(root, marker=marker):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(root, number)


def end_family(root: int, *, marker: str = "") -> None:
    """Kill the family of ``root``, stopped first: nobody can start another one meanwhile.

    Returns once it is gone, or after half a second: the kernel may hold on to a process.
    """
    known: frozenset[int] = frozenset()
    for _ in range(_ROUNDS):
        members = family(root, marker=marker)
        if members <= known:
            break
        known = members
        signal_family(root, signal.SIGSTOP, marker=marker)
    for pid in known:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(root, signal.SIGKILL)
    _await_gone(known, time.monotonic() + _BURIAL_S)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether ``process`` has ended; its id stays taken, so that its family can be found."""
    with contextlib.suppress(*_NO_WAITID):
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return process.poll() is not None


@contextlib.contextmanager
def waking_at_end(pid: int) -> Iterator[Callable[[float], object]]:
    """Give a way to sleep that ends early when the process ``pid`` does, where the kernel can tell.

    Linux can since 5.3; elsewhere it sleeps for the whole time.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield time.sleep
        return
    try:
        yield lambda seconds: select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)


def await_end(process: subprocess.Popen[bytes]) -> int:
    """Wait for ``process`` and return its exit status, negative for a signal; its id stays taken.

    Another thread may wait for it in the common way meanwhile.
    """
    with contextlib.suppress(*_NO_WAITID):
        end = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        if end is not None:
            return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
    return process.wait()


def private_bytes(pid: int) -> int:
    """Return the resident memory that ``pid`` shares with nobody; 0 if it is gone."""
    try:
        _, resident, shared = (_PROC / str(pid) / "statm").read_text().split()[:3]
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE


def oom_score(pid: int) -> int:
    """Return the kernel's own badness of ``pid``: the highest is killed first; -1 if it is gone."""
    try:
        return int((_PROC / str(pid) / "oom_score").read_text())
    except (OSError, ValueError):
        return -1


def _own_session() -> int:
    return os.getsid(0)


def _table() -> dict[int, _Status]:
    """Return every living process of this machine; empty where there is no ``/proc``."""
    table = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir(_PROC):
            if entry.name.isdecimal():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    table[int(entry.name)] = _status(entry.path)
    return {pid: status for pid, status in table.items() if status.state not in _DEAD}


def _await_gone(pids: Iterable[int], deadline: float) -> None:
    while any(map(_lives, pids)) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)


def _started(pid: int) -> int:
    """Return when ``pid`` started: nobody of its family is older; 0 if it is gone."""
    try:
        return _status(str(_PROC / str(pid))).started
    except (OSError, ValueError, IndexError):
        return 0


def _lives(pid: int) -> bool:
    try:
        return _status(str(_PROC / str(pid))).state not in _DEAD
    except (OSError, ValueError, IndexError):
        return False


def _status(folder: str) -> _Status:
    # The command stands in brackets and may hold anything, brackets and spaces included.
    text = Path(folder, "stat").read_text(errors="replace")
    fields = text[text.rindex(")") + 2 :].split()
    return _Status(int(fields[1]), int(fields[3]), fields[0], int(fields[_STARTED]))


def _carries(pid: int, marker: bytes) -> bool:
    try:
        return marker in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
