"""What the plugin costs: 1,000 empty tests beside bare pytest, and an unrelated folder's start.

``python -m benchmarks.overhead [--quick] [--json PATH]``. Wall times of whole processes, the
subjects in turn within each round; the ratio is the median over the rounds of time / bare time, so
that a busy machine disturbs both alike. Exits 1 where a verdict costs more than 1.15 times bare
pytest, or the unused plugin more than 30 ms; the documents, written once at the end, come on top.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from benchmarks._table import Row, options, table, write
from greenroom.validators.errors import ToolError

TESTS = 1_000
PLUGIN = ("-p", "greenroom.plugins.pytest_plugin")
BARE = "bare pytest"
LIMIT_S = 300
MOST_FOR_A_VERDICT = 1.15
MOST_UNUSED_MS = 30
VERDICT = "greenroom: verdict"
UNUSED = "greenroom: not used"


def main() -> int:
    """Measure, print one table, and write the rows."""
    given = options("What the plugin costs beside bare pytest.")
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            *_empty_tests(Path(folder), rounds=3 if given.quick else 11),
            *_unrelated_folder(Path(folder), rounds=5 if given.quick else 21),
        ]
    lines = [
        (row.case, row.subject, str(row.value), f"{row.ratio:.2f} x" if row.ratio else "")
        for row in rows
    ]
    print(table(("case", "subject", "median ms", "of bare pytest"), lines))
    write(rows, given.json)
    verdict, unused = (
        next(row for row in rows if row.subject == name) for name in (VERDICT, UNUSED)
    )
    bare = next(row for row in rows if (row.case, row.subject) == (unused.case, BARE))
    more_ms = float(unused.value or 0) - float(bare.value or 0)
    print(f"\nunused: {more_ms:.0f} ms more (at most {MOST_UNUSED_MS})")
    within = (verdict.ratio or 0) <= MOST_FOR_A_VERDICT and more_ms <= MOST_UNUSED_MS
    print("within the limits" if within else "ABOVE THE LIMITS: measure again on a quiet machine")
    return 0 if within else 1


def _empty_tests(folder: Path, rounds: int) -> list[Row]:
    tests = folder / "empty"
    tests.mkdir()
    body = "".join(f"def test_{number}(): pass\n" for number in range(TESTS))
    (tests / "test_empty.py").write_text(body)
    subjects = {
        BARE: (),
        VERDICT: (*PLUGIN, "--greenroom"),
        "greenroom: verdict and documents": (*PLUGIN, "--greenroom-report=out"),
    }
    return _rows(f"{TESTS:,} empty tests", subjects, tests, rounds)


def _unrelated_folder(folder: Path, rounds: int) -> list[Row]:
    unrelated = folder / "unrelated"
    unrelated.mkdir()
    (unrelated / "test_one.py").write_text("def test_one(): pass\n")
    subjects = {BARE: ("--collect-only",), UNUSED: (*PLUGIN, "--collect-only")}
    return _rows("--collect-only elsewhere", subjects, unrelated, rounds)


def _rows(case: str, subjects: dict[str, tuple[str, ...]], folder: Path, rounds: int) -> list[Row]:
    times: dict[str, list[float]] = {subject: [] for subject in subjects}
    for _ in range(rounds + 1):
        for subject, arguments in subjects.items():
            times[subject].append(_seconds(folder, arguments))
    warm = {subject: seconds[1:] for subject, seconds in times.items()}
    return [
        Row(
            case,
            subject,
            "ms",
            round(median(seconds) * 1000, 1),
            None if subject == BARE else BARE,
            None
            if subject == BARE
            else median(one / bare for one, bare in zip(seconds, warm[BARE], strict=True)),
        )
        for subject, seconds in warm.items()
    ]


def _seconds(folder: Path, arguments: tuple[str, ...]) -> float:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        # An installed package is compiled; a checkout is, too, once it may keep the first round's.
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": ""},
        stdout=subprocess.DEVNULL,
    )
    # A wait with a time limit polls, every 50 ms in the end: too coarse for what is measured here.
    limit = threading.Timer(LIMIT_S, process.kill)
    limit.start()
    status = process.wait()
    seconds = time.perf_counter() - begun
    limit.cancel()
    if status:
        raise ToolError(f"pytest ended with exit status {status}", hint="run it by hand")
    return seconds


if __name__ == "__main__":
    raise SystemExit(main())
