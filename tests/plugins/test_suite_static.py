"""What `static:` may hold: the parser and the JSON Schema for editors agree."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from greenroom.plugins import static_custom, suite_proof, suite_static
from greenroom.plugins.static_run import CustomOrder, KnownOrder, Setting
from greenroom.plugins.static_tools import KNOWN
from greenroom.plugins.suite_yaml import Document, plain
from greenroom.validators.errors import SettingsError
from tests.support.static import static

if TYPE_CHECKING:
    from collections.abc import Mapping

SUITE = json.loads(files("greenroom.plugins").joinpath("suite.schema.json").read_text())
OWN = json.loads(files("greenroom.plugins").joinpath("check_static.schema.json").read_text())
DEFS = SUITE["$defs"] | {"static": OWN}
VALIDATOR = jsonschema.Draft202012Validator({"$ref": "#/$defs/static", "$defs": DEFS})
CUSTOM = "command: [lint], format: sarif, evidence: {files: [a]}"
ERRORS = {
    "unknown-tool": ("rust", "unknown tool 'rust'"),
    "no-tool": ("{paths: [src]}", "static names no tool"),
    "unknown-key": ("{tool: ruff, path: [src]}", "did you mean 'paths'?"),
    "no-list": ("{tool: ruff, paths: src}", "paths must be a list"),
    "no-format": ("{command: [lint], evidence: {files: [a]}}", "has no 'format'"),
    "no-evidence": ("{command: [lint], format: sarif}", "has no 'evidence'"),
    "empty-evidence": (
        "{command: [lint], format: sarif, evidence: {least: 2}}",
        "evidence needs one of json and files",
    ),
    "two-evidences": (
        "{command: [lint], format: sarif, evidence: {files: [a], json: $.a}}",
        "evidence needs one of json and files",
    ),
    "format": ("{command: [lint], format: xml, evidence: {files: [a]}}", "xml"),
    "status": (f"{{{CUSTOM}, ok: [256]}}", "an exit status must be a whole number"),
    "least": (
        "{command: [lint], format: sarif, evidence: {files: [a], least: 0}}",
        "least must be a whole number",
    ),
    "size": ("{tool: ruff, most: 1}", "most must be a size"),
    "fields": (f"{{{CUSTOM}, fields: {{colour: a}}}}", "unknown key 'colour' in fields"),
}
BEYOND_A_SCHEMA = {
    "absolute-path": ("{tool: ruff, paths: [/src]}", "/src is absolute"),
    "absolute-pattern": (
        "{command: [lint], format: sarif, evidence: {files: [/src]}}",
        "a pattern is absolute",
    ),
    "too-large": ("{tool: ruff, most: 2000MiB}", "at most 1024MiB"),
    "no-results": (
        "{command: [lint], format: json, evidence: {files: [a]}}",
        "format json needs `results`",
    ),
    "sarif-results": (f"{{{CUSTOM}, results: $.a}}", "format sarif takes no `results`"),
    "no-query": (
        "{command: [lint], format: sarif, evidence: {json: 'a['}}",
        "json is no JSONPath",
    ),
}
VALID = {
    "name": "ruff",
    "tool": "{tool: mypy, paths: [src], arguments: [--strict, 3], folder: app, baseline: b.json}",
    "more": "{tool: semgrep, environment: [SEMGREP_APP_TOKEN], most: 1MiB}",
    "custom": f"{{{CUSTOM}, output: out.sarif, ok: [0, 2], findings: [3]}}",
    "json": "{command: [lint], format: json-lines, results: '$[*]', fields: {id: code}, "
    "evidence: {json: $.files, least: 3, what: pages, skipped: $.skipped}}",
}


def _value(node: str) -> object:
    return plain(Document(Path("a.yaml"), node).read())


@pytest.mark.parametrize(
    ("node", "why"), (ERRORS | BEYOND_A_SCHEMA).values(), ids=ERRORS | BEYOND_A_SCHEMA
)
def test_what_is_wrong_is_said_at_its_place(node: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        static(node)
    assert why in caught.value.explain()
    assert "a.suite.yaml:1:" in str(caught.value)


@pytest.mark.parametrize("node", [node for node, _ in ERRORS.values()], ids=ERRORS)
def test_the_schema_refuses_it_too(node: str) -> None:
    assert not VALIDATOR.is_valid(_value(node))


@pytest.mark.parametrize("node", VALID.values(), ids=VALID)
def test_both_accept_what_is_valid(node: str) -> None:
    static(node)
    VALIDATOR.validate(_value(node))


def test_the_schema_knows_each_key_and_tool() -> None:
    _, known, custom = OWN["anyOf"]
    assert set(known["properties"]) == set(suite_static.TOOL_KEYS)
    assert set(custom["properties"]) == set(suite_static.CUSTOM_KEYS)
    assert set(_properties(custom, "evidence")) == set(suite_proof.EVIDENCE_KEYS)
    assert set(_properties(custom, "fields")) == set(static_custom.FIELDS)
    assert OWN["$defs"]["tool"]["enum"] == list(KNOWN)


def _properties(schema: Mapping[str, Any], key: str) -> dict[str, Any]:
    properties: dict[str, Any] = schema["properties"][key]["properties"]
    return properties


def test_a_tool_is_read() -> None:
    order = static(VALID["tool"]).order
    assert order == KnownOrder(KNOWN["mypy"], ("src",), ("--strict", "3"), Setting("app"))


def test_a_command_is_read() -> None:
    order = static(VALID["custom"]).order
    assert isinstance(order, CustomOrder)
    assert (order.output, *map(sorted, (order.ok, order.found))) == ("out.sarif", [0, 2], [3])


@pytest.mark.parametrize(
    ("expect", "limits"),
    [("", "error == 0, warning == 0"), ("high <= 2", "high <= 2"), ("[note < 3]", "note < 3")],
    ids=["strict", "one", "list"],
)
def test_what_is_expected(expect: str, limits: str) -> None:
    assert ", ".join(map(str, static("ruff", expect).limits)) == limits


def test_an_unknown_metric_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="unknown metric 'errors'") as caught:
        static("ruff", "errors == 0")
    assert "error, " in caught.value.hint
