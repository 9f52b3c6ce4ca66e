"""Conditions: a check that is not meant for this run is left out and told, never by a slip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.validators.errors import SettingsError
from tests.support.runs import run
from tests.support.servers import Reply, serving
from tests.support.suites import HEAD, read, variables

if TYPE_CHECKING:
    from pathlib import Path

CHECK = "http: {get: /}, expect: {status: 200}"


def unmet(condition: str) -> str:
    return (
        read(f"{HEAD}  - {{name: c, when: {condition}, {CHECK}}}\n", variables(E="x"))
        .checks[0]
        .unmet
    )


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{}", "when is empty"),
        ("staging", "must be a mapping"),
        ("{settings.sise: 4}", r"\$\{settings.sise\} is not set"),
        ("{size: 4}", "is not a variable"),
        ("{secret.E: x}", "cannot be about a secret"),
        ("{settings.size: {is: 4}}", "unknown key 'is'"),
        ("{settings.size: []}", "settings.size is empty"),
    ],
)
def test_a_condition_that_cannot_be_decided_is_refused(condition: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        unmet(condition)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("{settings.size: 4}", ""),
        ("{settings.size: [3, 4], env.E: x}", ""),
        ("{settings.size: {not: [3, 5]}}", ""),
        ("{settings.size: 5}", "settings.size is 4, not 5"),
        ("{env.E: x, settings.size: [5, 6]}", "settings.size is 4, not 5 or 6"),
        ("{settings.size: {not: 4}}", "settings.size is 4, one of 4"),
    ],
)
def test_all_conditions_must_hold(condition: str, why: str) -> None:
    assert unmet(condition) == why


def test_a_condition_of_the_suite_is_one_of_every_check() -> None:
    suite = read(
        f"version: 1\nname: s\nwhen: {{settings.size: 5}}\nchecks: [{{name: c, {CHECK}}}]\n"
    )
    assert suite.checks[0].unmet == "settings.size is 4, not 5"


def test_what_is_not_meant_for_this_run_is_deselected_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.suite.yaml").write_text(
        f"{HEAD}  - {{name: here, {CHECK}}}\n"
        f"  - {{name: there, when: {{settings.place: there}}, {CHECK}}}\n"
    )
    with serving(lambda _: Reply()) as server:
        ran = run(tmp_path, "--greenroom-target", server.url, "--greenroom-set", "place=here")
    assert ran.verdict == "ship"
    assert [one["name"] for one in ran.record["checks"]] == ["here"]
    assert ran.record["environment"]["deselected"] == 1


def test_a_suite_of_which_nothing_is_meant_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.suite.yaml").write_text(
        f"{HEAD}  - {{name: there, when: {{settings.place: there}}, {CHECK}}}\n"
    )
    ran = run(tmp_path, "--greenroom-target", "http://127.0.0.1:9", "--greenroom-set", "place=x")
    assert ran.verdict == "could-not-decide"
