"""The closing block of a run on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from greenroom.reports.rerun import rerun
from greenroom.reports.states import State, stage_rows
from greenroom.reports.text import drift
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.record import RunRecord
    from greenroom.validators.verdict import Reason

_SHOWN_REASONS = 10
_SHOWN_LINES = 8
_SHOWN_NAMES = 5
_STYLE = {
    Verdict.SHIP: "green",
    Verdict.DO_NOT_SHIP: "red",
    Verdict.COULD_NOT_DECIDE: "yellow",
}
_COLUMNS = (
    State.PASSED,
    State.FAILED,
    State.COULD_NOT_RUN,
    State.SKIPPED,
    State.WARNED,
    State.WAIVED,
)


class Line(NamedTuple):
    """One line of text with the names of its styles (green, red, yellow, bold)."""

    text: str
    styles: tuple[str, ...] = ()


def closing(record: RunRecord, page: str) -> Iterator[Line]:
    """Yield verdict, stage table, reasons, rerun command and the report's path."""
    decision = record.decision()
    style = _STYLE[decision.verdict]
    if record.bypass:
        style = "red"
        yield Line(" greenroom: BYPASSED ".center(80, "="), (style, "bold"))
    yield Line(f" greenroom: {decision.verdict.words.upper()} ".center(80, "="), (style, "bold"))
    yield from _stages(record)
    for number, reason in enumerate(decision.reasons[:_SHOWN_REASONS], 1):
        yield from _reason(number, reason, style)
    if (more := len(decision.reasons) - _SHOWN_REASONS) > 0:
        yield Line(f"    and {more:,} more reasons in the report")
    if again := [reason.check for reason in decision.reasons if reason.check][:_SHOWN_REASONS]:
        yield Line(f"rerun:  {rerun(again)}")
    for contract in record.environment.get("contracts", ()):
        yield Line(f"drift:  {drift(contract, _SHOWN_NAMES)}")
    if page:
        yield Line(f"report: {page}")


def _stages(record: RunRecord) -> Iterator[Line]:
    rows = stage_rows(record)
    if not rows:
        yield Line("no check has a result")
        return
    head = "  ".join(f"{state.value:>{_width(state)}}" for state in _COLUMNS)
    yield Line(f"{'stage':<13}{'kind':<13}{head}     time")
    for row in rows:
        cells = "  ".join(f"{row.counts[state]:>{_width(state)},}" for state in _COLUMNS)
        yield Line(f"{row.stage.value:<13}{row.kind.value:<13}{cells}  {row.seconds:>5.1f} s")


def _width(state: State) -> int:
    return max(6, len(state.value))


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
