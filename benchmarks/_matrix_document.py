"""The fault matrix as a document: `document` writes it, `cells_of` reads it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks._matrix import MEMORY_MB, RESERVE_S, Cell
from benchmarks._matrix_fault import AMPLE_S, LONG_S, SHORT_S, Fault
from benchmarks._matrix_services import SERVICE_FAULTS
from benchmarks._matrix_suites import CONTROL, SUITE_FAULTS
from benchmarks._matrix_waiters import CODEDEPLOY, WAITERS, Waiter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FAULTS = (*SUITE_FAULTS, *SERVICE_FAULTS)
NOTHING = "-"
_COVERING = frozenset(
    {
        CONTROL.name,
        "a test fails",
        "kill -9",
        "hangs",
        "every test is skipped",
        "the settings name an unknown lifecycle event",
        "the target is silent",
        "passes and leaves a thread",
        "throttled twice",
        "takes the report, its answer is lost",
        "access denied until the event is delivered again",
        "the ledger denies access",
        "delivered again after the answer",
        "delivered twice at once",
    }
)
"""The faults that every waiter meets in CI; the others only differ in what the suite does."""

_HEAD = f"""# The fault matrix

What whoever waits for a verdict is told when something goes wrong.
`python -m benchmarks.fault_matrix` runs every cell and writes this page; do not edit it.
CI runs every fault beside CodeDeploy's hook and a covering part of them ({len(_COVERING)} rows) \
beside every other waiter, and fails where a cell is wrong or is not what stands here.

A cell says what was told, how often it was accepted, and when: *early* is before the suite's time \
was up, *time up* after that and before the function's time-out.
It is right only if it is the waiter's word for *ship* where the suite really passed and its other \
word everywhere else, accepted exactly once and in time, after one run of the suite, and if the \
reasons in the log name this very fault. Exact times and numbers of tries: `--json PATH`.
*delivery 2* is the second time that the event came, because the function had failed to report \
(as Lambda repeats it) or because ECS asked again.
ECS is answered by the function itself: asked twice, it is answered twice, and alike.
`{NOTHING}` is where there is nothing to go wrong: a script calls no service, and has no \
function's disk or memory.

How it runs: each cell is a function of its own under the real `awslambdaric`, read-only but for \
/tmp, without /dev/shm, with {MEMORY_MB} MB and {AMPLE_S:.0f} s ({SHORT_S:.0f} s where the suite \
uses them up, {LONG_S:.0f} s where a service or the wait for the target does), \
{RESERVE_S} s of them kept for the report.
CodeDeploy's hook reports to the rehearsal's deployment engine, the ledger is in moto's S3, the \
other services hold requests and answers against botocore's model; all of them over HTTP, and what \
goes wrong with them goes wrong at the socket. The exit status is that of `greenroom hook`, a \
process of its own with the same limit of memory, told to be done {RESERVE_S} s before whoever \
started it gives up.

"""


def covers(waiter: Waiter, fault: Fault) -> bool:
    """Tell whether CI runs the cell."""
    return waiter.takes(fault) and (waiter is CODEDEPLOY or fault.name in _COVERING)


def cells_to_run(*, all_of_them: bool, sandbox: bool) -> list[tuple[Waiter, Fault]]:
    """Return the cells of a run; without a sandbox there is no small disk to fill."""
    return [
        (waiter, fault)
        for waiter in WAITERS
        for fault in FAULTS
        if (waiter.takes(fault) if all_of_them else covers(waiter, fault))
        and (sandbox or not fault.needs_sandbox)
    ]


def document(cells: Iterable[Cell]) -> str:
    """Return the page."""
    shown = {(cell.fault, cell.waiter): cell.shown for cell in cells}
    parts = [
        _HEAD,
        _words(),
        "\n## Suites and targets\n\n",
        _table(SUITE_FAULTS, shown),
        "\n## Services and deliveries\n\n",
        "Of the waiter's service, unless another one is named.\n\n",
        _table(SERVICE_FAULTS, shown),
    ]
    return "".join(parts)


def _words() -> str:
    lines = [f"| {waiter.name} | {waiter.words[0]} | {waiter.words[1]} |" for waiter in WAITERS]
    head = ["| waiter | ship | everything else |", "|---|---|---|"]
    return "\n".join([*head, *lines, ""])


def _table(faults: Sequence[Fault], shown: Mapping[tuple[str, str], str]) -> str:
    head = f"| fault | passes? | {' | '.join(waiter.name for waiter in WAITERS)} |"
    lines = [head, "|---" * (len(WAITERS) + 2) + "|"]
    for fault in faults:
        cells = [shown.get((fault.name, waiter.name), NOTHING) for waiter in WAITERS]
        passes = "yes" if fault.passes else "no"
        lines.append(f"| {fault.name} | {passes} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def cells_of(text: str) -> dict[tuple[str, str], str]:
    """Return what a page shows by fault and waiter, cells with nothing in them left out."""
    return dict(_read(text))


def _read(text: str) -> Iterator[tuple[tuple[str, str], str]]:
    for line in text.splitlines():
        fields = [field.strip() for field in line.strip("|").split(" | ")]
        if len(fields) == len(WAITERS) + 2 and fields[1] in {"yes", "no"}:
            for waiter, shown in zip(WAITERS, fields[2:], strict=True):
                if shown != NOTHING:
                    yield (fields[0], waiter.name), shown
