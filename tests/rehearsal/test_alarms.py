from __future__ import annotations

import pytest

from greenroom.rehearsal.alarms import AlarmRule, AlarmState, ErrorAlarm, Watched, parse_condition
from greenroom.rehearsal.load import Answer, Tally
from greenroom.validators.errors import SettingsError


def rule(of: Watched = Watched.REPLACEMENT) -> AlarmRule:
    return AlarmRule("5xx", parse_condition("error_rate > 20%"), of=of, minimum=5, window_s=3)


def answers(good: int, bad: int, revision: str = "replacement") -> list[Answer]:
    return [Answer(10, 200, revision)] * good + [Answer(10, 503, revision)] * bad


@pytest.mark.parametrize(
    ("given", "state"),
    [
        pytest.param([], AlarmState.INSUFFICIENT_DATA, id="no-answers"),
        pytest.param(answers(0, 4), AlarmState.INSUFFICIENT_DATA, id="too-few"),
        pytest.param(answers(0, 9, "original"), AlarmState.INSUFFICIENT_DATA, id="others"),
        pytest.param(answers(4, 1), AlarmState.OK, id="at-the-limit"),
        pytest.param(answers(3, 2), AlarmState.ALARM, id="over"),
    ],
)
def test_a_rule_judges_the_answers_of_its_revision(given: list[Answer], state: AlarmState) -> None:
    assert rule().state(given) is state


def test_a_rule_over_production_counts_every_answer() -> None:
    given = answers(2, 2) + answers(2, 2, "original")
    assert rule(Watched.PRODUCTION).state(given) is AlarmState.ALARM


@pytest.mark.parametrize(
    ("now", "firing"),
    [pytest.param(12.9, True, id="within"), pytest.param(13.1, False, id="past")],
)
def test_an_alarm_looks_at_its_window_only(now: float, *, firing: bool) -> None:
    tally = Tally()
    for answer in answers(0, 9):
        tally.add(answer)
    alarm = ErrorAlarm(rule(), tally, now=lambda: now)
    assert alarm.name == "5xx"
    assert alarm.firing() is firing


@pytest.mark.parametrize("text", ["p95 > 5%", "error_rate > 5", "error_rate > 5ms"])
def test_another_condition_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="limit in % on error_rate"):
        parse_condition(text)
