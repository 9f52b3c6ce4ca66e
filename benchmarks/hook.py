"""The hook: what CodeDeploy hears in each failure mode, how soon, and at what cost.

Greenroom's hook and an in-process one run under the real Lambda runtime client with the same
suites, the same short time-out and a CodeDeploy endpoint that unmodified boto3 calls. The
in-process hook calls ``pytest.main`` in the handler, as popular examples do. Then the time from
event to report and the memory that it takes, beside a bare hook that makes the same requests.
Exits 1 if Greenroom's hook was wrong or late in any mode, or over a limit.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks._hook_modes import MODES, Mode
from benchmarks._hook_time import compare
from benchmarks._invocation import (
    GREENROOM,
    RESERVE_S,
    TIMEOUT_S,
    Hook,
    Outcome,
    observe,
    sandbox_is_allowed,
    where,
)
from benchmarks._public_hooks import IN_PROCESS
from benchmarks._table import Row, options, table, write

OURS = "greenroom hook"
THEIRS = "in-process hook"
_QUICK = frozenset(
    {
        "passing (control)",
        "failing test",
        "kill -9",
        "hang",
        'pytest.exit("x", 0)',
        "all skipped",
        "left-over thread",
        "report: throttled twice",
    }
)


def measure(mode: Mode, subject: str, *, sandbox: bool) -> Outcome:
    """Let the hook ``subject`` answer one event in ``mode``."""
    files = {"suites/test_it.py": mode.suite}
    if subject == OURS:
        return observe(Hook(GREENROOM, files), *mode.answers, sandbox=sandbox)
    files["public_hook.py"] = IN_PROCESS
    plain = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return observe(Hook("public_hook.handler", files, plain), *mode.answers, sandbox=sandbox)


def rows_of(mode: Mode, outcomes: dict[str, Outcome]) -> list[Row]:
    """Return the JSON rows of one mode."""
    theirs = outcomes[THEIRS].at
    rows = []
    for subject, outcome in outcomes.items():
        ratio = outcome.at / theirs if outcome.at and theirs and subject == OURS else None
        versus = THEIRS if subject == OURS else None
        rows += [
            Row(mode.name, subject, "status", outcome.shown, versus),
            Row(mode.name, subject, "right status", outcome.status == mode.status, versus),
            Row(mode.name, subject, "share of deadline", outcome.at, versus, ratio),
            Row(mode.name, subject, "late", outcome.late, versus),
        ]
    return rows


def line_of(mode: Mode, outcomes: dict[str, Outcome]) -> list[str]:
    """Return the table's line of one mode."""
    line = [mode.name, mode.status]
    for outcome in outcomes.values():
        wrong = "" if outcome.status in {mode.status, None} else " WRONG"
        line += [f"{outcome.shown}{wrong}", outcome.shown_at, "LATE" if outcome.late else "no"]
    return line


def main() -> int:
    """Measure, print the table, write the rows."""
    given = options(__doc__.splitlines()[0])
    modes = [mode for mode in MODES if not given.quick or mode.name in _QUICK]
    sandbox = sandbox_is_allowed()
    measured: list[tuple[Mode, dict[str, Outcome]]] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for mode in modes:
            tasks = {
                name: pool.submit(measure, mode, name, sandbox=sandbox) for name in (OURS, THEIRS)
            }
            measured.append((mode, {name: task.result() for name, task in tasks.items()}))
    head = ["mode", "right", OURS, "at", "late?", THEIRS, "at", "late?"]
    print(table(head, [line_of(mode, outcomes) for mode, outcomes in measured]))
    kept = f"{RESERVE_S} s are kept; {where(sandbox=sandbox)}"
    print(f"\n'at' is the share of the function's {TIMEOUT_S} s; {kept}.")
    bad = [m.name for m, o in measured if o[OURS].late or o[OURS].status != m.status]
    print(f"{OURS}: {len(measured) - len(bad)} of {len(measured)} modes right and in time\n")
    rows, missed = compare(quick=given.quick)
    print("\n".join(missed) or "every limit is kept")
    write([*(row for pair in measured for row in rows_of(*pair)), *rows], given.json)
    return 1 if bad or missed else 0


if __name__ == "__main__":
    sys.exit(main())
