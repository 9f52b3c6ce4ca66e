"""The pytest item of a check that is no plain request: it observes by its own means, and judges."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.ahead import NAME, Ahead
from greenroom.plugins.recording import recording_of
from greenroom.plugins.settings import redactor_of, settings_of
from greenroom.plugins.shared_cache import SharedCache
from greenroom.plugins.suite_items import SuiteItem
from greenroom.plugins.workplace import Site, Workplace
from greenroom.validators.errors import GreenroomError
from greenroom.validators.finding import Finding
from greenroom.validators.vocabulary import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from greenroom.plugins.suite_model import WorkCheck


class WorkItem(SuiteItem):
    """One check that does its own work; ``target`` is its suite's, empty if it has none."""

    check: WorkCheck

    def __init__(self, *, target: str, **arguments: Any) -> None:  # noqa: ANN401 - pytest's own
        super().__init__(**arguments)
        self._target = target

    def runtest(self) -> None:
        """Observe, judge and record; raises `CheckFailed` unless the check passed."""
        ahead = pool_of(self.config)
        if self.check.work.alone:
            ahead.drain()
        recording = recording_of(self)
        worked = ahead.result(self, self.find)
        recording.worked_s = worked.seconds
        recording.verify(worked.finding)

    def find(self) -> Finding:
        """Return the check's finding; what could not be observed is *error*."""
        try:
            return self.check.work.run(self._workplace())
        except GreenroomError as error:
            return Finding(Outcome.ERROR, "something to examine", str(error), advice=error.hint)

    def _workplace(self) -> Workplace:
        return Workplace(
            root=self.config.rootpath,
            environ=os.environ,
            until=time.monotonic() + self.check.timeout_s,
            cache=cache_folder(os.environ),
            redactor=redactor_of(self.config),
            today=datetime.now(UTC).date(),
            tables=settings_of(self.config).tool_tables,
            here=self._site() if self.check.stage is Stage.ENVIRONMENT else None,
        )

    def _site(self) -> Site:
        from greenroom.plugins.target import connections_of  # noqa: PLC0415 - environments only

        return Site(
            target=self._target,
            connections=connections_of(self.config),
            redactor=redactor_of(self.config),
            record=recording_of(self).exchanges.append,
            allow=settings_of(self.config).allow,
        )


def pool_of(config: pytest.Config) -> Ahead:
    """Return the run's pool, made at first use."""
    if not isinstance(known := config.pluginmanager.get_plugin(NAME), Ahead):
        known = Ahead(_task_of, SharedCache(cache_folder(os.environ) / "durations"))
        config.pluginmanager.register(known, NAME)
    return known


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where what costs time is kept: GREENROOM_CACHE, else the user's cache folder."""
    if given := environ.get("GREENROOM_CACHE"):
        return Path(given).absolute()
    home = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/tmp"), ".cache")  # noqa: S108 - no home: a cache may be lost
    return Path(home).absolute() / "greenroom"


def _task_of(item: pytest.Item) -> Callable[[], Finding] | None:
    if isinstance(item, WorkItem) and not item.check.work.alone:
        return item.find
    return None
