"""Records a run in the process that decides, and answers for its exit status.

Under xdist this is the controller; the workers' checks arrive on their reports.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.documents import Documents, ReportFolderError
from greenroom.plugins.markers import facts_of
from greenroom.plugins.suite_process import NO_PAGES, RUN_ID
from greenroom.validators.finding import Finding
from greenroom.validators.record import Check, RunRecord, Source
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Verdict

if TYPE_CHECKING:
    import warnings
    from collections.abc import Generator, Iterable

    from greenroom.plugins.observer import Observer
    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.settings import Settings

COULD_NOT_DECIDE = 7
"""Exit status of a run that could not decide, where pytest has none of its own (2 to 6)."""
_PHASES = frozenset({"setup", "call", "teardown"})
_NO_TESTS = 5
_RETURNED_SOMETHING = (
    "Test functions should return None",
    "deprecated to return a value that is not None from a test case",
)


class Recorder:
    """One run: what was selected, every check, every problem; at the end the verdict."""

    def __init__(
        self, config: pytest.Config, settings: Settings, redactor: Redactor, observer: Observer
    ) -> None:
        self._observer = observer
        self._config = config
        self._process = os.getpid()
        self._settings = settings
        self._redactor = redactor
        # Taken out: a pytest that the suite itself starts is another run.
        self._run_id = os.environ.pop(RUN_ID, "") or os.urandom(16).hex()
        self._started = _now()
        self._clock = monotonic()
        self._duration_s = 0.0
        self._known: RunRecord | None = None
        self._selected: list[str] = []
        self._checks: list[Check] = []
        self._times_seen: dict[str, int] = {}
        self._problems: list[str] = []
        self._running: dict[str, None] = {}
        self._deselected = 0
        self._stopped = False
        self._held = False
        self._finished = ""
        pages = not os.environ.pop(NO_PAGES, "")
        self._documents = Documents(settings.report, pages=pages) if settings.report else None
        # Only the documents show it, and the version of an installed package is slow to find.
        self._environment = _environment(config, redactor) if self._documents else {}
        self.printed = False
        self.failures = 0
        """Failed reports, counted as pytest's session counts them."""

    # What pytest tells

    def begin(self) -> None:
        """Write the unfinished record; raises `ReportFolderError`."""
        if self._documents is not None:
            self._documents.begin(self.record())
            self._event("run-started", run_id=self._run_id)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what was selected; refuse markers that mean nothing before the first test runs."""
        for item in session.items:
            if problem := facts_of(item).problem:
                self.stop(problem)
                raise pytest.UsageError(f"greenroom: {problem}")
        self.select([item.nodeid for item in session.items])

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Count what the user's selection left out."""
        self._deselected += len(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that could not be collected, or that skipped itself as a whole."""
        if report.failed:
            self.failures += 1
            self._add_problem(f"collection error in {report.nodeid}: {_cause(report)}")
        elif report.skipped:
            self._add_skipped_file(report)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note what is running, for the case that nothing more is heard of it."""
        self._running[nodeid] = None
        self._event("check-started", id=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the check off a teardown report; a phase unknown to pytest is a crash."""
        if report.failed and not hasattr(report, "wasxfail"):
            self.failures += 1
        if report.when not in _PHASES:
            self._add_crashed(report)
        elif report.when == "teardown" and (check := self._observer.take(report)) is not None:
            self._add(check, str(getattr(report, "worker_id", "")))

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, nodeid: str
    ) -> None:
        """Doubt a test that returned something: an async or generator body never ran."""
        text = str(warning_message.message)
        if nodeid and any(words in text for words in _RETURNED_SOMETHING):
            self._checks = [
                _doubted(check) if check.id == nodeid else check for check in self._checks
            ]
            self._event("check-doubted", id=nodeid, why=text)

    def pytest_internalerror(self, excrepr: object) -> None:
        """Note an error in pytest or a plugin."""
        last = str(excrepr).strip().rpartition("\n")[2]
        self.stop(f"internal error: {last}")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note who stopped the run, and during what."""
        if isinstance(excinfo.value, pytest.exit.Exception):
            self.stop(f"pytest.exit was called: {excinfo.value.msg}")
        elif isinstance(excinfo.value, pytest.Session.Interrupted):
            self.stop(f"stopped: {excinfo.value}")
        else:
            self.stop("interrupted (SIGINT)")

    # What xdist tells

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """Note what was selected: every worker collects the same."""
        if not self._selected:
            self.select(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ANN401 - xdist's
        """Note a worker that died."""
        if error:
            self._add_problem(f"worker {node.gateway.id} crashed: {error}")

    # What the guards and the plugin tell

    def select(self, ids: Iterable[str]) -> None:
        """Note the ids of the selected checks."""
        seen: Counter[str] = Counter()
        for check_id in map(self._redactor.text, ids):  # as in the checks' own ids
            seen[check_id] += 1
            self._selected.append(_numbered(check_id, seen[check_id]))
        self._event("collected", selected=len(self._selected), deselected=self._deselected)

    def stop(self, problem: str) -> None:
        """Note that the run was stopped; it will not be complete."""
        if not self._stopped:
            during = f" while running {', '.join(self._running)}" if self._running else ""
            self._stopped = True
            self._add_problem(f"{problem}{during}")

    def note(self, **facts: Any) -> None:  # noqa: ANN401 - JSON values
        """Add facts about the run's environment to the record."""
        self._environment = self._environment | facts
        self._event("noted", **facts)

    def hold(self, problem: str) -> None:
        """Note why no check is run at all: the run ends in good order, without a decision."""
        self._held = True
        self._add_problem(problem)

    def abandon(self, problem: str) -> None:
        """Write the unfinished record now: the process is about to end without another word."""
        self.stop(problem)
        if self._documents is not None:
            self._documents.close()
            self._documents.withdraw(self.record())
        plugins = self._config.pluginmanager
        reporter, capture = map(plugins.get_plugin, ("terminalreporter", "capturemanager"))
        if reporter is not None:
            with capture.global_and_fixture_disabled() if capture else nullcontext():
                words = f"greenroom: {self.verdict.words.upper()}: {self._problems[0]}"
                reporter.write_line(f"\n{words}")
                reporter.flush()

    # The end

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Decide, write, let everybody else finish, and answer for the exit status."""
        if self._is_a_fork():
            session.exitstatus = COULD_NOT_DECIDE
            yield
            return
        status = int(session.exitstatus)
        for stopped in (session.shouldfail, session.shouldstop):
            if stopped:
                self._add_problem(f"stopped early: {stopped}")
        self._finish(status, explained=session.testsfailed == self.failures)
        session.exitstatus = self._exit_status(status)
        # pytest overwrites the status when a later hook calls pytest.exit: this comes after that.
        self._config.add_cleanup(partial(self._answer, session, status))
        try:
            yield
        except BaseException as error:
            self.stop(f"the end of the run broke: {error!r}")
            self._again(status)
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                # Of these pytest would not let us answer for the exit status.
                raise pytest.exit.Exception(repr(error), self._exit_status(status)) from error
            raise
        if int(session.exitstatus) != self._exit_status(status):
            self._again(int(session.exitstatus))

    def _is_a_fork(self) -> bool:
        """Tell a child that a test forked and let run on: the record is not its own."""
        return os.getpid() != self._process

    def _again(self, status: int) -> None:
        self._finish(status, explained=False)
        self.printed = False

    def _answer(self, session: pytest.Session, status: int) -> None:
        """Have the last word on the exit status: it can only be worse than the first."""
        if not self._is_a_fork():
            session.exitstatus = self._exit_status(int(session.exitstatus) or status)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the closing block."""
        if not self._is_a_fork():
            self._show(terminalreporter)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_unconfigure(self) -> Generator[None]:
        """Print the closing block where pytest ended without a summary; let nobody else leave."""
        try:
            yield
        except SystemExit as error:
            self.stop(f"the end of the run broke: {error!r}")
            self._again(1)
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if self._finished and not self.printed and reporter is not None:
            self._show(reporter)

    @property
    def verdict(self) -> Verdict:
        """The verdict on what is recorded so far."""
        return self.record().verdict

    def record(self) -> RunRecord:
        """Return the record of the run so far; complete only once it ended by itself."""
        made = RunRecord(
            run_id=self._run_id,
            started=self._started,
            expected=Expected(
                checks=tuple(self._selected),
                kinds=self._settings.expected_kinds,
                stages=self._settings.expected_stages,
            ),
            checks=tuple(self._checks),
            problems=tuple(self._problems),
            complete=bool(self._finished) and not self._stopped,
            finished=self._finished,
            duration_s=self._duration_s,
            release=self._redactor.value(self._settings.release),
            environment=self._environment | {"deselected": self._deselected},
        )
        if made != self._known:
            self._known = made
        return self._known

    def answer_unstarted(self) -> None:
        """End with a status of our own where pytest ended in good order without having begun."""
        if not self._finished and not self._is_a_fork() and sys.exc_info()[0] is None:
            raise SystemExit(COULD_NOT_DECIDE)

    def _finish(self, status: int, *, explained: bool) -> None:
        """Note what the record does not explain of pytest's exit status; write everything.

        A status of 1 is explained if pytest counted the failures that are recorded, and no more.
        """
        known = self._stopped or status in {0, _NO_TESTS} or (status == 1 and explained)
        if not known:
            self._add_problem(f"pytest ended with exit status {status}")
        self._note_drift()
        self._finished = _now()
        self._duration_s = monotonic() - self._clock
        if self._documents is not None:
            self._write(self._documents)

    def _note_drift(self) -> None:
        """Note what the contracts of the checks describe and none of the checks saw."""
        notes = [note for check in self._checks for note in check.finding.notes]
        if not any("openapi " in note for note in notes):
            return
        from greenroom.plugins.openapi_drift import drift  # noqa: PLC0415 - few runs have any

        if found := drift(notes, self._config.rootpath):
            self.note(contracts=found)

    def _write(self, documents: Documents) -> None:
        record = self.record()
        decision = record.decision()
        reasons = [reason.text for reason in decision.reasons]
        self._event("run-finished", verdict=decision.verdict.value, reasons=reasons)
        documents.close()
        try:
            documents.finish(record)
        except Exception as error:  # noqa: BLE001 - a broken document must not cost the answer
            known = isinstance(error, ReportFolderError)
            self._add_problem(str(error) if known else f"a document was not written: {error!r}")
            documents.withdraw(self.record())

    def _exit_status(self, status: int) -> int:
        """Return 0 only for *ship*; pytest's own codes for stopped and broken runs stay."""
        match self.verdict:
            case Verdict.SHIP:
                return 0
            case Verdict.DO_NOT_SHIP:
                return 1
            case Verdict.COULD_NOT_DECIDE:
                own = {0, 1, _NO_TESTS} if self._held else {0, 1}
                return COULD_NOT_DECIDE if status in own else status

    def _show(self, reporter: pytest.TerminalReporter) -> None:
        from greenroom.reports import terminal  # noqa: PLC0415 - only at the end of a run

        self.printed = True
        page = self._documents.shown if self._documents else None
        for line in terminal.closing(self.record(), str(page) if page else ""):
            reporter.write_line(line.text, **dict.fromkeys(line.styles, True))

    # What becomes of it

    def _add(self, check: Check, worker: str = "") -> None:
        self._running.pop(check.id, None)
        count = self._times_seen[check.id] = self._times_seen.get(check.id, 0) + 1
        if count > 1 or worker:
            check = replace(check, id=_numbered(check.id, count), worker=worker)
        if check.outcome is not Outcome.PASSED and self._settings.waivers:
            check = self._waived(check)
        self._checks.append(check)
        if self._documents is not None:
            self._event("check-finished", check=check.to_json())

    def _waived(self, check: Check) -> Check:
        """Put the waiver beside a check that did not pass, or say that it has expired."""
        today = datetime.now(UTC).date()
        for waiver in self._settings.waivers:
            if not waiver.covers(check.id, check.name):
                continue
            if waiver.active(today):
                return replace(check, waiver=waiver)
            expired = f"its waiver expired on {waiver.expires}: fix it or renew the waiver"
            advice = "; ".join(filter(None, [check.finding.advice, expired]))
            check = replace(check, finding=replace(check.finding, advice=advice))
        return check

    def _add_crashed(self, report: pytest.TestReport) -> None:
        seen = self._redactor.text(str(report.longrepr))
        self._add(_unrun(report.nodeid, Outcome.ERROR, seen, "run it alone and read its output"))

    def _add_skipped_file(self, report: pytest.CollectReport) -> None:
        if report.nodeid in self._times_seen:
            return  # every worker tells it
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        reason = str(reason).removeprefix("Skipped: ")
        advice = "a skipped file proves nothing: run it, or leave it out of the selection"
        check = _unrun(report.nodeid, Outcome.INCONCLUSIVE, reason, advice)
        self._add(replace(check, skipped=reason))

    def _add_problem(self, problem: str) -> None:
        problem = self._redactor.text(problem)
        if problem not in self._problems:
            self._problems.append(problem)
            self._event("problem", problem=problem)

    def _event(self, name: str, **details: Any) -> None:  # noqa: ANN401 - JSON values
        if self._documents is not None and not self._is_a_fork():
            self._documents.event(name, _now(), **details)


def _doubted(check: Check) -> Check:
    if check.outcome is not Outcome.PASSED:
        return check
    advice = "assert what it returned; an async or generator body needs a plugin that runs it"
    expected, seen = "a body that runs to its end and returns nothing", "it returned something"
    finding = replace(
        check.finding, outcome=Outcome.INCONCLUSIVE, expected=expected, seen=seen, advice=advice
    )
    return replace(check, finding=finding)


def _unrun(nodeid: str, outcome: Outcome, seen: str, advice: str) -> Check:
    """Return the check of something that never came to its end; what it was is not known."""
    return Check(
        id=nodeid,
        name=nodeid.rpartition("::")[2] or nodeid,
        kind=Kind.UNIT,
        stage=Kind.UNIT.stage,
        gate=Gate.BLOCK,
        finding=Finding(outcome, "to run to its end", seen, advice=advice),
        duration_s=0.0,
        source=Source(nodeid.partition("::")[0], 1),
    )


def _numbered(check_id: str, count: int) -> str:
    """Return an id of its own for each of several items that share a node id."""
    return check_id if count == 1 else f"{check_id}#{count}"


def _cause(report: pytest.CollectReport) -> str:
    """Return the line that says why: a trace says it at its end, our own errors at their start."""
    text = getattr(report.longrepr, "longrepr", report.longreprtext)
    lines = [line for line in str(text).splitlines() if line.strip()]
    if not lines:
        return "no message"
    traced = any(line.startswith(("E ", "Traceback")) for line in lines)
    return lines[-1 if traced else 0].removeprefix("E").strip()


def _environment(config: pytest.Config, redactor: Redactor) -> dict[str, Any]:
    system = os.uname()
    arguments = [redactor.url(str(argument)) for argument in config.invocation_params.args]
    return {
        "greenroom": version("greenroom"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "pytest": pytest.__version__,
        "platform": f"{system.sysname} {system.release} {system.machine}",
        "command": redactor.text(shlex.join(["pytest", *arguments])),
        "root": str(config.rootpath),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
