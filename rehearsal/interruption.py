"""Ctrl-C, SIGTERM and SIGHUP as one `KeyboardInterrupt` that never comes at a moment that leaks.

A program that has just been started, and that nobody could end yet, would outlive an interruption.
Such moments are `undisturbed`: the interruption comes right after them.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class _Deferral:
    """How many undisturbed blocks the main thread is in, and whether an interruption waits."""

    depth = 0
    waiting = False

    def interrupt(self, *_: object) -> None:
        """Handle a signal."""
        if self.depth:
            self.waiting = True
        else:
            raise KeyboardInterrupt

    def leave(self) -> None:
        """End a block."""
        self.depth -= 1
        if not self.depth and self.waiting:
            self.waiting = False
            raise KeyboardInterrupt


_deferral = _Deferral()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let each of the signals interrupt the block, which runs in the main thread."""
    earlier = {number: signal.signal(number, _deferral.interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put an interruption off to the end of the block; other threads are never interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _deferral.depth += 1
    try:
        yield
    finally:
        _deferral.leave()
