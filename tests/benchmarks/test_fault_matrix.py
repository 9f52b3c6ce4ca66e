"""The fault matrix: every cell that CI runs is right, and is what the page says."""

from __future__ import annotations

import pytest

from benchmarks._invocation import sandbox_is_allowed
from benchmarks._matrix import Cell, When, run_cells
from benchmarks._matrix_document import FAULTS, cells_of, cells_to_run, document
from benchmarks._matrix_waiters import WAITERS, Waiter
from benchmarks.fault_matrix import PAGE, line_of, rows_of

WORKERS = 2


@pytest.fixture(scope="module")
def page() -> dict[tuple[str, str], str]:
    return cells_of(PAGE.read_text(encoding="utf-8"))


def cell(fault: str = "a test fails", *, times: int = 1, right: bool = True) -> Cell:
    return Cell(
        fault=fault,
        waiter=WAITERS[0].name,
        word="Failed" if times else "",
        times=times,
        tries=times,
        when=When.EARLY if times else When.NEVER,
        share=0.25 if times else None,
        delivery=1,
        runs=None,
        right=right,
    )


def test_a_wrong_cell_cannot_be_overlooked() -> None:
    assert cell(right=False).shown == "**Failed x1, early WRONG**"
    assert cell(times=0, right=False).shown == "**NEVER**"


def test_the_page_can_be_read_again() -> None:
    (known,) = cells_of(document([cell()])).items()
    assert known == (("a test fails", "CodeDeploy hook"), "Failed x1, early")


def test_a_waiter_s_line_counts_its_cells() -> None:
    assert line_of(WAITERS[0].name, [cell(), cell(right=False)]) == [
        WAITERS[0].name,
        "2",
        "1",
        "25%",
    ]


def test_every_number_of_a_cell_is_a_row() -> None:
    assert {row.metric: row.value for row in rows_of(cell())}["share of deadline"] == 0.25


def test_the_page_has_every_fault_and_nothing_wrong(page: dict[tuple[str, str], str]) -> None:
    wanted = {(fault.name, who.name) for who in WAITERS for fault in FAULTS if who.takes(fault)}
    assert set(page) == wanted
    assert not [shown for shown in page.values() if "**" in shown]


def test_the_matrix_is_as_large_as_promised() -> None:
    assert len(FAULTS) >= 25
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(fault.passes or fault.why for fault in FAULTS)


@pytest.mark.slow
@pytest.mark.parametrize("waiter", [pytest.param(waiter, id=waiter.name) for waiter in WAITERS])
def test_each_waiter_is_told_one_truth_in_time(
    waiter: Waiter, page: dict[tuple[str, str], str]
) -> None:
    sandbox = sandbox_is_allowed()
    chosen = [
        pair for pair in cells_to_run(all_of_them=False, sandbox=sandbox) if pair[0] is waiter
    ]
    cells = list(run_cells(chosen, sandbox=sandbox, workers=WORKERS))
    wrong = [f"{cell.fault}: {cell.shown}\n{cell.log}" for cell in cells if not cell.right]
    assert not wrong, "\n".join(wrong)
    assert {(cell.fault, cell.waiter): cell.shown for cell in cells}.items() <= page.items()
