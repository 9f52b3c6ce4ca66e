"""The curl line of a recorded request, run by a real shell."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.reports import curl

ENCODABLE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))


def words_of(line: str) -> list[str]:
    """What bash makes of a command line."""
    shown = subprocess.run(
        ["/bin/bash", "--norc", "-c", f"printf '%s\\0' {line}"],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    return shown.stdout.decode().split("\0")[:-1]


def request(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a request
    return {"method": "GET", "url": "http://x/", "headers": [], "body": None} | changes


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "curl --include --request GET --url http://x/"),
        ({"address": "mock users"}, "# GET http://x/: what a mock service got"),
        ({"method": "HEAD"}, "curl --include --head --url http://x/"),
        ({"url": "http://x/[1]"}, "curl --include --request GET --globoff --url 'http://x/[1]'"),
        (
            {"method": "POST", "body": "a=1", "headers": [["X-Key", "[redacted]"]]},
            "curl --include --request POST --header 'X-Key: [redacted]' --data-raw a=1 --url http://x/",
        ),
        (
            {"headers": [["Host", "x"], ["@file", "a"], ["bad name", "b"], "odd", ["only"]]},
            "curl --include --request GET --url http://x/",
        ),
        (
            {"address": "10.0.0.1:8080"},
            "curl --include --request GET --connect-to ::10.0.0.1:8080 --url http://x/",
        ),
        ({"url": "lambda://f:8/a b"}, "# invoked, not sent: GET 'lambda://f:8/a b'"),
        ({"headers": None}, "curl --include --request GET --url http://x/"),
    ],
    ids=[
        *("plain", "mock", "head", "brackets", "body-and-header", "dropped-headers", "one-target"),
        *("function", "no-headers"),
    ],
)
def test_a_request_becomes_one_command(changes: dict[str, Any], line: str) -> None:
    assert curl.command(request(**changes)) == line


@pytest.mark.parametrize(
    "hostile",
    ["$(touch owned)", "`id`; id", "'\n\\'\x1b", "\u202e\u2028é", "-o/etc/x", "\x07\U000e0001", ""],
)
def test_the_shell_reads_every_word_as_it_was(hostile: str) -> None:
    line = curl.command(request(method=hostile, url=hostile))
    assert words_of(line) == ["curl", "--include", "--request", hostile, "--url", hostile]


@given(ENCODABLE)
def test_a_quoted_text_hides_nothing(text: str) -> None:
    assert curl.quote(text).isprintable()


def test_a_lone_surrogate_stays_printable() -> None:
    assert curl.quote("\ud800") == "$'\\ud800'"
