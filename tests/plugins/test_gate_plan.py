"""Which suite runs at a lifecycle event; where none is set, none is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from greenroom.plugins.gate_plan import Occasion, Plan, make_plan
from greenroom.plugins.hook_settings import parse_hook_table
from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import LifecycleEvent

AFTER = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
BEFORE = LifecycleEvent.BEFORE_ALLOW_TRAFFIC
EVENTS: dict[str, Any] = {
    "AfterAllowTestTraffic": {
        "suites": ["suites/smoke", "suites/load"],
        "markers": "not slow",
        "target": "lambda://bot:${release.target-version}",
        "arguments": ["-n", "2"],
        "budget": "5m",
        "one_by_one": True,
    },
    "BeforeAllowTraffic": {"hand_off": "own-project"},
}


def plan(
    event: LifecycleEvent | None, table: dict[str, Any] | None = None, **given: object
) -> Plan:
    usual: dict[str, Any] = {
        "event": event,
        "arguments": None,
        "suites": ("suites",),
        "asks_again": False,
        "stage": "",
        "release": {"target-version": "7"},
        "environ": {},
    }
    settings = parse_hook_table({"events": EVENTS} if table is None else table, "greenroom.toml")
    return make_plan(settings, Occasion(**{**usual, **given}))


def test_an_event_without_a_suite_is_refused_and_the_others_are_named() -> None:
    with pytest.raises(SettingsError, match="no suite is set for BeforeInstall") as caught:
        plan(LifecycleEvent.BEFORE_INSTALL)
    assert "AfterAllowTestTraffic, BeforeAllowTraffic" in caught.value.hint


def test_an_unnamed_event_is_refused_where_suites_depend_on_it() -> None:
    with pytest.raises(SettingsError, match="no suite is set for an unnamed lifecycle event"):
        plan(None)


def test_a_target_of_an_unknown_release_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"needs release\.target-version") as caught:
        plan(AFTER, release={"application": "trivia"})
    assert "known of this release: application" in caught.value.hint


def test_an_events_settings_become_one_command_line() -> None:
    wanted = ("suites/smoke", "suites/load", "-m", "not slow", "-n", "2")
    assert plan(AFTER).parts == ((*wanted, "--greenroom-target=lambda://bot:7"),)
    assert plan(AFTER).budget_s == 300


def test_a_waiter_that_asks_again_gets_one_suite_at_a_time() -> None:
    parts = plan(AFTER, asks_again=True).parts
    assert [part[0] for part in parts] == ["suites/smoke", "suites/load"]
    assert all(part[1:3] == ("-m", "not slow") for part in parts)


def test_given_arguments_replace_the_suites_but_not_the_target() -> None:
    given = plan(AFTER, arguments=("suites/one", "-k", "login"), environ={})
    assert given.parts[0][:3] == ("suites/one", "-k", "login")
    assert given.parts[0][-1] == "--greenroom-target=lambda://bot:7"


def test_the_environments_target_comes_first() -> None:
    assert "--greenroom-target" not in str(plan(AFTER, environ={"GREENROOM_TARGET": "http://x"}))


@pytest.mark.parametrize("event", [None, AFTER])
def test_without_settings_the_folder_of_suites_runs(event: LifecycleEvent | None) -> None:
    assert plan(event, {}).parts == (("suites",),)


def test_an_events_own_project_comes_before_the_hooks() -> None:
    table = {"events": EVENTS, "hand_off": "project"}
    assert plan(BEFORE, table).hand_off == "own-project"
    assert plan(AFTER, table).hand_off == "project"
