"""A finding: what was expected, what was seen, on how much evidence, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.validators.evidence import Evidence, proves, told
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from greenroom.validators.result import Result

RESULTS_MOST = 2000
"""Results of one check that its record keeps, the worst first."""
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation with its limit and what was observed; kept whether it was met or not.

    ``met`` is None where it could not be observed.
    """

    rule: str
    limit: str
    observed: str
    met: bool | None

    def __str__(self) -> str:
        return f"{self.rule}: expected {self.limit}, seen {self.observed}"

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this rule."""
        return {
            "rule": self.rule,
            "limit": self.limit,
            "observed": self.observed,
            "met": self.met,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rule:
        """Read `to_json`'s form."""
        met = data["met"]
        return cls(
            rule=str(data["rule"]),
            limit=str(data["limit"]),
            observed=str(data["observed"]),
            met=met if met is None else bool(met),
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """The judgement of one check; ``str(finding)`` is the whole failure message.

    A passed finding without evidence, or with a rule that was not met, cannot be made: use
    `Finding.judged`, which finds the outcome. ``results`` are what a tool reported, worst first;
    ``notes`` are what a reader should know and what decides nothing (a waiver that nobody needs).
    """

    outcome: Outcome
    expected: str
    seen: str
    evidence: tuple[Evidence, ...] = ()
    advice: str = ""
    rules: tuple[Rule, ...] = ()
    results: tuple[Result, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.outcome is Outcome.PASSED and not proves(self.evidence):
            raise ValueError("a finding without evidence cannot be passed; use Finding.judged(...)")
        if self.rules and self.outcome is Outcome.PASSED and self.misses:
            raise ValueError(f"a passed finding cannot hold a miss: {self.misses[0]}")

    @classmethod
    def judged(
        cls,
        rules: tuple[Rule, ...],
        evidence: tuple[Evidence, ...],
        *,
        advice: str = "",
        results: tuple[Result, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Finding:
        """Judge ``rules`` on ``evidence``.

        failed if any rule was missed; else error if any could not be observed; else inconclusive
        without rules or evidence; else passed.
        """
        missed = tuple(rule for rule in rules if rule.met is False)
        unseen = tuple(rule for rule in rules if rule.met is None)
        shown = missed or unseen or rules
        outcome = _outcome(missed, unseen, examined=bool(rules) and proves(evidence))
        return cls(
            outcome=outcome,
            expected="; ".join(f"{rule.rule} {rule.limit}" for rule in shown) or "an expectation",
            seen="; ".join(f"{rule.rule} {rule.observed}" for rule in shown) or "none was given",
            evidence=evidence,
            advice=advice,
            rules=rules,
            results=results,
            notes=notes,
        )

    @property
    def misses(self) -> tuple[Rule, ...]:
        """Every rule that was not met or could not be observed."""
        return tuple(rule for rule in self.rules if rule.met is not True)

    @property
    def _counting(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.state.value == "open")

    def __str__(self) -> str:
        lines = [f"{self.outcome.value}: expected {self.expected}", f"  seen: {self.seen}"]
        if len(self.misses) > 1:
            lines += [f"  - {rule}" for rule in self.misses]
        lines.append(f"  evidence: {told(self.evidence)}")
        lines += [f"  {result}" for result in self._counting[:_SHOWN]]
        if (more := len(self._counting) - _SHOWN) > 0:
            lines.append(f"  and {more:,} more")
        lines += [f"  note: {note}" for note in self.notes]
        if self.advice:
            lines.append(f"  what to do: {self.advice}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this finding (its evidence stands beside it).

        Of many results the worst are kept, and how many there were.
        """
        data: dict[str, Any] = {
            "expected": self.expected,
            "seen": self.seen,
            "advice": self.advice,
            "rules": [rule.to_json() for rule in self.rules],
        }
        if self.results:
            data["results"] = [result.to_json() for result in self.results[:RESULTS_MOST]]
        if (left_out := len(self.results) - RESULTS_MOST) > 0:
            notes = (*self.notes, f"{left_out:,} more results are not kept in the record")
            return data | {"notes": list(notes)}
        return data | ({"notes": list(self.notes)} if self.notes else {})

    @classmethod
    def from_json(
        cls, outcome: Outcome, data: dict[str, Any], evidence: tuple[Evidence, ...]
    ) -> Finding:
        """Read `to_json`'s form; a record's *passed* without evidence becomes *inconclusive*."""
        if outcome is Outcome.PASSED and not proves(evidence):
            outcome = Outcome.INCONCLUSIVE
        return cls(
            outcome=outcome,
            expected=str(data["expected"]),
            seen=str(data["seen"]),
            evidence=evidence,
            advice=str(data.get("advice", "")),
            rules=tuple(Rule.from_json(item) for item in data.get("rules", ())),
            results=_results(data.get("results", ())),
            notes=tuple(map(str, data.get("notes", ()))),
        )


def _results(data: Collection[dict[str, Any]]) -> tuple[Result, ...]:
    if not data:
        return ()
    from greenroom.validators.result import Result  # noqa: PLC0415 - most checks have none

    return tuple(map(Result.from_json, data))


def _outcome(missed: tuple[Rule, ...], unseen: tuple[Rule, ...], *, examined: bool) -> Outcome:
    if missed:
        return Outcome.FAILED
    if unseen:
        return Outcome.ERROR
    return Outcome.PASSED if examined else Outcome.INCONCLUSIVE
