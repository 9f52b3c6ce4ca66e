"""``*.suite.yaml`` files for pytest: one file is a collector, one check is an item."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from greenroom.plugins.asking_ahead import NAME, Asking, Task
from greenroom.plugins.function_address import is_function, shown_target
from greenroom.plugins.recording import CheckFailed, recording_of
from greenroom.plugins.settings import redactor_of, settings_of, variables_of
from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_model import HttpCheck, WorkCheck
from greenroom.plugins.suite_parser import parse_suite, proven
from greenroom.plugins.taking_part import settle
from greenroom.reports.rerun import READY_MADE
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from greenroom.plugins.client_tls import Tls
    from greenroom.plugins.suite_model import Check, StepsCheck, Suite
    from greenroom.plugins.suite_table import TableDocument
    from greenroom.plugins.target_settings import Address
    from greenroom.validators.finding import Finding
    from greenroom.validators.vocabulary import Stage

_POLLS_KEPT = 3
"""Exchanges that are recorded of a check that waits: the last ones, which its finding is about."""
_SUITES = Path(__file__).resolve().parents[1] / "suites"
"""Where the ready-made suites are."""


class SuiteFile(pytest.File):
    """One suite file; whatever is wrong with it is one collection error that shows the place."""

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path) -> SuiteFile:
        """Return the collector of ``path``; a ready-made suite is named alike on every machine."""
        found = path.resolve()
        ready = f"{READY_MADE}{found.parent.name}" if found.parents[1] == _SUITES else None
        return cls.from_parent(parent, path=path, nodeid=ready)

    def collect(self) -> Iterator[SuiteItem]:
        """Read the file and return its checks."""
        suite = self._suite()
        for check in suite.checks:
            for tag in check.tags:
                self.config.addinivalue_line("markers", f"{tag}: a tag of a suite's check")
            item = self._item(check, suite)
            if check.unmet:
                self.config.hook.pytest_deselected(items=[item])
            else:
                yield item

    def _item(self, check: Check, suite: Suite) -> SuiteItem:
        if not isinstance(check, WorkCheck):
            kind = CheckItem if isinstance(check, HttpCheck) else StepsItem
            asking_of(self.config)
            return kind.from_parent(
                self,
                name=check.name,
                check=check,
                stage=suite.stage,
                target=suite.target,
                tls=suite.tls,
            )
        from greenroom.plugins.work_items import WorkItem, pool_of  # noqa: PLC0415 - only for them

        pool_of(self.config)
        return WorkItem.from_parent(
            self,
            name=check.name,
            check=check,
            stage=check.stage,
            target=suite.target,
            tls=suite.tls,
        )

    def _suite(self) -> Suite:
        try:
            settle(self.config)
            return self._parsed()
        except SettingsError as error:
            shown = redactor_of(self.config).text(error.explain())
            raise self.CollectError(shown) from None
        except (OSError, UnicodeDecodeError) as error:
            raise self.CollectError(f"{self._shown}: cannot be read: {error}") from None

    def _parsed(self) -> Suite:
        settings = settings_of(self.config)
        variables = variables_of(self.config)
        text = self.path.read_text(encoding="utf-8")
        folder, root = self.path.parent, self.config.rootpath
        updates = self.config.getoption("greenroom_update_snapshots", default=False)
        contracts = Contracts(
            folder,
            root if self.path.is_relative_to(root) else folder,
            redactor_of(self.config) if updates else None,
        )
        tables: dict[str, TableDocument] = {}
        if settings.artifact or settings.environment:
            from greenroom.plugins.suite_table import tables_of  # noqa: PLC0415 - few have any

            tables = tables_of(settings, Contracts(root, root, contracts.snapshots))
        suite = parse_suite(text, self._shown, contracts, variables, settings.target, tables=tables)
        if settings.revision is None or suite.own_target:
            return suite
        return proven(suite, settings.revision.filled(variables))

    @property
    def _shown(self) -> Path:
        root = self.config.rootpath
        return self.path.relative_to(root) if self.path.is_relative_to(root) else self.path


class SuiteItem(pytest.Item):
    """One check of a suite: its markers, its place, its time and how its failure is shown.

    ``target`` is its suite's, empty if it has none; ``tls`` the suite's own.
    """

    declared = True

    def __init__(
        self,
        *,
        check: Check,
        stage: Stage,
        target: str,
        tls: Tls | None,
        **arguments: Any,  # noqa: ANN401 - pytest's own
    ) -> None:
        super().__init__(**arguments)
        self.check = check
        self._target = target
        self._tls = tls
        # The first marker of a kind counts: the check's kind comes before its tags.
        self.add_marker(check.kind.value)
        self.add_marker(pytest.mark.gate(check.gate.value))
        self.add_marker(pytest.mark.stage(stage.value))
        for tag in check.tags:
            if tag != check.kind.value:
                self.add_marker(tag)

    @property
    def task(self) -> Task | None:
        """What can be asked ahead of its turn, if it can."""
        return None

    @property
    def longest_s(self) -> float:
        """The seconds that this check may take at worst, at one target."""
        return self.check.longest_s

    def told(self, finding: Finding) -> Finding:
        """Return the finding, which says where a certificate was not verified."""
        tls = self._tls or settings_of(self.config).tls
        if tls is None or not (note := tls.note(self._target)):
            return finding
        return replace(finding, notes=(*finding.notes, *note))

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,  # noqa: ANN401 - pytest's own, not public
    ) -> Any:  # noqa: ANN401 - as above
        """Return the finding's text: a trace through our own code helps nobody."""
        if isinstance(excinfo.value, CheckFailed):
            path, line, _ = self.reportinfo()
            return f"{excinfo.value}\n  check: {path}:{(line or 0) + 1}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, the check's line from 0, and its name; the settings' if they hold it."""
        if self.check.line:
            return self.path, self.check.line - 1, self.name
        from greenroom.plugins.suite_table import place_in_settings  # noqa: PLC0415 - few have any

        path, line = place_in_settings(self.config, self.name)
        return path, line - 1, self.name


class AskingItem(SuiteItem):
    """One check that asks a target."""

    check: HttpCheck | StepsCheck

    @property
    def task(self) -> Task | None:
        """What can be asked ahead of its turn."""
        if self.check.serial:
            return None
        return Task(self.find, urlsplit(self._target).netloc)

    def runtest(self) -> None:
        """Ask, judge and record; raises `CheckFailed` unless the check passed."""
        recording = recording_of(self)
        worked = asking_of(self.config).result(self, self.find)
        recording.worked_s = worked.seconds
        recording.verify(worked.finding)

    @abstractmethod
    def find(self) -> Finding:
        """Return the check's finding."""

    @contextmanager
    def _client(self, record: Callable[[dict[str, Any]], None]) -> Iterator[httpx.Client]:
        from greenroom.plugins.http import Limits, client  # noqa: PLC0415 - not at collection
        from greenroom.plugins.target import connections_of  # noqa: PLC0415 - as above

        redactor = redactor_of(self.config)
        limits = Limits(self.check.timeout_s, self.check.max_body)
        connections = connections_of(self.config)
        with client(self._target, connections, redactor, record, limits, tls=self._tls) as http:
            yield http


class StepsItem(AskingItem):
    """One check of several requests."""

    check: StepsCheck

    def find(self) -> Finding:
        """Return what is found step by step."""
        from greenroom.plugins.suite_flow import run_steps  # noqa: PLC0415 - not at collection

        with self._client(recording_of(self).exchanges.append) as http:
            target = shown_target(self._target)
            found = run_steps(self.check, target, http, redactor_of(self.config))
        return self.told(found)


class CheckItem(AskingItem):
    """One check of one request."""

    check: HttpCheck

    def find(self) -> Finding:
        """Return what is found of the answer, or of the answers at each target."""
        asked = self._asked_at_each if self.check.request.each_target else self._asked
        return self.told(asked(recording_of(self).exchanges.append))

    def _asked(self, record: Callable[[dict[str, Any]], None]) -> Finding:
        from greenroom.plugins.suite_run import run_check  # noqa: PLC0415 - not at collection

        kept: deque[dict[str, Any]] = deque(maxlen=_POLLS_KEPT)
        with self._client(kept.append if self.check.wait else record) as http:
            try:
                target = shown_target(self._target)
                return run_check(self.check, target, http, redactor_of(self.config))
            finally:
                for exchange in kept:
                    record(exchange)

    def _asked_at_each(self, record: Callable[[dict[str, Any]], None]) -> Finding:
        from greenroom.plugins.http import Limits, client_of  # noqa: PLC0415 - not at collection
        from greenroom.plugins.suite_targets import run_at_each  # noqa: PLC0415 - as above
        from greenroom.plugins.target import behind_of, connections_of  # noqa: PLC0415 - as above
        from greenroom.plugins.targets import ONE_PLACE  # noqa: PLC0415 - as above

        redactor = redactor_of(self.config)
        limits = Limits(self.check.timeout_s, self.check.max_body)
        connections = connections_of(self.config)

        def client_at(address: Address) -> httpx.Client:
            sender = connections.sender_at(self._target, address, self._tls)
            return client_of(sender, redactor, record, limits)

        behind = ONE_PLACE if is_function(self._target) else behind_of(self.config)
        return run_at_each(self.check, self._target, behind, client_at, redactor)


def asking_of(config: pytest.Config) -> Asking:
    """Return the pool of the run's checks that ask, made at first use."""
    if not isinstance(known := config.pluginmanager.get_plugin(NAME), Asking):
        known = Asking(_task_of, settings_of(config).in_flight)
        config.pluginmanager.register(known, NAME)
    return known


def _task_of(item: pytest.Item) -> Task | None:
    """Return what can be asked ahead; only suites' own items have it."""
    return item.task if isinstance(item, SuiteItem) else None
