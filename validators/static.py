"""Static analysis: what a tool reported of how much, and the judgement of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.result import Result, State, count_metrics, worst_first
from greenroom.validators.threshold import Threshold, parse_threshold
from greenroom.validators.vocabulary import Outcome
from greenroom.validators.words import few

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

METRICS = tuple(count_metrics((), 0))
"""What `expect` may limit."""
STRICT = (parse_threshold("error == 0"), parse_threshold("warning == 0"))
"""What is expected where nothing is said: no open result of level error or warning."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What one output of a tool holds.

    ``problems`` are what the tool itself says that it could not do. ``examined`` counts ``what``;
    it is None where the output does not tell. ``notes`` are for the reader.
    """

    results: tuple[Result, ...]
    problems: tuple[str, ...] = ()
    tool: str = ""
    version: str = ""
    examined: int | None = None
    what: str = "files"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StaticFacts:
    """What was observed of one run of a tool; each result has its fingerprint.

    ``examined`` counts ``what``; ``at`` is an ISO 8601 time in UTC; ``notes`` are for the reader.
    """

    tool: str
    version: str
    results: tuple[Result, ...]
    examined: int
    what: str
    at: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def judge_static(facts: StaticFacts, limits: Iterable[Threshold] = STRICT) -> Finding:
    """Judge the open results by ``limits``.

    failed if a limit is missed; else error if the tool could not do all its work; else
    inconclusive if nothing was examined; else passed.
    """
    evidence = (Evidence(facts.what, facts.examined, facts.tool, facts.version, facts.at),)
    results = worst_first(facts.results)
    if not facts.examined and not results and not facts.problems:
        return Finding(
            Outcome.INCONCLUSIVE,
            f"{facts.what} to examine",
            f"{facts.tool} examined 0 {facts.what}",
            evidence=evidence,
            advice="correct the paths, or what the tool is told to leave out",
            notes=facts.notes,
        )
    metrics = count_metrics(results, facts.examined or len(results) or 1)
    rules = tuple(limit.judge(metrics) for limit in limits)
    if facts.problems:
        rules = (*rules, _problem_rule(facts.problems))
    return Finding.judged(
        rules, evidence, advice=_advice(results), results=results, notes=facts.notes
    )


def with_known(
    results: Iterable[Result], known: Mapping[str, str]
) -> tuple[tuple[Result, ...], tuple[str, ...]]:
    """Mark the results whose fingerprints are in a baseline; return them, and notes of it.

    ``known`` maps fingerprints to what they stand for. An entry that occurs no longer is noted.
    """
    given = tuple(results)
    marked = tuple(
        replace(result, state=State.KNOWN, why="in the baseline")
        if result.fingerprint in known and result.state is State.OPEN
        else result
        for result in given
    )
    seen = {result.fingerprint for result in given}
    notes = tuple(
        f"fixed: {shown} is in the baseline and occurs no longer: remove it there"
        for fingerprint, shown in known.items()
        if fingerprint not in seen
    )
    return marked, notes


def _problem_rule(problems: tuple[str, ...]) -> Rule:
    return Rule("the tool's own problems", "none", few(problems, _SHOWN, between="; "), None)


def _advice(results: tuple[Result, ...]) -> str:
    links = [result.link for result in results if result.state is State.OPEN and result.link]
    if not any(result.state is State.OPEN for result in results):
        return ""
    known = "; a result that must stay goes to a baseline or a waiver file"
    return f"correct what is reported{f' ({links[0]})' if links else ''}{known}"
