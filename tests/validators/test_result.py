from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.validators.result import (
    Level,
    Location,
    Package,
    Result,
    Severity,
    State,
    count_metrics,
    fingerprint_of,
    worst_first,
)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
NAMES = st.sampled_from(["CVE-1", "CVE-2", "S101", "x"])
LOCATIONS = st.builds(Location, NAMES, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
PACKAGES = st.builds(Package, NAMES, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
RESULTS = st.builds(
    Result,
    id=NAMES,
    message=TEXTS,
    level=st.sampled_from(Level),
    severity=st.sampled_from(Severity),
    tool=TEXTS,
    location=st.none() | LOCATIONS,
    package=st.none() | PACKAGES,
    link=TEXTS,
    score=st.none() | st.floats(0, 10),
    advice=TEXTS,
    fingerprint=TEXTS,
    state=st.sampled_from(State),
    why=TEXTS,
)


def result(**changes: Any) -> Result:  # noqa: ANN401 - any field of a result
    facts: dict[str, Any] = {
        "id": "CVE-1",
        "message": "overflow",
        "level": Level.ERROR,
        "severity": Severity.HIGH,
        "tool": "trivy",
    }
    return Result(**facts | changes)


def _score(one: Result) -> float:
    return one.severity.least_score if one.score is None else one.score


def test_a_critical_result_without_a_score_is_no_zero() -> None:
    found = count_metrics([result(severity=Severity.CRITICAL)], 1)
    assert found["max_score"].value == 9


@given(RESULTS)
def test_a_result_survives_the_record(one: Result) -> None:
    assert Result.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize("field", ["id", "message", "level", "severity", "tool", "state"])
def test_a_record_without_a_fact_is_refused(field: str) -> None:
    data = result().to_json()
    del data[field]
    with pytest.raises(KeyError, match=field):
        Result.from_json(data)


@given(st.lists(RESULTS, max_size=12), st.integers(0, 99))
def test_every_result_is_counted_once(results: list[Result], examined: int) -> None:
    counted = count_metrics(results, examined)
    counts = {name: metric.value for name, metric in counted.items()}
    open_ones = [one for one in results if one.state is State.OPEN]
    assert counts["total"] == len(open_ones)
    assert counts["total"] + counts["waived"] + counts["known"] == len(results)
    assert sum(counts[severity] for severity in Severity) == counts["total"]
    assert sum(counts[level] for level in Level) == counts["total"]
    assert sum(counts[f"fixable_{severity}"] for severity in Severity) == counts["fixable"]
    assert counts["fixable"] == sum(one.fixable for one in open_ones)
    assert counts["max_score"] == max(map(_score, open_ones), default=0)
    assert {metric.samples for metric in counted.values()} == {examined}


@given(st.lists(RESULTS, max_size=12), st.randoms())
def test_the_worst_comes_first_whatever_the_order(results: list[Result], random: Any) -> None:  # noqa: ANN401 - random.Random
    ordered = worst_first(results)
    ranks = [(list(State).index(one.state), list(Severity).index(one.severity)) for one in ordered]
    assert ranks == sorted(ranks)
    shuffled = random.sample(results, len(results))
    assert [str(one) for one in worst_first(ordered)] == [str(one) for one in ordered]
    assert sorted(map(str, worst_first(shuffled))) == sorted(map(str, results))


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        (10, "critical"),
        (9, "critical"),
        (8.9, "high"),
        (7, "high"),
        (6.9, "medium"),
        (4, "medium"),
        (3.9, "low"),
        (0, "low"),
    ],
)
def test_a_score_has_its_severity(score: float, severity: str) -> None:
    assert Severity.of_score(score) == severity


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        ("critical", "error"),
        ("high", "error"),
        ("medium", "warning"),
        ("unknown", "warning"),
        ("low", "note"),
    ],
)
def test_a_severity_has_its_level(severity: str, level: str) -> None:
    assert Severity(severity).level == level


def test_a_level_given_alone_keeps_its_weight() -> None:
    assert all(level.severity.level is level for level in Level)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "high CVE-1: overflow"),
        ({"location": Location("a.py", 3, 7)}, "high CVE-1 in a.py:3:7: overflow"),
        ({"location": Location("a.py")}, "high CVE-1 in a.py: overflow"),
        ({"package": Package("zlib", "1.2")}, "high CVE-1 in zlib 1.2: overflow"),
        ({"package": Package("z", "1", "2")}, "high CVE-1 in z 1, fixed in 2: overflow"),
        ({"message": "two\n  lines"}, "high CVE-1: two lines"),
        ({"message": "x" * 100_000}, f"high CVE-1: {'x' * 300} …"),
    ],
    ids=["nowhere", "place", "file", "package", "fixable", "lines", "long"],
)
def test_a_result_says_where_and_what(changes: dict[str, Any], text: str) -> None:
    assert str(result(**changes)) == text


def test_a_fingerprint_tells_its_parts_apart() -> None:
    prints = [fingerprint_of("a", "bc"), fingerprint_of("ab", "c"), fingerprint_of("a", "bc", "")]
    assert len(set(prints)) == 3
    assert fingerprint_of("a", "bc") == prints[0]
    assert len(fingerprint_of("\ud800")) == 16
