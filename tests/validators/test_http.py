from __future__ import annotations

import pytest

from greenroom.validators.http import (
    Answer,
    StatusSet,
    Violation,
    judge_header,
    judge_schema,
    judge_status,
    judge_time,
)
from greenroom.validators.json_values import Expectation, Operator
from greenroom.validators.threshold import parse_threshold

ANSWER = Answer(
    status=204,
    headers=(("vary", "accept"), ("x-a", "1"), ("vary", "origin")),
    body=b"",
    elapsed_s=0.5,
)


@pytest.mark.parametrize(
    ("accepted", "met"),
    [
        (StatusSet(codes=frozenset({200})), False),
        (StatusSet(classes=frozenset({3})), False),
        (StatusSet(), False),
        (StatusSet(codes=frozenset({204, 404})), True),
        (StatusSet(classes=frozenset({2, 4})), True),
    ],
    ids=["another-code", "another-class", "none", "the-code", "the-class"],
)
def test_a_status_must_be_accepted(accepted: StatusSet, met: bool) -> None:  # noqa: FBT001 - a case
    rule = judge_status(accepted, ANSWER)
    assert rule.met is met
    assert rule.observed == "204"


def test_accepted_statuses_read_in_order() -> None:
    accepted = StatusSet(frozenset({404, 301}), frozenset({2}))
    assert str(accepted) == "301 or 404 or 2xx"


@pytest.mark.parametrize(
    ("limit", "met"),
    [("time < 500ms", False), ("time <= 500ms", True), ("time < 2s", True)],
    ids=["at-the-limit", "at-an-inclusive-limit", "under"],
)
def test_a_time_is_compared_with_its_limit(limit: str, met: bool) -> None:  # noqa: FBT001 - a case
    assert judge_time(parse_threshold(limit), ANSWER).met is met


def test_a_repeated_header_is_judged_as_one_list() -> None:
    rule = judge_header("Vary", Expectation(Operator.EQUALS, "accept, origin"), ANSWER)
    assert rule.met is True
    assert rule.rule == "header vary"


def test_an_absent_header_meets_only_its_absence() -> None:
    assert judge_header("x-b", Expectation(Operator.CONTAINS, ""), ANSWER).met is False
    assert judge_header("x-b", Expectation(Operator.EXISTS, argument=False), ANSWER).met is True


def test_a_document_without_violations_is_valid() -> None:
    rule = judge_schema("a.schema.json", ())
    assert (rule.met, rule.limit, rule.observed) == (True, "a.schema.json", "valid")


def test_the_first_violations_are_shown_and_the_rest_counted() -> None:
    rule = judge_schema("s", [Violation(f"/{n}", "is wrong") for n in range(7)])
    assert rule.met is False
    assert rule.observed.startswith("/0: is wrong; /1")
    assert rule.observed.endswith("and 2 more")


def test_a_violation_of_the_whole_document_says_so() -> None:
    assert str(Violation("", "is no object")) == "(root): is no object"
