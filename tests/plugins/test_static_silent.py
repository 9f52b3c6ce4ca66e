from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.validators.errors import GreenroomError
from greenroom.validators.vocabulary import Outcome
from tests.silent.rows_static import ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.silent import SilentPass


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])
def test_a_silent_pass_of_a_tool_is_none_here(row: SilentPass, tmp_path: Path) -> None:
    assert row.bare(tmp_path)
    try:
        finding = row.ours(tmp_path)
    except GreenroomError:
        return
    assert finding.outcome is not Outcome.PASSED, finding
