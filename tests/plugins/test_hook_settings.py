"""The hook's settings: what is wrong is said with its place, and the environment comes first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from greenroom.plugins.hook_settings import (
    EVENT_KEYS,
    KEYS,
    HookSettings,
    hook_settings,
    parse_hook_table,
    seconds_of,
    shell_words,
)
from greenroom.plugins.schema_command import schema_text
from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import LifecycleEvent, lifecycle_event

if TYPE_CHECKING:
    from pathlib import Path

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown key", {"ledgr": "s3://b"}, "unknown key ledgr"),
    ("an unknown event", {"events": {"AfterEverything": {}}}, "unknown lifecycle event"),
    (
        "one event by two names",
        {"events": {"AfterAllowTestTraffic": {}, "POST_TEST_TRAFFIC_SHIFT": {}}},
        "is AfterAllowTestTraffic, which is there already",
    ),
    ("an event's unknown key", {"events": {"BeforeInstall": {"suite": []}}}, "unknown key suite"),
    ("an event that is no table", {"events": {"BeforeInstall": 4}}, "is not a table"),
    ("events that are no table", {"events": []}, "is not a table"),
    ("suites that are a text", {"events": {"BeforeInstall": {"suites": "x"}}}, "not a list"),
    ("one_by_one that is a text", {"events": {"BeforeInstall": {"one_by_one": "x"}}}, "one_by_one"),
    ("a budget without a unit", {"events": {"BeforeInstall": {"budget": 5}}}, "not a duration"),
    ("a reserve of nothing", {"reserve": "0s"}, "not a duration"),
    ("a ledger that is a file", {"ledger": "ledger.json"}, "give s3://BUCKET or dynamodb://TABLE"),
    ("an upload to a table", {"upload": "dynamodb://table"}, "give s3://BUCKET"),
    ("a message to a queue", {"notify": ["arn:aws:sqs:eu-west-1:1:q"]}, "an SNS topic's"),
    ("a first deployment that may fail", {"first_deployment": "fail"}, "use 'gate' or 'pass'"),
    ("a bypass that is a number", {"bypass": 4}, "not a text"),
    ("the configured event unknown", {"event": "Sometime"}, "unknown lifecycle event 'Sometime'"),
]

WHOLE: dict[str, Any] = {
    "event": "AfterAllowTestTraffic",
    "reserve": "30s",
    "ledger": "s3://gates/ledger",
    "upload": "s3://reports/hooks",
    "link": "https://reports.example.org/{key}",
    "notify": [
        "arn:aws:sns:eu-west-1:123456789012:releases",
        "arn:aws:events:eu-west-1:123456789012:event-bus/releases",
    ],
    "bypass": "/greenroom/bypass/trivia",
    "first_deployment": "pass",
    "hand_off": "gates",
    "back_up_role": "arn:aws:iam::123456789012:role/back-up",
    "answer_within": "45m",
    "pass": ["AWS_ACCESS_KEY_ID"],
    "events": {
        "PRE_SCALE_UP": {"suites": ["suites/artifact"]},
        "AfterAllowTestTraffic": {
            "suites": ["suites/smoke", "suites/contract"],
            "markers": "smoke or contract",
            "target": "https://test.example.org:8443",
            "arguments": ["-n", "2"],
            "budget": "5m",
            "hand_off": "long-gates",
            "one_by_one": True,
        },
    },
}


@pytest.mark.parametrize(("table", "said"), [case[1:] for case in WRONG], ids=[w[0] for w in WRONG])
def test_what_is_wrong_is_said_with_what_is_valid(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_hook_table(table, "greenroom.toml")
    assert said in caught.value.explain()
    assert "greenroom.toml: hook" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("table", [case[1] for case in WRONG[:-1]], ids=[w[0] for w in WRONG[:-1]])
def test_the_editors_schema_refuses_most_of_it_too(table: dict[str, Any]) -> None:
    known_to_the_hook_alone = ("one event by two names", "a reserve of nothing", "a message to")
    name = next(case[0] for case in WRONG if case[1] == table)
    valid = Draft202012Validator(json.loads(schema_text("settings"))).is_valid({"hook": table})
    assert valid == name.startswith(known_to_the_hook_alone)


def test_a_whole_table_is_read_and_fits_the_editors_schema() -> None:
    settings = parse_hook_table(WHOLE, "greenroom.toml")
    event = settings.events[LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC]
    assert (event.budget_s, event.one_by_one) == (300.0, True)
    assert settings.events[LifecycleEvent.BEFORE_INSTALL].suites == ("suites/artifact",)
    assert (settings.reserve_s, settings.answer_within_s) == (30.0, 2700.0)
    assert set(WHOLE) == set(KEYS)
    assert set(WHOLE["events"]["AfterAllowTestTraffic"]) == set(EVENT_KEYS)
    Draft202012Validator(json.loads(schema_text("settings"))).validate({"hook": WHOLE})


def test_the_environment_comes_first(tmp_path: Path) -> None:
    (tmp_path / "greenroom.toml").write_text('[hook]\nreserve = "30s"\nledger = "s3://b"\n')
    environ = {
        "GREENROOM_HOOK_RESERVE": "12",
        "GREENROOM_HOOK_LEDGER": "dynamodb://gates",
        "GREENROOM_HOOK_EVENT": "PRE_PRODUCTION_TRAFFIC_SHIFT",
        "GREENROOM_HOOK_NOTIFY": "arn:aws:sns:eu-west-1:1:a, arn:aws:sns:eu-west-1:1:b",
        "GREENROOM_HOOK_ANSWER_WITHIN": "40m",
    }
    settings = hook_settings(tmp_path, environ)
    assert (settings.reserve_s, settings.ledger) == (12.0, "dynamodb://gates")
    assert settings.event is LifecycleEvent.BEFORE_ALLOW_TRAFFIC
    assert len(settings.notify) == 2
    assert settings.answer_within_s == 2400.0


@pytest.mark.parametrize("text", ["soon", "-1", "0", "inf", "nan", "", "1 h"])
def test_a_reserve_that_is_none_names_its_variable(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="GREENROOM_HOOK_RESERVE"):
        hook_settings(tmp_path, {"GREENROOM_HOOK_RESERVE": text})


def test_without_settings_the_defaults_hold(tmp_path: Path) -> None:
    assert hook_settings(tmp_path, {}) == HookSettings()


def test_a_hook_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "greenroom.toml").write_text("hook = 4\n")
    with pytest.raises(SettingsError, match="hook is not a table"):
        hook_settings(tmp_path, {})


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("20s", 20), ("1.5m", 90), ("1h", 3600)]
)
def test_durations_are_in_seconds(text: str, seconds: float) -> None:
    assert seconds_of(text, "x") == seconds


def test_a_quote_that_is_not_closed_is_refused() -> None:
    assert shell_words("suites -m 'smoke or load'", "x") == ("suites", "-m", "smoke or load")
    with pytest.raises(SettingsError, match="GREENROOM_HOOK_ARGS: No closing quotation"):
        shell_words("suites -m 'smoke", "GREENROOM_HOOK_ARGS")


def test_the_schema_lists_every_name_of_every_event() -> None:
    schema = json.loads(schema_text("settings"))
    names = {name for event in LifecycleEvent for name in (event.value, event.ecs) if name}
    assert set(schema["$defs"]["event"]["enum"]) == names


def test_both_vocabularies_name_the_same_events() -> None:
    for event in LifecycleEvent:
        assert lifecycle_event(event.value, "x") is event
        assert not event.ecs or lifecycle_event(event.ecs, "x") is event
    with pytest.raises(SettingsError, match="unknown lifecycle event None"):
        lifecycle_event(None, "x")
