"""Keeps what a thread logs for the check that it works for.

pytest captures the log of a whole process for the check whose turn it is. What is asked ahead of
its turn logs meanwhile: such records wait here, and reach the root's handlers when the check takes
its result. Handlers of other loggers get them at once.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Logged: TypeAlias = list[logging.LogRecord]
"""The records of one check, in their order."""

_LOGGED: ContextVar[Logged | None] = ContextVar("logged", default=None)


@contextmanager
def kept(logged: Logged) -> Iterator[None]:
    """Add what this thread logs in the block to ``logged``; see `KeptLogs`."""
    token = _LOGGED.set(logged)
    try:
        yield
    finally:
        _LOGGED.reset(token)


class KeptLogs(logging.Handler):
    """A handler of the root logger that takes the records of `kept` blocks, and the others' place.

    It must be known to the others (`watch`) before such a block logs, and be left (`leave`).
    """

    def __init__(self) -> None:
        super().__init__()
        self._others: list[logging.Handler] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of a `kept` block."""
        if (logged := _LOGGED.get()) is not None:
            logged.append(record)

    def watch(self) -> None:
        """Hold the records of `kept` blocks back from every handler that the root has now."""
        root = logging.getLogger()
        if self not in root.handlers:
            root.addHandler(self)
        for handler in root.handlers:
            if handler is not self and handler not in self._others:
                handler.addFilter(_is_not_kept)
                self._others.append(handler)

    def leave(self) -> None:
        """Hold nothing back any more."""
        logging.getLogger().removeHandler(self)
        for handler in self._others:
            handler.removeFilter(_is_not_kept)
        self._others.clear()

    def hand_over(self, logged: Logged) -> None:
        """Give ``logged`` to the handlers that the root has now, as if it were logged now."""
        for record in logged:
            for handler in logging.getLogger().handlers:
                if handler is not self and record.levelno >= handler.level:
                    handler.handle(record)


def _is_not_kept(_: logging.LogRecord) -> bool:
    return _LOGGED.get() is None
