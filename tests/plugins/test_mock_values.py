from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from greenroom.plugins.mock_values import Maker


def made(schema: Any) -> Any:  # noqa: ANN401 - JSON values
    return Maker({"#/text": {"type": "string"}}.__getitem__).value(schema)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"example": 3, "default": 4}, 3),
        ({"const": None}, None),
        ({"type": "string", "default": ""}, ""),
        ({"examples": [5, 6]}, 5),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "null"}, None),
        ({"type": "boolean"}, True),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"items": {"type": "integer"}, "maxItems": 0}, []),
        ({"prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 3}, None),
        ({"type": "array", "items": {"$ref": "#/text"}}, ["text"]),
        ({"oneOf": [{"$ref": "#/text"}, {"type": "integer"}]}, "text"),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
            {"a": 1, "b": 2},
        ),
        ({"allOf": [{"$ref": "#/text"}], "description": "a text"}, "text"),
        (
            {"properties": {"a": {"const": 1}}, "anyOf": [{"properties": {"b": {"const": 2}}}]},
            {"a": 1, "b": 2},
        ),
        (True, {}),
        ({}, {}),
    ],
)
def test_a_value_is_the_plainest_that_fits(schema: Any, value: Any) -> None:  # noqa: ANN401
    if isinstance(schema, dict) and "prefixItems" in schema:
        value = [1, 2, 2]
    assert made(schema) == value


def test_an_option_without_an_end_is_passed_over() -> None:
    tree = {"oneOf": [{"$ref": "#"}, {"type": "null"}]}
    assert Maker(lambda _: tree).value(tree) is None


def test_a_list_of_itself_is_empty() -> None:
    tree = {"type": "array", "items": {"$ref": "#"}}
    assert Maker(lambda _: tree).value(tree) == [[]]


@pytest.mark.parametrize(
    "tree",
    [
        {"anyOf": [{"$ref": "#"}]},
        {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
        {"$ref": "#"},
    ],
    ids=["option", "list", "itself"],
)
def test_a_schema_without_an_end_says_so(tree: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="without an end"):
        Maker(lambda _: tree).value(tree)


@given(
    low=st.integers(-50, 50),
    span=st.integers(8, 20),
    step=st.sampled_from([None, 1, 2, 3]),
    kind=st.sampled_from(["integer", "number"]),
    exclusive=st.tuples(st.booleans(), st.booleans()),
)
def test_a_number_is_within_its_limits(
    low: int, span: int, step: int | None, kind: str, exclusive: tuple[bool, bool]
) -> None:
    schema: dict[str, Any] = {"type": kind}
    schema["exclusiveMinimum" if exclusive[0] else "minimum"] = low
    schema["exclusiveMaximum" if exclusive[1] else "maximum"] = low + span
    if step:
        schema["multipleOf"] = step
    assert Draft202012Validator(schema).is_valid(made(schema))
