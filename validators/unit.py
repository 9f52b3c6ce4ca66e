"""Judges what a test runner of any language reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.coverage import CHANGED, COVERAGE_METRICS
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.result import Level, Location, Result, fingerprint_of
from greenroom.validators.threshold import Dimension, Metric, parse_threshold
from greenroom.validators.vocabulary import Outcome
from greenroom.validators.words import few

if TYPE_CHECKING:
    from greenroom.validators.coverage import ChangedCoverage, Changes, Coverage
    from greenroom.validators.threshold import Threshold

COUNTS = ("tests", "ran", "passed", "failed", "errors", "skipped", "flaky")
UNIT_METRICS = (*COUNTS, *COVERAGE_METRICS)
_ALWAYS = tuple(map(parse_threshold, ("failed == 0", "errors == 0")))


class CaseStatus(StrEnum):
    """What became of one test case."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """It broke outside its assertions, or the error stands outside any test case."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test; ``id`` is its class (or suite) and name, ``flaky`` that it passed when run again.

    ``message`` is the first line of why it did not pass.
    """

    __test__ = False  # pytest would collect a class of this name

    id: str
    status: CaseStatus
    message: str = ""
    location: Location | None = None
    flaky: bool = False

    def to_result(self, tool: str) -> Result:
        """Return a test that failed as what its runner, ``tool``, reported."""
        return Result(
            id=self.id,
            message=self.message or self.status.value,
            level=Level.ERROR,
            severity=Level.ERROR.severity,
            tool=tool,
            location=self.location,
            fingerprint=fingerprint_of(tool, self.id),
        )


@dataclass(frozen=True, slots=True)
class TestRun:
    """All test cases of a run's reports.

    ``problems`` are why the reports cannot be trusted (cut short, stale, counts that contradict).
    """

    __test__ = False  # as above

    cases: tuple[TestCase, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ran(self) -> int:
        """How many tests were run, whatever became of them."""
        return sum(case.status is not CaseStatus.SKIPPED for case in self.cases)

    def metrics(self) -> dict[str, Metric]:
        """Return how many tests there are of each kind, resting on all of them."""
        seen = Counter(case.status for case in self.cases)
        amounts = {
            "tests": len(self.cases),
            "ran": self.ran,
            "passed": seen[CaseStatus.PASSED],
            "failed": seen[CaseStatus.FAILED],
            "errors": seen[CaseStatus.ERROR],
            "skipped": seen[CaseStatus.SKIPPED],
            "flaky": sum(case.flaky for case in self.cases),
        }
        return {
            name: Metric(amounts[name], Dimension.COUNT, max(1, len(self.cases))) for name in COUNTS
        }


@dataclass(frozen=True, slots=True)
class Ending:
    """How the runner ended; ``words`` are its last, ``status`` is negative for a signal."""

    status: int
    words: str
    ok: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class UnitRun:
    """Everything that was observed of one run of ``tool`` at ``at`` (ISO 8601, UTC)."""

    tool: str
    at: str
    tests: TestRun
    ending: Ending
    coverage: Coverage | None = None
    changes: Changes | None = None
    changed: ChangedCoverage | None = None


def judge_unit(run: UnitRun, limits: tuple[Threshold, ...] = (), min_tests: int = 1) -> Finding:
    """Judge a run: at least ``min_tests`` tests ran, one passed, and ``limits`` are met.

    ``failed == 0`` and ``errors == 0`` hold unless ``limits`` says something else of them. Reports
    that cannot be trusted, and a runner that ended otherwise than well, are errors; a run in which
    no test ran is inconclusive.
    """
    doubts = _doubts(run)
    if not run.tests.ran and not doubts:
        return _nothing_ran(run)
    metrics = run.tests.metrics()
    rules = (
        _at_least("ran", max(1, min_tests), metrics),
        _at_least("passed", 1, metrics),
        *(limit.judge(metrics) for limit in _tests_limits(limits)),
        *(_coverage_rule(run, limit) for limit in limits if limit.metric in COVERAGE_METRICS),
    )
    if not run.tests.ran:
        rules = ()  # nothing was read: a count of zero would be an invention
    return Finding.judged(
        (*rules, *doubts),
        _evidence(run),
        advice=_advice(run),
        results=_results(run),
        notes=_notes(run),
    )


def _tests_limits(limits: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
    named = {limit.metric for limit in limits}
    strict = tuple(limit for limit in _ALWAYS if limit.metric not in named)
    return strict + tuple(limit for limit in limits if limit.metric in COUNTS)


def _at_least(name: str, least: int, metrics: dict[str, Metric]) -> Rule:
    return parse_threshold(f"{name} >= {least}").judge(metrics)


def _doubts(run: UnitRun) -> tuple[Rule, ...]:
    """Return why the run could not be observed as a whole: rules that nobody can judge."""
    doubts = [Rule("test report", "whole, of this run", text, None) for text in run.tests.problems]
    if run.coverage is not None:
        doubts += [
            Rule("coverage report", "whole, of this run", text, None)
            for text in run.coverage.problems
        ]
    if run.ending.status not in run.ending.ok:
        wanted = "exit status " + " or ".join(map(str, run.ending.ok))
        doubts.append(Rule("runner", wanted, run.ending.words, None))
    return tuple(doubts)


def _nothing_ran(run: UnitRun) -> Finding:
    skipped = len(run.tests.cases)
    return Finding(
        Outcome.INCONCLUSIVE,
        expected="at least one test that runs",
        seen=f"none ran, {skipped:,} skipped" if skipped else "no test at all",
        advice="see that the runner finds the tests and that its report is the one named",
        notes=_notes(run),
    )


def _coverage_rule(run: UnitRun, limit: Threshold) -> Rule:
    if run.coverage is None:
        return Rule(limit.metric, limit.shown_limit, "no coverage report", None)
    if limit.metric != CHANGED:
        return limit.judge(run.coverage.metrics())
    if run.changes is None or run.changed is None:
        return Rule(CHANGED, limit.shown_limit, "no changes were looked for", None)
    if run.changes.problem:
        return Rule(CHANGED, limit.shown_limit, run.changes.problem, None)
    rule = limit.judge({CHANGED: run.changed.metric})
    if run.changed.lines or rule.met is not None or run.coverage.problems:
        return rule
    seen = f"no measurable line changed ({run.changes.amount:,} lines differ)"
    return Rule(CHANGED, limit.shown_limit, seen, met=True)


def _evidence(run: UnitRun) -> tuple[Evidence, ...]:
    found = [Evidence("tests run", run.tests.ran, run.tool, "", run.at)]
    if run.coverage is not None:
        lines = run.coverage.lines
        found.append(Evidence("lines measured", lines, run.coverage.form, "", run.at))
    if run.changes is not None and not run.changes.problem:
        found.append(Evidence("lines changed", run.changes.amount, "git", "", run.at))
    return tuple(found)


def _results(run: UnitRun) -> tuple[Result, ...]:
    bad = (CaseStatus.FAILED, CaseStatus.ERROR)
    return tuple(case.to_result(run.tool) for case in run.tests.cases if case.status in bad)


def _advice(run: UnitRun) -> str:
    if run.tests.problems or (run.coverage is not None and run.coverage.problems):
        return "only a whole report that this run has written counts: have the runner write it anew"
    if run.ending.status in run.ending.ok or _results(run):
        return ""
    return "the report alone cannot say why the runner ended so: read its last words"


def _notes(run: UnitRun) -> tuple[str, ...]:
    notes = list(run.tests.notes)
    flaky = [case.id for case in run.tests.cases if case.flaky]
    if flaky:
        notes.append(f"{len(flaky):,} passed only when run again: {few(flaky)}")
    if run.coverage is not None:
        notes += run.coverage.notes
    if run.changed is not None and run.changed.unmeasured:
        absent = [f"{name} ({lines} lines)" for name, lines in run.changed.unmeasured]
        notes.append(f"changed, but not in the coverage report: {few(absent)}")
    return tuple(notes)
