from __future__ import annotations

from dataclasses import replace

import pytest

from greenroom.validators.result import Level, Location, Result, State
from greenroom.validators.static import METRICS, StaticFacts, judge_static, with_known
from greenroom.validators.threshold import parse_threshold
from greenroom.validators.vocabulary import Outcome

CLEAN = StaticFacts("lint", "1.2", (), 3, "files", "2026-01-01T00:00:00+00:00")


def result(level: Level, *, state: State = State.OPEN, fingerprint: str = "f") -> Result:
    place = Location("a.py", 1)
    return Result(
        "R1", "wrong", level, level.severity, "lint", place, fingerprint=fingerprint, state=state
    )


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        pytest.param(CLEAN, Outcome.PASSED, id="clean"),
        pytest.param(replace(CLEAN, examined=0), Outcome.INCONCLUSIVE, id="nothing-examined"),
        pytest.param(replace(CLEAN, results=(result(Level.ERROR),)), Outcome.FAILED, id="error"),
        pytest.param(
            replace(CLEAN, results=(result(Level.WARNING),)), Outcome.FAILED, id="warning"
        ),
        pytest.param(replace(CLEAN, results=(result(Level.NOTE),)), Outcome.PASSED, id="note"),
        pytest.param(
            replace(CLEAN, results=(result(Level.ERROR, state=State.KNOWN),)),
            Outcome.PASSED,
            id="known",
        ),
        pytest.param(
            replace(CLEAN, examined=0, results=(result(Level.ERROR, state=State.WAIVED),)),
            Outcome.INCONCLUSIVE,
            id="waived-of-nothing",
        ),
        pytest.param(
            replace(CLEAN, examined=0, results=(result(Level.ERROR),)),
            Outcome.FAILED,
            id="error-of-nothing",
        ),
        pytest.param(replace(CLEAN, problems=("crash",)), Outcome.ERROR, id="problem"),
        pytest.param(
            replace(CLEAN, examined=0, problems=("crash",)), Outcome.ERROR, id="problem-of-nothing"
        ),
        pytest.param(
            replace(CLEAN, problems=("crash",), results=(result(Level.ERROR),)),
            Outcome.FAILED,
            id="problem-and-error",
        ),
    ],
)
def test_the_strict_judgement(facts: StaticFacts, outcome: Outcome) -> None:
    assert judge_static(facts).outcome is outcome


def test_a_limit_of_ones_own_holds_alone() -> None:
    facts = replace(CLEAN, results=(result(Level.ERROR),))
    assert judge_static(facts, [parse_threshold("total <= 1")]).outcome is Outcome.PASSED


def test_many_problems_are_counted() -> None:
    finding = judge_static(replace(CLEAN, problems=tuple("abcde")))
    assert finding.seen == "the tool's own problems a; b; c; and 2 more"


def test_every_level_and_severity_is_a_metric() -> None:
    assert {"error", "warning", "note", "critical", "total", "waived", "known"} <= set(METRICS)


def test_a_baseline_marks_what_is_known_and_notes_what_is_fixed() -> None:
    given = (result(Level.ERROR), result(Level.ERROR, fingerprint="new"))
    results, notes = with_known(given, {"f": "R1 in a.py", "gone": "R2 in b.py"})
    assert [one.state for one in results] == [State.KNOWN, State.OPEN]
    assert notes == ("fixed: R2 in b.py is in the baseline and occurs no longer: remove it there",)
