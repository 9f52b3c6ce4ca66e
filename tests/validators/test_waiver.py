from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from greenroom.validators.errors import SettingsError
from greenroom.validators.waiver import Waiver

GIVEN = {
    "check": "tests/*::test_slow*",
    "reason": "fixed by the next release",
    "expires": "2026-12-01",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"check": None}, "check is missing"),
        ({"check": " "}, "check is missing"),
        ({"reason": ""}, "reason is missing"),
        ({"reason": 7}, "reason is missing"),
        ({"expires": None}, "expires is None, not a date"),
        ({"expires": "soon"}, "expires is 'soon', not a date"),
        ({"expires": "2026-02-30"}, "not a date"),
        ({"expires": datetime(2026, 12, 1, tzinfo=UTC)}, "not a date"),
        ({"until": "2026-12-01"}, "unknown key until"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_waiver_without_check_reason_or_last_day_is_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        Waiver.from_json(GIVEN | change, "waivers[0]")
    assert str(caught.value).startswith("waivers[0]: ")
    assert caught.value.hint


def test_a_waiver_is_a_table() -> None:
    with pytest.raises(SettingsError, match="a waiver is a table"):
        Waiver.from_json(["tests/*"])


@pytest.mark.parametrize(
    ("today", "active"),
    [(date(2026, 11, 30), True), (date(2026, 12, 1), True), (date(2026, 12, 2), False)],
    ids=["before", "last-day", "after"],
)
def test_a_waiver_holds_through_its_last_day(today: date, *, active: bool) -> None:
    assert Waiver.from_json(GIVEN).active(today) is active


@pytest.mark.parametrize(
    ("pattern", "covers"),
    [
        ("tests/test_a.py::test_b[x]", True),
        ("tests/test_a.py::*", True),
        ("holds 50 users", True),
        ("test_b", False),
        ("HOLDS*", False),
    ],
    ids=["exact-id-with-brackets", "pattern", "name", "part", "other-case"],
)
def test_a_waiver_names_a_check_by_id_or_name(pattern: str, *, covers: bool) -> None:
    waiver = Waiver(pattern, "known", date(2026, 12, 1))
    assert waiver.covers("tests/test_a.py::test_b[x]", "holds 50 users") is covers


@pytest.mark.parametrize("expires", ["2026-12-01", date(2026, 12, 1)], ids=["text", "date"])
def test_a_waiver_written_and_read_is_the_same(expires: object) -> None:
    waiver = Waiver.from_json(GIVEN | {"expires": expires})
    assert Waiver.from_json(waiver.to_json()) == waiver
