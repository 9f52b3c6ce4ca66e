"""SPDX licence expressions: whether a package can be used without a licence that is denied.

Source: SPDX Specification 3.0, "SPDX license expressions". Case does not matter.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(r"[()]|[^\s()]+")
_OPERATORS = frozenset({"and", "or", "with", "(", ")"})
_DEPTH_MOST = 100


def is_denied(expression: str, patterns: Sequence[str]) -> bool:
    """Tell whether a shell pattern of ``patterns`` denies ``expression``.

    Of alternatives (OR) every one must be denied, of what holds together (AND) any one. A text that
    is no expression is denied by a pattern of the whole, or of any word of it.
    """
    lowered = [pattern.lower() for pattern in patterns]
    if _matches(expression.lower(), lowered):
        return True
    tokens = _TOKEN.findall(expression.lower())
    try:
        denied, rest = _either(tokens, lowered, 0)
    except ValueError:
        denied, rest = False, tokens
    if rest:
        return any(_matches(token, lowered) for token in tokens)
    return denied


def _either(tokens: list[str], patterns: list[str], depth: int) -> tuple[bool, list[str]]:
    denied, rest = _together(tokens, patterns, depth)
    while rest[:1] == ["or"]:
        other, rest = _together(rest[1:], patterns, depth)
        denied = denied and other
    return denied, rest


def _together(tokens: list[str], patterns: list[str], depth: int) -> tuple[bool, list[str]]:
    denied, rest = _one(tokens, patterns, depth)
    while rest[:1] == ["and"]:
        other, rest = _one(rest[1:], patterns, depth)
        denied = denied or other
    return denied, rest


def _one(tokens: list[str], patterns: list[str], depth: int) -> tuple[bool, list[str]]:
    if tokens[:1] == ["("] and depth < _DEPTH_MOST:
        denied, rest = _either(tokens[1:], patterns, depth + 1)
        if rest[:1] != [")"]:
            raise ValueError("a parenthesis is not closed")
        return denied, rest[1:]
    if not tokens or tokens[0] in _OPERATORS:
        raise ValueError("a licence is missing")
    if tokens[1:2] == ["with"]:
        whole = " ".join(tokens[:3])
        return _matches(tokens[0], patterns) or _matches(whole, patterns), tokens[3:]
    return _matches(tokens[0], patterns), tokens[1:]


def _matches(name: str, patterns: list[str]) -> bool:
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)
