"""Which suite runs at a lifecycle event: a pure function of settings, event and release."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.hook_settings import EventSettings, HookSettings
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.validators.lifecycle import LifecycleEvent

_VARIABLE = re.compile(r"\$\{release\.([A-Za-z0-9_-]+)\}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: each of ``parts`` is the arguments of a pytest command line.

    There is one part, unless the waiter asks again for each and the settings say ``one_by_one``.
    ``budget_s`` is the worst case of one part, None where it is not told; ``hand_off`` the
    CodeBuild project for what does not fit.
    """

    parts: tuple[tuple[str, ...], ...]
    budget_s: float | None = None
    hand_off: str = ""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a plan is made for.

    ``arguments`` (the command line's, GREENROOM_HOOK_ARGS) replace the settings' suites;
    ``suites`` run where nothing says what; ``asks_again`` tells that the waiter invokes the hook
    once more after IN_PROGRESS. ``stage`` is ECS' name of an event that is not known here.
    """

    event: LifecycleEvent | None
    arguments: tuple[str, ...] | None
    suites: tuple[str, ...]
    asks_again: bool
    stage: str
    release: Mapping[str, str]
    environ: Mapping[str, str]


def make_plan(settings: HookSettings, occasion: Occasion) -> Plan:
    """Return the plan; raises `SettingsError` where the settings have none for the event."""
    event, arguments = occasion.event, occasion.arguments
    entry = settings.events.get(event) if event is not None else None
    if entry is None and settings.events and arguments is None:
        known = ", ".join(settings.events)
        named = event.value if event else occasion.stage
        raise SettingsError(
            f"no suite is set for {named or 'an unnamed lifecycle event'}",
            hint=f"add [hook.events.{event.value if event else 'NAME'}]; there is: {known}",
        )
    entry = entry or EventSettings()
    common = _common(entry, occasion)
    if arguments is not None:
        parts: tuple[tuple[str, ...], ...] = ((*arguments, *common),)
    elif entry.one_by_one and occasion.asks_again:
        parts = tuple((suite, *common) for suite in entry.suites or occasion.suites)
    else:
        parts = ((*(entry.suites or occasion.suites), *common),)
    return Plan(parts, entry.budget_s, entry.hand_off or settings.hand_off)


def _common(entry: EventSettings, occasion: Occasion) -> list[str]:
    given = bool(occasion.environ.get("GREENROOM_TARGET"))
    target = "" if given else _filled(entry.target, occasion.release)
    return [
        *(["-m", entry.markers] if entry.markers else []),
        *entry.arguments,
        *([f"--greenroom-target={target}"] if target else []),
    ]


def _filled(text: str, release: Mapping[str, str]) -> str:
    """Replace each ``${release.NAME}``; raises `SettingsError` for one that is not known."""

    def value(match: re.Match[str]) -> str:
        if release.get(match[1]):
            return release[match[1]]
        known = ", ".join(sorted(release)) or "nothing"
        raise SettingsError(
            f"the target {text!r} needs release.{match[1]}, which is not known",
            hint=f"known of this release: {known}; set GREENROOM_RELEASE_{match[1].upper()}",
        )

    return _VARIABLE.sub(value, text)
