"""Deployment time: real time sped up, or simulated time that a test steps through at once.

Both classes fulfil `greenroom.rehearsal.ports.Clock`.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable


class ScaledClock:
    """Real time times ``scale``: at 60, a deployment minute lasts one real second.

    Starts at the real moment of its construction. Immune to changes of the system's clock.
    """

    def __init__(self, scale: float = 1.0) -> None:
        if not 0 < scale < float("inf"):
            raise SettingsError(
                f"time scale {scale!r} is no positive number",
                hint="1 is real time, 60 makes a minute of deployment last a second",
            )
        self._scale = scale
        self._origin = datetime.now(UTC)
        self._start = time.monotonic()

    def now(self) -> datetime:
        """Return the present moment of deployment time, in UTC."""
        return self._origin + timedelta(seconds=(time.monotonic() - self._start) * self._scale)

    def real(self, moment: datetime) -> datetime:
        """Return the real moment, in UTC, at which deployment time was ``moment``."""
        return self._origin + (moment - self._origin) / self._scale

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait up to ``seconds`` of deployment time for ``event``; tell whether it was set."""
        return event.wait(max(0.0, min(seconds / self._scale, threading.TIMEOUT_MAX)))


class SimulatedClock:
    """Time that passes only while somebody waits, and then at once.

    `at` plans actions; a waiting thread runs those that fall due, in the order of their time, and
    each may set the awaited event. So a test of hours of deployment time takes milliseconds and
    always happens in the same order.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._order = itertools.count()
        self._planned: list[tuple[datetime, int, Callable[[], None]]] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the present moment of simulated time, in UTC."""
        with self._lock:
            return self._now

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Plan ``action`` for ``seconds`` from now; it runs in the thread that waits."""
        with self._lock:
            due = self._now + timedelta(seconds=seconds)
            heapq.heappush(self._planned, (due, next(self._order), action))

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Pass up to ``seconds`` of simulated time, less if ``event`` is set on the way."""
        until = self.now() + timedelta(seconds=max(0.0, seconds))
        while not event.is_set():
            action = self._next(until)
            if action is None:
                break
            action()
        return event.is_set()

    def _next(self, until: datetime) -> Callable[[], None] | None:
        """Move on to the next planned action and return it; ``None`` once at ``until``."""
        with self._lock:
            if self._planned and self._planned[0][0] <= until:
                due, _, action = heapq.heappop(self._planned)
                self._now = max(self._now, due)
                return action
            self._now = max(self._now, until)
            return None
