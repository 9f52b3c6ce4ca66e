from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from greenroom.validators.finding import Finding
from greenroom.validators.verdict import Decision, Expected, decide
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage, Verdict
from greenroom.validators.waiver import Waiver
from tests.support import records
from tests.support.checks import check

if TYPE_CHECKING:
    from greenroom.validators.record import Check
    from greenroom.validators.verdict import Result

WAIVER = Waiver("*", "known", date(2026, 12, 1))
GOOD = check("good")


def without_evidence(result: Result) -> Result:
    """Take the evidence away, as a record that is read without it would be."""
    finding = result.finding
    read = Finding.from_json(finding.outcome, finding.to_json(), ())
    return result._replace(finding=read)


def decided(*checks: Check, expected: Expected | None = None, complete: bool = True) -> Decision:
    selected = expected or Expected(tuple(item.id for item in checks))
    return decide(selected, [item.result for item in checks], complete=complete)


def test_a_blocking_check_that_passed_on_evidence_ships() -> None:
    decision = decided(GOOD)
    assert decision.verdict is Verdict.SHIP
    assert decision.reasons == ()
    assert all(rule.met for rule in decision.rules)


def test_nothing_at_all_does_not_ship() -> None:
    decision = decided()
    assert decision.verdict is Verdict.COULD_NOT_DECIDE
    assert [reason.text for reason in decision.reasons] == [
        "blocking checks that passed on evidence: 0, expected >= 1"
    ]


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (check("b", Outcome.FAILED), Verdict.DO_NOT_SHIP),
        (check("b", Outcome.ERROR), Verdict.COULD_NOT_DECIDE),
        (check("b", Outcome.INCONCLUSIVE), Verdict.COULD_NOT_DECIDE),
        (check("b", Outcome.INCONCLUSIVE, skipped="no docker"), Verdict.COULD_NOT_DECIDE),
        (check("b", Outcome.PASSED, skipped="no docker"), Verdict.COULD_NOT_DECIDE),
        (check("b", Outcome.FAILED, gate=Gate.WARN), Verdict.SHIP),
        (check("b", Outcome.ERROR, gate=Gate.INFO), Verdict.SHIP),
        (replace(check("b", Outcome.FAILED), waiver=WAIVER), Verdict.SHIP),
    ],
    ids=[
        "failed",
        "error",
        "inconclusive",
        "skipped",
        "skipped-yet-passed",
        "failed-but-warn",
        "error-but-info",
        "failed-but-waived",
    ],
)
def test_one_check_beside_a_good_one(other: Check, verdict: Verdict) -> None:
    assert decided(GOOD, other).verdict is verdict


@pytest.mark.parametrize("gate", [Gate.WARN, Gate.INFO])
def test_checks_that_cannot_block_cannot_open_the_gate_either(gate: Gate) -> None:
    assert decided(check(gate=gate)).verdict is Verdict.COULD_NOT_DECIDE


def test_waiving_every_failure_leaves_nothing_proved() -> None:
    waived = replace(check("b", Outcome.FAILED), waiver=WAIVER)
    assert decided(waived).verdict is Verdict.COULD_NOT_DECIDE


def test_a_failure_outweighs_what_could_not_be_decided() -> None:
    decision = decided(check("z", Outcome.FAILED), check("a", Outcome.ERROR), complete=False)
    assert decision.verdict is Verdict.DO_NOT_SHIP
    assert [reason.text for reason in decision.reasons] == [
        "smoke: z: an answer",
        "the run did not finish",
        "smoke: a (error): an answer",
        "blocking checks that passed on evidence: 0, expected >= 1",
    ]


def test_a_reason_carries_what_a_person_needs() -> None:
    (reason,) = decided(GOOD, check("b", Outcome.FAILED, amount=3)).reasons
    assert reason.to_json() == {
        "text": "smoke: b: an answer",
        "limit": "status == 200",
        "observed": "an answer",
        "evidence": "3 requests (httpx 0.28.1)",
        "check": "tests/test_b.py::test_b",
        "source": "tests/test_b.py:3",
    }


def test_a_long_observation_is_cut_to_its_first_line_in_the_text_alone() -> None:
    finding = Finding(Outcome.ERROR, "an answer", "Traceback\n  line 2")
    (reason,) = decided(GOOD, replace(check("b"), finding=finding)).reasons
    assert reason.text == "smoke: b (error): Traceback …"
    assert reason.observed == "Traceback\n  line 2"
    assert reason.evidence == "none"


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (["x"], "selected but without a result: x"),
        (["y", "x"], "selected but without a result: x, y"),
        (list("vwxyz"), "selected but without a result: v, w, x and 2 more"),
        ([GOOD.id], f"selected but without a result: {GOOD.id}"),
    ],
    ids=["one", "two", "many", "selected-twice-ran-once"],
)
def test_selected_checks_without_a_result_are_one_reason(missing: list[str], text: str) -> None:
    decision = decided(GOOD, expected=Expected((GOOD.id, *missing)))
    assert decision.verdict is Verdict.COULD_NOT_DECIDE
    assert [reason.text for reason in decision.reasons] == [text]


@pytest.mark.parametrize(
    "expected",
    [Expected(kinds={Kind.SMOKE: 2}), Expected(stages={Stage.ENVIRONMENT: 2})],
    ids=["kind", "stage"],
)
@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (check("b", Outcome.INCONCLUSIVE, gate=Gate.INFO, skipped="x"), Verdict.COULD_NOT_DECIDE),
        (check("b", Outcome.ERROR, gate=Gate.INFO), Verdict.COULD_NOT_DECIDE),
        (check("b", kind=Kind.UNIT), Verdict.COULD_NOT_DECIDE),
        (check("b", Outcome.FAILED, gate=Gate.INFO), Verdict.SHIP),
        (check("b"), Verdict.SHIP),
    ],
    ids=["skipped", "error", "other-kind", "failed-yet-ran", "passed"],
)
def test_a_minimum_counts_only_checks_that_decided(
    expected: Expected, other: Check, verdict: Verdict
) -> None:
    assert decided(GOOD, other, expected=expected).verdict is verdict


def test_a_missed_minimum_is_named() -> None:
    decision = decided(GOOD, expected=Expected(kinds={Kind.LOAD: 1}, stages={Stage.ARTIFACT: 3}))
    assert decision.shortfalls == (
        "load checks that ran: 0, expected >= 1",
        "artifact checks that ran: 0, expected >= 3",
    )
    assert tuple(reason.text for reason in decision.reasons) == decision.shortfalls


def test_a_problem_of_the_run_shuts_the_gate() -> None:
    decision = decide(Expected(), [GOOD.result], problems=("worker gw1 crashed",))
    assert decision.verdict is Verdict.COULD_NOT_DECIDE
    assert decision.reasons[0].text == "worker gw1 crashed"


@pytest.mark.parametrize(
    "minimums", [{"kinds": {Kind.UNIT: -1}}, {"stages": {Stage.ARTIFACT: -1}}], ids=str
)
def test_fewer_than_no_checks_cannot_be_expected(minimums: dict[str, dict[Kind, int]]) -> None:
    with pytest.raises(ValueError, match="cannot expect -1"):
        Expected(**minimums)  # type: ignore[arg-type] # the choices' values are what is tested


def test_an_expectation_written_and_read_is_the_same() -> None:
    expected = Expected(("a", "b"), {Kind.LOAD: 1}, {Stage.ARTIFACT: 2})
    assert Expected.from_json(expected.to_json()) == expected


def test_expectations_of_named_runs_add_up() -> None:
    one = Expected(("a",), {Kind.LOAD: 1}, {Stage.ARTIFACT: 1})
    two = Expected(("a",), {Kind.LOAD: 2, Kind.UNIT: 1})
    assert Expected.merged({"x": one, "y": two}) == Expected(
        ("x::a", "y::a"), {Kind.LOAD: 3, Kind.UNIT: 1}, {Stage.ARTIFACT: 1}
    )


any_result = records.checks().map(lambda item: item.result)
results = st.lists(any_result, max_size=4)


@given(records.expectations(), results, st.data())
def test_the_decision_does_not_depend_on_order(
    expected: Expected, ordered: list[Result], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(ordered))
    assert decide(expected, shuffled) == decide(expected, ordered)


@given(records.expectations(), results)
def test_unfinished_never_ships(expected: Expected, some: list[Result]) -> None:
    assert decide(expected, some, complete=False).verdict is not Verdict.SHIP


@given(records.expectations(), results, st.data())
def test_removing_evidence_never_turns_anything_into_ship(
    expected: Expected, some: list[Result], data: st.DataObject
) -> None:
    assume(some and decide(expected, some).verdict is not Verdict.SHIP)
    index = data.draw(st.integers(0, len(some) - 1))
    less = without_evidence(some[index])
    assert decide(expected, [*some[:index], less, *some[index + 1 :]]).verdict is not Verdict.SHIP


@given(records.expectations(), results, st.data())
def test_leaving_out_the_result_of_a_selected_check_never_ships(
    expected: Expected, some: list[Result], data: st.DataObject
) -> None:
    selected = replace(expected, checks=tuple(result.id for result in some))
    assume(some and decide(selected, some).verdict is not Verdict.SHIP)
    index = data.draw(st.integers(0, len(some) - 1))
    assert decide(selected, some[:index] + some[index + 1 :]).verdict is not Verdict.SHIP


@given(records.expectations(), results, records.checks())
def test_adding_a_blocking_check_never_turns_do_not_ship_into_ship(
    expected: Expected, some: list[Result], added: Check
) -> None:
    failing = [*some, check("b", Outcome.FAILED).result]
    assert decide(expected, failing).verdict is Verdict.DO_NOT_SHIP
    blocking = replace(added, gate=Gate.BLOCK, waiver=None).result
    assert decide(expected, [*failing, blocking]).verdict is Verdict.DO_NOT_SHIP


mostly_good = st.lists(st.one_of(st.just(GOOD.result), st.just(GOOD.result), any_result))


@given(mostly_good)
def test_ship_is_a_blocking_pass_and_no_blocking_doubt(some: list[Result]) -> None:
    proved = any(result.proved and result.gate is Gate.BLOCK for result in some)
    doubted = any(result.blocks and not result.proved for result in some)
    assert (decide(Expected(), some).verdict is Verdict.SHIP) is (proved and not doubted)


@given(records.expectations(), results)
def test_every_verdict_but_ship_gives_a_reason(expected: Expected, some: list[Result]) -> None:
    decision = decide(expected, some)
    assert bool(decision.reasons) is (decision.verdict is not Verdict.SHIP)
    assert all(reason.text for reason in decision.reasons)
