"""Hook failure modes: what CodeDeploy hears, and when, from Greenroom's hook and an in-process one.

Both run under the real Lambda runtime client with the same suites, the same short time-out and a
CodeDeploy endpoint that unmodified boto3 calls. The in-process hook calls ``pytest.main`` in the
handler, as popular examples do. Exits 1 if Greenroom's hook was wrong or late in any mode.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks._hook_modes import MODES, Mode
from benchmarks._table import Row, options, table, write
from greenroom.rehearsal.lambda_runtime import LambdaFunction
from greenroom.validators.errors import ToolError
from tests.support.codedeploy import Answer, CodeDeployEndpoint

TIMEOUT_S = 8
RESERVE_S = 3
MEMORY_MB = 512
OURS = "greenroom hook"
THEIRS = "in-process hook"
EVENT = {"DeploymentId": "d-BENCH", "LifecycleEventHookExecutionId": "execution-1"}
_HEARD = frozenset({Answer.ACCEPT, Answer.ALREADY_COMPLETED})
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

IN_PROCESS = """
import os
import boto3
import pytest

def handler(event, context):
    suites = os.path.join(os.environ["LAMBDA_TASK_ROOT"], "suites")
    try:
        status = "Succeeded" if pytest.main(["-p", "no:cacheprovider", suites]) == 0 else "Failed"
    except BaseException:
        status = "Failed"
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
"""
HANDLERS = {OURS: "greenroom.plugins.hook.handler", THEIRS: "in_process.handler"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one hook made of one mode; ``at`` is the report's time as a share of the deadline."""

    status: str | None
    tries: int
    heard: bool
    at: float | None
    late: bool

    @property
    def shown(self) -> str:
        """The status as the table shows it."""
        if self.status is None:
            return "none"
        return self.status if self.heard else f"{self.status} (tried {self.tries}x)"


def measure(mode: Mode, subject: str, *, sandbox: bool) -> Outcome:
    """Let the hook ``subject`` answer one event in ``mode``."""
    with (
        tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder,
        CodeDeployEndpoint(*mode.answers) as endpoint,
        _function(Path(folder), mode, subject, endpoint, sandbox=sandbox) as function,
    ):
        started = time.monotonic()
        invocation = function.invoke(EVENT)
        began = started + max(time.monotonic() - started - invocation.duration_s, 0)
    heard = [call for call in endpoint.calls if call.answer in _HEARD]
    call = next(iter([*heard, *reversed(endpoint.calls)]), None)
    at = (call.at - began) / TIMEOUT_S if call else None
    return Outcome(
        status=call.status if call else None,
        tries=len(endpoint.calls),
        heard=bool(heard),
        at=at,
        late=at is None or at > 1 or (not heard and invocation.timed_out),
    )


def _function(
    folder: Path, mode: Mode, subject: str, endpoint: CodeDeployEndpoint, *, sandbox: bool
) -> LambdaFunction:
    task = folder / "task"
    (task / "suites").mkdir(parents=True)
    (task / "suites" / "test_it.py").write_text(mode.suite, encoding="utf-8")
    (task / "in_process.py").write_text(IN_PROCESS, encoding="utf-8")
    own = {
        "GREENROOM_HOOK_RESERVE": str(RESERVE_S),
        "GREENROOM_HOOK_REPORT": str(folder / "reports"),
    }
    plain = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return LambdaFunction(
        HANDLERS[subject],
        task_root=task,
        environment={**endpoint.environment, **(own if subject == OURS else plain)},
        timeout_s=TIMEOUT_S,
        memory_mb=MEMORY_MB,
        sandbox=sandbox,
    )


def sandbox_is_allowed() -> bool:
    """Tell whether this machine lets functions have a read-only file system."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            LambdaFunction("none.none", task_root=Path(folder), environment={}, sandbox=True)
        except ToolError:
            return False
    return Path(tempfile.gettempdir()) == Path("/tmp")  # noqa: S108 - Lambda's only writable folder


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
        at = "-" if outcome.at is None else f"{outcome.at:.0%}"
        line += [f"{outcome.shown}{wrong}", at, "LATE" if outcome.late else "no"]
    return line


def main() -> int:
    """Measure, print the table, write the rows."""
    given = options(__doc__.splitlines()[0])
    modes = [mode for mode in MODES if not given.quick or mode.name in _QUICK]
    sandbox = sandbox_is_allowed()
    measured: list[tuple[Mode, dict[str, Outcome]]] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for mode in modes:
            tasks = {name: pool.submit(measure, mode, name, sandbox=sandbox) for name in HANDLERS}
            measured.append((mode, {name: task.result() for name, task in tasks.items()}))
    head = ["mode", "right", OURS, "at", "late?", THEIRS, "at", "late?"]
    print(table(head, [line_of(mode, outcomes) for mode, outcomes in measured]))
    where = "read-only sandbox" if sandbox else "no sandbox: this machine does not allow one"
    print(f"\n'at' is the share of the function's {TIMEOUT_S} s; {RESERVE_S} s are kept; {where}.")
    write([row for mode, outcomes in measured for row in rows_of(mode, outcomes)], given.json)
    bad = [m.name for m, o in measured if o[OURS].late or o[OURS].status != m.status]
    print(f"{OURS}: {len(measured) - len(bad)} of {len(measured)} modes right and in time")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
