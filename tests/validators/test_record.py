from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.validators.errors import RecordError
from greenroom.validators.record import Check, RunRecord, merge
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Gate, Kind, Outcome, Verdict
from greenroom.validators.waiver import Waiver
from tests.support import records
from tests.support.checks import check, record

FAILED = record(check("a"), check("b", Outcome.FAILED))


def edited(written: RunRecord, **changes: object) -> str:
    return json.dumps(written.to_json() | changes)


def edited_check(written: RunRecord, **changes: object) -> str:
    data = written.to_json()
    data["checks"][-1] |= changes
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        edited(FAILED, verdict="ship"),
        edited(FAILED, verdict="could-not-decide"),
        edited(record(check("a")), verdict="do-not-ship"),
        edited(record(check("a")), complete=False),
        edited(record(check("a"), complete=False), verdict="ship"),
        edited(record(check("a")), complete=1),
        edited(record(check("a")), checks=[]),
        edited(record(check("a")), problems=["worker crashed"]),
        edited_check(record(check("a")), evidence=[]),
        edited_check(record(check("a")), outcome="error"),
        edited_check(record(check("a")), gate="info"),
        edited_check(record(check("a")), skipped="no docker"),
    ],
    ids=[
        "failed-as-ship",
        "failed-as-undecided",
        "passed-as-failed",
        "unfinished-after-all",
        "unfinished-as-ship",
        "complete-is-not-true",
        "checks-cut-out",
        "a-problem-added",
        "evidence-cut-out",
        "outcome-changed",
        "gate-lowered",
        "skipped-after-all",
    ],
)
def test_a_record_whose_checks_lead_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(RecordError, match="the run record says") as caught:
        RunRecord.loads(text)
    assert "run the suite again" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        edited_check(FAILED, outcome="passed"),
        edited_check(FAILED, outcome="PASSED"),
        edited_check(FAILED, kind="smokes"),
        edited_check(FAILED, source=None),
        edited_check(FAILED, evidence=[{"what": "rows", "amount": -1}]),
        edited_check(FAILED, evidence=[{"what": "x", "amount": "many"}]),
        edited_check(FAILED, duration_s="long"),
        edited_check(FAILED, waiver={"check": "*", "reason": "", "expires": "2026-12-01"}),
        edited_check(FAILED, waiver=["*"]),
        edited(FAILED, verdict="shipped"),
        edited(FAILED, checks="abc"),
        edited(FAILED, checks=None),
        edited(FAILED, problems=7),
        edited(FAILED, expected=[]),
        edited(FAILED, expected={"checks": [], "kinds": {"unit": -1}, "stages": {}}),
        edited(FAILED, expected={"checks": [], "kinds": {"units": 1}, "stages": {}}),
        edited(FAILED, release=["x"]),
    ],
    ids=[
        "passed-with-a-miss",
        "unknown-outcome",
        "unknown-kind",
        "no-source",
        "negative-evidence",
        "uncounted-evidence",
        "no-duration",
        "waiver-without-reason",
        "waiver-is-no-table",
        "unknown-verdict",
        "checks-are-text",
        "no-checks",
        "problems-are-no-list",
        "expected-is-a-list",
        "negative-minimum",
        "unknown-kind-expected",
        "release-is-a-list",
    ],
)
def test_a_malformed_record_is_refused(text: str) -> None:
    with pytest.raises(RecordError, match="the run record is malformed") as caught:
        RunRecord.loads(text)
    assert caught.value.hint == "compare it with `greenroom schema run`"


@pytest.mark.parametrize("key", sorted(set(FAILED.to_json()) - {"schema"}))
def test_a_record_without_a_part_never_ships(key: str) -> None:
    data = record(check("a")).to_json()
    del data[key]
    derived = {"reasons", "blocking", "rules", "deployment", "reported", "bypass"}
    if key in derived:
        assert RunRecord.from_json(data).dumps() == record(check("a")).dumps()
    else:
        with pytest.raises(RecordError, match=f"malformed: KeyError: '{key}'"):
            RunRecord.from_json(data)


@pytest.mark.parametrize(
    "text",
    ["", "{", "nonsense", '{"duration_s": NaN}', '{"a": Infinity}', "[" * 100_000, b"\xff\xfe\xfa"],
    ids=["empty", "cut", "no-json", "nan", "infinity", "deep", "no-text"],
)
def test_what_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(RecordError, match="the run record is not JSON"):
        RunRecord.loads(text)


@pytest.mark.parametrize(
    ("data", "seen"),
    [([], "'list'"), (None, "'NoneType'"), ({}, "None"), ({"schema": "greenroom.run/2"}, "run/2")],
    ids=["list", "null", "no-schema", "other-schema"],
)
def test_what_is_no_run_record_is_refused(data: object, seen: str) -> None:
    with pytest.raises(RecordError, match="not a run record") as caught:
        RunRecord.from_json(data)
    assert seen in str(caught.value)


def test_a_numberless_amount_beyond_all_integers_is_refused() -> None:
    text = edited_check(FAILED, evidence=[{"what": "x", "amount": "AMOUNT"}])
    with pytest.raises(RecordError):
        RunRecord.loads(text.replace('"AMOUNT"', "1e999"))


def test_lone_surrogates_are_written_as_valid_utf_8_and_read_back() -> None:
    odd = replace(record(replace(check("a"), log="\ud800")), run_id="\udcff")
    written = odd.dumps().encode("utf-8", errors="strict")
    assert RunRecord.loads(written) == odd


@given(records.records())
def test_a_record_written_and_read_is_the_same(written: RunRecord) -> None:
    assert RunRecord.loads(written.dumps()) == written


@given(records.records())
def test_the_written_verdict_is_the_computed_one(written: RunRecord) -> None:
    data = json.loads(written.dumps())
    assert data["schema"] == "greenroom.run/1"
    assert data["verdict"] == written.verdict.value
    assert data["reasons"] == [reason["text"] for reason in data["blocking"]]
    assert written.complete or data["verdict"] != "ship"


@given(records.records(), st.data())
def test_a_record_cut_short_is_refused(written: RunRecord, data: st.DataObject) -> None:
    text = written.dumps().rstrip()
    with pytest.raises(RecordError):
        RunRecord.loads(text[: data.draw(st.integers(0, len(text) - 1))])


def test_a_check_with_everything_survives_the_record() -> None:
    full = replace(
        check("a", Outcome.FAILED, kind=Kind.LOAD, gate=Gate.WARN),
        tags=("nightly",),
        waiver=Waiver("a", "known", date(2026, 12, 1)),
        exchanges=({"request": {"method": "GET"}, "response": None},),
        log="tail",
        worker="gw1",
    )
    assert Check.from_json(json.loads(json.dumps(full.to_json()))) == full


# Merging


@pytest.mark.parametrize("parts", [{}, {"": record(check())}, {" ": record(check())}], ids=str)
def test_nothing_and_the_nameless_cannot_be_merged(parts: dict[str, RunRecord]) -> None:
    with pytest.raises(RecordError, match="no named run record"):
        merge(parts)


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        (record(check("b")), Verdict.SHIP),
        (record(check("b", Outcome.FAILED)), Verdict.DO_NOT_SHIP),
        (record(check("b"), complete=False), Verdict.COULD_NOT_DECIDE),
        (record(), Verdict.COULD_NOT_DECIDE),
        (record(check("b", gate=Gate.WARN)), Verdict.COULD_NOT_DECIDE),
        (replace(record(check("b")), problems=("no disk",)), Verdict.COULD_NOT_DECIDE),
        (replace(record(check("b")), expected=Expected(("z",))), Verdict.COULD_NOT_DECIDE),
    ],
    ids=["good", "failed", "unfinished", "empty", "only-warnings", "problem", "missing"],
)
def test_a_merged_run_is_no_better_than_its_worst_part(part: RunRecord, verdict: Verdict) -> None:
    assert part.verdict is verdict
    assert merge({"good": record(check("a")), "part": part}).verdict is verdict
    assert merge({"part": part, "good": record(check("a"))}).verdict is verdict


@given(records.records(), records.records())
def test_a_merged_run_ships_only_if_every_part_does(one: RunRecord, two: RunRecord) -> None:
    if merge({"one": one, "two": two}).verdict is Verdict.SHIP:
        assert one.verdict is two.verdict is Verdict.SHIP


@given(records.records(), records.records())
def test_a_merged_run_is_a_record_like_any_other(one: RunRecord, two: RunRecord) -> None:
    merged = merge({"one": one, "two": two})
    assert RunRecord.loads(merged.dumps()).verdict is merged.verdict


def test_one_parts_surplus_does_not_stand_in_for_anothers_minimum() -> None:
    short = replace(record(check("a", kind=Kind.UNIT)), expected=Expected(kinds={Kind.SMOKE: 1}))
    rich = record(check("b"), check("c"))
    merged = merge({"short": short, "rich": rich})
    assert merged.verdict is Verdict.COULD_NOT_DECIDE
    assert "short: smoke checks that ran: 0, expected >= 1" in merged.problems


@pytest.mark.parametrize("key", ["image", "revision"])
def test_parts_of_different_releases_do_not_make_one(key: str) -> None:
    one = replace(record(check("a")), release={key: "1", "event": "AfterInstall"})
    two = replace(record(check("b")), release={key: "2", "event": "AfterAllowTraffic"})
    merged = merge({"artifact": one, "hook": two})
    assert merged.verdict is Verdict.COULD_NOT_DECIDE
    assert merged.problems == (
        f"the parts are of different releases: {key}: artifact has 1, hook has 2",
    )


def test_a_merged_run_spans_its_parts() -> None:
    first = replace(record(check("a"), started="2026-11-23T10:00:00+00:00"), release={"image": "i"})
    last = replace(
        record(check("a"), started="2026-11-23T11:00:00+00:00"),
        run_id="run-2",
        deployment={"status": "Succeeded"},
        release={"event": "AfterInstall"},
    )
    merged = merge({"hook": last, "artifact": first})
    assert [item.id for item in merged.checks] == [
        "hook::tests/test_a.py::test_a",
        "artifact::tests/test_a.py::test_a",
    ]
    assert (merged.run_id, merged.started, merged.finished) == (
        "run-2+run-1",
        first.started,
        last.finished,
    )
    assert merged.duration_s == 3.0
    assert merged.release == {"image": "i", "event": "AfterInstall"}
    assert merged.deployment == {"status": "Succeeded"}


# Bypasses


def test_a_bypassed_run_without_checks_could_not_decide_and_says_who_why_and_until_when() -> None:
    bypassed = replace(record(), bypass=records.BYPASS)
    assert bypassed.verdict is Verdict.COULD_NOT_DECIDE
    assert bypassed.decision().reasons[0].text == (
        "bypassed by operator until 2026-11-23T02:00:00+00:00: "
        "the payment provider is down, see INC-42"
    )


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [(Outcome.PASSED, Verdict.COULD_NOT_DECIDE), (Outcome.FAILED, Verdict.DO_NOT_SHIP)],
)
def test_a_bypass_never_makes_a_green(outcome: Outcome, verdict: Verdict) -> None:
    assert replace(record(check("a", outcome)), bypass=records.BYPASS).verdict is verdict


def test_a_bypass_in_one_part_is_in_the_merged_run() -> None:
    bypassed = replace(record(check("b")), bypass=records.BYPASS)
    merged = merge({"artifact": record(check("a")), "hook": bypassed})
    assert merged.bypass == records.BYPASS
    assert merged.verdict is Verdict.COULD_NOT_DECIDE
    assert f"hook: {records.BYPASS}" in merged.problems


@pytest.mark.parametrize("bypass", [{}, "operator", [], {"by": "operator"}], ids=str)
def test_a_record_with_half_a_bypass_is_refused(bypass: object) -> None:
    data = json.loads(record(check("a")).dumps())
    with pytest.raises(RecordError, match="malformed"):
        RunRecord.from_json(data | {"bypass": bypass})
