"""What the second delivery does: it waits for the first one's verdict, and never runs a suite."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from greenroom.plugins.hook_ledger import Recorded
from greenroom.plugins.hook_ledger_wait import CLOCK, DIED, await_verdict, settle
from greenroom.validators.errors import ServiceError
from tests.support.ledgers import SHIP, FakeClock, MemoryEntries, MemoryLedger

KEY = "e-1"


def held_until(lease_ends: float) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.claim(KEY, owner="first", lease_ends=lease_ends, until=0)
    return ledger


def waited(ledger: MemoryLedger, time: FakeClock, *, seconds: float) -> Recorded | None:
    return await_verdict(ledger, KEY, by="second", until=time.now + seconds, clock=time.clock)


def test_a_recorded_verdict_is_had_at_once() -> None:
    ledger, time = held_until(1100), FakeClock()
    ledger.record(KEY, SHIP, until=0)
    assert waited(ledger, time, seconds=60) == SHIP
    assert time.slept == []


def test_a_verdict_that_comes_in_time_is_had_soon_after() -> None:
    ledger, time = held_until(1100), FakeClock()
    time.events[3] = lambda: ledger.record(KEY, SHIP, until=0)
    assert waited(ledger, time, seconds=60) == SHIP
    assert time.slept == [0.25, 0.375, 0.5625]


def test_the_own_time_is_up_before_the_holders() -> None:
    ledger, time = held_until(1100), FakeClock()
    assert waited(ledger, time, seconds=60) is None
    assert time.now == 1059
    assert ledger.recorded(KEY, until=0) is None
    assert max(time.slept) == 5


def test_a_holder_that_died_is_recorded_as_failed() -> None:
    ledger, time = held_until(1010), FakeClock()
    failed = waited(ledger, time, seconds=60)
    assert failed == ledger.recorded(KEY, until=0)
    assert failed is not None
    assert (failed.succeeded, failed.reasons, failed.by) == (False, (DIED,), "second")
    assert time.now == 1013  # the lease, and a margin for the clocks


def test_a_verdict_in_the_last_moment_stands() -> None:
    ledger, time = held_until(1000), FakeClock()
    time.events[5] = lambda: ledger.record(KEY, SHIP, until=0)
    assert waited(ledger, time, seconds=60) == SHIP


def test_a_claim_that_was_handed_over_is_awaited_longer() -> None:
    ledger, time = held_until(1010), FakeClock()
    time.events[4] = lambda: ledger.hand_over(KEY, owner="build", lease_ends=3000, until=0)
    assert waited(ledger, time, seconds=60) is None
    assert time.now == 1059


def test_an_execution_that_nobody_holds_failed() -> None:
    failed = waited(MemoryLedger(), FakeClock(), seconds=60)
    assert failed is not None
    assert not failed.succeeded


def test_a_ledger_out_of_reach_is_no_verdict() -> None:
    ledger = held_until(1010)
    ledger.entries.down = True
    with pytest.raises(ServiceError, match="out of reach"):
        waited(ledger, FakeClock(), seconds=60)


@pytest.mark.parametrize(("lease_ends", "answers"), [(1100, True), (900, False)])
def test_without_the_ledgers_word_the_holder_answers_as_long_as_it_lives(
    lease_ends: float,
    answers: bool,  # noqa: FBT001 - a parameter of cases
) -> None:
    ledger = held_until(lease_ends)
    claim = ledger.claim(KEY, owner="second", lease_ends=2000, until=0)
    ledger.entries.down = True
    with nullcontext() if answers else pytest.raises(ServiceError, match="out of reach"):
        time = FakeClock().clock
        assert await_verdict(ledger, KEY, by="2", until=1060, held=claim, clock=time) is None


def test_a_verdict_that_cannot_be_recorded_is_reported_as_failed() -> None:
    ledger = held_until(1010)
    ledger.entries.down = True
    settled = settle(ledger, KEY, SHIP, until=0)
    assert (settled.succeeded, settled.verdict) == (False, "could-not-decide")
    assert settled.reasons == ("the verdict (ship) could not be recorded: out of reach",)


def test_the_verdict_to_report_is_the_recorded_one() -> None:
    ledger = held_until(1010)
    assert settle(ledger, KEY, SHIP, until=0) == SHIP
    assert settle(ledger, KEY, Recorded.failed("late", at="", by=""), until=0) == SHIP


def test_a_time_is_stamped_in_utc() -> None:
    assert FakeClock(now=0).clock.stamp() == "1970-01-01T00:00:00+00:00"
    assert CLOCK.stamp().endswith("+00:00")


def test_entries_that_expire_under_a_delivery_are_an_error() -> None:
    forgetful = MemoryLedger(Forgetful())
    with pytest.raises(ServiceError, match="has no claim"):
        forgetful.claim(KEY, owner="first", lease_ends=2000, until=0)
    with pytest.raises(ServiceError, match="has no verdict"):
        forgetful.record(KEY, SHIP, until=0)


class Forgetful(MemoryEntries):
    """Takes everything and has nothing."""

    def put(self, name: str, text: str, *, until: float) -> None:
        super().put(name, text, until=until)
        self.texts.clear()
