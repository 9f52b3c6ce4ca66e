"""Deployment time, sped up and simulated."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from greenroom.rehearsal.clock import ScaledClock, SimulatedClock
from greenroom.validators.errors import SettingsError


@pytest.mark.parametrize("scale", [0, -1, float("inf"), float("nan")])
def test_a_scale_that_is_no_positive_number_is_refused(scale: float) -> None:
    with pytest.raises(SettingsError, match="time scale"):
        ScaledClock(scale)


def test_scaled_time_passes_at_least_as_fast_as_its_scale() -> None:
    clock = ScaledClock(1_000_000)
    before = clock.now()
    assert clock.wait(threading.Event(), 1000) is False
    assert clock.now() - before >= timedelta(seconds=1000)


def test_a_set_event_ends_a_wait_at_once() -> None:
    event = threading.Event()
    event.set()
    assert ScaledClock().wait(event, 1e12) is True


def test_real_time_is_told_back() -> None:
    clock = ScaledClock(60)
    start = clock.real(clock.now())
    assert clock.real(clock.now() + timedelta(minutes=1)) - start >= timedelta(seconds=1)


def test_simulated_time_passes_only_in_waiting() -> None:
    clock = SimulatedClock()
    before = clock.now()
    assert clock.wait(threading.Event(), 3600) is False
    assert clock.now() == before + timedelta(hours=1)


def test_planned_actions_happen_in_order_of_time_then_of_planning() -> None:
    clock = SimulatedClock()
    done: list[str] = []
    for seconds, name in [(2, "late"), (1, "early"), (1, "next"), (9, "never")]:
        clock.at(seconds, lambda name=name: done.append(name))  # type: ignore[misc]
    clock.wait(threading.Event(), 5)
    assert done == ["early", "next", "late"]


def test_an_action_that_sets_the_event_ends_the_wait_then() -> None:
    clock = SimulatedClock()
    event = threading.Event()
    before = clock.now()
    clock.at(3, event.set)
    assert clock.wait(event, 10) is True
    assert clock.now() == before + timedelta(seconds=3)
