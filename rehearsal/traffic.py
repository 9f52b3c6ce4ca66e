"""How production traffic moves to the replacement: all at once, by a canary, or linearly.

A shift is turned into steps by a pure function: "send ``percent`` to green, then wait ``wait_s``
seconds of deployment time". The last step is always 100 percent with no wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, assert_never

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL = 100
"""All of production traffic, in percent."""


@dataclass(frozen=True, slots=True)
class Step:
    """Send ``percent`` of production traffic to green, then wait ``wait_s`` seconds."""

    percent: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class AllAtOnce:
    """Everything in one step."""


def _check(kind: str, percent: int, interval_min: float) -> None:
    if percent not in range(1, ALL):
        raise SettingsError(
            f"{kind}: {percent} percent is no share of the traffic",
            hint="use a whole number, 1 to 99",
        )
    if not 0 < interval_min < float("inf"):
        raise SettingsError(
            f"{kind}: an interval of {interval_min} minutes makes no sense",
            hint="use a positive number of minutes",
        )


@dataclass(frozen=True, slots=True)
class TimeBasedCanary:
    """``percent`` first; the rest after ``interval_min`` minutes."""

    percent: int
    interval_min: float

    def __post_init__(self) -> None:
        """Refuse a share or an interval that CodeDeploy would refuse."""
        _check("TimeBasedCanary", self.percent, self.interval_min)


@dataclass(frozen=True, slots=True)
class TimeBasedLinear:
    """``percent`` more every ``interval_min`` minutes until everything has moved."""

    percent: int
    interval_min: float

    def __post_init__(self) -> None:
        """Refuse a share or an interval that CodeDeploy would refuse."""
        _check("TimeBasedLinear", self.percent, self.interval_min)


Shift: TypeAlias = AllAtOnce | TimeBasedCanary | TimeBasedLinear

PREDEFINED: Mapping[str, Shift] = MappingProxyType(
    {
        "CodeDeployDefault.ECSAllAtOnce": AllAtOnce(),
        "CodeDeployDefault.ECSCanary10Percent5Minutes": TimeBasedCanary(10, 5),
        "CodeDeployDefault.ECSCanary10Percent15Minutes": TimeBasedCanary(10, 15),
        "CodeDeployDefault.ECSLinear10PercentEvery1Minutes": TimeBasedLinear(10, 1),
        "CodeDeployDefault.ECSLinear10PercentEvery3Minutes": TimeBasedLinear(10, 3),
    }
)
"""CodeDeploy's own deployment configurations for ECS."""


def shift_named(name: str, custom: Mapping[str, Shift] = MappingProxyType({})) -> Shift:
    """Return the shift called ``name``; a `SettingsError` lists the known names."""
    known = {**PREDEFINED, **custom}
    if name not in known:
        raise SettingsError(
            f"unknown deployment configuration {name!r}", hint=f"use one of: {', '.join(known)}"
        )
    return known[name]


def steps(shift: Shift) -> tuple[Step, ...]:
    """Return the steps of ``shift``: percentages rise strictly and end at 100."""
    match shift:
        case AllAtOnce():
            return (Step(ALL, 0),)
        case TimeBasedCanary(percent, interval):
            return (Step(percent, interval * 60), Step(ALL, 0))
        case TimeBasedLinear(percent, interval):
            rising = tuple(Step(share, interval * 60) for share in range(percent, ALL, percent))
            return (*rising, Step(ALL, 0))
        case _:
            assert_never(shift)
