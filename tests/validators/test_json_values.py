from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.validators.json_diff import same
from greenroom.validators.json_values import (
    Expectation,
    JsonType,
    Operator,
    judge_values,
    printable,
    show,
    type_of,
)
from greenroom.validators.threshold import parse_threshold

LENGTH_4 = parse_threshold("length == 4")
SOME = parse_threshold("count >= 1")
WORD = re.compile("[a-z]+")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)

MET = {
    "equals": (Operator.EQUALS, {"a": [1, None]}, {"a": [1.0, None]}),
    "one-of": (Operator.ONE_OF, [1, "b"], "b"),
    "type": (Operator.TYPE, JsonType.STRING, "x"),
    "integer-is-a-number": (Operator.TYPE, JsonType.NUMBER, 3),
    "whole-double-is-an-integer": (Operator.TYPE, JsonType.INTEGER, 3.0),
    "length-of-a-text": (Operator.LENGTH, LENGTH_4, "four"),
    "length-of-a-list": (Operator.LENGTH, LENGTH_4, [1, 2, 3, 4]),
    "length-of-an-object": (Operator.LENGTH, LENGTH_4, dict.fromkeys("abcd")),
    "text-contains": (Operator.CONTAINS, "el", "hello"),
    "list-contains": (Operator.CONTAINS, {"a": 1}, [0, {"a": 1}]),
    "object-contains": (Operator.CONTAINS, {"a": 1}, {"a": 1, "b": 2}),
    "matches": (Operator.MATCHES, WORD, "word"),
    "at-least": (Operator.AT_LEAST, 3, 3),
    "at-most": (Operator.AT_MOST, 3.5, 3),
    "between": (Operator.BETWEEN, (1, 3), 3.0),
    "unordered": (Operator.UNORDERED, [1, {"a": [2]}, 1], [{"a": [2.0]}, 1, 1]),
    "unordered-nothing": (Operator.UNORDERED, [], []),
    "none-of": (Operator.NONE_OF, [1, "a"], "b"),
    "not": (
        Operator.NOT,
        (Expectation(Operator.EQUALS, 1), Expectation(Operator.MATCHES, WORD)),
        "A",
    ),
    "exists": (Operator.EXISTS, True, None),
    "count": (Operator.COUNT, SOME, None),
}
MISSED = {
    "equals": (Operator.EQUALS, 1, 2, "2"),
    "a-boolean-is-no-number": (Operator.EQUALS, 1, True, "true"),
    "one-of": (Operator.ONE_OF, [1, 2], 3, "3"),
    "type": (Operator.TYPE, JsonType.STRING, None, "null null"),
    "a-boolean-is-no-integer": (Operator.TYPE, JsonType.INTEGER, True, "boolean true"),
    "length": (Operator.LENGTH, LENGTH_4, [1], "length 1"),
    "a-number-has-no-length": (Operator.LENGTH, LENGTH_4, 4, "integer 4"),
    "text-lacks": (Operator.CONTAINS, "x", "hello", '"hello"'),
    "a-text-contains-no-number": (Operator.CONTAINS, 1, "1", '"1"'),
    "list-lacks": (Operator.CONTAINS, 1, [True], "[true]"),
    "a-number-contains-nothing": (Operator.CONTAINS, 1, 1, "1"),
    "only-a-part-matches": (Operator.MATCHES, WORD, "word 1", '"word 1"'),
    "a-number-matches-nothing": (Operator.MATCHES, re.compile("1"), 1, "1"),
    "below": (Operator.AT_LEAST, 3, 2, "2"),
    "above": (Operator.AT_MOST, 3, 4, "4"),
    "a-text-is-not-at-least": (Operator.AT_LEAST, 3, "9", '"9"'),
    "not-between": (Operator.BETWEEN, (1, 3), 4, "4"),
    "a-boolean-is-not-between": (Operator.BETWEEN, (0, 3), True, "true"),
    "unordered": (Operator.UNORDERED, [1, 1, 2], [1, True, 2], "missing [1], too many [true]"),
    "not-even-a-list": (Operator.UNORDERED, [1], {"0": 1}, '{"0": 1}'),
    "none-of": (Operator.NONE_OF, [1, "a"], 1.0, "1.0"),
    "not": (Operator.NOT, (Expectation(Operator.EQUALS, 1),), 1, "1"),
    "not-matches-says-nothing-of-a-number": (
        *(Operator.NOT, (Expectation(Operator.MATCHES, WORD),), 1, "1"),
    ),
    "not-contains-says-nothing-of-null": (
        *(Operator.NOT, (Expectation(Operator.CONTAINS, "a"),), None, "null"),
    ),
    "a-text-is-no-number": (
        *(Operator.EQUALS, 1.1, "1.10", '"1.10" (a text: quote what is expected)'),
    ),
    "a-number-is-no-text": (Operator.EQUALS, "1.1", 1.1, "1.1 (a number, not a text)"),
    "structures-show-where": (
        *(Operator.EQUALS, {"a": [1, 2], "b c": 0}, {"a": [1, 3, 4], "d": 0}),
        (
            "$.a[1]: expected 2, received 3; $.a[2]: expected nothing, received 4; "
            "$['b c']: expected 0, received nothing; $.d: expected nothing, received 0"
        ),
    ),
    "many-differences-are-cut": (
        *(Operator.EQUALS, [0] * 9, [1] * 9),
        "; ".join(f"$[{at}]: expected 0, received 1" for at in range(5)) + "; and more",
    ),
    "long-texts-show-where": (
        *(Operator.EQUALS, "a" * 200 + "\nb", "a" * 200 + "\nc"),
        'line 2, character 1: expected "b", received "c"',
    ),
    "long-lines-show-where-alone": (
        *(Operator.EQUALS, "a" * 200 + "b", "a" * 200 + "cd"),
        "line 1, character 201 differs",
    ),
    "exists": (Operator.EXISTS, False, "x", '"x"'),
}


@pytest.mark.parametrize(("operator", "argument", "value"), MET.values(), ids=MET.keys())
def test_an_expectation_is_met(operator: Operator, argument: Any, value: object) -> None:  # noqa: ANN401 - see `Expectation`
    assert judge_values("x", Expectation(operator, argument), (value,)).met is True


@pytest.mark.parametrize(
    ("operator", "argument", "value", "observed"), MISSED.values(), ids=MISSED.keys()
)
def test_an_expectation_is_missed_and_says_what_was_seen(
    operator: Operator,
    argument: Any,  # noqa: ANN401 - see `Expectation`
    value: object,
    observed: str,
) -> None:
    rule = judge_values("x", Expectation(operator, argument), (value,))
    assert rule.met is False
    assert rule.observed == observed


@pytest.mark.parametrize(
    "operator", [one for one in Operator if one not in {Operator.EXISTS, Operator.COUNT}]
)
def test_no_selected_value_meets_nothing(operator: Operator) -> None:
    argument = next(item[1] for item in MET.values() if item[0] is operator)
    rule = judge_values("x", Expectation(operator, argument), ())
    assert rule.met is False
    assert rule.observed == "nothing selected"


@pytest.mark.parametrize(
    ("expectation", "limit"),
    [
        (Expectation(Operator.EXISTS, argument=False), "does not exist"),
        (Expectation(Operator.COUNT, parse_threshold("count == 0")), "count == 0"),
    ],
    ids=["exists-false", "count-zero"],
)
def test_absence_can_be_expected_by_name(expectation: Expectation, limit: str) -> None:
    rule = judge_values("x", expectation, ())
    assert rule.met is True
    assert rule.limit == limit


def test_every_value_must_meet_and_the_failing_ones_are_shown() -> None:
    rule = judge_values("x", Expectation(Operator.AT_LEAST, 3), (5, 1, 2, 3, 0, -1))
    assert rule.met is False
    assert rule.observed == "1, 2, 0, … (4 of 6 values)"


def test_values_that_all_meet_are_shown_briefly() -> None:
    rule = judge_values("x", Expectation(Operator.TYPE, JsonType.INTEGER), (1, 2))
    assert (rule.met, rule.observed) == (True, "integer 1, integer 2")


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_has_a_limit_that_reads(operator: Operator) -> None:
    argument = next(item[1] for item in MET.values() if item[0] is operator)
    assert Expectation(operator, argument).limit.split()[0] in {
        operator.value,
        operator.value.partition("_")[0],
    }


@given(json_values)
def test_a_value_is_the_same_as_itself_and_has_a_type(value: object) -> None:
    assert same(value, value)
    assert judge_values("x", Expectation(Operator.EQUALS, value), (value,)).met
    assert judge_values("x", Expectation(Operator.TYPE, type_of(value)), (value,)).met


@given(json_values)
def test_a_shown_value_is_one_short_printable_line(value: object) -> None:
    assert show(value).isprintable()
    assert len(show(value)) <= 121


def test_terminal_codes_and_lone_surrogates_are_escaped() -> None:
    assert printable("\x1b[31m\ud800\u202e") == "\\x1b[31m\\ud800\\u202e"
