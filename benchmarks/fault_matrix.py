"""The fault matrix: what each waiter is told, when, and how often, whatever goes wrong.

Runs every fault beside every waiter and, if all are right, writes docs/fault-matrix.md; ``--quick``
runs the part that CI runs, and writes nothing. Exits 1 if any cell is wrong.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._invocation import sandbox_is_allowed, where
from benchmarks._matrix import Cell, run_cells
from benchmarks._matrix_document import cells_to_run, document
from benchmarks._matrix_waiters import WAITERS
from benchmarks._table import Row, options, table, write

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "docs" / "fault-matrix.md"
_WORKERS = 3


def rows_of(cell: Cell) -> Iterator[Row]:
    """Yield the JSON rows of one cell."""
    values: dict[str, float | str | bool | None] = {
        "told": cell.word,
        "times accepted": cell.times,
        "tries": cell.tries,
        "delivery": cell.delivery,
        "share of deadline": cell.share,
        "suite runs": cell.runs,
        "right": cell.right,
    }
    for metric, value in values.items():
        yield Row(cell.fault, cell.waiter, metric, value)


def line_of(waiter: str, cells: list[Cell]) -> list[str]:
    """Return the table's line of one waiter."""
    own = [cell for cell in cells if cell.waiter == waiter]
    shares = [cell.share for cell in own if cell.share is not None]
    right = sum(cell.right for cell in own)
    return [waiter, str(len(own)), str(right), f"{max(shares, default=0):.0%}"]


def _tell(cell: Cell) -> None:
    if not cell.right:
        print(f"WRONG: {cell.waiter}, {cell.fault}: {cell.shown}\n{cell.log}\n", flush=True)


def main() -> int:
    """Run the cells, print a line for each waiter, write the page."""
    given = options(__doc__.splitlines()[0])
    sandbox = sandbox_is_allowed()
    started = time.monotonic()
    chosen = cells_to_run(all_of_them=not given.quick, sandbox=sandbox)
    cells = list(run_cells(chosen, sandbox=sandbox, workers=_WORKERS, told=_tell))
    lines = [line_of(waiter.name, cells) for waiter in WAITERS]
    print(table(["waiter", "cells", "right", "latest, of the deadline"], lines))
    took = time.monotonic() - started
    print(f"\n{len(cells)} cells in {took:.0f} s; {where(sandbox=sandbox)}.")
    write([row for cell in cells for row in rows_of(cell)], given.json)
    right = all(cell.right for cell in cells)
    if right and sandbox and not given.quick:
        PAGE.write_text(document(cells), encoding="utf-8")
        print(f"written: {PAGE}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
