"""The time from an event to its report, and the memory it takes, beside a bare boto3 + httpx hook.

Both make the same requests of the same server, one after the other, in turns and in one run, with
bytecode compiled. A report's time is its arrival at the endpoint. Cold is counted twice: from the
runtime's start (what an event at a cold function waits) and from the delivery, when a handler's
own imports are already paid for.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._invocation import EVENT, GREENROOM, Hook, function_of
from benchmarks._public_hooks import BARE
from benchmarks._table import Row, table
from greenroom.plugins.processes import family
from greenroom.validators.errors import ToolError
from tests.support.codedeploy import CodeDeployEndpoint
from tests.support.servers import Asked, Reply, json_reply, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OURS = "greenroom hook"
THEIRS = "bare hook"
SUBJECTS = (OURS, THEIRS)
CHECKS = (1, 22, 200)
COLD = "cold, from the runtime's start"
DELIVERED = "cold, from the delivery"
WARM = "warm"
TIMES = (COLD, DELIVERED, WARM)
JUDGED = 22
"""The number of checks that the limits hold for."""
MOST_TIMES_BARE = 2.0
MOST_PARENT_MB = 45.0
_RUNS = 7
_QUICK_RUNS = 3
_LOOK_S = 0.01
_PARENT = "parent"
_ROLES = {"awslambdaric": _PARENT, "aws_worker": "calls to AWS", "pytest": "suite"}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds for each of `TIMES`, the median of several runs."""

    checks: int
    subject: str
    seconds: dict[str, float]


def hook(subject: str, checks: int, target: str) -> Hook:
    """Return the hook that makes ``checks`` requests of ``target``."""
    if subject == OURS:
        files = {"suites/items.suite.yaml": _suite(checks)}
        return Hook(GREENROOM, files, {"GREENROOM_TARGET": target}, timeout_s=60)
    variables = {"TARGET": target, "CHECKS": str(checks)}
    return Hook("bare.handler", {"bare.py": BARE}, variables, timeout_s=60)


def _suite(checks: int) -> str:
    lines = [
        f"  - {{name: item {number}, http: {{get: /items/{number}}}, "
        f"expect: {{status: 200, json: {{$.id: {number}}}}}}}"
        for number in range(checks)
    ]
    return "\n".join(["version: 1", "name: items", "stage: environment", "checks:", *lines, ""])


def _item(asked: Asked) -> Reply:
    number = asked.path.rsplit("/", 1)[-1]  # none, where the hook asks whether anybody is there
    return json_reply({"id": int(number) if number else None})


def measure(repetitions: int, numbers: Sequence[int] = CHECKS) -> Iterator[Times]:
    """Measure both hooks in turns."""
    with serving(_item) as served:
        for checks in numbers:
            hooks = {subject: hook(subject, checks, served.url) for subject in SUBJECTS}
            runs: dict[str, list[dict[str, float]]] = {subject: [] for subject in SUBJECTS}
            for _ in range(repetitions):
                for subject in SUBJECTS:
                    runs[subject].append(_once(hooks[subject]))
            for subject in SUBJECTS:
                medians = {
                    name: statistics.median(run[name] for run in runs[subject]) for name in TIMES
                }
                yield Times(checks, subject, medians)


def _once(hook: Hook) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder,
        CodeDeployEndpoint() as endpoint,
        function_of(hook, Path(folder), endpoint, sandbox=False) as function,
    ):
        started = time.monotonic()
        first = function.invoke(EVENT)
        again = function.invoke({**EVENT, "LifecycleEventHookExecutionId": "execution-2"})
    if endpoint.accepted != ["Succeeded"] * 2:
        raise ToolError(f"reported {endpoint.accepted}", hint="both runs should have passed")
    cold, warm = (call.at for call in endpoint.calls)
    return {COLD: cold - started, DELIVERED: cold - first.started, WARM: warm - again.started}


def memory(subject: str, checks: int = JUDGED) -> dict[str, float]:
    """Return the largest resident memory (VmHWM, in MB) of each of the hook's processes."""
    peaks: dict[str, float] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_S):
            for pid in family(os.getpid()):
                _note(pid, peaks)

    with (
        serving(_item) as served,
        tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder,
        CodeDeployEndpoint() as endpoint,
        function_of(
            hook(subject, checks, served.url), Path(folder), endpoint, sandbox=False
        ) as function,
    ):
        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            function.invoke(EVENT)
        finally:
            over.set()
            watcher.join()
        for pid in family(os.getpid()):  # frozen, as Lambda leaves it
            _note(pid, peaks)
    return peaks


def _note(pid: int, peaks: dict[str, float]) -> None:
    """Keep the peak of process ``pid`` under its role's name."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return
    role = next((role for word, role in _ROLES.items() if word in command), None)
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    if role and peak:
        peaks[role] = max(peaks.get(role, 0.0), int(peak.split()[1]) / 1024)


def compare(*, quick: bool) -> tuple[list[Row], list[str]]:
    """Measure, print both tables; return the rows, and each limit that was missed."""
    measured = list(measure(_QUICK_RUNS if quick else _RUNS))
    print(table(["checks", "time", "ours (s)", "bare (s)", "ratio"], _lines(measured)))
    print("\nUntil the report arrived; medians of runs in turns.")
    peaks = {subject: memory(subject) for subject in SUBJECTS}
    print(f"\nLargest resident memory in MB with {JUDGED} checks:")
    for subject, by_role in peaks.items():
        parts = ", ".join(f"{role} {peak:.0f}" for role, peak in by_role.items())
        print(f"  {subject}: {parts}; in all {sum(by_role.values()):.0f}")
    return [*_time_rows(measured), *_memory_rows(peaks)], _missed(measured, peaks)


def _lines(measured: Sequence[Times]) -> Iterator[list[str]]:
    for ours, bare in _pairs(measured):
        for name in TIMES:
            a, b = ours.seconds[name], bare.seconds[name]
            yield [str(ours.checks), name, f"{a:.2f}", f"{b:.2f}", f"{a / b:.1f}x"]


def _pairs(measured: Sequence[Times]) -> Iterator[tuple[Times, Times]]:
    for ours in measured:
        if ours.subject == OURS:
            yield ours, next(t for t in measured if t.checks == ours.checks and t.subject == THEIRS)


def _time_rows(measured: Sequence[Times]) -> Iterator[Row]:
    for ours, bare in _pairs(measured):
        case = f"{ours.checks} checks"
        for name in TIMES:
            a, b = ours.seconds[name], bare.seconds[name]
            yield Row(case, OURS, f"{name} (s)", round(a, 3), THEIRS, round(a / b, 2))
            yield Row(case, THEIRS, f"{name} (s)", round(b, 3))


def _memory_rows(peaks: dict[str, dict[str, float]]) -> Iterator[Row]:
    for subject, by_role in peaks.items():
        for role, peak in {**by_role, "all": sum(by_role.values())}.items():
            other = peaks[THEIRS].get(role, sum(peaks[THEIRS].values()))
            ratio = round(peak / other, 2) if subject == OURS and role in {_PARENT, "all"} else None
            versus = THEIRS if ratio else None
            yield Row(f"{JUDGED} checks", subject, f"{role} (MB)", round(peak, 1), versus, ratio)


def _missed(measured: Sequence[Times], peaks: dict[str, dict[str, float]]) -> list[str]:
    """Return what is over its limit."""
    ours, bare = next(pair for pair in _pairs(measured) if pair[0].checks == JUDGED)
    ratio, parent = ours.seconds[COLD] / bare.seconds[COLD], peaks[OURS][_PARENT]
    return [
        text
        for text, over in {
            f"{JUDGED} checks {COLD}: {ratio:.2f}x, more than {MOST_TIMES_BARE:g}x": (
                ratio > MOST_TIMES_BARE
            ),
            f"{_PARENT}: {parent:.1f} MB, more than {MOST_PARENT_MB:g} MB": parent > MOST_PARENT_MB,
        }.items()
        if over
    ]
