"""Hostile backends: what public hooks and Greenroom's report of them, and when.

Each hook runs under the real Lambda runtime client and reports to a CodeDeploy endpoint over HTTP.
Exits 1 if Greenroom's hook was wrong or silent anywhere. ``--quick`` leaves two public hooks out.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks._backends import BACKENDS, OURS, SUBJECTS, THEIRS, Backend, is_wrong, judged
from benchmarks._invocation import TIMEOUT_S, sandbox_is_allowed, where
from benchmarks._table import Row, options, table, write

if TYPE_CHECKING:
    from benchmarks._invocation import Outcome

_WORKERS = 3


def rows_of(backend: Backend, outcomes: dict[str, Outcome]) -> list[Row]:
    """Return the JSON rows of one backend."""
    rows = []
    for subject, outcome in outcomes.items():
        versus = THEIRS if subject == OURS else None
        rows += [
            Row(backend.name, subject, "status", outcome.shown, versus),
            Row(backend.name, subject, "wrong", is_wrong(backend, outcome), versus),
            Row(backend.name, subject, "share of deadline", outcome.at, versus),
            Row(backend.name, subject, "never or late", outcome.late, versus),
        ]
    return rows


def line_of(backend: Backend, outcomes: dict[str, Outcome]) -> list[str]:
    """Return the table's line of one backend."""
    line = [backend.name, backend.status]
    for outcome in outcomes.values():
        mark = " WRONG" if is_wrong(backend, outcome) else ""
        line.append(f"{outcome.shown}{mark}" if outcome.status else "NEVER")
        line.append(outcome.shown_at)
    return line


def main() -> int:
    """Measure, print the table, write the rows."""
    given = options(__doc__.splitlines()[0])
    subjects = (OURS, THEIRS) if given.quick else SUBJECTS
    sandbox = sandbox_is_allowed()
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        tasks = [
            (
                backend,
                {name: pool.submit(judged, backend, name, sandbox=sandbox) for name in subjects},
            )
            for backend in BACKENDS
        ]
        measured = [
            (backend, {name: task.result() for name, task in by_name.items()})
            for backend, by_name in tasks
        ]
    columns = [column for subject in subjects for column in (subject, "at")]
    print(table(["backend", "right", *columns], [line_of(*both) for both in measured]))
    print(f"\n'at' is the share of the function's {TIMEOUT_S} s; {where(sandbox=sandbox)}.")
    write([row for both in measured for row in rows_of(*both)], given.json)
    for subject in subjects:
        wrong = sum(is_wrong(backend, by_name[subject]) for backend, by_name in measured)
        never = sum(by_name[subject].late for _, by_name in measured)
        print(f"{subject}: {wrong} of {len(BACKENDS)} wrong, {never} never reported")
    ours = [(backend, by_name[OURS]) for backend, by_name in measured]
    return int(any(is_wrong(*pair) or pair[1].late for pair in ours))


if __name__ == "__main__":
    sys.exit(main())
