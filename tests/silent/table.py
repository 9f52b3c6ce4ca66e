"""The table of silent passes: collects the rows, runs them, writes docs/silent-passes.md.

``python -m tests.silent.table`` writes the page anew; the tests compare it with what they see.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from greenroom.validators.errors import GreenroomError
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from tests.support.silent import SilentPass

PAGE = Path(__file__).parents[2] / "docs" / "silent-passes.md"
_HEAD = """\
# Silent passes

Tools that say "ok" having examined nothing, and what Greenroom says of the same thing.
Each row is a test: the bare tool is really run (or, where it says so, its recorded output read),
and so is Greenroom's check.
`python -m tests.silent.table` writes this page; the tests fail where a cell differs.

| case | the bare tool says | Greenroom says | because |
|---|---|---|---|
"""
_LONGEST = 200


class Said(NamedTuple):
    """The cells of one row."""

    bare: str
    outcome: Outcome
    why: str


def rows() -> tuple[SilentPass, ...]:
    """Return all rows, in the order of their modules' names."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("rows_*.py"))
    modules = [importlib.import_module(f"tests.silent.{name}") for name in names]
    return tuple(row for module in modules for row in module.ROWS)


def run(row: SilentPass, folder: Path) -> Said:
    """Run a row's tool and our check, each in a folder of its own."""
    for name in ("bare", "ours"):
        (folder / name).mkdir()
    bare = row.bare(folder / "bare")
    try:
        finding = row.ours(folder / "ours")
    except GreenroomError as error:
        return Said(bare, Outcome.ERROR, _short(str(error), folder))
    return Said(bare, finding.outcome, _short(finding.seen, folder))


def line(row: SilentPass, said: Said) -> str:
    """Return the row's line of the page."""
    why = said.why.replace("|", "\\|")
    return f"| {row.tool}: {row.case} | {said.bare} | **{said.outcome.value}** | {why} |"


def cells(text: str) -> dict[str, tuple[str, str]]:
    """Return for each case of the page what the tool says and what Greenroom says."""
    found = {}
    for row in text.splitlines():
        if row.startswith("| ") and not row.startswith("| case"):
            case, bare, outcome = row.strip("| ").split(" | ")[:3]
            found[case] = (bare, outcome.strip("*"))
    return found


def _short(text: str, folder: Path) -> str:
    flat = " ".join(text.replace(f"{folder}/ours/", "").replace(str(folder), "…").split())
    return flat if len(flat) <= _LONGEST else f"{flat[:_LONGEST]}…"


def main() -> None:
    """Write the page."""
    lines = []
    for row in rows():
        with tempfile.TemporaryDirectory() as folder:
            lines.append(line(row, run(row, Path(folder))))
    PAGE.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
