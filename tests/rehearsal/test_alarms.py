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
    assert rule().state(rule().measure(given)) is state


def test_a_rule_over_production_counts_every_answer() -> None:
    given = answers(2, 2) + answers(2, 2, "original")
    watching = rule(Watched.PRODUCTION)
    assert watching.state(watching.measure(given)) is AlarmState.ALARM


@pytest.mark.parametrize(
    ("status", "share"),
    [
        pytest.param(0, 1, id="no-answer"),
        pytest.param(504, 1, id="time-out"),
        pytest.param(500, 1, id="500"),
        pytest.param(499, 0, id="499"),
        pytest.param(404, 0, id="404"),
    ],
)
def test_an_error_is_a_5xx_or_no_answer(status: int, share: float) -> None:
    assert rule().measure([Answer(10, status, "replacement")] * 10).value == share


def test_what_came_without_a_revision_counts_for_production_only() -> None:
    silence = [Answer(10, 0, "")] * 10
    assert rule(Watched.PRODUCTION).measure(silence).samples == 10
    assert [rule(of).measure(silence).samples for of in Watched if of != "production"] == [0, 0]


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


def history(*windows: list[Answer]) -> tuple[str, bool | None]:
    """Return what an alarm says of itself after a look at each of ``windows``."""
    now, tally = [0.0], Tally()
    alarm = ErrorAlarm(rule(), tally, now=lambda: now[0])
    for number, window in enumerate(windows):
        now[0] = number * 10
        for each in window:
            tally.add(Answer(now[0], each.status, each.revision))
        alarm.firing()
    seen = alarm.history()
    assert (seen.rule, seen.limit) == ("alarm 5xx: error rate of replacement", "never > 20 %")
    return seen.observed, seen.met


@pytest.mark.parametrize(
    ("windows", "seen"),
    [
        pytest.param([], ("no data: never 5 answers within 3 s", None), id="never-read"),
        pytest.param(
            [answers(0, 4)] * 3, ("no data: never 5 answers within 3 s", None), id="too-few"
        ),
        pytest.param(
            [answers(9, 1), answers(2, 3), answers(9, 0)],
            ("at worst 60 % (n=5)", False),
            id="fired",
        ),
        pytest.param(
            [answers(9, 1), answers(10, 0), []], ("at worst 10 % (n=10)", True), id="quiet"
        ),
    ],
)
def test_an_alarm_remembers_the_worst_it_saw_and_whether_it_saw_enough(
    windows: list[list[Answer]], seen: tuple[str, bool | None]
) -> None:
    assert history(*windows) == seen


@pytest.mark.parametrize(
    "text", ["p95 > 5%", "error_rate > 5", "error_rate > 5ms", "error_rate < 5%"]
)
def test_another_condition_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="limit in % on error_rate"):
        parse_condition(text)
