"""A recorded request as one shell command that sends it again."""

from __future__ import annotations

import re
import shlex
from typing import Any

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FOUR_DIGITS = 0xFFFF
"""The last code point that bash writes as \\uXXXX; those beyond it are \\UXXXXXXXX."""
_MADE_BY_CURL = frozenset({"host", "content-length", "connection", "accept-encoding", "user-agent"})


def quote(text: str) -> str:
    """Quote ``text`` for bash; what cannot be typed or seen is written as an escape."""
    if all(char.isprintable() for char in text):
        return shlex.quote(text)
    return "$'" + "".join(map(_escaped, text)) + "'"


def command(request: dict[str, Any]) -> str:
    """Return the curl command of a recorded request; its redacted values stay redacted.

    A function that was invoked has no address that curl knows, and a mock service is gone: a
    comment says so.
    """
    method, url = str(request.get("method", "GET")), str(request.get("url", ""))
    if url.startswith("lambda://"):
        return f"# invoked, not sent: {quote(method)} {quote(url)}"
    if str(request.get("address", "")).startswith("mock "):
        return f"# {quote(method)} {quote(url)}: what a mock service got"
    words = ["curl", "--include"]
    words += ["--head"] if method == "HEAD" else ["--request", quote(method)]
    if any(char in url for char in "[]{}"):
        words.append("--globoff")
    for name, value in pairs(request.get("headers")):
        if _TOKEN.fullmatch(name) and name.lower() not in _MADE_BY_CURL:
            words += ["--header", quote(f"{name}: {value}")]
    if address := request.get("address"):
        words += ["--connect-to", quote(f"::{address}")]
    if body := request.get("body"):
        words += ["--data-raw", quote(str(body))]
    return " ".join([*words, "--url", quote(url)])


def pairs(headers: object) -> list[tuple[str, str]]:
    """Return recorded headers as pairs; whatever is not a pair is left out."""
    if not isinstance(headers, list | tuple):
        return []
    return [
        (str(pair[0]), str(pair[1]))
        for pair in headers
        if isinstance(pair, list | tuple) and len(pair) == 2  # noqa: PLR2004 - a name and a value
    ]


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    if char.isascii():
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _FOUR_DIGITS else f"\\U{code:08x}"
