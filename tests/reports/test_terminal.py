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
