"""The settings and their JSON Schema say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from greenroom.plugins.schema_command import SCHEMAS, command, schema_text
from greenroom.plugins.settings import KEYS, CommandLine, resolve, secret_values
from greenroom.plugins.target_settings import Ready
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Kind, Stage

DESCRIBED = json.loads(schema_text("settings"))
SCHEMA = Draft202012Validator(DESCRIBED)
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/0123456789abcdef"
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
        {"target": "lambda://trivia:8"},
        {"ready": {}},
        {"ready": {"path": "/health", "status": [200, "3xx"], "within": "90s", "every": "1s"}},
        {"ready": {"header": "x-revision"}},
        {"ready": {"field": "$.revision", "equals": "${env.REVISION}"}},
        {"revision": {"header": "x-revision"}},
        {"revision": {"field": "$.build", "equals": "7"}},
        {"targets": {"addresses": ["10.0.0.1:8080", "https://[::1]:8443"]}},
        {"targets": {"target_group": GROUP}},
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
        {"ready": {"path": "health"}},
        {"ready": {"path": "/a b"}},
        {"ready": {"status": 99}},
        {"ready": {"status": []}},
        {"ready": {"status": ["6xx"]}},
        {"ready": {"within": 60}},
        {"ready": {"every": "0s"}},
        {"ready": {"equals": "v2"}},
        {"ready": {"header": "a", "field": "$"}},
        {"ready": {"wthin": "60s"}},
        {"revision": {}},
        {"revision": {"header": "a b"}},
        {"revision": {"header": "a", "equals": " "}},
        {"revision": {"header": 5}},
        {"targets": {}},
        {"targets": {"addresses": []}},
        {"targets": {"addresses": ["10.0.0.1"]}},
        {"targets": {"addresses": ["10.0.0.1:80", "10.0.0.1:80"]}},
        {"targets": {"addresses": ["10.0.0.1:80"], "target_group": GROUP}},
        {"targets": {"target_group": "arn:aws:ecs:r:1:x"}},
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


BEYOND_A_SCHEMA = {
    "path": {"revision": {"field": "revision"}},
    "credential": {"revision": {"header": "x-api-token"}},
    "port": {"targets": {"addresses": ["10.0.0.1:0"]}},
    "no-version": {"target": "lambda://trivia"},
    "latest": {"target": "lambda://trivia:$LATEST"},
}


@pytest.mark.parametrize("table", BEYOND_A_SCHEMA.values(), ids=BEYOND_A_SCHEMA.keys())
def test_what_only_the_reader_sees_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        settled(table)
    assert refused.value.hint


def test_the_command_lines_path_comes_before_the_tables() -> None:
    line = CommandLine(ready="/here", target="http://h")
    table = {"ready": {"path": "/there", "within": "5s"}}
    settings = resolve(table, "greenroom.toml", {"ready": "/env"}, line)
    assert settings.ready == Ready(path="/here", within_s=5.0)
    assert resolve({}, "", {"ready": "/env"}, CommandLine()).ready == Ready(path="/env")


def test_waiting_for_no_target_is_a_mistake() -> None:
    with pytest.raises(SettingsError, match="--greenroom-ready without a target"):
        resolve({}, "", {}, CommandLine(ready="/"))
    with pytest.raises(SettingsError, match="--greenroom-ready is empty"):
        resolve({}, "", {}, CommandLine(ready="", target="http://h"))


@pytest.mark.parametrize(
    ("given", "addresses", "group"),
    [("10.0.0.1:80, http://h:8080", ["10.0.0.1:80", "h:8080"], ""), (GROUP, [], GROUP)],
    ids=["addresses", "group"],
)
def test_the_environment_names_targets_first(given: str, addresses: list[str], group: str) -> None:
    table = {"targets": {"addresses": ["10.9.9.9:1"]}}
    targets = resolve(table, "", {"targets": given}, CommandLine()).targets
    assert targets is not None
    assert list(map(str, targets.addresses)) == addresses
    assert targets.target_group == group
