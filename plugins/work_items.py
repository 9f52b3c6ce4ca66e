"""The pytest item of a check that is no plain request: it observes by its own means, and judges."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from greenroom.plugins.ahead import NAME, Ahead
from greenroom.plugins.asking_ahead import Task
from greenroom.plugins.recording import recording_of
from greenroom.plugins.settings import redactor_of, settings_of
from greenroom.plugins.shared_cache import SharedCache
from greenroom.plugins.suite_items import SuiteItem, asking_of
from greenroom.plugins.workplace import Site, Workplace, cache_folder
from greenroom.validators.errors import GreenroomError
from greenroom.validators.finding import Finding
from greenroom.validators.vocabulary import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from greenroom.plugins.suite_model import WorkCheck

_LOG = logging.getLogger(__name__)
_REPORT_IT = "please report it: this is no fault of what is examined"


class WorkItem(SuiteItem):
    """One check that does its own work."""

    check: WorkCheck

    def runtest(self) -> None:
        """Observe, judge and record; raises `CheckFailed` unless the check passed."""
        recording = recording_of(self)
        if self.check.stage is Stage.ENVIRONMENT:
            worked = asking_of(self.config).result(self, self.find)
        else:
            ahead = pool_of(self.config)
            if self.check.work.alone:
                ahead.drain()
            worked = ahead.result(self, self.find)
        recording.worked_s = worked.seconds
        recording.verify(worked.finding)

    @property
    def task(self) -> Task | None:
        """What looks at an environment can be run ahead of its turn, unless it must be alone."""
        asks = self.check.stage is Stage.ENVIRONMENT and not self.check.work.alone
        return Task(self.find, urlsplit(self._target).netloc) if asks else None

    def find(self) -> Finding:
        """Return the check's finding; what could not be observed is *error*."""
        try:
            found = self.check.work.run(self._workplace())
            return self.told(found) if recording_of(self).exchanges else found
        except GreenroomError as error:
            return Finding(Outcome.ERROR, "the check to run", str(error), advice=error.hint)
        except Exception as error:  # noqa: BLE001 - whatever breaks is no miss of what is examined
            _LOG.exception("the check %s broke", self.name)
            told = f"Greenroom itself failed: {type(error).__name__}: {error}"
            return Finding(Outcome.ERROR, "the check to run", told, advice=_REPORT_IT)

    def _workplace(self) -> Workplace:
        place = Workplace.of_process(
            self.config.rootpath,
            self.check.timeout_s,
            redactor_of(self.config),
            settings_of(self.config).tool_tables,
        )
        environment = self.check.stage is Stage.ENVIRONMENT
        return replace(place, here=self._site()) if environment else place

    def _site(self) -> Site:
        from greenroom.plugins.target import connections_of  # noqa: PLC0415 - environments only

        return Site(
            target=self._target,
            connections=connections_of(self.config),
            redactor=redactor_of(self.config),
            record=recording_of(self).exchanges.append,
            allow=settings_of(self.config).allow,
            tls=self._tls,
        )


def pool_of(config: pytest.Config) -> Ahead:
    """Return the run's pool, made at first use."""
    if not isinstance(known := config.pluginmanager.get_plugin(NAME), Ahead):
        known = Ahead(_task_of, SharedCache(cache_folder(os.environ) / "durations"))
        config.pluginmanager.register(known, NAME)
    return known


def _task_of(item: pytest.Item) -> Callable[[], Finding] | None:
    if not isinstance(item, WorkItem) or item.check.work.alone:
        return None
    return item.find if item.check.stage is Stage.ARTIFACT else None
