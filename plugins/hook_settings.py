"""The hook's settings: GREENROOM_HOOK_… variables > table [hook] of the settings file > default.

The standard library alone: the hook's process reads them before pytest is there.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenroom.plugins.settings_file import table_of
from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import LifecycleEvent, lifecycle_event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RESERVE_S = 20.0
"""Seconds kept for the answer, unless set."""
ANSWER_WITHIN_S = 50 * 60.0
"""When the back-up reporter answers, unless set; CodeDeploy waits one hour."""

GATE = "gate"
PASS = "pass"  # noqa: S105 - no password: what a first deployment's hook may do

_PREFIX = "GREENROOM_HOOK_"
_TEXTS = ("ledger", "upload", "bypass", "hand_off", "back_up_role", "link")
_DURATIONS = ("reserve", "answer_within")
KEYS = (*_TEXTS, *_DURATIONS, "event", "events", "first_deployment", "notify", "pass")
EVENT_KEYS = ("suites", "markers", "target", "arguments", "budget", "hand_off", "one_by_one")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LEDGER = re.compile(r"s3://[^/\s]+(/\S*)?|dynamodb://[^/\s]+")
_BUCKET = re.compile(r"s3://[^/\s]+(/\S*)?")
_LISTENERS = re.compile(r"arn:[^:]+:(sns:[^:]+:[^:]+:[^:]+|events:[^:]+:[^:]+:event-bus/.+)")


@dataclass(frozen=True, slots=True)
class EventSettings:
    """What runs at one lifecycle event. ``budget_s`` is the suite's worst case, where it is told.

    ``one_by_one`` makes each suite a run of its own; between them an ECS hook answers IN_PROGRESS,
    so that each has a whole invocation.
    """

    suites: tuple[str, ...] = ()
    markers: str = ""
    target: str = ""
    arguments: tuple[str, ...] = ()
    budget_s: float | None = None
    hand_off: str = ""
    one_by_one: bool = False


@dataclass(frozen=True, slots=True)
class HookSettings:
    """How a hook decides and whom it tells.

    ``event`` is the lifecycle event that the function is configured for; ``events`` are the suites
    of each, empty where the same suite serves all. ``passed`` are names of withheld variables that
    the suite gets nevertheless.
    """

    event: LifecycleEvent | None = None
    events: Mapping[LifecycleEvent, EventSettings] = field(default_factory=dict)
    reserve_s: float = RESERVE_S
    answer_within_s: float = ANSWER_WITHIN_S
    ledger: str = ""
    upload: str = ""
    link: str = ""
    notify: tuple[str, ...] = ()
    bypass: str = ""
    first_deployment: str = GATE
    hand_off: str = ""
    back_up_role: str = ""
    passed: tuple[str, ...] = ()


def hook_settings(root: Path, environ: Mapping[str, str]) -> HookSettings:
    """Return the settings that hold below ``root``; raises `SettingsError`."""
    table, where = table_of(root, None)
    hook = (table or {}).get("hook", {})
    if not isinstance(hook, dict):
        raise SettingsError(f"{where}: hook is not a table", hint="write [hook] with its keys")
    return parse_hook_table(hook, where, environ)


def parse_hook_table(
    table: Mapping[str, Any], where: str, environ: Mapping[str, str] | None = None
) -> HookSettings:
    """Return the settings in ``table``, after those in ``environ``; raises `SettingsError`."""
    _known(table, KEYS, f"{where}: hook")
    given = _Given(table, f"{where}: hook", environ or {})
    texts = {key: given.text(key) for key in _TEXTS}
    _matches(texts["ledger"], _LEDGER, given.named("ledger"), "s3://BUCKET or dynamodb://TABLE")
    _matches(texts["upload"], _BUCKET, given.named("upload"), "s3://BUCKET or s3://BUCKET/PREFIX")
    notify = given.texts("notify")
    for one in notify:
        _matches(one, _LISTENERS, given.named("notify"), "an SNS topic's or event bus's ARN")
    event = given.text("event")
    first = given.text("first_deployment") or GATE
    if first not in {GATE, PASS}:
        raise SettingsError(
            f"{given.named('first_deployment')} is {first!r}", hint=f"use {GATE!r} or {PASS!r}"
        )
    return HookSettings(
        event=lifecycle_event(event, given.named("event")) if event else None,
        events=_events(table.get("events", {}), f"{where}: hook.events"),
        reserve_s=given.seconds("reserve", RESERVE_S),
        answer_within_s=given.seconds("answer_within", ANSWER_WITHIN_S),
        notify=notify,
        first_deployment=first,
        passed=given.texts("pass"),
        ledger=texts["ledger"],
        upload=texts["upload"],
        link=texts["link"],
        bypass=texts["bypass"],
        hand_off=texts["hand_off"],
        back_up_role=texts["back_up_role"],
    )


def seconds_of(value: object, where: str) -> float:
    """Return a duration such as ``"90s"`` or ``"5m"`` in seconds; raises `SettingsError`."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise SettingsError(
            f"{where} is {value!r}, not a duration", hint='write "500ms", "20s", "5m" or "1h"'
        )
    return seconds


@dataclass(frozen=True, slots=True)
class _Given:
    """One key after the other: from the environment, else from the table."""

    table: Mapping[str, Any]
    where: str
    environ: Mapping[str, str]

    def named(self, key: str) -> str:
        """Return where ``key``'s value stands, for a message."""
        variable = _PREFIX + key.upper()
        return variable if variable in self.environ else f"{self.where}.{key}"

    def text(self, key: str) -> str:
        value = self.environ.get(_PREFIX + key.upper()) or self.table.get(key, "")
        if isinstance(value, str):
            return value
        raise SettingsError(f"{self.named(key)} is {value!r}, not a text", hint=f'{key} = "…"')

    def texts(self, key: str) -> tuple[str, ...]:
        variable = self.environ.get(_PREFIX + key.upper())
        if variable is not None:
            return tuple(variable.replace(",", " ").split())
        return _texts(self.table.get(key, []), self.named(key))

    def seconds(self, key: str, default: float) -> float:
        variable = self.environ.get(_PREFIX + key.upper())
        if variable is None:
            value = self.table.get(key)
            return default if value is None else seconds_of(value, self.named(key))
        try:
            plain = float(variable)
        except ValueError:
            return seconds_of(variable, self.named(key))
        return seconds_of(f"{plain:f}s" if plain > 0 else variable, self.named(key))


def _events(value: object, where: str) -> dict[LifecycleEvent, EventSettings]:
    events: dict[LifecycleEvent, EventSettings] = {}
    for name, table in _table(value, where).items():
        event = lifecycle_event(name, where)
        if event in events:
            raise SettingsError(
                f"{where}: {name} is {event.value}, which is there already",
                hint="CodeDeploy's and ECS' names mean the same event; keep one",
            )
        events[event] = _event(_table(table, f"{where}.{name}"), f"{where}.{name}")
    return events


def _event(table: Mapping[str, Any], where: str) -> EventSettings:
    _known(table, EVENT_KEYS, where)
    given = _Given(table, where, {})
    one_by_one = table.get("one_by_one", False)
    if not isinstance(one_by_one, bool):
        raise SettingsError(f"{where}.one_by_one is {one_by_one!r}", hint="use true or false")
    return EventSettings(
        suites=given.texts("suites"),
        markers=given.text("markers"),
        target=given.text("target"),
        arguments=given.texts("arguments"),
        budget_s=seconds_of(table["budget"], f"{where}.budget") if "budget" in table else None,
        hand_off=given.text("hand_off"),
        one_by_one=one_by_one,
    )


def shell_words(text: str, where: str) -> tuple[str, ...]:
    """Return the words of ``text``, quoted as for a shell; raises `SettingsError`."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise SettingsError(
            f"{where}: {error}", hint="quote it as for a shell: suites -m 'smoke'"
        ) from error


def _table(value: object, where: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise SettingsError(f"{where} is not a table", hint=f"write [{where.partition(': ')[2]}]")


def _texts(value: object, where: str) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
        return tuple(value)
    raise SettingsError(f"{where} is {value!r}, not a list of texts", hint='write ["…", "…"]')


def _known(table: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    if unknown := sorted(set(table) - set(keys)):
        raise SettingsError(
            f"{where}: unknown key {', '.join(unknown)}", hint=f"known keys: {', '.join(keys)}"
        )


def _matches(value: str, pattern: re.Pattern[str], where: str, form: str) -> None:
    if value and not pattern.fullmatch(value):
        raise SettingsError(f"{where} is {value!r}", hint=f"give {form}")
