"""``*.suite.yaml`` files for pytest: one file is a collector, one check is an item."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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

    from greenroom.plugins.settings import Settings
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
            return kind.from_parent(
                self, name=check.name, check=check, stage=suite.stage, target=suite.target
            )
        from greenroom.plugins.work_items import WorkItem, pool_of  # noqa: PLC0415 - only for them

        pool_of(self.config)
        return WorkItem.from_parent(
            self, name=check.name, check=check, stage=check.stage, target=suite.target
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
        tables = tables_of(settings)
        suite = parse_suite(text, self._shown, contracts, variables, settings.target, tables=tables)
        if settings.revision is None or suite.own_target:
            return suite
        return proven(suite, settings.revision.filled(variables))

    @property
    def _shown(self) -> Path:
        root = self.config.rootpath
        return self.path.relative_to(root) if self.path.is_relative_to(root) else self.path


class SuiteItem(pytest.Item):
    """One check of a suite: its markers, its place, its time and how its failure is shown."""

    def __init__(self, *, check: Check, stage: Stage, **arguments: Any) -> None:  # noqa: ANN401 - pytest's own
        super().__init__(**arguments)
        self.check = check
        # The first marker of a kind counts: the check's kind comes before its tags.
        self.add_marker(check.kind.value)
        self.add_marker(pytest.mark.gate(check.gate.value))
        self.add_marker(pytest.mark.stage(stage.value))
        for tag in check.tags:
            if tag != check.kind.value:
                self.add_marker(tag)

    @property
    def longest_s(self) -> float:
        """The seconds that this check may take at worst, at one target."""
        return self.check.longest_s

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
        """Return the file, the check's line from 0, and its name."""
        return self.path, max(self.check.line - 1, 0), self.name


class AskingItem(SuiteItem):
    """One check that asks a target."""

    check: HttpCheck | StepsCheck

    def __init__(self, *, target: str, **arguments: Any) -> None:  # noqa: ANN401 - pytest's own
        super().__init__(**arguments)
        self._target = target

    @contextmanager
    def _client(self, record: Callable[[dict[str, Any]], None]) -> Iterator[httpx.Client]:
        from greenroom.plugins.http import Limits, client  # noqa: PLC0415 - not at collection
        from greenroom.plugins.target import connections_of  # noqa: PLC0415 - as above

        redactor = redactor_of(self.config)
        limits = Limits(self.check.timeout_s, self.check.max_body)
        with client(self._target, connections_of(self.config), redactor, record, limits) as http:
            yield http


class StepsItem(AskingItem):
    """One check of several requests."""

    check: StepsCheck

    def runtest(self) -> None:
        """Ask step by step, judge and record; raises `CheckFailed` unless the check passed."""
        from greenroom.plugins.suite_flow import run_steps  # noqa: PLC0415 - not at collection

        recording = recording_of(self)
        with self._client(recording.exchanges.append) as http:
            target = shown_target(self._target)
            found = run_steps(self.check, target, http, redactor_of(self.config))
        recording.verify(found)


class CheckItem(AskingItem):
    """One check of one request."""

    check: HttpCheck

    def runtest(self) -> None:
        """Ask, judge and record; raises `CheckFailed` unless the check passed."""
        recording = recording_of(self)
        asked = self._asked_at_each if self.check.request.each_target else self._asked
        recording.verify(asked(recording.exchanges.append))

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
            sender = connections.sender_at(self._target, address)
            return client_of(sender, redactor, record, limits)

        behind = ONE_PLACE if is_function(self._target) else behind_of(self.config)
        return run_at_each(self.check, self._target, behind, client_at, redactor)


def tables_of(settings: Settings) -> dict[str, TableDocument]:
    """Return the tables of the settings that hold checks."""
    if not settings.artifact:
        return {}
    from greenroom.plugins.suite_table import TableDocument  # noqa: PLC0415 - few have any

    shown = Path(settings.where)
    return {"artifact": TableDocument(shown, "", name="artifact", table=settings.artifact)}
