"""The assertions of a Postman test script that say plainly what an answer must be like.

Scripts are code. Read are ``pm.test`` calls that hold nothing but known assertions, one after the
other; of a script with conditions, loops or functions of its own nothing is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMMENT = re.compile(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", re.DOTALL)
_TEST = re.compile(
    r"pm\.test\(\s*(?:'[^'\n]*'|\"[^\"\n]*\"|`[^`]*`)\s*,\s*"
    r"(?:function\s*\(\s*\)|\(\s*\)\s*=>)\s*(?:\{(?P<body>[^{}]*)\}|(?P<one>[^;{}\n]*\)))\s*\)\s*;?"
)
_LEGACY = re.compile(r"tests\[[^\]\n]*\]\s*=\s*responseCode\.code\s*={2,3}\s*([1-5][0-9]{2})\s*;?")
_CODE = r"pm\.expect\(\s*pm\.response\.code\s*\)\.to\.(?:be\.)?"
_STATUS = re.compile(
    rf"(?:pm\.response\.to\.have\.status|{_CODE}(?:equals?|eq|eql))\(\s*([1-5][0-9]{{2}})\s*\)"
)
_ONE_OF = re.compile(
    rf"{_CODE}oneOf\(\s*\[\s*([1-5][0-9]{{2}}(?:\s*,\s*[1-5][0-9]{{2}})*)\s*,?\s*\]\s*\)"
)
_SUCCESS = re.compile(r"pm\.response\.to\.be\.(ok|success)")
_JSON = re.compile(r"pm\.response\.to\.(?:be|have)\.(?:json|jsonBody)(?:\(\s*\))?")
_TIME = re.compile(
    r"pm\.expect\(\s*pm\.response\.responseTime\s*\)\.to\.be\."
    r"(?:below|lessThan|lt)\(\s*([1-9][0-9]*)\s*\)"
)
_HEADER = re.compile(r"pm\.response\.to\.have\.header\(\s*['\"]([A-Za-z0-9-]+)['\"]\s*\)")


@dataclass(frozen=True, slots=True)
class Script:
    """What scripts expect, never nothing, and what of them is not carried over."""

    expect: dict[str, Any]
    notes: tuple[str, ...]


def read_scripts(events: Iterable[dict[str, Any]]) -> Script:
    """Return what the ``events`` of a request and its folders say; the request's own come last."""
    expect: dict[str, Any] = {}
    notes = []
    for event in events:
        text = _COMMENT.sub("", _source(event)).strip()
        if text and event.get("listen") == "prerequest":
            notes.append("its pre-request script is not carried over")
        elif text and (unread := _read(text, expect)):
            notes.append(f"its test script is not carried over{unread}")
    order = ("status", "time", "headers")
    found = {"status": "2xx", **expect}
    return Script({key: found[key] for key in order if key in found}, tuple(dict.fromkeys(notes)))


def _read(text: str, expect: dict[str, Any]) -> str:
    """Add to ``expect`` what ``text`` says; return which part of it was not read, or nothing."""
    if _LEGACY.sub("", _TEST.sub("", text)).strip(" \t\r\n;"):
        return ": it is more than plain assertions"
    bodies = [found["body"] or found["one"] or "" for found in _TEST.finditer(text)]
    lines = [line.strip() for body in bodies for line in re.split(r"[;\n]", body)]
    for found in _LEGACY.finditer(text):
        expect["status"] = int(found[1])
    unread = sum(not _statement(line, expect) for line in lines if line)
    return f" in part: {unread} of its assertions" if unread else ""


def _statement(line: str, expect: dict[str, Any]) -> bool:
    """Add one assertion; False where it is not a known one."""
    if found := _STATUS.fullmatch(line):
        expect["status"] = int(found[1])
    elif found := _ONE_OF.fullmatch(line):
        expect["status"] = [int(code) for code in found[1].split(",")]
    elif found := _SUCCESS.fullmatch(line):
        expect["status"] = 200 if found[1] == "ok" else "2xx"
    elif found := _TIME.fullmatch(line):
        expect["time"] = f"< {found[1]}ms"
    elif found := _HEADER.fullmatch(line):
        expect.setdefault("headers", {}).setdefault(found[1].lower(), {"exists": True})
    elif _JSON.fullmatch(line):
        expect.setdefault("headers", {})["content-type"] = {"contains": "json"}
    else:
        return False
    return True


def _source(event: dict[str, Any]) -> str:
    script = event.get("script")
    lines = script.get("exec") if isinstance(script, dict) else script
    return "\n".join(map(str, lines)) if isinstance(lines, list) else str(lines or "")
