from __future__ import annotations

import pytest

from greenroom.validators.finding import Finding, Rule
from greenroom.validators.vocabulary import Outcome
from tests.support.checks import finding, proof

MET = Rule("status", "== 200", "200", met=True)
MISSED = Rule("time", "< 500 ms", "730 ms", met=False)
UNSEEN = Rule("$.length()", "== 4", "no body", met=None)


@pytest.mark.parametrize(
    ("rules", "amount", "outcome"),
    [
        ((MET, MISSED, UNSEEN), 1, Outcome.FAILED),
        ((MISSED,), 0, Outcome.FAILED),
        ((MET, UNSEEN), 1, Outcome.ERROR),
        ((MET,), 0, Outcome.INCONCLUSIVE),
        ((), 1, Outcome.INCONCLUSIVE),
        ((), 0, Outcome.INCONCLUSIVE),
        ((MET,), 1, Outcome.PASSED),
    ],
    ids=[
        "a-miss-outweighs-all",
        "a-miss-needs-no-amount",
        "not-observed",
        "no-evidence",
        "no-rules",
        "nothing-at-all",
        "all-met-on-evidence",
    ],
)
def test_rules_and_evidence_lead_to_an_outcome(
    rules: tuple[Rule, ...], amount: int, outcome: Outcome
) -> None:
    assert Finding.judged(rules, proof(amount)).outcome is outcome


@pytest.mark.parametrize("evidence", [(), proof(0)], ids=["none", "zero"])
def test_nothing_passes_without_evidence(evidence: tuple[()]) -> None:
    with pytest.raises(ValueError, match="without evidence cannot be passed"):
        Finding(Outcome.PASSED, "status == 200", "200", evidence)


@pytest.mark.parametrize("rule", [MISSED, UNSEEN], ids=["missed", "not-observed"])
def test_nothing_passes_with_a_miss(rule: Rule) -> None:
    with pytest.raises(ValueError, match="cannot hold a miss"):
        Finding(Outcome.PASSED, "all", "all", proof(), rules=(MET, rule))


def test_the_text_is_the_whole_failure_message() -> None:
    other = Rule("status", "== 200", "500", met=False)
    judged = Finding.judged((MISSED, other, MET), proof(3), advice="read the service's log")
    assert str(judged).splitlines() == [
        "failed: expected time < 500 ms; status == 200",
        "  seen: time 730 ms; status 500",
        "  - time: expected < 500 ms, seen 730 ms",
        "  - status: expected == 200, seen 500",
        "  evidence: 3 requests (httpx 0.28.1)",
        "  what to do: read the service's log",
    ]


def test_one_miss_is_told_once_and_no_evidence_is_said() -> None:
    assert str(Finding.judged((MISSED,), ())).splitlines() == [
        "failed: expected time < 500 ms",
        "  seen: time 730 ms",
        "  evidence: none",
    ]


def test_a_finding_without_rules_says_that_no_expectation_was_given() -> None:
    assert str(Finding.judged((), proof())).startswith(
        "inconclusive: expected an expectation\n  seen: none was given"
    )


def test_every_miss_is_listed_with_what_could_not_be_observed() -> None:
    assert Finding.judged((MET, MISSED, UNSEEN), proof()).misses == (MISSED, UNSEEN)


def test_a_finding_written_and_read_is_the_same() -> None:
    written = Finding.judged((MET, MISSED, UNSEEN), proof(), advice="x")
    assert Finding.from_json(written.outcome, written.to_json(), written.evidence) == written


def test_a_recorded_pass_without_its_evidence_is_read_as_inconclusive() -> None:
    passed = finding(Outcome.PASSED)
    read = Finding.from_json(Outcome.PASSED, passed.to_json(), ())
    assert read.outcome is Outcome.INCONCLUSIVE
