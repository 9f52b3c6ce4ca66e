from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.validators.json_diff import (
    ABSENT,
    Difference,
    differences,
    first_line,
    keyed,
    member,
    same,
    unmatched,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, 0.5]) | st.text("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=5,
)


@given(values, values)
def test_values_differ_somewhere_exactly_if_they_are_not_the_same(one: Any, other: Any) -> None:  # noqa: ANN401 - JSON
    assert same(one, other) == (not list(differences(one, other)))
    assert same(one, other) == (keyed(one) == keyed(other))


@given(st.lists(values, max_size=4), st.randoms())
def test_a_list_in_another_order_matches(items: list[Any], random: Any) -> None:  # noqa: ANN401 - hypothesis's
    mixed = random.sample(items, len(items))
    assert unmatched(items, mixed) == ([], [])


def test_a_difference_says_what_one_side_lacks() -> None:
    assert list(differences({"a": None}, {})) == [Difference("$.a", None, ABSENT)]
    assert list(differences([], [None])) == [Difference("$[0]", ABSENT, None)]
    assert list(differences([1], {"a": 1})) == [Difference("$", [1], {"a": 1})]


@pytest.mark.parametrize(
    ("name", "path"),
    [("a_1", "$.a_1"), ("a b", "$['a b']"), ("it's", "$['it\\'s']"), ("", "$['']")],
    ids=["plain", "blank", "quote", "empty"],
)
def test_a_member_is_written_as_jsonpath_has_it(name: str, path: str) -> None:
    assert member("$", name) == path


def test_the_first_line_that_differs_is_found() -> None:
    assert first_line("a\nb", "a\nc") == (2, "b", "c")
    assert first_line("a", "a\nc") == (2, "", "c")
    assert first_line("a", "a") == (0, "", "")
