"""The faster validator's yes is jsonschema's, and where the two could differ it is not asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.plugins import schema_compile, schema_fast
from greenroom.plugins.suite_contract import load_contract

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.schema_compile import Compiled

names = st.sampled_from(["a", "b"])
numbers = st.sampled_from([0, 1, -1, 1.0, 1.5, 2**53 - 1, 10**30, 1e300])
texts = st.sampled_from(["", "a", "ab", "a1", "2026-01-01", "a\n", "\ud800", "é", "\U0001f600"])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=2),
    max_leaves=5,
)
leaves = st.sampled_from(
    [
        {"type": "integer"},
        {"type": ["string", "null"]},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 2},
        {"type": "string", "minLength": 1, "maxLength": 1},
        {"type": "string", "pattern": r"^a\d?$"},
        {"type": "string", "format": "date"},
        {"enum": [1, "a", None, [0], {"a": 1.0}]},
        {"const": False},
    ]
)


def object_of(one: object) -> dict[str, Any]:
    return {"properties": {"a": one}, "required": ["a"], "additionalProperties": False}


def referring(one: object) -> dict[str, Any]:
    return {"$defs": {"x": one}, "additionalProperties": {"$ref": "#/$defs/x"}}


trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one, "maxItems": 2}, inner),
        st.builds(lambda one: {"type": "array", "prefixItems": [one], "items": False}, inner),
        st.builds(object_of, inner),
        st.builds(lambda *both: {"anyOf": list(both)}, inner, inner),
    ),
    max_leaves=4,
)
schemas = trees | st.builds(referring, trees)


def compiled(folder: Path, schema: object) -> Compiled:
    (folder / "c.json").write_text(json.dumps(schema))
    source = schema_compile.source(folder / "c.json", folder, (), None)
    found = schema_compile.compiled(source, ask=False)
    assert found is not None
    return found


@given(schemas, st.lists(values, min_size=1, max_size=5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_fast_yes_is_jsonschemas_yes(
    tmp_path: Path, schema: dict[str, Any], many: list[Any]
) -> None:
    one = compiled(tmp_path, schema)
    contract = load_contract(tmp_path / "c.json", "c.json")
    for value in many:
        valid = one.validator.is_valid(value)
        assert one.fast is None or valid or not one.fast(value)
        assert (contract.violations(value) == ()) is valid


UNSURE: dict[str, dict[str, Any]] = {
    "not": {"not": {"type": "string"}},
    "one-of": {"oneOf": [{"type": "string"}]},
    "if": {"type": "string", "if": {"const": "a"}, "then": {"minLength": 1}},
    "unknown-keyword": {"type": "string", "x-own": 1},
    "deep-within": {"properties": {"a": {"items": {"multipleOf": 0.1}}}},
    "unique": {"type": "array", "uniqueItems": True},
    "unknown-format": {"type": "string", "format": "phone"},
    "lookahead": {"type": "string", "pattern": "(?!a)b"},
    "not-a-digit": {"type": "string", "pattern": r"^\D$"},
    "any-character": {"type": "string", "pattern": "^.$"},
    "blank": {"type": "string", "pattern": r"\s"},
    "set-of-classes": {"type": "string", "pattern": r"[^\d]"},
    "big-number": {"type": "number", "maximum": 2**53},
    "big-constant": {"const": [{"a": 2**60}]},
    "beside-a-reference": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"a": {"$ref": "#/definitions/b", "type": "null"}, "b": {"type": "string"}},
        "properties": {"a": {"$ref": "#/definitions/a"}},
    },
    "another-address": {"$id": "https://h.example/a", "type": "string"},
}


@pytest.mark.parametrize("schema", UNSURE.values(), ids=UNSURE.keys())
def test_where_the_two_could_differ_jsonschema_is_asked_alone(
    schema: dict[str, Any], tmp_path: Path
) -> None:
    assert compiled(tmp_path, schema).fast is None


def test_a_usual_schema_is_fast_and_its_messages_are_jsonschemas(tmp_path: Path) -> None:
    schema = {"type": "array", "items": {"type": "object", "required": ["name"]}}
    assert compiled(tmp_path, schema).fast is not None
    contract = load_contract(tmp_path / "c.json", "c.json")
    assert contract.violations([{"name": 1}]) == ()
    assert [str(one) for one in contract.violations([{}])] == ["/0: 'name' is a required property"]


def test_formats_are_those_of_jsonschema(tmp_path: Path) -> None:
    one = compiled(tmp_path, {"type": "string", "format": "date"})
    assert one.fast is not None
    assert not one.fast("2026-02-30")
    assert one.fast("2026-02-28")


def test_without_the_extra_jsonschema_does_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_fast, "_RS", {})
    one = compiled(tmp_path, {"type": "string"})
    assert one.fast is None
    assert isinstance(one.validator, jsonschema.Draft202012Validator)


def test_a_value_that_it_cannot_take_is_judged_by_jsonschema(tmp_path: Path) -> None:
    one = compiled(tmp_path, {"type": "string"})
    assert one.fast is not None
    assert not one.fast("\ud800")
    assert load_contract(tmp_path / "c.json", "c.json").violations("\ud800") == ()


def test_a_schema_that_it_cannot_compile_is_left_to_jsonschema(tmp_path: Path) -> None:
    one = compiled(tmp_path, {"type": "string", "pattern": "^(?:(?:a{1000}){1000}){1000}$"})
    assert one.fast is None
    assert not one.validator.is_valid("a")
