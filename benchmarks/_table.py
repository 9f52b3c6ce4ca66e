"""What every benchmark shares: its command line, one printed table, and rows of JSON."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Row:
    """One measured value; ``ratio`` is this value over that of the subject ``versus``, if any."""

    case: str
    subject: str
    metric: str
    value: float | str | bool | None
    versus: str | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """The command line of every benchmark."""

    quick: bool
    json: Path | None


def options(description: str, arguments: Sequence[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="fewer cases, fewer repetitions")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the rows as JSON")
    given = parser.parse_args(arguments)
    return Options(quick=given.quick, json=given.json)


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return an aligned table; the first column is the widest a reader looks for."""
    every = [tuple(head), *map(tuple, lines)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    shown = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in every]
    return "\n".join([shown[0], "  ".join("-" * width for width in widths), *shown[1:]])


def write(rows: Iterable[Row], path: Path | None) -> None:
    """Write the rows to ``path``, if there is one."""
    if path is not None:
        text = json.dumps([asdict(row) for row in rows], indent=1)
        path.write_text(f"{text}\n", encoding="utf-8")
