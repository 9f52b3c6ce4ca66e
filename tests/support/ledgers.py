"""A ledger in memory, a clock of one's own, and a verdict: what fast tests of ledgers need."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greenroom.plugins.hook_ledger import Recorded, WrittenOnce
from greenroom.plugins.hook_ledger_wait import Clock
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

SHIP = Recorded(
    succeeded=True, verdict="ship", reasons=(), status="Succeeded", at="2026-01-01", by="first"
)


@dataclass
class MemoryEntries:
    """Entries written once; out of reach while ``down``."""

    down: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, name: str, text: str, *, until: float) -> None:  # noqa: ARG002 - the protocol's
        self._reach()
        with self.lock:
            self.texts.setdefault(name, text)

    def get(self, name: str, *, until: float) -> str | None:  # noqa: ARG002 - the protocol's
        self._reach()
        return self.texts.get(name)

    def _reach(self) -> None:
        if self.down:
            raise ServiceError("out of reach", hint="reach it")


@dataclass
class MemoryLedger(WrittenOnce):
    """The real ledger over entries in memory."""

    entries: MemoryEntries = field(default_factory=MemoryEntries)

    def __post_init__(self) -> None:
        super().__init__(self.entries)


@dataclass
class FakeClock:
    """A clock that only sleeping moves; ``events`` are what happens in the n-th sleep (from 1)."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    events: dict[int, Callable[[], object]] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now, self.sleep, lambda: 1.0)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if event := self.events.pop(len(self.slept), None):
            event()
