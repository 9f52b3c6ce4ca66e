"""Fingerprints of results: the same when lines move, another when the line itself changes.

Made of the rule, the file, the text of the line (blanks collapsed) and the number of the occurrence
among equals. A tool's own ``partialFingerprints`` are not used: some change with the tool's
version, and some are one word for all results ("requires login").
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from greenroom.validators.result import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from greenroom.validators.result import Result

_FILE_MOST = 8 * 1024 * 1024
"""Bytes of the largest file whose lines are read; elsewhere the message stands for the line."""


def with_fingerprints(results: Iterable[Result], root: Path) -> tuple[Result, ...]:
    """Return the results, each with its fingerprint; their places are relative to ``root``."""
    given = list(results)
    lines: dict[str, list[str]] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    made: dict[int, str] = {}
    for index in sorted(range(len(given)), key=lambda index: _order(given[index])):
        result = given[index]
        file = result.location.file if result.location else ""
        if file not in lines:
            lines[file] = _lines(root / file) if file else []
        key = (result.id, file, _line(result, lines[file]))
        seen[key] += 1
        made[index] = fingerprint_of(*key, str(seen[key]))
    return tuple(replace(result, fingerprint=made[index]) for index, result in enumerate(given))


def _order(result: Result) -> tuple[str, int, int, str, str]:
    location = result.location
    if location is None:
        return ("", 0, 0, result.id, result.message)
    return (location.file, location.line, location.column, result.id, result.message)


def _line(result: Result, lines: list[str]) -> str:
    number = result.location.line if result.location else 0
    found = lines[number - 1] if 0 < number <= len(lines) else result.message
    return " ".join(found.split())


def _lines(path: Path) -> list[str]:
    try:
        if not path.is_file() or path.stat().st_size > _FILE_MOST:
            return []
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except (OSError, ValueError):
        return []
