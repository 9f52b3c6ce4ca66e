from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.validators.result import Level, Location, Package, Result, Severity, State
from greenroom.validators.result_waiver import ResultWaiver, waive

TODAY = date(2026, 11, 23)
ANY = st.sampled_from(["", "*", "a", "b", "a*", "[ab]"])
ONE = st.sampled_from(["a", "b", "ab", "[ab]"])
RESULTS = st.builds(
    Result,
    id=ONE,
    message=st.just("m"),
    level=st.just(Level.ERROR),
    severity=st.sampled_from(Severity),
    tool=st.just("t"),
    location=st.none() | st.builds(Location, ONE),
    package=st.none() | st.builds(Package, ONE, ONE, path=ONE),
    state=st.sampled_from(State),
)
WAIVERS = st.builds(
    ResultWaiver,
    id=ANY,
    reason=st.just("r"),
    expires=st.none() | st.sampled_from([TODAY, TODAY - timedelta(1), TODAY + timedelta(1)]),
    package=ANY,
    version=ANY,
    path=ANY,
    where=st.uuids().map(str),
)
LISTS = (st.lists(RESULTS, max_size=8), st.lists(WAIVERS, max_size=5))


def result(**changes: Any) -> Result:  # noqa: ANN401 - any field of a result
    facts: dict[str, Any] = {
        "id": "CVE-1",
        "message": "m",
        "level": Level.ERROR,
        "severity": Severity.HIGH,
        "tool": "t",
        "package": Package("zlib", "1.2", path="usr/lib/z.so"),
        "location": Location("src/a.py", 3),
    }
    return Result(**facts | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "CVE-2"},
        {"id": "cve-1"},
        {"package": "openssl"},
        {"version": "1.3"},
        {"path": "src/b.py"},
    ],
    ids=str,
)
def test_a_waiver_of_something_else_covers_nothing(changes: dict[str, Any]) -> None:
    waiver = replace(ResultWaiver("CVE-1", "accepted", TODAY), **changes)
    waived = waive([result()], [waiver], TODAY)
    assert waived.results == (result(),)
    assert waived.unused == (waiver,)
    assert "nothing that it covers was found" in waived.notes[0]


def test_an_expired_waiver_covers_nothing_and_is_told() -> None:
    waiver = ResultWaiver("CVE-1", "accepted", TODAY - timedelta(1), where="waivers.yaml:3")
    waived = waive([result()], [waiver], TODAY)
    assert waived.results[0].state is State.OPEN
    assert waived.notes == ("expired waiver: CVE-1 until 2026-11-22 (waivers.yaml:3)",)


def test_a_package_is_not_waived_where_there_is_none() -> None:
    waiver = ResultWaiver("CVE-1", "accepted", None, package="zlib")
    assert waive([result(package=None)], [waiver], TODAY).unused == (waiver,)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": "CVE-*"},
        {"package": "z*"},
        {"version": "1.?"},
        {"path": "src/*"},
        {"path": "usr/lib/z.so"},
    ],
    ids=str,
)
def test_a_waiver_holds_on_its_last_day(changes: dict[str, Any]) -> None:
    waiver = replace(ResultWaiver("CVE-1", "accepted", TODAY), **changes)
    waived = waive([result()], [waiver], TODAY)
    assert waived.results[0].state is State.WAIVED
    assert waived.results[0].why == "accepted (until 2026-11-23)"
    assert waived.notes == ()


def test_the_first_waiver_gives_the_reason() -> None:
    waivers = [ResultWaiver("CVE-1", "first", None), ResultWaiver("*", "second", None)]
    assert waive([result()], waivers, TODAY).results[0].why == "first"


@given(*LISTS)
def test_waiving_only_marks_open_results(
    results: list[Result], waivers: list[ResultWaiver]
) -> None:
    marked = waive(results, waivers, TODAY).results
    plain = [replace(one, state=State.OPEN, why="") for one in marked]
    assert plain == [replace(one, state=State.OPEN) for one in results]
    for before, after in zip(results, marked, strict=True):
        assert after == before or (before.state, after.state) == (State.OPEN, State.WAIVED)


@given(*LISTS, st.randoms())
def test_the_order_of_waivers_decides_nothing(
    results: list[Result],
    waivers: list[ResultWaiver],
    random: Any,  # noqa: ANN401 - random.Random
) -> None:
    one = waive(results, waivers, TODAY)
    other = waive(results, random.sample(waivers, len(waivers)), TODAY)
    assert [r.state for r in one.results] == [r.state for r in other.results]
    assert set(one.unused) == set(other.unused)
    assert set(one.expired) == set(other.expired)


@given(*LISTS, WAIVERS)
def test_a_further_waiver_never_opens_a_result(
    results: list[Result], waivers: list[ResultWaiver], more: ResultWaiver
) -> None:
    fewer = waive(results, waivers, TODAY).results
    further = waive(results, [*waivers, more], TODAY).results
    opened = [b for a, b in zip(fewer, further, strict=True) if a.state is not State.OPEN]
    assert State.OPEN not in {one.state for one in opened}


@given(*LISTS)
def test_a_waiver_is_used_unused_or_expired(
    results: list[Result], waivers: list[ResultWaiver]
) -> None:
    waived = waive(results, waivers, TODAY)
    assert not set(waived.unused) & set(waived.expired)
    assert all(not waiver.active(TODAY) for waiver in waived.expired)
    assert all(not any(map(waiver.covers, results)) for waiver in waived.unused)
