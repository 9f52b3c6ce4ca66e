"""Answers of the gate, as waiters are told them and as the ledger keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greenroom.plugins.hook_ledger import Recorded
from greenroom.plugins.reporting import Answer
from greenroom.validators.vocabulary import Verdict, choose

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Pending:
    """No answer from here and now: somebody else gives it, or ECS asks again with ``state``."""

    reason: str
    state: Mapping[str, Any] | None = None
    delay_s: int = 30


def refusal(reason: str, facts: Mapping[str, str] | None = None) -> Answer:
    """Return the answer of a gate that could not decide, for ``reason``."""
    return Answer(
        succeeded=False, verdict=Verdict.COULD_NOT_DECIDE, reasons=(reason,), facts=facts or {}
    )


def recorded_of(answer: Answer, by: str) -> Recorded:
    """Return ``answer`` as the ledger keeps it."""
    return Recorded(
        succeeded=answer.succeeded,
        verdict=answer.verdict.value,
        reasons=answer.reasons,
        status="Succeeded" if answer.succeeded else "Failed",
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        by=by,
    )


def answer_of(recorded: Recorded) -> Answer:
    """Return the answer that the ledger holds."""
    return Answer(
        succeeded=recorded.succeeded,
        verdict=choose(Verdict, recorded.verdict, "the ledger"),
        reasons=recorded.reasons,
    )
