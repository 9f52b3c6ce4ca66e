"""The verdict: a pure function of what was expected and what was recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from greenroom.validators.evidence import proves, told
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.validators.waiver import Waiver


@dataclass(frozen=True, slots=True)
class Expected:
    """What must have run.

    ``checks`` are the ids of all selected checks; ``kinds`` and ``stages`` give the least number of
    checks that must have passed or failed on evidence (a skipped one proves nothing).
    """

    checks: tuple[str, ...] = ()
    kinds: dict[Kind, int] = field(default_factory=dict)
    stages: dict[Stage, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for choice, least in (*self.kinds.items(), *self.stages.items()):
            if least < 0:
                raise ValueError(f"cannot expect {least} {choice.value} checks")

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this expectation."""
        return {
            "checks": list(self.checks),
            "kinds": {kind.value: least for kind, least in self.kinds.items()},
            "stages": {stage.value: least for stage, least in self.stages.items()},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Expected:
        """Read `to_json`'s form."""
        return cls(
            checks=tuple(map(str, data["checks"])),
            kinds={Kind(kind): int(least) for kind, least in data["kinds"].items()},
            stages={Stage(stage): int(least) for stage, least in data["stages"].items()},
        )

    @classmethod
    def merged(cls, parts: dict[str, Expected]) -> Expected:
        """Join the expectations of named runs: ids get their run's name, minimums add up."""
        kinds: Counter[Kind] = Counter()
        stages: Counter[Stage] = Counter()
        for part in parts.values():
            kinds.update(part.kinds)
            stages.update(part.stages)
        ids = tuple(f"{name}::{check}" for name, part in parts.items() for check in part.checks)
        return cls(checks=ids, kinds=dict(kinds), stages=dict(stages))


class Result(NamedTuple):
    """What the verdict needs to know of one check; a tuple, as every check needs one more."""

    id: str
    name: str
    kind: Kind
    stage: Stage
    gate: Gate
    finding: Finding
    source: str = ""
    skipped: str | None = None
    waiver: Waiver | None = None

    @property
    def blocks(self) -> bool:
        """Whether this check, not passed, keeps the gate shut."""
        return self.gate is Gate.BLOCK and self.waiver is None

    @property
    def proved(self) -> bool:
        """Whether this check passed on positive evidence (a skipped one never did)."""
        passed = self.finding.outcome is Outcome.PASSED and self.skipped is None
        return passed and proves(self.finding.evidence)

    @property
    def ran(self) -> bool:
        """Whether this check decided anything: passed on evidence, or failed."""
        return self.proved or self.finding.outcome is Outcome.FAILED


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the gate stays shut, with what a person needs to act on it.

    ``check`` is the id of the check it speaks of, or empty for the run as a whole.
    """

    text: str
    limit: str
    observed: str
    evidence: str = ""
    check: str = ""
    source: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this reason."""
        return {
            "text": self.text,
            "limit": self.limit,
            "observed": self.observed,
            "evidence": self.evidence,
            "check": self.check,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, every reason against shipping (worst first), and every run-wide rule."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    rules: tuple[Rule, ...]

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """Every minimum of the run that was not reached, as a text."""
        return tuple(_shortfall(rule) for rule in self.rules[_RUN_RULES:] if not rule.met)


def decide(
    expected: Expected,
    results: Iterable[Result],
    *,
    problems: tuple[str, ...] = (),
    complete: bool = True,
) -> Decision:
    """Decide from the expected set and the recorded results; their order does not matter.

    *do not ship* if a blocking check failed; *could not decide* if the run was not finished, had a
    problem, missed an expected check or minimum, or had a blocking check that proved nothing, or no
    blocking check that passed on evidence; else *ship*.
    """
    recorded = tuple(results)
    shut = sorted((r for r in recorded if not r.proved and r.blocks), key=_order)
    failures = [_of_check(r) for r in shut if r.finding.outcome is Outcome.FAILED]
    unproved = [_of_check(r) for r in shut if not r.ran]
    missing = _missing(expected, recorded)
    doubts = [
        *(Reason(problem, "a run without problems", problem) for problem in sorted(problems)),
        *([] if complete else [_UNFINISHED]),
        *unproved,
        *_of_missing(missing),
    ]
    counts = (len(failures), len(unproved), len(missing))
    rules = (*_explained(counts, problems, complete=complete), *_minimums(expected, recorded))
    doubts += [
        Reason(_shortfall(rule), rule.limit, rule.observed)
        for rule in rules[_RUN_RULES:]
        if not rule.met
    ]
    if failures:
        verdict = Verdict.DO_NOT_SHIP
    elif doubts:
        verdict = Verdict.COULD_NOT_DECIDE
    else:
        verdict = Verdict.SHIP
    return Decision(verdict, (*failures, *doubts), rules)


def _order(result: Result) -> tuple[str, ...]:
    """Sort by id; results that share one, by whatever else a reason shows of them."""
    finding = result.finding
    shown = (finding.outcome.value, finding.expected, finding.seen, str(finding.evidence))
    return (result.id, result.name, result.source, *shown)


_UNFINISHED = Reason("the run did not finish", "a finished run", "an unfinished record")
_RUN_RULES = 4
_SHOWN = 3
_LONGEST_LINE = 300


def _shortfall(rule: Rule) -> str:
    return f"{rule.rule}: {rule.observed}, expected {rule.limit}"


def _of_check(result: Result) -> Reason:
    finding = result.finding
    seen = f"skipped: {result.skipped}" if result.skipped is not None else finding.seen
    word = "" if finding.outcome is Outcome.FAILED else f" ({finding.outcome.value})"
    return Reason(
        text=f"{result.kind.value}: {result.name}{word}: {_first_line(seen)}",
        limit=finding.expected,
        observed=seen,
        evidence=told(finding.evidence),
        check=result.id,
        source=result.source,
    )


def _missing(expected: Expected, results: tuple[Result, ...]) -> list[str]:
    left = Counter(expected.checks)
    left.subtract([result.id for result in results])
    return sorted(check for check, count in left.items() if count > 0)


def _of_missing(missing: list[str]) -> list[Reason]:
    """One reason for all of them: a stopped run can leave thousands."""
    if not missing:
        return []
    more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
    text = f"selected but without a result: {', '.join(missing[:_SHOWN])}{more}"
    return [Reason(text, "a result of every selected check", f"{len(missing):,} without")]


def _explained(
    counts: tuple[int, int, int], problems: tuple[str, ...], *, complete: bool
) -> tuple[Rule, ...]:
    """Return the `_RUN_RULES` that the reasons above explain where they are not met."""
    failed, unproved, missing = counts
    finished = "finished" if complete else "unfinished"
    return (
        Rule("blocking checks that failed", "0", str(failed), failed == 0),
        Rule("blocking checks that proved nothing", "0", str(unproved), unproved == 0),
        Rule("selected checks without a result", "0", str(missing), missing == 0),
        Rule(
            "run",
            "finished without problems",
            f"{finished}, {len(problems)} problems",
            complete and not problems,
        ),
    )


def _minimums(expected: Expected, results: tuple[Result, ...]) -> tuple[Rule, ...]:
    """Return how many checks ran on evidence, beside the least that must have."""
    ran = [result for result in results if result.ran]
    passed = [r for r in ran if r.gate is Gate.BLOCK and r.finding.outcome is Outcome.PASSED]
    kinds = Counter([result.kind for result in ran])
    stages = Counter([result.stage for result in ran])
    return (
        Rule("blocking checks that passed on evidence", ">= 1", str(len(passed)), bool(passed)),
        *(
            Rule(f"{kind.value} checks that ran", f">= {least}", str(kinds[kind]), met)
            for kind, least in sorted(expected.kinds.items())
            for met in [kinds[kind] >= least]
        ),
        *(
            Rule(f"{stage.value} checks that ran", f">= {least}", str(stages[stage]), met)
            for stage, least in sorted(expected.stages.items())
            for met in [stages[stage] >= least]
        ),
    )


def _first_line(text: str) -> str:
    line, _, rest = text.partition("\n")
    return f"{line[:_LONGEST_LINE]} …" if rest or len(line) > _LONGEST_LINE else line
