"""What tests of reporters share: decisions, and time."""

from __future__ import annotations

import time

from greenroom.plugins.reporting import Answer
from greenroom.validators.vocabulary import Verdict

SHIP = Answer(succeeded=True, verdict=Verdict.SHIP, facts={"checks": "22"})
DO_NOT_SHIP = Answer(
    succeeded=False,
    verdict=Verdict.DO_NOT_SHIP,
    reasons=("trivia answers: 500 instead of 200", "2 more"),
    link="s3://reports/d-1/report.html",
)
UNDECIDED = Answer(succeeded=False, verdict=Verdict.COULD_NOT_DECIDE, reasons=("no evidence",))


def soon(seconds: float = 20) -> float:
    """Return a deadline as reporters take it."""
    return time.monotonic() + seconds
