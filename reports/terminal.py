"""The closing block of a run on the terminal."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.vocabulary import Gate, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.record import Check, RunRecord
    from greenroom.validators.verdict import Reason

_SHOWN_REASONS = 10
_SHOWN_LINES = 8
_STYLE = {
    Verdict.SHIP: "green",
    Verdict.DO_NOT_SHIP: "red",
    Verdict.COULD_NOT_DECIDE: "yellow",
}
_COLUMNS = ("passed", "failed", "could not run", "skipped", "warned", "waived")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text with the names of its styles (green, red, yellow, bold)."""

    text: str
    styles: tuple[str, ...] = ()


def closing(record: RunRecord, page: str) -> Iterator[Line]:
    """Yield verdict, stage table, reasons, rerun command and the report's path."""
    decision = record.decision()
    style = _STYLE[decision.verdict]
    yield Line(f" greenroom: {decision.verdict.words.upper()} ".center(80, "="), (style, "bold"))
    yield from _stages(record.checks)
    for number, reason in enumerate(decision.reasons[:_SHOWN_REASONS], 1):
        yield from _reason(number, reason, style)
    if (more := len(decision.reasons) - _SHOWN_REASONS) > 0:
        yield Line(f"    and {more:,} more reasons in the report")
    if rerun := [reason.check for reason in decision.reasons if reason.check][:_SHOWN_REASONS]:
        yield Line(f"rerun:  pytest {shlex.join(rerun)}")
    if page:
        yield Line(f"report: {page}")


def column_of(check: Check) -> str:
    """Return the column of the stage table in which a check counts, exactly one."""
    if check.outcome is Outcome.PASSED:
        return "passed"
    if check.waiver is not None:
        return "waived"
    if check.skipped is not None:
        return "skipped"
    if check.gate is not Gate.BLOCK:
        return "warned"
    return "failed" if check.outcome is Outcome.FAILED else "could not run"


def _stages(checks: tuple[Check, ...]) -> Iterator[Line]:
    if not checks:
        yield Line("no check has a result")
        return
    rows: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
    for check in checks:
        row = (check.stage.value, check.kind.value)
        rows[row][column_of(check)] += 1
        seconds[row] += check.duration_s
    head = "  ".join(f"{name:>{max(6, len(name))}}" for name in _COLUMNS)
    yield Line(f"{'stage':<12}{'kind':<12}{head}    time")
    for row, counts in sorted(rows.items()):
        cells = "  ".join(f"{counts[name]:>{max(6, len(name))},}" for name in _COLUMNS)
        yield Line(f"{row[0]:<12}{row[1]:<12}{cells}  {seconds[row]:.1f} s")


def _reason(number: int, reason: Reason, style: str) -> Iterator[Line]:
    yield Line(f"{number:>2}. {reason.text}", (style,))
    if not reason.check:
        return
    for name in ("limit", "observed", "evidence", "source"):
        if value := getattr(reason, name):
            yield Line(f"      {name:<9} {_indented(value)}")


def _indented(text: str) -> str:
    lines = text.splitlines()
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[:_SHOWN_LINES], "…"]
    return "\n".join([*lines[:1], *(f"{'':16}{line}".rstrip() for line in lines[1:])])
