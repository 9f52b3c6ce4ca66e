"""Judges one test of pytest: its phases, subtests and the findings it verified.

The facts are named tuples: several are made for every test, at a fraction of a dataclass's cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from greenroom.validators.finding import Finding, Rule
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from greenroom.validators.evidence import Evidence

_LOOK = (
    "ask by target, probe or a client of greenroom.recorded(...), judge by expect, or give verify "
    "a finding of what was seen"
)
_WORST_FIRST = (Outcome.FAILED, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.PASSED)

_UNFOUND = Finding(
    Outcome.INCONCLUSIVE,
    "a finding of the check",
    "the item ended without one",
    advice="look for a hook or plugin that replaces what a check does",
)


class Phase(NamedTuple):
    """One phase of a test (setup, call, teardown).

    ``outcome`` is passed, failed, skipped, or broken (nothing was observed: the endpoint could not
    be reached); ``message`` says why it did not pass.
    """

    name: str
    outcome: str
    message: str = ""
    xfail: str | None = None


class Subtests(NamedTuple):
    """What the subtests of a test showed, if it requested any."""

    requested: bool = False
    passed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()


class SeenTest(NamedTuple):
    """All that was seen of one test.

    ``examined`` is the evidence of a test that needed no finding of its own (its body ran, its
    responses came); ``target_unused`` tells that it asked for the target and sent it nothing,
    ``unjudged`` which answers something was to be expected of and nothing was, ``unexamined`` that
    it is a check of an environment and nothing shows that it looked at one.
    ``declared`` tells that its own finding is all that there is to tell: a check of a suite.
    """

    phases: tuple[Phase, ...]
    findings: tuple[Finding, ...] = ()
    subtests: Subtests = Subtests()
    examined: tuple[Evidence, ...] = ()
    target_unused: bool = False
    unjudged: tuple[str, ...] = ()
    unexamined: bool = False
    declared: bool = False

    @property
    def skipped(self) -> str | None:
        """The reason of a test that was skipped or expected to fail, else None."""
        for phase in self.phases:
            if phase.xfail is not None:
                return f"expected to fail: {phase.xfail}" if phase.xfail else "expected to fail"
            if phase.outcome == "skipped":
                return phase.message or "no reason given"
        return None


def judge_test(facts: SeenTest) -> Finding:
    """Return the worst of what the phases, subtests and findings say; all rules and evidence kept.

    A test passes only if its body ran to its end, nothing was skipped or expected to fail, no
    subtest failed, and what it asked for (subtests, the target) was used.
    """
    findings = [*facts.findings, *_of_phases(facts), *_of_subtests(facts)]
    if len(findings) == 1:
        return findings[0]
    worst = min((finding.outcome for finding in findings), key=_WORST_FIRST.index)
    shown = [finding for finding in findings if finding.outcome is worst]
    if worst is Outcome.PASSED:
        shown = [finding for finding in shown if finding.rules] or shown
    return Finding(
        outcome=worst,
        expected="; ".join(dict.fromkeys(finding.expected for finding in shown)),
        seen="; ".join(dict.fromkeys(finding.seen for finding in shown)),
        evidence=tuple(dict.fromkeys(item for f in findings for item in f.evidence)),
        advice="; ".join(dict.fromkeys(f.advice for f in shown if f.advice)),
        rules=tuple(rule for finding in findings for rule in finding.rules),
        results=tuple(result for finding in findings for result in finding.results),
        notes=tuple(dict.fromkeys(note for finding in findings for note in finding.notes)),
    )


def _of_phases(facts: SeenTest) -> list[Finding]:
    if (reason := facts.skipped) is not None:
        return [
            Finding(
                Outcome.INCONCLUSIVE,
                "the test to run",
                reason,
                advice="a skipped check proves nothing: run it, lower its gate or waive it",
            )
        ]
    unmet = {finding.seen for finding in facts.findings if finding.outcome is not Outcome.PASSED}
    found = [
        _of_failure(facts, phase)
        for phase in facts.phases
        if phase.outcome != "passed" and not _is_told(phase, unmet)
    ]
    if unmet:
        return found
    if not any(phase.name == "call" for phase in facts.phases) and not found:
        found = [Finding(Outcome.INCONCLUSIVE, "the test's body to run", "only its setup ran")]
    if not found and (doubt := _doubt(facts)) is not None:
        return [doubt]
    if not found and facts.declared:
        return [] if facts.findings else [_UNFOUND]
    return found or [Finding(Outcome.PASSED, "the test to pass", "it passed", facts.examined)]


def _doubt(facts: SeenTest) -> Finding | None:
    """Return why a test that ran to its end proves nothing, if it does not."""
    if facts.target_unused:
        expected, seen, advice = (
            "requests to the target",
            "asked for the target and sent it no request",
            "use the target's client, or do not ask for it",
        )
    elif facts.unjudged:
        expected, seen, advice = (
            "something to be expected of each answer",
            f"expect() was called and nothing was expected of: {', '.join(facts.unjudged)}",
            "say what is expected: expect(response).status(200)",
        )
    elif facts.unexamined:
        expected, seen, advice = (
            "evidence that the environment was looked at",
            "the body ran, and nothing shows what it looked at",
            _LOOK,
        )
    else:
        return None
    return Finding(Outcome.INCONCLUSIVE, expected, seen, advice=advice)


def _is_told(phase: Phase, unmet: set[str]) -> bool:
    """Tell whether a phase failed because of a finding, which says more."""
    return bool(unmet) and (phase.name == "call" or phase.message in unmet)


def _of_failure(facts: SeenTest, phase: Phase) -> Finding:
    if phase.name == "call" and phase.outcome == "failed":
        return Finding(Outcome.FAILED, "the test to pass", phase.message, facts.examined)
    what = {"setup": "its fixtures to be set up", "call": "an answer to observe"}.get(
        phase.name, "its fixtures to be torn down"
    )
    return Finding(Outcome.ERROR, what, phase.message)


def _of_subtests(facts: SeenTest) -> list[Finding]:
    tests = facts.subtests
    if not tests.requested or facts.skipped is not None:
        return []
    count = tests.passed + tests.skipped + len(tests.failures)
    if tests.failures:
        rule = Rule("failed subtests", "0", str(len(tests.failures)), met=False)
        seen = f"{len(tests.failures)} of {count} failed: {tests.failures[0]}"
        return [Finding(Outcome.FAILED, "every subtest to pass", seen, rules=(rule,))]
    if tests.skipped or count == 0:
        seen = f"{tests.skipped} of {count} were skipped" if count else "no subtest ran"
        return [Finding(Outcome.INCONCLUSIVE, "every subtest to run", seen)]
    return []
