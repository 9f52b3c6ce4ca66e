"""Duplicates: 200 concurrent deliveries of one event; how many suites run, and what is answered.

Every delivery calls the real handler: 20 under the real Lambda runtime client, the others in
threads; see `benchmarks._deliveries`. Exits 1 unless there was one suite run, one status for all,
and no delivery that outlasted its own time.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks._deliveries import Duplicates, Load, deliver, lines
from benchmarks._table import Row, options, table, write

FULL = Load(functions=20, threads=180, timeout_s=180, suite_s=30)
QUICK = Load(functions=4, threads=16, timeout_s=60, suite_s=3, reserve_s=10)
SUBJECT = "greenroom hook"


def cases(*, quick: bool) -> dict[str, Load]:
    """Return what is measured: each ledger, and both verdicts."""
    load = QUICK if quick else FULL
    return {
        "S3, the suite passes": load,
        "DynamoDB, the suite fails": replace(load, ledger="dynamodb", passes=False),
    }


def rows_of(case: str, measured: Duplicates) -> list[Row]:
    """Return the JSON rows of one case."""
    return [Row(case, SUBJECT, metric, value) for metric, value in lines(measured)]


def main() -> int:
    """Measure, print the table, write the rows."""
    given = options(__doc__.splitlines()[0])
    rows: list[Row] = []
    bad = 0
    for case, load in cases(quick=given.quick).items():
        with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
            measured = deliver(load, Path(folder))
        rows += rows_of(case, measured)
        problems = measured.problems("Succeeded" if load.passes else "Failed")
        bad += bool(problems)
        for problem in problems:
            print(f"{case}: {problem}")
    print(table(["case", "metric", "value"], [(r.case, r.metric, str(r.value)) for r in rows]))
    write(rows, given.json)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
