"""The settings and their JSON Schema say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from greenroom.plugins.schema_command import SCHEMAS, command, schema_text
from greenroom.plugins.settings import KEYS, CommandLine, resolve, secret_values
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Kind, Stage

DESCRIBED = json.loads(schema_text("settings"))
SCHEMA = Draft202012Validator(DESCRIBED)
WAIVER = {"check": "a", "reason": "b", "expires": "2026-12-31"}


def settled(table: dict[str, Any]) -> Any:  # noqa: ANN401 - the settings or their refusal
    return resolve(table, "greenroom.toml", {}, CommandLine())


def test_every_key_is_described() -> None:
    assert sorted(DESCRIBED["properties"]) == list(KEYS)
    names = DESCRIBED["properties"]["expect"]["propertyNames"]["enum"]
    assert names == [*(kind.value for kind in Kind), *(stage.value for stage in Stage)]


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"target": "http://localhost", "report": "out"},
        {"expect": {"smoke": 1, "environment": 3}},
        {"release": {"revision": "v7"}, "variables": {"region": "x"}},
        {"secrets": ["API_KEY"], "waivers": [WAIVER]},
    ],
)
def test_what_the_schema_accepts_is_accepted(table: dict[str, Any]) -> None:
    SCHEMA.validate(table)
    settled(table)


@pytest.mark.parametrize(
    "table",
    [
        {"targt": "x"},
        {"target": ""},
        {"target": 3},
        {"expect": {"smoke": 0}},
        {"expect": {"smoke": True}},
        {"expect": {"smok": 1}},
        {"release": {"revision": 7}},
        {"variables": []},
        {"secrets": "API_KEY"},
        {"secrets": [1]},
        {"waivers": [WAIVER | {"reason": " "}]},
        {"waivers": [WAIVER | {"until": "x"}]},
        {"waivers": [{"check": "a", "reason": "b"}]},
        {"waivers": ["a"]},
    ],
)
def test_what_the_schema_refuses_is_refused(table: dict[str, Any]) -> None:
    assert not SCHEMA.is_valid(table)
    with pytest.raises(SettingsError) as refused:
        settled(table)
    assert refused.value.hint


def test_only_secrets_that_have_a_value_are_looked_for() -> None:
    settings = settled({"secrets": ["A", "B", "C"]})
    assert list(secret_values(settings, {"A": "x", "B": ""})) == ["x"]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_printed_and_is_one(name: str) -> None:
    printed = CliRunner().invoke(command, [name])
    assert printed.exit_code == 0
    Draft202012Validator.check_schema(json.loads(printed.output))
