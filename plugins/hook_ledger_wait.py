"""What the deliveries of one execution owe each other: a verdict that they share.

The one that ran the suite settles it in the ledger before anybody is told; the others await it.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from greenroom.plugins.hook_ledger import Recorded
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.hook_ledger import Claim, Ledger

LEASE_MARGIN_S = 3.0
"""How long after its lease a holder counts as alive: machines do not share a clock."""

DIED = "the first delivery ended without a verdict"

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, as the machine has them; tests have their own."""

    monotonic: Callable[[], float] = time.monotonic
    epoch: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    def stamp(self) -> str:
        """Return the time in ISO 8601, UTC."""
        return datetime.fromtimestamp(self.epoch(), UTC).isoformat(timespec="seconds")


CLOCK = Clock()


def settle(ledger: Ledger, key: str, recorded: Recorded, *, until: float) -> Recorded:
    """Record the verdict and return the one to report: the first, or Failed if nobody can know.

    A verdict that the ledger did not take by ``until`` must not be reported: whoever waits for it
    there will have to say Failed.
    """
    try:
        return ledger.record(key, recorded, until=until)
    except ServiceError as error:
        reason = f"the verdict ({recorded.verdict}) could not be recorded: {error}"
        return Recorded.failed(reason, at=recorded.at, by=recorded.by)


def await_verdict(  # noqa: PLR0913 - the clock is a test's
    ledger: Ledger,
    key: str,
    *,
    by: str,
    until: float,
    held: Claim | None = None,
    clock: Clock = CLOCK,
) -> Recorded | None:
    """Return the verdict of the execution that somebody else holds, or None at ``until``.

    ``until`` is in monotonic seconds; the last look begins a second before it. If the holder's
    lease ends first, *Failed* is recorded in the name of ``by``, and what stands is returned.
    ``held`` is what the claim was told: while that lease lasts, a ledger that is out of reach
    means None as well, for the holder answers; afterwards `ServiceError` is raised.
    """
    lease_ends = _ends(held)
    try:
        return _await(ledger, key, by, (until, lease_ends), clock)
    except ServiceError:
        if clock.epoch() < lease_ends:
            return None
        raise


def _await(
    ledger: Ledger, key: str, by: str, ends: tuple[float, float], clock: Clock
) -> Recorded | None:
    until, lease_ends = ends
    pause = _FIRST_PAUSE_S
    while True:
        if clock.epoch() < lease_ends:
            recorded = ledger.recorded(key, until=until)
        else:
            # A lease grows when the claim is handed over, so it is read again before it is judged.
            claim = ledger.read(key, until=until)
            recorded, lease_ends = claim.recorded if claim else None, _ends(claim)
            if recorded is None and clock.epoch() >= lease_ends:
                died = Recorded.failed(DIED, at=clock.stamp(), by=by)
                recorded = ledger.record(key, died, until=until)
        left = until - _LOOK_S - clock.monotonic()
        if recorded is not None or left <= 0:
            return recorded
        lease_left = max(lease_ends - clock.epoch(), 0.0)
        clock.sleep(min(pause * (0.5 + clock.random() / 2), left, lease_left))
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)


def _ends(claim: Claim | None) -> float:
    """Return when the holder of ``claim`` counts as dead (epoch seconds)."""
    return claim.until + LEASE_MARGIN_S if claim else 0.0
