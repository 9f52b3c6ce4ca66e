"""The fault matrix: each fault beside each waiter, what was told, when, and how often.

Every cell is a function of its own under the real Lambda runtime client (the exit status: a process
of its own); where services go wrong, it has a ledger in moto's S3. A cell is right if the waiter
was told exactly one word, in time, and that was the word for *ship* only where the suite really
passed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._matrix_fault import AMPLE_S, Deliveries, Fault
from benchmarks._matrix_waiters import Heard, Waiter, World, ecs_event
from greenroom.plugins.supervisor import LAST_WORDS_S
from greenroom.rehearsal.lambda_runtime import Invocation, LambdaFunction
from tests.support.faults import FaultProxy
from tests.support.moto_server import MotoServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

RESERVE_S = 3
MEMORY_MB = 512
BUCKET = "matrix"
_MOST_DELIVERIES = 3  # as often as Lambda delivers an asynchronous event
_MOST_ROUNDS = 6
_NEVER_S = 20.0
_EARLIER_S = 0.5  # a hook's own time has begun before the service's
_LOG = 3000
_LIMITED = 'ulimit -d "$1"; shift; exec "$@"'


class When(StrEnum):
    """When a waiter was told: before the suite's time was up, after it but in time, or not."""

    EARLY = "early"
    TIME_UP = "time up"
    LATE = "LATE"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault beside one waiter.

    ``word`` was accepted ``times`` times out of ``tries``, the last at ``share`` of the deadline of
    delivery number ``delivery``. ``runs`` is how often the suite ran, where that is counted, and
    ``log`` the end of the function's log, where the cell is wrong.
    """

    fault: str
    waiter: str
    word: str
    times: int
    tries: int
    when: When
    share: float | None
    delivery: int
    runs: int | None
    right: bool
    log: str = ""

    @property
    def shown(self) -> str:
        """The cell as the document shows it."""
        if not self.times:
            return f"**{self.when}**"
        again = f", delivery {self.delivery}" if self.delivery > 1 else ""
        text = f"{self.word} x{self.times}, {self.when}{again}"
        return text if self.right else f"**{text} WRONG**"


@dataclass(slots=True)
class _Run:
    """What happens in one cell."""

    waiter: Waiter
    fault: Fault
    world: World
    folder: Path
    sandbox: bool
    environment: dict[str, str]
    started: list[float] = field(default_factory=list)
    functions: list[LambdaFunction] = field(default_factory=list)

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Deliver as often as the fault says."""
        if not self.waiter.a_function:
            self._run_command()
            return
        twice = self.fault.deliveries is Deliveries.TWICE_AT_ONCE
        self.functions = [self._function() for _ in range(2 if twice else 1)]
        with ThreadPoolExecutor(len(self.functions)) as pool:
            list(pool.map(lambda function: self._to(function, event), self.functions))
        if self.fault.deliveries is Deliveries.AGAIN:
            self._to(self.functions[0], event)

    def _to(self, function: LambdaFunction, event: Mapping[str, Any]) -> None:
        if not self.waiter.asynchronous:
            self._ask(function, event)
            return
        for _ in range(_MOST_DELIVERIES):
            if not self._invoke(function, event).error:
                return

    def _ask(self, function: LambdaFunction, event: Mapping[str, Any]) -> None:
        """Ask as ECS does: again and again while the answer is IN_PROGRESS."""
        for _ in range(_MOST_ROUNDS):
            invocation = self._invoke(function, event)
            if invocation.error:
                return
            answer = json.loads(invocation.payload)
            if answer.get("hookStatus") != "IN_PROGRESS":
                self.world.hear(str(answer.get("hookStatus")), accepted=True)
                return
            event = ecs_event(answer.get("hookDetails"))

    def _invoke(self, function: LambdaFunction, event: Mapping[str, Any]) -> Invocation:
        self.world.delivery += 1
        invocation = function.invoke(event)
        self.started.append(invocation.started)
        return invocation

    def _function(self) -> LambdaFunction:
        return LambdaFunction(
            self.fault.handler,
            task_root=self.folder / "task",
            environment=self.environment,
            timeout_s=self.fault.timeout_s,
            memory_mb=MEMORY_MB,
            log=self.folder / "function.log",
            sandbox=self.sandbox,
        )

    def _run_command(self) -> None:
        """Run ``greenroom hook`` as an agent or a pipeline does, its memory limited alike.

        The time-out is the agent's; the command is told to be done some seconds before it.
        """
        greenroom = str(Path(sys.executable).with_name("greenroom"))
        within = f"{self.fault.timeout_s - RESERVE_S:.0f}"
        arguments = shlex.split(self.environment.pop("GREENROOM_HOOK_ARGS", "suites"))
        options = ["--timeout", within, "--report", str(self.folder / "out"), "--", *arguments]
        self.started.append(time.monotonic())
        with (self.folder / "function.log").open("wb") as log:
            ended = subprocess.run(
                [
                    "/bin/sh",
                    "-c",
                    _LIMITED,
                    "sh",
                    str(MEMORY_MB * 1024),
                    greenroom,
                    "hook",
                    *options,
                ],
                cwd=self.folder / "task",
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=self.fault.timeout_s + _NEVER_S,
                start_new_session=True,
                check=False,
            )
        self.world.hear(str(ended.returncode), accepted=True)


def run_cell(waiter: Waiter, fault: Fault, storage: str, *, sandbox: bool) -> Cell:
    """Run one cell; ``storage`` is where S3 is."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-cell-")))
        world = stack.enter_context(waiter.open(fault))
        _write(folder / "task", waiter, fault)
        if fault.storage:
            storage = stack.enter_context(FaultProxy(storage, fault.storage)).url
        runs = folder / "runs"
        ledger = f"s3://{BUCKET}/{folder.name}"
        environment = {
            **world.environment,
            "AWS_ENDPOINT_URL_S3": storage,
            "RUNS": str(runs),
            "GREENROOM_HOOK_RESERVE": f"{RESERVE_S}s",
            "GREENROOM_HOOK_REPORT": str(folder / "reports"),
            "GREENROOM_TARGET": _target(fault, stack),
            **({"GREENROOM_HOOK_LEDGER": ledger} if fault.about_services else {}),
            **fault.variables,
        }
        run = _Run(waiter, fault, world, folder, sandbox, environment)
        try:
            world.run(run.deliver)
        finally:
            for function in run.functions:
                function.close()
        counted = runs.read_text().count("run") if runs.exists() else None
        return _cell(run, counted)


def _write(task: Path, waiter: Waiter, fault: Fault) -> None:
    task.mkdir()
    files = {**waiter.files, **({"greenroom.toml": waiter.settings} if waiter.settings else {})}
    for name, text in {**files, **fault.files}.items():
        (task / name).parent.mkdir(parents=True, exist_ok=True)
        (task / name).write_text(text, encoding="utf-8")


def _target(fault: Fault, stack: ExitStack) -> str:
    """Serve the target, or return an address where nobody does."""
    if fault.target is None:
        return "http://127.0.0.1:9"
    served = stack.enter_context(fault.target())
    return served if isinstance(served, str) else served.url


def _cell(run: _Run, runs: int | None) -> Cell:
    accepted = [heard for heard in run.world.heard if heard.accepted]
    last = accepted[-1] if accepted else None
    delivery, share = _placed(run, last) if last else (0, None)
    when = _when(run, share)
    log = _content(run.folder / "function.log")
    right = (
        _is_right(run, accepted, runs)
        and _explains(log, run.fault)
        and when in {When.EARLY, When.TIME_UP}
    )
    return Cell(
        fault=run.fault.name,
        waiter=run.waiter.name,
        word=last.word if last else "",
        times=len(accepted),
        tries=len(run.world.heard),
        when=when,
        share=share,
        delivery=delivery,
        runs=runs,
        right=right,
        log="" if right else log[-_LOG:],
    )


def _content(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def _explains(log: str, fault: Fault) -> bool:
    """Tell whether the reasons that were given are this fault's."""
    return not fault.why or re.search(fault.why, "\n".join(_reasons(log)) or log) is not None


def _reasons(log: str) -> Iterator[str]:
    """Yield the reasons in the function's structured log lines."""
    for line in log.splitlines():
        if line.startswith('{"greenroom": "hook"'):
            yield from json.loads(line).get("reasons", [])


def _placed(run: _Run, heard: Heard) -> tuple[int, float]:
    """Return the delivery in which something was told, and at which share of its deadline."""
    number = max(sum(started <= heard.at for started in run.started), 1)
    if run.fault.deliveries is Deliveries.TWICE_AT_ONCE:
        number = 1  # which of the two it was is nobody's business
    return number, (heard.at - run.started[number - 1]) / run.fault.timeout_s


def _when(run: _Run, share: float | None) -> When:
    if share is None:
        return When.NEVER
    if share > 1:
        return When.LATE
    suite = 1 - (RESERVE_S + LAST_WORDS_S + _EARLIER_S) / run.fault.timeout_s
    return When.EARLY if share < suite else When.TIME_UP


def _is_right(run: _Run, accepted: list[Heard], runs: int | None) -> bool:
    """Tell whether one and the same right word was told, and the suite ran at most once."""
    words = {heard.word for heard in run.world.heard}
    if not run.waiter.a_function:
        return len(accepted) == 1 and (words == {"0"}) == run.fault.passes
    # Whoever asks twice for an answer of the function itself gets it twice.
    times = 1 if run.waiter.asynchronous or run.fault.deliveries is Deliveries.ONCE else 2
    once = runs in {None, 1}
    return words == {run.waiter.word(run.fault)} and len(accepted) == times and once


def run_cells(
    cells: Iterable[tuple[Waiter, Fault]],
    *,
    sandbox: bool,
    workers: int,
    told: Callable[[Cell], object] = lambda _: None,
) -> Iterator[Cell]:
    """Run the cells: those that sleep beside the others, of which ``workers`` run at a time."""
    lock = threading.Lock()

    def run(cell: tuple[Waiter, Fault]) -> Cell:
        done = run_cell(*cell, storage.url, sandbox=sandbox)
        with lock:
            told(done)
        return done

    with MotoServer() as storage:
        storage.bucket(BUCKET)
        with ThreadPoolExecutor(workers) as busy, ThreadPoolExecutor(workers) as asleep:
            tasks = [
                (asleep if fault.timeout_s < AMPLE_S else busy).submit(run, (waiter, fault))
                for waiter, fault in cells
            ]
            for task in tasks:
                yield task.result()
