"""Runs the checks of the artifact side by side, ahead of pytest's own order.

Tools wait for nobody: those of all selected checks are started when the run begins, as many at once
as there are processors, those that took longest the last time first, while pytest keeps its items,
their order and its options. A check that must be alone waits for all of them. Under xdist the
workers are what runs side by side.
"""

from __future__ import annotations

import math
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, NamedTuple

import pytest

from greenroom.plugins.programs import calling_off

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from greenroom.plugins.shared_cache import SharedCache
    from greenroom.validators.finding import Finding

NAME = "greenroom-ahead"
_LEAST = 2


class Worked(NamedTuple):
    """A check's finding and the seconds that it took."""

    finding: Finding
    seconds: float


class Ahead:
    """The pool of one run; ``task_of`` gives an item's work, or None if it cannot run ahead.

    ``times`` keeps how long each took.
    """

    def __init__(
        self,
        task_of: Callable[[pytest.Item], Callable[[], Finding] | None],
        times: SharedCache,
    ) -> None:
        self._task_of = task_of
        self._times = times
        self._started: dict[str, Future[Worked]] = {}
        self._off = threading.Event()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Start what can run ahead; call off what nobody waits for any more."""
        tasks = {item.nodeid: task for item in session.items if (task := self._task_of(item))}
        option = session.config.option
        broken = session.testsfailed and not option.continue_on_collection_errors
        idle = broken or option.collectonly or option.setuponly or option.setupplan
        if len(tasks) < _LEAST or idle or hasattr(session.config, "workerinput"):
            return (yield)
        pool = ThreadPoolExecutor(max(_LEAST, processors()), "greenroom-ahead")
        try:
            root = session.config.rootpath
            for nodeid in sorted(tasks, key=lambda nodeid: -self._took((root, nodeid))):
                key = (root, nodeid)
                self._started[nodeid] = pool.submit(self._timed, key, tasks[nodeid])
            return (yield)
        finally:
            self._off.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def result(self, item: pytest.Item, task: Callable[[], Finding]) -> Worked:
        """Return what the item's work found: the one run ahead, else run now."""
        started = self._started.pop(item.nodeid, None)
        return started.result() if started is not None else self._worked(task)

    def drain(self) -> None:
        """Wait until nothing runs any more."""
        wait(self._started.values())

    def _took(self, key: tuple[object, ...]) -> float:
        """Return the seconds that a check took the last time; of a new one nobody knows."""
        known = self._times.get(key)
        return known if isinstance(known, float) else math.inf

    def _timed(self, key: tuple[object, ...], task: Callable[[], Finding]) -> Worked:
        worked = self._worked(task)
        if not self._off.is_set():
            self._times.put(key, worked.seconds)
        return worked

    def _worked(self, task: Callable[[], Finding]) -> Worked:
        started = time.monotonic()
        with calling_off(self._off):
            return Worked(task(), time.monotonic() - started)


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
