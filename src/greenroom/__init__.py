"""Greenroom: continuous testing and deployment validation. No green without evidence."""

from __future__ import annotations

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
from greenroom.validators.threshold import Dimension, Metric, Threshold
from greenroom.validators.threshold import parse as threshold
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
    "threshold",
]
