"""Greenroom: continuous testing and deployment validation. No green without evidence.

The public names are loaded at first use: pytest imports this package in every project where it is
installed, also in those that do not use it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greenroom.plugins.expecting import contract, expect
    from greenroom.plugins.recorded import recorded
    from greenroom.validators.errors import (
        GreenroomError,
        RecordError,
        ServiceError,
        SettingsError,
        ToolError,
    )
    from greenroom.validators.evidence import Evidence
    from greenroom.validators.finding import Finding, Rule
    from greenroom.validators.record import RunRecord
    from greenroom.validators.threshold import Dimension, Metric, Threshold, parse_threshold
    from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage, Verdict
    from greenroom.validators.waiver import Waiver

__all__ = [
    "Dimension",
    "Evidence",
    "Finding",
    "Gate",
    "GreenroomError",
    "Kind",
    "Metric",
    "Outcome",
    "RecordError",
    "Rule",
    "RunRecord",
    "ServiceError",
    "SettingsError",
    "Stage",
    "Threshold",
    "ToolError",
    "Verdict",
    "Waiver",
    "contract",
    "expect",
    "parse_threshold",
    "recorded",
]

_HOMES = {
    "plugins.expecting": ("contract", "expect"),
    "plugins.recorded": ("recorded",),
    "validators.errors": (
        "GreenroomError",
        "RecordError",
        "ServiceError",
        "SettingsError",
        "ToolError",
    ),
    "validators.evidence": ("Evidence",),
    "validators.finding": ("Finding", "Rule"),
    "validators.record": ("RunRecord",),
    "validators.threshold": ("Dimension", "Metric", "Threshold", "parse_threshold"),
    "validators.vocabulary": ("Gate", "Kind", "Outcome", "Stage", "Verdict"),
    "validators.waiver": ("Waiver",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'greenroom' has no attribute {name!r}")
    home = importlib.import_module(f"greenroom.{_HOME_OF[name]}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
