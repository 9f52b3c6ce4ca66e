"""Guards against endings that pytest does not see: ``os._exit`` in a test, and SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, NoReturn

from greenroom.validators.errors import GreenroomError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def guard_exit(abandon: Callable[[str], None], instead: int) -> Callable[[], None]:
    """Make ``os._exit`` in this process write the record first, and end with ``instead`` for 0.

    Only this process: a forked child (multiprocessing's, say) ends by ``os._exit`` rightly. Returns
    what takes the guard off.
    """
    leave, guarded = os._exit, os.getpid()

    def leave_with_a_word(status: int) -> NoReturn:
        if os.getpid() == guarded:
            abandon(f"os._exit({status}) was called")
            leave(status or instead)
        leave(status)

    def undo() -> None:
        if os._exit is leave_with_a_word:
            os._exit = leave

    os._exit = leave_with_a_word
    return undo


def guard_exec() -> Callable[[], None]:
    """Make ``os.exec…`` in this process fail: what replaces pytest would answer in its place.

    Only this process: a forked child rightly becomes another program. Returns what takes the guard
    off.
    """
    guarded = os.getpid()
    real = {name: getattr(os, name) for name in ("execv", "execve")}

    def refusing(name: str) -> Callable[..., NoReturn]:
        def refuse(*arguments: object) -> NoReturn:
            if os.getpid() == guarded:
                raise GreenroomError(
                    f"os.{name} would put another program in pytest's place",
                    hint="start it with subprocess.run",
                )
            real[name](*arguments)
            raise AssertionError  # a successful exec does not return

        return refuse

    guards = {name: refusing(name) for name in real}
    for name, guard in guards.items():
        setattr(os, name, guard)

    def undo() -> None:
        for name, guard in guards.items():
            if getattr(os, name) is guard:
                setattr(os, name, real[name])

    return undo


def guard_termination(stop: Callable[[str], None]) -> Callable[[], None]:
    """Make SIGTERM end the run like Ctrl-C, so that fixtures are torn down and a record written.

    Leaves a handler of somebody else's alone. Returns what takes the guard off.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None

    def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
        stop("terminated (SIGTERM)")
        raise KeyboardInterrupt

    def undo() -> None:
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, interrupt)
    return undo
