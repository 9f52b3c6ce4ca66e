"""How a check stands for a reader: its outcome with its gate, waiver and skip taken together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.validators.record import Check, RunRecord


class State(StrEnum):
    """One word for each check, worst first; the stage matrix counts these."""

    FAILED = "failed"
    COULD_NOT_RUN = "could not run"
    WARNED = "warned"
    WAIVED = "waived"
    SKIPPED = "skipped"
    PASSED = "passed"

    @property
    def slug(self) -> str:
        """The state as a class name and as a value in an address."""
        return self.value.replace(" ", "-")


_NOTHING_WRONG = frozenset({Outcome.PASSED, Outcome.INCONCLUSIVE})
ORDER = {state: place for place, state in enumerate(State)}


def state_of(check: Check) -> State:
    """Return how ``check`` stands; *could not run* covers both error and inconclusive.

    A check that was skipped proved nothing, whatever else is recorded of it, unless it failed.
    """
    if check.skipped is not None and check.outcome in _NOTHING_WRONG:
        return State.SKIPPED
    if check.outcome is Outcome.PASSED:
        return State.PASSED
    if check.waiver is not None:
        return State.WAIVED
    if check.gate is not Gate.BLOCK:
        return State.WARNED
    return State.FAILED if check.outcome is Outcome.FAILED else State.COULD_NOT_RUN


@dataclass(slots=True)
class StageRow:
    """One line of the stage matrix: a kind of a stage, how its checks stand, and seconds spent."""

    stage: Stage
    kind: Kind
    counts: dict[State, int]
    seconds: float = 0.0
    least: int = 0


def stage_rows(record: RunRecord) -> list[StageRow]:
    """Return a line for every stage and kind that ran or was expected, in the stages' order."""
    rows: dict[tuple[Stage, Kind], StageRow] = {}
    for kind, least in record.expected.kinds.items():
        _row(rows, kind.stage, kind).least = least
    for check in record.checks:
        row = rows.get((check.stage, check.kind)) or _row(rows, check.stage, check.kind)
        row.counts[state_of(check)] += 1
        row.seconds += check.duration_s
    stages, kinds = list(Stage), list(Kind)
    return sorted(rows.values(), key=lambda r: (stages.index(r.stage), kinds.index(r.kind)))


def skip_reasons(checks: Iterable[Check]) -> list[tuple[str, int]]:
    """Return each reason for skipping with the number of checks, the most frequent first."""
    reasons: dict[str, int] = {}
    for check in checks:
        if state_of(check) is State.SKIPPED:
            reason = check.skipped or "no reason given"
            reasons[reason] = reasons.get(reason, 0) + 1
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))


def _row(rows: dict[tuple[Stage, Kind], StageRow], stage: Stage, kind: Kind) -> StageRow:
    return rows.setdefault((stage, kind), StageRow(stage, kind, dict.fromkeys(State, 0)))
