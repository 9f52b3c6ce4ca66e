"""Text made fit to show: nothing hidden, nothing endless, times and lengths in people's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.reports import text
from tests.support.records import texts


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("plain", "plain"),
        ("Füße 😀 שלום", "Füße 😀 שלום"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("a\x00b\x7f", "a␀b[U+007F]"),
        ("a\r\nb\tc\rd", "a\nb\tc␍d"),
        ("\u202eexe.png", "[U+202E]exe.png"),
        ("\ud800", "[U+D800]"),
    ],
)
def test_hidden_characters_are_named(given_text: str, shown: str) -> None:
    assert text.visible(given_text) == shown


@given(texts())
def test_visible_text_can_be_encoded(anything: str) -> None:
    assert text.visible(anything).encode().decode() == text.visible(anything)


@given(texts(), st.integers(60, 100))
def test_a_clipped_text_keeps_to_its_limit(anything: str, limit: int) -> None:
    assert len(text.clip(anything * 50, limit)) <= limit


@pytest.mark.parametrize(
    ("given_text", "line"),
    [
        ("\n  one\ntwo", "one …"),
        ("one\r\ntwo", "one …"),
        ("one\n", "one"),
        ("x" * 300, f"{'x' * 198} …"),
        ("", ""),
    ],
)
def test_the_first_line_tells_that_more_follows(given_text: str, line: str) -> None:
    assert text.first_line(given_text) == line


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.0124, "12 ms"),
        (4.12, "4.1 s"),
        (134.2, "2 min 14 s"),
        (3_780, "1 h 3 min"),
        (float("nan"), "unknown"),
    ],
)
def test_a_duration_reads_as_people_say_it(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2026-11-23T00:53:12Z", "2026-11-23 00:53:12 UTC"),
        ("2026-11-23T02:53:12+02:00", "2026-11-23 00:53:12 UTC"),
        ("2026-11-23T00:53:12", "2026-11-23 00:53:12 UTC"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("yesterday", "yesterday"),
        ("", ""),
    ],
)
def test_a_moment_is_shown_in_utc(iso: str, words: str) -> None:
    assert text.moment(iso) == words


def test_one_check_is_not_checks() -> None:
    assert [text.count(n, "check") for n in (0, 1, 2_000)] == [
        "0 checks",
        "1 check",
        "2,000 checks",
    ]
