"""The JUnit document: valid XML that never reads as green when the run is not."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from greenroom.reports import junit
from greenroom.validators.finding import Finding
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Stage, Verdict
from greenroom.validators.waiver import Waiver
from tests.support.records import BYPASS, HOSTILE, check, record, records

if TYPE_CHECKING:
    from greenroom.validators.record import RunRecord


def parsed(run: RunRecord) -> ET.Element:
    return ET.fromstring(junit.render(run).encode())  # noqa: S314 - our own document


def result_of(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag != "system-out"), "passed")


def case_of(run: RunRecord, name: str) -> ET.Element:
    (case,) = (case for case in parsed(run).iter("testcase") if case.get("name") == name)
    return case


@given(records())
def test_any_record_becomes_xml_that_is_green_only_on_ship(run: RunRecord) -> None:
    root = parsed(run)
    verdict = next(root.iter("testcase"))
    assert verdict.get("name") == "greenroom.verdict"
    assert (result_of(verdict) == "passed") is (run.verdict is Verdict.SHIP)
    assert root.get("tests") == str(len(run.checks) + 1)


@given(records())
def test_names_and_messages_keep_to_codebuilds_limits(run: RunRecord) -> None:
    for element in parsed(run).iter():
        assert len(element.get("name", "")) <= 1_000
        assert len(element.get("message", "")) <= 5_000


@pytest.mark.parametrize(
    ("outcome", "skipped", "tag"),
    [
        (Outcome.PASSED, None, "passed"),
        (Outcome.PASSED, "skipped after all", "skipped"),
        (Outcome.FAILED, None, "failure"),
        (Outcome.FAILED, "expected to fail", "failure"),
        (Outcome.ERROR, None, "error"),
        (Outcome.ERROR, "no tool", "error"),
        (Outcome.INCONCLUSIVE, None, "error"),
        (Outcome.INCONCLUSIVE, "no docker", "skipped"),
    ],
)
def test_a_check_is_skipped_only_when_it_was(
    outcome: Outcome, skipped: str | None, tag: str
) -> None:
    run = record([check("it", outcome, skipped=skipped)])
    assert result_of(case_of(run, "it")) == tag


def test_do_not_ship_fails_with_every_reason() -> None:
    run = record([check(), check("one", Outcome.FAILED), check("two", Outcome.FAILED)])
    failure = case_of(run, "greenroom.verdict").find("failure")
    assert failure is not None
    assert failure.get("type") == "do not ship"
    assert failure.get("message") == "smoke: one: status 500; smoke: two: status 500"
    assert failure.text == "- smoke: one: status 500\n- smoke: two: status 500"


def test_could_not_decide_is_an_error() -> None:
    error = case_of(record([check()], complete=False), "greenroom.verdict").find("error")
    assert error is not None
    assert error.get("message") == "the run did not finish"


def test_a_failed_check_that_does_not_block_says_so() -> None:
    waiver = Waiver("*", "known", date(2026, 12, 31))
    warned = check("warned", Outcome.FAILED, gate=Gate.WARN)
    waived = check("waived", Outcome.FAILED, waiver=waiver)
    run = record([check(), warned, waived])
    types = [failure.get("type") for failure in parsed(run).iter("failure")]
    assert types == ["failed (gate warn: does not block)", "failed (waived until 2026-12-31)"]
    assert result_of(case_of(run, "greenroom.verdict")) == "passed"


def test_there_is_a_suite_for_each_stage_and_kind_with_its_counts() -> None:
    unit = check("adds", kind=Kind.UNIT, stage=Stage.ARTIFACT)
    root = parsed(record([check(), check("two", Outcome.FAILED), unit]))
    counted = [(s.get("name"), s.get("tests"), s.get("failures")) for s in root]
    assert counted == [
        ("greenroom", "1", "1"),
        ("artifact.unit", "1", "0"),
        ("environment.smoke", "2", "1"),
    ]
    assert (root.get("failures"), root.get("errors")) == ("2", "0")


def test_what_did_not_pass_comes_first() -> None:
    run = record([check("fine"), check("skips", Outcome.ERROR), check("fails", Outcome.FAILED)])
    names = [case.get("name") for case in parsed(run).iter("testcase")]
    assert names == ["greenroom.verdict", "fails", "skips", "fine"]


def test_a_case_carries_its_class_source_finding_and_evidence() -> None:
    case = case_of(record([check("answers")]), "answers")
    assert case.get("classname") == "tests.test_api.py"
    output = case.findtext("system-out") or ""
    assert "tests/test_api.py:7" in output
    assert "evidence: 1 requests (httpx 0.28.1)" in output


def test_a_huge_message_is_cut() -> None:
    finding = Finding(Outcome.FAILED, "little", "x" * 1_000_000)
    failure = case_of(record([check("big", finding=finding)]), "big").find("failure")
    assert failure is not None
    assert len(failure.get("message", "")) == 5_000
    assert failure.get("message", "").endswith("more characters)")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_only_text(text: str) -> None:
    run = record([check(f"a {text}", Outcome.FAILED)])
    names = [case.get("name") for case in parsed(run).iter("testcase")]
    assert len(names) == 2
    assert str(names[1]).startswith("a ")


def test_a_bypassed_gate_is_an_error_that_says_so() -> None:
    error = case_of(record(bypass=BYPASS), "greenroom.verdict").find("error")
    assert error is not None
    assert error.get("type") == "could not decide (bypassed)"
    assert error.get("message", "").startswith("bypassed by operator until 2026-11-23T02:00:00")
