"""Traffic shifts and their steps."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.rehearsal.traffic import (
    PREDEFINED,
    AllAtOnce,
    Shift,
    Step,
    TimeBasedCanary,
    TimeBasedLinear,
    shift_named,
    steps,
)
from greenroom.validators.errors import SettingsError

SHARES = st.integers(1, 99)
MINUTES = st.floats(0.001, 10_000)
SHIFTS: st.SearchStrategy[Shift] = st.one_of(
    st.just(AllAtOnce()),
    st.builds(TimeBasedCanary, SHARES, MINUTES),
    st.builds(TimeBasedLinear, SHARES, MINUTES),
)


@pytest.mark.parametrize("kind", [TimeBasedCanary, TimeBasedLinear])
@pytest.mark.parametrize(
    ("percent", "minutes"),
    [(0, 5), (100, 5), (-1, 5), (10, 0), (10, -1), (10, float("inf")), (10, float("nan"))],
)
def test_a_share_or_an_interval_that_makes_no_sense_is_refused(
    kind: type[TimeBasedCanary | TimeBasedLinear], percent: int, minutes: float
) -> None:
    with pytest.raises(SettingsError, match=kind.__name__):
        kind(percent, minutes)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError) as refused:
        shift_named("Canary", {"Ours": AllAtOnce()})
    assert all(name in refused.value.hint for name in [*PREDEFINED, "Ours"])


def test_a_custom_configuration_is_found_by_its_name() -> None:
    ours = TimeBasedCanary(25, 2)
    assert shift_named("Ours", {"Ours": ours}) is ours


@pytest.mark.parametrize(
    ("name", "first", "count", "seconds"),
    [
        ("ECSAllAtOnce", 100, 1, 0),
        ("ECSCanary10Percent5Minutes", 10, 2, 300),
        ("ECSCanary10Percent15Minutes", 10, 2, 900),
        ("ECSLinear10PercentEvery1Minutes", 10, 10, 540),
        ("ECSLinear10PercentEvery3Minutes", 10, 10, 1620),
    ],
)
def test_the_predefined_configurations(name: str, first: int, count: int, seconds: float) -> None:
    plan = steps(shift_named(f"CodeDeployDefault.{name}"))
    assert (plan[0].percent, len(plan)) == (first, count)
    assert sum(step.wait_s for step in plan) == seconds


def test_a_linear_shift_that_does_not_divide_100_ends_with_the_rest() -> None:
    assert steps(TimeBasedLinear(40, 1)) == (Step(40, 60), Step(80, 60), Step(100, 0))


@given(SHIFTS)
def test_every_shift_rises_to_100_and_then_waits_for_nothing(shift: Shift) -> None:
    percents = [step.percent for step in steps(shift)]
    assert percents == sorted(set(percents))
    assert percents[0] > 0
    assert steps(shift)[-1] == Step(100, 0)
    assert all(step.wait_s > 0 for step in steps(shift)[:-1])


@given(SHARES, MINUTES)
def test_no_step_of_a_linear_shift_is_larger_than_its_share(percent: int, minutes: float) -> None:
    percents = [0, *(step.percent for step in steps(TimeBasedLinear(percent, minutes)))]
    assert max(b - a for a, b in itertools.pairwise(percents)) <= percent
