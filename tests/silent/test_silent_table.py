"""No silent pass of a bare tool passes here, and docs/silent-passes.md says what is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.validators.vocabulary import Outcome
from tests.silent.table import PAGE, cells, rows, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.silent import SilentPass

LEAST = 30


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_what_the_bare_tool_lets_through_does_not_pass(row: SilentPass, tmp_path: Path) -> None:
    said = run(row, tmp_path)
    assert said.outcome is not Outcome.PASSED
    page = cells(PAGE.read_text(encoding="utf-8"))
    assert page[f"{row.tool}: {row.case}"] == (said.bare, said.outcome.value)


def test_the_page_holds_exactly_the_rows() -> None:
    cases = [f"{row.tool}: {row.case}" for row in rows()]
    assert len(set(cases)) == len(cases) >= LEAST
    assert list(cells(PAGE.read_text(encoding="utf-8"))) == cases
