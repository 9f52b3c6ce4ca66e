"""The judgement of a run of unit tests, and of what its coverage measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from greenroom.validators.coverage import ChangedCoverage, Changes, Coverage, FileCoverage
from greenroom.validators.coverage import measure_changes as measure
from greenroom.validators.threshold import parse_threshold
from greenroom.validators.unit import CaseStatus, Ending, TestCase, TestRun, UnitRun, judge_unit
from greenroom.validators.vocabulary import Outcome

FILE = FileCoverage("a.py", frozenset({1, 2, 3}), frozenset({4}), 4, 1)
COVERAGE = Coverage("lcov", (FILE,))
CHANGED = parse_threshold("changed_coverage >= 90%")


def run(*statuses: CaseStatus, problems: tuple[str, ...] = (), status: int = 0) -> UnitRun:
    cases = tuple(TestCase(f"t{number}", one) for number, one in enumerate(statuses))
    return UnitRun("jest", "", TestRun(cases, problems), Ending(status, f"exit status {status}"))


@pytest.mark.parametrize(
    ("observed", "outcome"),
    [
        pytest.param(run(), Outcome.INCONCLUSIVE, id="nothing"),
        pytest.param(run(CaseStatus.SKIPPED), Outcome.INCONCLUSIVE, id="all-skipped"),
        pytest.param(run(status=-9), Outcome.ERROR, id="nothing-and-killed"),
        pytest.param(run(problems=("cut short",)), Outcome.ERROR, id="unreadable"),
        pytest.param(run(CaseStatus.PASSED, problems=("stale",)), Outcome.ERROR, id="stale"),
        pytest.param(run(CaseStatus.PASSED, status=1), Outcome.ERROR, id="green-but-exit-1"),
        pytest.param(run(CaseStatus.FAILED, status=1), Outcome.FAILED, id="red"),
        pytest.param(run(CaseStatus.FAILED, problems=("stale",)), Outcome.FAILED, id="red-stale"),
        pytest.param(run(CaseStatus.ERROR), Outcome.FAILED, id="broken"),
        pytest.param(run(CaseStatus.PASSED, CaseStatus.SKIPPED), Outcome.PASSED, id="green"),
    ],
)
def test_only_tests_that_ran_and_reports_that_hold_pass(
    observed: UnitRun, outcome: Outcome
) -> None:
    assert judge_unit(observed).outcome is outcome


def test_a_limit_of_failures_does_not_excuse_that_nothing_passed() -> None:
    finding = judge_unit(run(CaseStatus.FAILED), (parse_threshold("failed <= 1"),))
    assert finding.seen == "passed 0 (n=1)"


def test_flaky_tests_are_named_and_can_be_limited() -> None:
    flaky = tuple(TestCase(f"t{number}", CaseStatus.PASSED, flaky=True) for number in range(7))
    observed = replace(run(), tests=TestRun(flaky))
    finding = judge_unit(observed, (parse_threshold("flaky == 0"),))
    assert finding.outcome is Outcome.FAILED
    assert finding.notes == ("7 passed only when run again: t0, t1, t2, t3, t4 and 2 more",)


@pytest.mark.parametrize(
    ("coverage", "limit", "seen"),
    [
        pytest.param(COVERAGE, "coverage >= 80%", "failed: coverage 75 % (n=4)", id="lines"),
        pytest.param(COVERAGE, "branch_coverage >= 80%", "failed: ", id="branches"),
        pytest.param(COVERAGE, "coverage >= 75%", "passed: ", id="enough"),
        pytest.param(Coverage("lcov"), "coverage >= 0%", "error: coverage no samples", id="none"),
        pytest.param(None, "coverage >= 0%", "error: coverage no coverage report", id="absent"),
        pytest.param(COVERAGE, "changed_coverage >= 0%", "error: changed_cov", id="no-changes"),
        pytest.param(
            replace(COVERAGE, problems=("stale",)),
            *("coverage >= 0%", "error: coverage report stale"),
            id="stale",
        ),
    ],
)
def test_coverage_is_judged_on_lines_that_there_are(
    coverage: Coverage | None, limit: str, seen: str
) -> None:
    observed = replace(run(CaseStatus.PASSED), coverage=coverage)
    finding = judge_unit(observed, (parse_threshold(limit),))
    assert f"{finding.outcome.value}: {finding.seen}".startswith(seen)


@pytest.mark.parametrize(
    ("lines", "unmeasured", "covered"),
    [
        ({"a.py": {3, 4, 9}}, (), ChangedCoverage(1, 2)),
        ({"a.py": {9}, "b.md": {1}}, (), ChangedCoverage(0, 0)),
        ({"a.py": {1}, "b.py": {1, 2}}, ("b.py",), ChangedCoverage(1, 3, (("b.py", 2),))),
        ({"b.py": set[int]()}, ("b.py",), ChangedCoverage(0, 0)),
    ],
    ids=["some-ran", "none-measurable", "a-file-in-no-report", "an-empty-file"],
)
def test_changed_lines_are_matched_with_measured_ones(
    lines: dict[str, set[int]], unmeasured: tuple[str, ...], covered: ChangedCoverage
) -> None:
    changes = Changes("main", {name: frozenset(numbers) for name, numbers in lines.items()})
    assert measure(COVERAGE, changes, unmeasured) == covered


@pytest.mark.parametrize(
    ("coverage", "changes", "met", "seen"),
    [
        (COVERAGE, Changes("main", {}), True, "no measurable line changed (0 lines differ)"),
        (replace(COVERAGE, problems=("stale",)), Changes("main", {}), None, "no samples"),
        (COVERAGE, Changes("main", {}, "no base"), None, "no base"),
    ],
    ids=["unchanged", "report-in-doubt", "no-diff"],
)
def test_no_changed_line_is_met_only_where_the_diff_and_the_report_hold(
    coverage: Coverage,
    changes: Changes,
    met: bool | None,  # noqa: FBT001 - a parameter of the cases
    seen: str,
) -> None:
    changed = measure(coverage, changes, ())
    observed = replace(run(CaseStatus.PASSED), coverage=coverage, changes=changes, changed=changed)
    rule = next(one for one in judge_unit(observed, (CHANGED,)).rules if one.rule == CHANGED.metric)
    assert (rule.met, rule.observed) == (met, seen)
