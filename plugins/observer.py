"""Watches tests where they run (in the only process, or in an xdist worker).

Turns each item's phases and findings into one check, redacted before anybody else sees it. A worker
attaches it as JSON to the teardown report; in the process that decides, the recorder takes it.
"""

from __future__ import annotations

import inspect
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.clean_logs import clean_handlers
from greenroom.plugins.markers import facts_of
from greenroom.plugins.recording import CheckFailed, Recording, recording_of
from greenroom.plugins.running import running
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding
from greenroom.validators.record import Check
from greenroom.validators.testing import Phase, SeenTest, Subtests, judge_test
from greenroom.validators.vocabulary import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Generator

    from greenroom.plugins.redaction import Redactor

ATTRIBUTE = "greenroom"
"""The report attribute that carries a check's JSON."""

DECLARED = "declared"
"""The attribute of items whose finding is all that there is to tell: checks of suites."""
_LOG_TAIL = 4096
_LONGEST_MESSAGE = 8192
_NO_SUBTESTS = Subtests()
_PASSED = {name: Phase(name, "passed") for name in ("setup", "call", "teardown")}
_UNREACHABLE = frozenset(
    {("httpx", "TransportError"), ("requests", "ConnectionError"), ("greenroom", "GreenroomError")}
)


class Observer:
    """Builds one check per item."""

    def __init__(self, redactor: Redactor, *, attach: bool) -> None:
        self._redactor = redactor
        self._attach = attach
        self._ready: dict[str, Check] = {}
        self._process = os.getpid()
        self._begin(None)

    def _begin(self, item: pytest.Item | None) -> None:
        self._item = item
        self._phases: dict[str, Phase] = {}
        self._durations: dict[str, float] = {}
        self._subtests: list[Phase] = []
        self._body_ended = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the markers now: one that a test adds to itself comes too late to count."""
        for item in session.items:
            facts_of(item)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Keep secrets out of the log that pytest shows or writes as it goes on."""
        clean_handlers(self._redactor)
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep secrets out of a subtest's report: it is made of one that was clean."""
        if isinstance(report, pytest.SubtestReport) and self._redactor.active:
            self._redact(report)
            text, context = self._redactor.text, report.context
            message = None if context.msg is None else text(context.msg)
            told = {name: text(value) for name, value in context.kwargs.items()}
            report.context = replace(context, msg=message, kwargs=told)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Tell functions that are no fixtures (`greenroom.expect`) which test they belong to."""
        with running(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Note the end of the body: the next report of a call is the test's own."""
        try:
            return (yield)
        finally:
            self._body_ended = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note the phase; at teardown, attach the check."""
        report = yield
        if item is not self._item or "teardown" in self._phases:
            self._begin(item)
        if self._redactor.active:
            self._redact(report)
        phase = _phase(item, call, report)
        if call.when == "call" and not self._body_ended:
            self._subtests.append(phase)  # fixtures can have some, too
            return report
        self._body_ended = False
        self._phases[call.when] = phase
        self._durations[call.when] = report.duration
        if call.when == "teardown":
            self._hand_over(self._check(item, report), report)
        return report

    def take(self, report: pytest.TestReport) -> Check | None:
        """Return the check that a teardown report brings, once."""
        if (data := getattr(report, ATTRIBUTE, None)) is not None:
            return Check.from_json(data)
        # Only then: a rerun's earlier attempts leave a check, too, that nobody may take.
        return self._ready.pop(report.nodeid, None) if report.when == "teardown" else None

    def _hand_over(self, check: Check, report: pytest.TestReport) -> None:
        if os.getpid() != self._process:
            return  # a child that a test forked and let run on cannot answer for the test
        if self._redactor.active or self._attach:
            data = self._redactor.value(check.to_json())
            if self._attach:
                setattr(report, ATTRIBUTE, data)
                return
            check = Check.from_json(data)
        self._ready[report.nodeid] = check

    def _check(self, item: pytest.Item, report: pytest.TestReport) -> Check:
        marked = facts_of(item)
        recording = recording_of(item)
        facts = SeenTest(
            phases=tuple(self._phases.values()),
            findings=tuple(recording.findings),
            subtests=_subtests(item, self._subtests),
            examined=_examined(recording, report.start),
            target_unused=recording.target_requested and not recording.exchanges,
            unjudged=tuple(recording.unjudged.values()),
            unexamined=marked.stage is Stage.ENVIRONMENT and recording.is_empty,
            declared=getattr(item, DECLARED, False),
        )
        finding = judge_test(facts)
        if finding.outcome is Outcome.PASSED and _never_ran(item):
            finding = Finding(Outcome.INCONCLUSIVE, "a body that runs", "its body was never run")
        if marked.problem:
            finding = Finding(Outcome.ERROR, "markers that mean something", marked.problem)
        quiet = all(phase.outcome == "passed" for phase in self._phases.values())
        return Check(
            id=item.nodeid,
            name=item.name,
            kind=marked.kind,
            stage=marked.stage,
            gate=marked.gate,
            finding=finding,
            duration_s=max(sum(self._durations.values()), recording.worked_s),
            source=marked.source,
            tags=marked.tags,
            skipped=facts.skipped,
            exchanges=(*recording.exchanges, *recording.own, *recording.served),
            log="" if quiet else _log_tail(report),
        )

    def _redact(self, report: pytest.TestReport) -> None:
        """Keep secrets out of what pytest itself prints and writes of a test."""
        text = self._redactor.text
        report.sections = [(name, text(content)) for name, content in report.sections]
        if hasattr(report, "wasxfail"):
            report.wasxfail = text(report.wasxfail)
        if isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (path, line, text(reason))
        elif report.longrepr is not None:
            shown = str(report.longrepr)
            if (clean := text(shown)) != shown:
                # pytest's short summary shows the first line of a text.
                report.longrepr = f"{text(_crash_message(report))}\n{clean}"


def _subtests(item: pytest.Item, seen: list[Phase]) -> Subtests:
    """Sum up the subtests: pytest's where they were requested, unittest's where there were any."""
    requested = bool(seen) or "subtests" in getattr(item, "fixturenames", ())
    failures = tuple(s.message for s in seen if s.outcome not in {"passed", "skipped"})
    if not requested and not failures:
        return _NO_SUBTESTS
    outcomes = [subtest.outcome for subtest in seen]
    return Subtests(
        requested=True,
        passed=outcomes.count("passed"),
        skipped=outcomes.count("skipped"),
        failures=failures,
    )


def _phase(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> Phase:
    xfail = getattr(report, "wasxfail", None)
    if report.outcome == "passed" and xfail is None:
        return _PASSED[call.when]
    if xfail is not None:
        return Phase(call.when, "skipped", xfail=str(xfail))
    if report.skipped:
        return Phase(call.when, "skipped", _skip_reason(report))
    outcome = "broken" if _unobserved(item, call) else "failed"
    return Phase(call.when, outcome, _cut(_message(call, report)))


def _message(call: pytest.CallInfo[None], report: pytest.TestReport) -> str:
    """Return what a person reads first: the finding, or the exception's own text."""
    if call.excinfo is None:
        return str(report.longrepr)
    if isinstance(call.excinfo.value, CheckFailed):
        return call.excinfo.value.finding.seen
    return call.excinfo.exconly(tryshort=True) or call.excinfo.typename


def _skip_reason(report: pytest.TestReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


def _unobserved(item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
    """Tell whether the exception means that an environment could not be reached.

    Such an exception in a test of the artifact is the artifact's own.
    """
    if call.excinfo is None or facts_of(item).stage is Stage.ARTIFACT:
        return False
    if isinstance(call.excinfo.value, OSError):
        return True
    bases = type(call.excinfo.value).__mro__
    return any((base.__module__.partition(".")[0], base.__name__) in _UNREACHABLE for base in bases)


def _crash_message(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash is not None else report.longrepr).partition("\n")[0]


def _never_ran(item: pytest.Item) -> bool:
    """Tell a unittest whose body is async or a generator: calling it runs nothing."""
    case, body = getattr(item, "cls", None), getattr(item, "obj", None)
    unittest = sys.modules.get("unittest")
    if case is None or unittest is None or not issubclass(case, unittest.TestCase):
        return False
    if inspect.iscoroutinefunction(body):
        return not issubclass(case, unittest.IsolatedAsyncioTestCase)
    return inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body)


def _examined(recording: Recording, started: float) -> tuple[Evidence, ...]:
    at = _moment(started)
    body = Evidence("test body", 1, "pytest", pytest.__version__, at)
    asked = (*recording.exchanges, *recording.own)
    answered = sum(exchange.get("response") is not None for exchange in asked)
    if not answered:
        return (body, *recording.evidence)
    import httpx  # noqa: PLC0415 - a run without requests does not pay for it

    responses = Evidence("responses", answered, "httpx", httpx.__version__, at)
    return (body, responses, *recording.evidence)


def _cut(text: str) -> str:
    """Keep what a person reads: a message of megabytes would be repeated in every document."""
    if len(text) <= _LONGEST_MESSAGE:
        return text
    return f"{text[:_LONGEST_MESSAGE]}… ({len(text):,} characters in all)"


def _moment(seconds: float) -> str:
    try:
        whole, thousandths = divmod(int(seconds * 1000), 1000)
        return f"{_second(whole)}.{thousandths:03}+00:00"
    except (ValueError, OverflowError):
        return "unknown"  # a test left the clock broken


@lru_cache(maxsize=1)
def _second(whole: int) -> str:
    """Return a second of UTC as text; kept, because many tests share their second."""
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"


def _log_tail(report: pytest.TestReport) -> str:
    text = "\n".join(f"--- {name}\n{content}" for name, content in report.sections)
    return text if len(text) <= _LOG_TAIL else f"…{text[-_LOG_TAIL:]}"
