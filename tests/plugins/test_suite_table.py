"""Checks that stand in the settings are read as those of a suite, and refused by their keys."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from greenroom.plugins.suite_table import TableDocument
from greenroom.plugins.suite_yaml import plain
from greenroom.validators.errors import SettingsError


def document(table: dict[str, Any]) -> TableDocument:
    return TableDocument(Path("greenroom.toml"), "", name="artifact", table=table)


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


def test_numbers_flags_and_dates_keep_their_text() -> None:
    table = {"unit": {"jest": {"min_tests": 10, "on": True, "day": date(2026, 1, 2)}}}
    (check,) = plain(document(table).read())
    assert check["unit"] == {"min_tests": 10, "on": True, "day": "2026-01-02"}
