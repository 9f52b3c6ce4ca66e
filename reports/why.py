"""One sentence that explains a verdict."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, assert_never

from greenroom.reports import text
from greenroom.reports.states import State, state_of
from greenroom.validators.vocabulary import Gate, Outcome, Verdict

if TYPE_CHECKING:
    from greenroom.validators.record import RunRecord
    from greenroom.validators.verdict import Decision, Result


def why(record: RunRecord, decision: Decision) -> str:
    """Return one sentence that explains the verdict."""
    results = [check.result for check in record.checks]
    if record.bypass and not results:
        return "A person opened this gate: no check ran, so nothing is known of this version."
    failed = sum(r.blocks and r.finding.outcome is Outcome.FAILED for r in results)
    doubts = _doubts(record, decision, results)
    match decision.verdict:
        case Verdict.SHIP:
            return _all_good(record)
        case Verdict.DO_NOT_SHIP:
            return _sentence([f"{text.count(failed, 'blocking check')} failed", *doubts])
        case Verdict.COULD_NOT_DECIDE:
            return f"No blocking check failed, but {_sentence(doubts)}"
        case _:
            assert_never(decision.verdict)


def _doubts(record: RunRecord, decision: Decision, results: list[Result]) -> list[str]:
    unproved = sum(r.blocks and not r.ran for r in results)
    missing = len(Counter(record.expected.checks) - Counter(check.id for check in record.checks))
    proved = any(r.proved and r.gate is Gate.BLOCK for r in results)
    least = len(decision.shortfalls) - (not proved)
    doubts = (
        (record.bypass, "the gate was bypassed"),
        (not record.complete, "the run did not finish"),
        (record.problems, f"the run had {text.count(len(record.problems), 'problem')}"),
        (unproved, f"{text.count(unproved, 'blocking check')} proved nothing"),
        (missing, f"{text.count(missing, 'selected check')} gave no result"),
        (not proved, "no blocking check passed on evidence"),
        (least, f"the run missed {text.count(least, 'expected minimum')}"),
    )
    return [words for applies, words in doubts if applies]


def _all_good(record: RunRecord) -> str:
    counts = Counter(state_of(check) for check in record.checks)
    rest = [state for state in State if state is not State.PASSED and counts[state]]
    others = ", ".join(f"{counts[state]:,} {state.value}" for state in rest)
    passed = f"{text.count(counts[State.PASSED], 'check')} passed on evidence"
    return f"Every gate rule was met: {passed}{f' ({others})' if others else ''}."


def _sentence(parts: list[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}." if first else f"{last}."
