"""The live line of a rehearsal: lifecycle event, traffic split, elapsed time.

On a terminal one line is rewritten, in colour; on a pipe each change is a whole line, without
colour. ``NO_COLOR`` takes the colour away, else ``FORCE_COLOR`` brings it everywhere.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Self, TextIO

from greenroom.rehearsal.lifecycle import EventStatus, Status

if TYPE_CHECKING:
    from greenroom.rehearsal.lifecycle import Event

_BAR = 20
_EVERY_S = 0.2
_GREEN, _BLUE, _PLAIN = "\x1b[32m", "\x1b[34m", "\x1b[0m"
_REWRITE = "\r\x1b[2K"


class Progress:
    """Shows on ``stream`` what it is told and hears from the engine; any thread may call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        wanted = self._live or bool(os.environ.get("FORCE_COLOR"))
        self._color = wanted and not os.environ.get("NO_COLOR")
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._step = ""
        self._deployment = ""
        self._replacement = 0
        self._shown = ("", 0)
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="greenroom-progress", daemon=True)

    def __enter__(self) -> Self:
        if self._live:
            self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._ticker.is_alive():
            self._ticker.join()
        with self._lock:
            if self._live and self._step:
                self._stream.write(f"{_REWRITE}{self._line()}\n")
                self._stream.flush()

    def step(self, name: str) -> None:
        """Show that ``name`` is going on now."""
        with self._lock:
            self._step = name
            self._show()

    def heard(self, event: Event) -> None:
        """Show a change of the deployment; an engine's listener."""
        with self._lock:
            self._deployment = self._deployment or event.deployment_id
            self._replacement = event.replacement
            self._step = self._named(event) or self._step
            self._show()

    def _named(self, event: Event) -> str:
        """Name what goes on after ``event``; empty where that is what went on before."""
        prefix = "" if event.deployment_id == self._deployment else "rollback: "
        if event.lifecycle is not None:
            begins = event.status is EventStatus.IN_PROGRESS
            return prefix + event.lifecycle.value if begins else ""
        begins = event.deployment_status is not Status.IN_PROGRESS
        return prefix + event.deployment_status.value if begins else ""

    def _show(self) -> None:
        if self._live:
            self._stream.write(_REWRITE + self._line())
        elif self._shown != (now := (self._step, self._replacement)):
            self._shown = now
            self._stream.write(self._line() + "\n")
        self._stream.flush()

    def _tick(self) -> None:
        while not self._ended.wait(_EVERY_S):
            with self._lock:
                self._show()

    def _line(self) -> str:
        elapsed = time.monotonic() - self._began
        green = round(_BAR * self._replacement / 100)
        bar = self._painted("=" * (_BAR - green), _BLUE) + self._painted("#" * green, _GREEN)
        split = (
            f"original {100 - self._replacement:3} % [{bar}] {self._replacement:3} % replacement"
        )
        return f"{elapsed:6.1f} s  {self._step:<22} {split}"

    def _painted(self, text: str, color: str) -> str:
        return f"{color}{text}{_PLAIN}" if self._color and text else text
