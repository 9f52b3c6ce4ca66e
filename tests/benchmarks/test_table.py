"""What every benchmark prints and writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks._table import Row, options, table, write

if TYPE_CHECKING:
    from pathlib import Path


def test_columns_are_aligned() -> None:
    lines = table(["mode", "late?"], [["hang", "no"], ["kill -9", "no"]]).splitlines()
    assert lines == ["mode     late?", "-------  -----", "hang     no", "kill -9  no"]


def test_rows_are_written_with_every_key(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    write([Row("hang", "ours", "late", value=False)], path)
    (row,) = json.loads(path.read_text())
    assert list(row) == ["case", "subject", "metric", "value", "versus", "ratio"]


def test_the_command_line_is_the_same_everywhere(tmp_path: Path) -> None:
    given = options("About.", ["--quick", "--json", str(tmp_path / "x")])
    assert (given.quick, given.json) == (True, tmp_path / "x")
