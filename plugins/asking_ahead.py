"""Runs checks of an environment ahead of pytest's own order, from a bounded pool.

Where a check's time is mostly waiting for an answer, the next checks of a run are asked meanwhile,
while pytest keeps its items, their order and its options. Only neighbours run together: a Python
test, a check that says ``serial: true`` and one whose work must be alone wait until all before them
are done, and nothing is asked beyond them. Under xdist the workers are what runs side by side.
A service that answers at once is asked one by one: threads that do not wait only cost time.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

import pytest

from greenroom.plugins.ahead import Worked
from greenroom.plugins.kept_logs import KeptLogs, kept
from greenroom.plugins.programs import calling_off

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from greenroom.plugins.kept_logs import Logged
    from greenroom.validators.finding import Finding

NAME = "greenroom-asking"
WINDOW = 64
"""How far ahead of pytest checks are asked: what a run that stops has asked in vain."""
_LEAVE_S = 1.0
_WAITING_S = 0.004
_WAITING = 3
"""So many checks in a row that wait so long are worth asking others meanwhile: one alone may have
waited for the processor.
"""


class Task(NamedTuple):
    """What can run ahead: the work, and the host that it asks ("" for others)."""

    run: Callable[[], Finding]
    host: str


class _Started(NamedTuple):
    """What is asked ahead, and what it has logged so far."""

    worked: Future[Worked]
    logged: Logged


class Asking:
    """The pool of one run; ``task_of`` gives an item's task, or None for one that must be alone.

    ``in_flight`` is how many may ask the same host at once.
    """

    def __init__(self, task_of: Callable[[pytest.Item], Task | None], in_flight: int) -> None:
        self._task_of = task_of
        self._in_flight = in_flight
        self._items: list[pytest.Item] = []
        self._positions: dict[pytest.Item, int] = {}
        self._next = 0
        self._waited = 0
        self._started: dict[pytest.Item, _Started] = {}
        self._logs = KeptLogs()
        self._hosts: dict[str, threading.Semaphore] = {}
        self._off = threading.Event()
        self._pool: _Pool | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Know the items in their order; end with the run, whatever was asked in vain."""
        if self._in_flight > 1 and not hasattr(session.config, "workerinput"):
            self._items = session.items
            self._positions = {item: at for at, item in enumerate(session.items)}
        try:
            return (yield)
        finally:
            self._off.set()
            if self._pool is not None:
                self._pool.leave()
                self._logs.leave()

    def result(self, item: pytest.Item, run: Callable[[], Finding]) -> Worked:
        """Return what the item found: asked ahead, else asked now; its neighbours go ahead."""
        position = self._positions.get(item)
        if position is not None and self._waited >= _WAITING:
            self._fill(position)
        if (started := self._started.pop(item, None)) is not None:
            try:
                return started.worked.result()
            finally:
                self._logs.hand_over(started.logged)
        busy = time.thread_time()
        worked = self._worked(run)
        waits = worked.seconds - (time.thread_time() - busy) >= _WAITING_S
        self._waited = self._waited + 1 if waits else 0
        return worked

    def _fill(self, position: int) -> None:
        """Ask the item at ``position`` and those after it, up to one that must be alone."""
        self._logs.watch()
        self._next = max(self._next, position)
        while self._next < min(position + WINDOW, len(self._items)):
            item = self._items[self._next]
            if (task := self._task_of(item)) is None:
                return
            logged: Logged = []
            worked = self._executor().submit(partial(self._asked, task, logged))
            self._started[item] = _Started(worked, logged)
            self._next += 1

    def _executor(self) -> _Pool:
        if self._pool is None:
            self._pool = _Pool()
        return self._pool

    def _asked(self, task: Task, logged: Logged) -> Worked:
        at_once = self._hosts.setdefault(task.host, threading.Semaphore(self._in_flight))
        with at_once, kept(logged):
            return self._worked(task.run)

    def _worked(self, run: Callable[[], Finding]) -> Worked:
        started = time.monotonic()
        with calling_off(self._off):
            return Worked(run(), time.monotonic() - started)


class _Pool:
    """Threads that nobody has to wait for: a run that stops does not wait for a silent server.

    An executor's threads are waited for at the interpreter's end.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Future[Worked], Callable[[], Worked]] | None] = SimpleQueue()
        self._given: list[Future[Worked]] = []
        self._threads = 0

    def submit(self, work: Callable[[], Worked]) -> Future[Worked]:
        """Have ``work`` done by the next thread that is free."""
        future: Future[Worked] = Future()
        self._given = [one for one in self._given if not one.done()] + [future]
        self._work.put((future, work))
        if self._threads < min(WINDOW, len(self._given)):
            self._threads += 1
            threading.Thread(target=self._run, name="greenroom-asking", daemon=True).start()
        return future

    def leave(self) -> None:
        """Begin nothing more; wait a second for what has begun, and leave the rest to itself."""
        for future in self._given:
            future.cancel()
        for _ in range(self._threads):
            self._work.put(None)
        wait([one for one in self._given if not one.cancelled()], timeout=_LEAVE_S)

    def _run(self) -> None:
        while (given := self._work.get()) is not None:
            future, work = given
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                future.set_exception(error)
