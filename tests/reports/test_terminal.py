"""The closing block of a bypassed gate on the terminal."""

from __future__ import annotations

from greenroom.reports.terminal import closing
from tests.support.records import BYPASS, record


def test_a_bypass_comes_first_and_in_red() -> None:
    first, second, *rest = closing(record(bypass=BYPASS), "")
    assert first.text.strip("=") == " greenroom: BYPASSED "
    assert second.text.strip("=") == " greenroom: COULD NOT DECIDE "
    assert first.styles == second.styles == ("red", "bold")
    assert any(line.text.startswith(f" 1. {BYPASS}") for line in rest)


def test_the_drift_of_contracts_is_told_briefly() -> None:
    names = [f"GET /{at}" for at in range(7)]
    contract = {
        "document": "api.yaml",
        "operations": 9,
        "never_exercised": names,
        "never_seen": [],
    }
    lines = [line.text for line in closing(record(environment={"contracts": [contract]}), "")]
    assert (
        "drift:  api.yaml: 7 of 9 operations never exercised "
        "(GET /0, GET /1, GET /2, GET /3, GET /4, …); 0 fields never seen"
    ) in lines
