"""What the HTML page shows of a run record, worked out before any template sees it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.reports import text
from greenroom.reports.deployment import Timeline
from greenroom.reports.exchange import Exchange
from greenroom.reports.rerun import rerun
from greenroom.reports.states import (
    ORDER,
    StageRow,
    State,
    skip_reasons,
    stage_rows,
    state_of,
)
from greenroom.reports.why import why
from greenroom.validators.vocabulary import Gate, Outcome, Verdict

if TYPE_CHECKING:
    from greenroom.validators.finding import Rule
    from greenroom.validators.record import Check, RunRecord
    from greenroom.validators.result import Result
    from greenroom.validators.verdict import Decision, Reason

MAX_REASONS = 5
MAX_RULES = 200
MAX_EXCHANGES = 20
MAX_RESULTS = 200
_PASSED_BODY, _BODY = 1_000, 16_000

_FACTS = (
    ("Application", ("application", "app", "service")),
    ("Revision", ("revision", "version", "image")),
    ("Environment", ("environment", "target")),
    ("Event", ("event", "hook", "lifecycle_event")),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A reason against shipping and the place in the page that explains it."""

    text: str
    expected: str
    anchor: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule; ``anchor`` and ``check`` name the check it belongs to, empty for the run's own."""

    rule: Rule
    anchor: str = ""
    check: str = ""

    @property
    def word(self) -> str:
        """The result in words, for eyes and for screen readers alike."""
        return _RESULTS[self.rule.met]


_RESULTS = {True: "met", False: "missed", None: "not observed"}


@dataclass(frozen=True, slots=True)
class Row:
    """One check of the list; ``detailed`` unless its one line says it all."""

    check: Check
    anchor: str
    state: State
    label: str
    line: str
    blocking: bool
    detailed: bool

    @property
    def exchanges(self) -> list[Exchange]:
        """The last recorded exchanges; a passing check shows less of each body."""
        limit = _PASSED_BODY if self.state is State.PASSED else _BODY
        return [Exchange.of(item, limit) for item in self.check.exchanges[-MAX_EXCHANGES:]]

    @property
    def results(self) -> tuple[Result, ...]:
        """The worst of what a tool reported."""
        return self.check.finding.results[:MAX_RESULTS]

    @property
    def more_results(self) -> int:
        """How many results are not shown."""
        return max(0, len(self.check.finding.results) - MAX_RESULTS)

    @property
    def earlier(self) -> int:
        """How many exchanges came before those shown."""
        return max(0, len(self.check.exchanges) - MAX_EXCHANGES)

    @property
    def rerun(self) -> str:
        """The command that runs this check alone."""
        return rerun([self.check.id])


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template needs."""

    record: RunRecord
    verdict: Verdict
    why: str
    facts: list[tuple[str, str]]
    reasons: list[Link]
    more_reasons: int
    rules: list[RuleRow]
    missed_rules: list[RuleRow]
    more_missed: int
    met_rules: list[RuleRow]
    more_met: int
    stages: list[StageRow]
    skipped: list[tuple[str, int]]
    rows: list[Row]
    counts: dict[State, int]
    timeline: Timeline | None

    @classmethod
    def of(cls, record: RunRecord) -> Page:
        """Work out the page of ``record``."""
        decision = record.decision()
        rows = _rows(record)
        met, missed = _check_rules(rows)
        counts = Counter(row.state for row in rows)
        return cls(
            record=record,
            verdict=decision.verdict,
            why=why(record, decision),
            facts=_facts(record),
            reasons=_links(record, decision, rows),
            more_reasons=max(0, len(decision.reasons) - MAX_REASONS),
            rules=[RuleRow(rule, f"r{n}") for n, rule in enumerate(decision.rules, 1)],
            missed_rules=missed[:MAX_RULES],
            more_missed=max(0, len(missed) - MAX_RULES),
            met_rules=met[:MAX_RULES],
            more_met=max(0, len(met) - MAX_RULES),
            stages=stage_rows(record),
            skipped=skip_reasons(record.checks),
            rows=rows,
            counts={state: counts[state] for state in State},
            timeline=Timeline.of(record.deployment) if record.deployment else None,
        )


def _facts(record: RunRecord) -> list[tuple[str, str]]:
    known = {**record.environment, **record.release}
    found = [
        (label, str(known[key]))
        for label, keys in _FACTS
        for key in [next((key for key in keys if known.get(key)), None)]
        if key is not None
    ]
    end = text.moment(record.finished) if record.finished else "did not finish"
    found += [("Finished", end), ("Duration", text.duration(record.duration_s))]
    if record.reported:
        found.append(("Reported", _reported(record.reported)))
    return found


def _reported(reported: dict[str, Any]) -> str:
    status, to, at = (reported.get(key) for key in ("status", "to", "at"))
    if status and to:
        return f"{status} to {to}{f' at {text.moment(str(at))}' if at else ''}"
    return ", ".join(f"{key}: {value}" for key, value in reported.items())


def _links(record: RunRecord, decision: Decision, rows: list[Row]) -> list[Link]:
    anchors = {row.check.id: row.anchor for row in reversed(rows)}
    return [
        Link(
            text=text.clip(reason.text, 240),
            expected=text.first_line(reason.limit, 120) if reason.check in anchors else "",
            anchor=_anchor(reason, record, decision, anchors),
        )
        for reason in decision.reasons[:MAX_REASONS]
    ]


def _anchor(reason: Reason, record: RunRecord, decision: Decision, anchors: dict[str, str]) -> str:
    if reason.check in anchors:
        return anchors[reason.check]
    if record.bypass and reason.text == str(record.bypass):
        return "bypass"
    if reason.text in record.problems:
        return "problems"
    for number, rule in enumerate(decision.rules, 1):
        if reason.text.startswith(f"{rule.rule}:"):
            return f"r{number}"
    return "rules"


def _rows(record: RunRecord) -> list[Row]:
    seen: Counter[str] = Counter()
    rows = []
    for check in record.checks:
        digest = hashlib.sha1(check.id.encode("utf-8", "surrogatepass"), usedforsecurity=False)
        name = f"c-{digest.hexdigest()[:10]}"
        seen[name] += 1
        rows.append(_row(check, name if seen[name] == 1 else f"{name}-{seen[name]}"))
    return sorted(rows, key=lambda row: (not row.blocking, ORDER[row.state]))


def _row(check: Check, anchor: str) -> Row:
    state = state_of(check)
    passed = state is State.PASSED
    blocking = not passed and check.gate is Gate.BLOCK and check.waiver is None
    return Row(
        check=check,
        anchor=anchor,
        state=state,
        label=_label(check, state, blocking=blocking),
        line=_line(check, state),
        blocking=blocking,
        detailed=not passed or _has_more(check),
    )


def _has_more(check: Check) -> bool:
    finding = check.finding
    return bool(
        check.exchanges or finding.rules or finding.results or finding.notes or check.waiver
    )


def _label(check: Check, state: State, *, blocking: bool) -> str:
    if state is State.SKIPPED and blocking:
        return "skipped, blocks"
    if state is State.COULD_NOT_RUN and check.outcome is Outcome.INCONCLUSIVE:
        return "inconclusive"
    return state.value


def _line(check: Check, state: State) -> str:
    if state is State.PASSED:
        return ", ".join(f"{item.amount:,} {item.what}" for item in check.finding.evidence)
    if check.skipped is not None:
        return text.first_line(check.skipped)
    first, *others = check.finding.misses or (check.finding.seen,)
    return text.first_line(str(first)) + (f" (and {len(others)} more)" if others else "")


def _check_rules(rows: list[Row]) -> tuple[list[RuleRow], list[RuleRow]]:
    """Return the rules of single checks: those that were met, and the others."""
    met: list[RuleRow] = []
    missed: list[RuleRow] = []
    for row in rows:
        for rule in row.check.finding.rules:
            shown = RuleRow(rule, row.anchor, row.check.name)
            (met if rule.met else missed).append(shown)
    return met, missed
