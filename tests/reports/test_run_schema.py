"""The run record's shipped JSON Schema, held against every record that may exist."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given

from greenroom.validators.vocabulary import Outcome
from tests.support.records import BYPASS, check, record, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.record import RunRecord

SCHEMA = json.loads(files("greenroom.reports").joinpath("run.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EXCHANGE = {
    "request": {
        "method": "GET",
        "url": "http://x/",
        "headers": [["a", "b"]],
        "body": None,
        "address": "",
    },
    "response": {"status": 200, "headers": [], "body": "", "body_bytes": 0, "truncated": False},
    "error": None,
    "elapsed_ms": 1.5,
    "started": "2026-11-23T00:53:12+00:00",
}

LEFT_OUT = {
    "/$defs/check/properties/finding": {"results", "notes"},
    "/$defs/result": {
        *("advice", "fingerprint", "link", "location", "package", "score", "why"),
    },
    "/$defs/result/properties/location": {"line", "column", "end_line"},
    "/$defs/result/properties/package": {"fixed", "ecosystem", "path", "layer"},
}
"""Fields that stand only where there is something to say: a scan has thousands of results."""


def closed(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - any JSON
    """Every schema of an object that names its properties, with its path."""
    if isinstance(node, dict):
        if "required" in node and "description" in node:
            yield path, node
        for key, value in node.items():
            yield from closed(value, f"{path}/{key}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from closed(value, f"{path}/{place}")


def example() -> dict[str, Any]:
    failed = check("fails", Outcome.FAILED, exchanges=(EXCHANGE,))
    data: dict[str, Any] = json.loads(record([check(), failed]).dumps())
    return data


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@given(records())
def test_every_record_validates(run: RunRecord) -> None:
    VALIDATOR.validate(json.loads(run.dumps()))


@pytest.mark.parametrize("field", sorted(SCHEMA["required"]))
def test_a_record_without_a_required_field_is_refused(field: str) -> None:
    data = example()
    del data[field]
    assert [error.validator for error in VALIDATOR.iter_errors(data)] == ["required"]


@pytest.mark.parametrize("field", sorted(SCHEMA["$defs"]["check"]["required"]))
def test_a_check_without_a_required_field_is_refused(field: str) -> None:
    data = example()
    del data["checks"][0][field]
    assert not VALIDATOR.is_valid(data)


@pytest.mark.parametrize(
    ("place", "field"),
    [("request", field) for field in EXCHANGE["request"]]  # type: ignore[attr-defined]
    + [("response", field) for field in EXCHANGE["response"]],  # type: ignore[attr-defined]
)
def test_an_exchange_without_a_required_field_is_refused(place: str, field: str) -> None:
    data = example()
    del data["checks"][1]["exchanges"][0][place][field]
    assert not VALIDATOR.is_valid(data)


def test_an_unknown_field_is_refused() -> None:
    assert not VALIDATOR.is_valid(example() | {"ship_anyway": True})


def test_a_pass_without_evidence_is_refused() -> None:
    data = example()
    data["checks"][0]["evidence"][0]["amount"] = 0
    assert not VALIDATOR.is_valid(data)


@pytest.mark.parametrize("change", [{"complete": False}, {"reasons": ["x"]}, {"problems": ["x"]}])
def test_ship_beside_a_reason_against_it_is_refused(change: dict[str, Any]) -> None:
    data = json.loads(record([check()]).dumps())
    assert data["verdict"] == "ship"
    assert not VALIDATOR.is_valid(data | change)


@pytest.mark.parametrize(
    ("path", "schema"), [*closed(SCHEMA)], ids=[path or "/" for path, _ in closed(SCHEMA)]
)
def test_every_field_is_described_and_required(path: str, schema: dict[str, Any]) -> None:
    assert schema["additionalProperties"] is False, path
    left_out = {name for start, names in LEFT_OUT.items() if path == start for name in names}
    assert set(schema["properties"]) - set(schema["required"]) == left_out
    for name, field in schema["properties"].items():
        assert "$ref" in field or field["description"], f"{path}/{name}"


def test_ship_beside_a_bypass_is_refused() -> None:
    data = json.loads(record([check()]).dumps())
    assert not VALIDATOR.is_valid(data | {"bypass": BYPASS.to_json()})
