"""A 5xx alarm over the production answers of the last seconds, with CloudWatch's three states."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.errors import SettingsError
from greenroom.validators.threshold import Dimension, Metric, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenroom.rehearsal.load import Answer, Tally
    from greenroom.validators.threshold import Threshold


class AlarmState(StrEnum):
    """What an alarm says; with too few answers it says nothing, as in CloudWatch."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Watched(StrEnum):
    """Whose answers an alarm looks at."""

    PRODUCTION = "production"
    ORIGINAL = "original"
    REPLACEMENT = "replacement"


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """In ALARM when the condition (``error_rate > 5%``) holds over the answers of ``window_s``.

    ``of`` chooses the answers, ``minimum`` is the least number of them that can decide.
    """

    name: str
    condition: Threshold
    of: Watched = Watched.REPLACEMENT
    minimum: int = 5
    window_s: float = 3.0

    def state(self, answers: Sequence[Answer]) -> AlarmState:
        """Judge the answers of one window."""
        if self.of is not Watched.PRODUCTION:
            answers = [answer for answer in answers if answer.revision == self.of]
        if len(answers) < self.minimum:
            return AlarmState.INSUFFICIENT_DATA
        errors = sum(answer.failed for answer in answers)
        metric = Metric(errors / len(answers), Dimension.RATIO, samples=len(answers))
        met = self.condition.judge({"error_rate": metric}).met
        return AlarmState.ALARM if met else AlarmState.OK


def parse_condition(text: str) -> Threshold:
    """Parse an alarm's condition; raises `SettingsError` if it is none over ``error_rate``."""
    condition = parse_threshold(text)
    if condition.metric != "error_rate" or condition.dimension is not Dimension.RATIO:
        raise SettingsError(
            f"alarm condition {text!r}: expected a limit in % on error_rate",
            hint="for example: error_rate > 5%",
        )
    return condition


class ErrorAlarm:
    """A rule that watches a running load's tally."""

    def __init__(
        self, rule: AlarmRule, tally: Tally, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._rule = rule
        self._tally = tally
        self._now = now

    @property
    def name(self) -> str:
        """The alarm's name."""
        return self._rule.name

    def firing(self) -> bool:
        """Tell whether the rule is in ALARM over the answers up to now."""
        answers = self._tally.since(self._now() - self._rule.window_s)
        return self._rule.state(answers) is AlarmState.ALARM
