"""Checks that stand in the settings are read as those of a suite, and refused by their keys."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from greenroom.plugins.settings_file import table_of
from greenroom.plugins.suite_table import TableDocument, line_of
from greenroom.plugins.suite_yaml import plain
from greenroom.validators.errors import SettingsError

NAME = "environment"


def document(table: dict[str, Any], name: str = "artifact") -> TableDocument:
    return TableDocument(Path("greenroom.toml"), "", name=name, table=table)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"statik": {"ruff": {}}}, "greenroom.toml: artifact.statik: unknown kind 'statik'"),
        ({"static": {}}, "greenroom.toml: artifact.static: it holds no check"),
        ({"static": "ruff"}, "greenroom.toml: artifact.static: it holds no check"),
        ({"static": {"ruff": "src"}}, "greenroom.toml: artifact.static.ruff: it is not a table"),
    ],
    ids=["unknown-kind", "empty", "a-text", "no-table"],
)
def test_a_wrong_table_is_refused_by_its_key(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        document(table).read()
    assert said in caught.value.explain()


def test_a_table_is_a_check_of_its_kind() -> None:
    image = {"ref": "app@sha256:1", "expect": ["critical == 0"], "timeout": "5m", "deep": {"a": 1}}
    assert plain(document({"image": {"api": image}}).read()) == [
        {
            "name": "image api",
            "image": {"ref": "app@sha256:1", "deep": {"a": 1}},
            "expect": ["critical == 0"],
            "timeout": "5m",
        }
    ]


@pytest.mark.parametrize(
    ("own", "read"),
    [
        ({"paths": ["src"]}, {"paths": ["src"], "tool": "ruff"}),
        ({"tool": "mypy"}, {"tool": "mypy"}),
        ({"command": ["x"]}, {"command": ["x"]}),
    ],
    ids=["by-its-name", "another-tool", "a-command"],
)
def test_a_static_check_is_of_the_tool_it_is_named_after(
    own: dict[str, Any], read: dict[str, Any]
) -> None:
    (check,) = plain(document({"static": {"ruff": own}}).read())
    assert check == {"name": "static ruff", "static": read}


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"smoke\.a\.json\.\$\.at_most: inf is not a finite"):
        document({"smoke": {"a": {"path": "/", "json": {"$": {"at_most": math.inf}}}}}, NAME).read()


def test_a_number_keeps_how_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "greenroom.toml").write_text(
        '[environment.smoke.a]\npath = "/"\nheaders = {x-version = 1.10}\n'
    )
    table, _ = table_of(tmp_path, None)
    assert table is not None
    (check,) = document(table[NAME], NAME).read().items  # type: ignore[union-attr]
    header = check.get("expect").get("headers").get("x-version")  # type: ignore[union-attr]
    assert (header.raw, header.value) == ("1.10", 1.1)  # type: ignore[union-attr]


def test_numbers_flags_and_dates_keep_their_text() -> None:
    table = {"unit": {"jest": {"min_tests": 10, "on": True, "day": date(2026, 1, 2)}}}
    (check,) = plain(document(table).read())
    assert check["unit"] == {"min_tests": 10, "on": True, "day": "2026-01-02"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"image": {"api": {}}}, "environment.image: unknown kind 'image'"),
        ({"smoke": {"a": {"status": 200}}}, "environment.smoke.a: it asks nothing"),
        ({"smoke": {"a": {"path": "/", "http": {}}}}, "environment.smoke.a: it has http and path"),
        (
            {"smoke": {"a": {"path": "/", "status": 200, "expect": {}}}},
            "environment.smoke.a: it has expect, and status beside it",
        ),
    ],
    ids=["unknown-kind", "asks-nothing", "asks-twice", "expects-twice"],
)
def test_a_wrong_check_of_the_environment_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        document(table, "environment").read()
    assert f"greenroom.toml: {said}" in caught.value.explain()


def test_a_path_and_what_is_expected_are_a_check_of_a_request() -> None:
    health = {"path": "/health", "status": 200, "json": {"$.ok": True}, "retry": {"attempts": 2}}
    assert plain(document({"smoke": {"health": health}}, "environment").read()) == [
        {
            "name": "smoke health",
            "expect": {"status": 200, "json": {"$.ok": True}},
            "kind": "smoke",
            "retry": {"attempts": 2},
            "http": {"get": "/health"},
        }
    ]


def test_steps_and_another_kind_stay_as_they_are() -> None:
    steps = {"steps": [{"http": {"get": "/"}, "expect": {"status": 200}}], "kind": "security"}
    (check,) = plain(document({"integration": {"order": steps}}, "environment").read())
    assert check == {"name": "integration order"} | steps


@pytest.mark.parametrize(
    ("kind", "own", "read"),
    [
        ("tcp", {"host": "db", "port": 5432}, {"host": "db", "port": 5432}),
        ("tls", {}, "target"),
        ("security", {}, "all"),
        ("scan", {"at": "/api"}, {"at": "/api", "tool": "name"}),
        ("scan", {"report": "a.json"}, {"report": "a.json"}),
    ],
    ids=["tcp", "tls-of-the-target", "all-probes", "scan-by-its-name", "scan-of-a-report"],
)
def test_other_checks_of_the_environment_hold_the_keys_of_their_kind(
    kind: str, own: dict[str, Any], read: object
) -> None:
    table = {kind: {"name": own | {"gate": "warn", "when": {"release.a": "b"}}}}
    (check,) = plain(document(table, "environment").read())
    shared = {"gate": "warn", "when": {"release.a": "b"}}
    assert check == {"name": f"{kind} name", kind: read} | shared


def test_the_table_of_a_row_is_that_of_its_check() -> None:
    text = 'a = 1\n[tool.greenroom.environment.smoke."all of it"]\n'
    assert line_of(text, "smoke all of it [x-404]") == 2
