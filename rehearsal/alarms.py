"""An alarm on the share of errors (5xx or no answer) of the last seconds, as CloudWatch has it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.errors import SettingsError
from greenroom.validators.finding import Rule
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

    ``of`` chooses the answers, ``minimum`` is the least number of them that can decide. An error is
    a status of 500 or more, or no answer at all. What came without a revision, as every request
    without an answer does, counts for production only.
    """

    name: str
    condition: Threshold
    of: Watched = Watched.REPLACEMENT
    minimum: int = 5
    window_s: float = 3.0

    def measure(self, answers: Sequence[Answer]) -> Metric:
        """Return the share of errors among those of one window's answers that count."""
        if self.of is not Watched.PRODUCTION:
            answers = [answer for answer in answers if answer.revision == self.of]
        errors = sum(_is_error(answer) for answer in answers)
        return Metric(errors / max(1, len(answers)), Dimension.RATIO, samples=len(answers))

    def state(self, metric: Metric) -> AlarmState:
        """Judge what was measured in one window."""
        if metric.samples < self.minimum:
            return AlarmState.INSUFFICIENT_DATA
        met = self.condition.judge({"error_rate": metric}).met
        return AlarmState.ALARM if met else AlarmState.OK


def _is_error(answer: Answer) -> bool:
    return answer.status == 0 or answer.status >= 500  # noqa: PLR2004 - HTTP's own class


def parse_condition(text: str) -> Threshold:
    """Parse an alarm's condition; a `SettingsError` if it is no least share of errors."""
    condition = parse_threshold(text)
    ratio = condition.metric == "error_rate" and condition.dimension is Dimension.RATIO
    if not ratio or condition.operator not in {">", ">="}:
        raise SettingsError(
            f"alarm condition {text!r}: expected > or >= and a limit in % on error_rate",
            hint="for example: error_rate > 5%",
        )
    return condition


class ErrorAlarm:
    """A rule that watches a running load's tally, and remembers the worst that it saw."""

    def __init__(
        self, rule: AlarmRule, tally: Tally, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._rule = rule
        self._tally = tally
        self._now = now
        self._worst: Metric | None = None

    @property
    def name(self) -> str:
        """The alarm's name."""
        return self._rule.name

    def firing(self) -> bool:
        """Tell whether the rule is in ALARM over the answers up to now."""
        metric = self._rule.measure(self._tally.since(self._now() - self._rule.window_s))
        state = self._rule.state(metric)
        if state is AlarmState.INSUFFICIENT_DATA:
            return False
        if self._worst is None or metric.value > self._worst.value:
            self._worst = metric
        return state is AlarmState.ALARM

    def history(self) -> Rule:
        """Return what was seen so far: met unless it ever fired, None if it never had enough data.

        An alarm that could not decide has not said that all is well.
        """
        of, condition = self._rule.of, self._rule.condition
        name, limit = f"alarm {self.name}: error rate of {of}", f"never {condition.shown_limit}"
        if self._worst is None:
            least = f"{self._rule.minimum} answers within {self._rule.window_s:g} s"
            return Rule(name, limit, f"no data: never {least}", None)
        worst = condition.judge({"error_rate": self._worst})
        return Rule(name, limit, f"at worst {worst.observed}", not worst.met)
