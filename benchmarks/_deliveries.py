"""One event, delivered many times at once to the real handler; what each delivery came to.

Some deliveries go to functions of their own under the real ``awslambdaric``. The others go to
threads of a few processes, which call the same `greenroom.plugins.hook.handler` and share one
process for calls to AWS among 20 threads: 200 runtimes on one machine would measure how it starts
processes. The ledger is in moto's S3 or DynamoDB, made strictly atomic; CodeDeploy takes the first
report and says "already completed" to the others.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.rehearsal.lambda_runtime import LambdaFunction
from tests.support.codedeploy import Answer, CodeDeployEndpoint
from tests.support.moto_server import MotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENT = {"DeploymentId": "d-TWICE", "LifecycleEventHookExecutionId": "execution-1"}
DEPLOYMENT = {
    "deploymentInfo": {"deploymentId": "d-TWICE", "creator": "user", "previousRevision": {}}
}
FACTS = "codedeploy.GetDeployment"
THREADS_PER_PROCESS = 20
MEMORY_MB = 512

_SUITE = """
import time
from pathlib import Path

def test_it():
    with Path({runs!r}).open("a") as runs:
        runs.write("run\\n")
    time.sleep({seconds})
    assert {passes}
"""


@dataclass(frozen=True, slots=True)
class Load:
    """How often the event is delivered, where, and how long each delivery may take.

    The suite takes ``suite_s`` and then ``passes`` or not; ``ledger`` is ``s3`` or ``dynamodb``.
    """

    functions: int
    threads: int
    timeout_s: float
    suite_s: float
    passes: bool = True
    ledger: str = "s3"
    reserve_s: float = 20

    @property
    def deliveries(self) -> int:
        """How many there are."""
        return self.functions + self.threads


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery's end. ``claim`` is mine, held or recorded; ``status`` what was reported."""

    where: str
    status: str
    result: str
    claim: str
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What all deliveries came to; ``heard`` counts the statuses that CodeDeploy was sent."""

    delivered: tuple[Delivered, ...]
    suite_runs: int
    heard: Counter[str]
    accepted: tuple[str, ...]
    timeout_s: float

    @property
    def statuses(self) -> Counter[str]:
        """How many deliveries reported which status."""
        return Counter(one.status for one in self.delivered)

    @property
    def claims(self) -> Counter[str]:
        """How many deliveries found the execution free, held or recorded."""
        return Counter(one.claim for one in self.delivered)

    @property
    def late(self) -> int:
        """How many deliveries came to no end in their time."""
        return sum(one.seconds > self.timeout_s for one in self.delivered)

    def problems(self, status: str) -> list[str]:
        """Return what is not as it has to be: one run, ``status`` by everybody, in time."""
        wrong = {
            f"{self.suite_runs} suite runs": self.suite_runs != 1,
            f"reported: {dict(self.statuses)}": set(self.statuses) != {status},
            f"CodeDeploy heard: {dict(self.heard)}": set(self.heard) != {status},
            f"CodeDeploy accepted: {self.accepted}": self.accepted != (status,),
            f"{self.late} late": self.late > 0,
            **{one.error: True for one in self.delivered if one.error},
        }
        return [problem for problem, applies in wrong.items() if applies]


def deliver(load: Load, folder: Path) -> Duplicates:
    """Deliver the event as ``load`` says; ``folder`` is new and empty."""
    task, runs = folder / "task", folder / "runs"
    (task / "suites").mkdir(parents=True)
    text = _SUITE.format(runs=str(runs), seconds=load.suite_s, passes=load.passes)
    (task / "suites" / "test_it.py").write_text(text, encoding="utf-8")
    runs.touch()
    with (
        MotoServer() as moto,
        CodeDeployEndpoint(
            Answer.ACCEPT, Answer.ALREADY_COMPLETED, others={FACTS: DEPLOYMENT}
        ) as codedeploy,
    ):
        environment = _environment(load, moto, codedeploy, folder)
        with ThreadPoolExecutor(2) as pool:
            functions = pool.submit(_to_functions, load, task, environment)
            threads = pool.submit(_to_threads, load, task, environment, folder)
            delivered = (*functions.result(), *threads.result())
        return Duplicates(
            delivered=delivered,
            suite_runs=len(runs.read_text(encoding="utf-8").splitlines()),
            heard=Counter(call.status for call in codedeploy.calls),
            accepted=tuple(codedeploy.accepted),
            timeout_s=load.timeout_s,
        )


def _environment(
    load: Load, moto: MotoServer, codedeploy: CodeDeployEndpoint, folder: Path
) -> dict[str, str]:
    name = f"ledger-{secrets.token_hex(8)}"
    place = moto.bucket(name) if load.ledger == "s3" else moto.table(name)
    return {
        **moto.environment,
        "AWS_ENDPOINT_URL_CODEDEPLOY": codedeploy.url,
        "GREENROOM_HOOK_LEDGER": f"{load.ledger}://{place}",
        "GREENROOM_HOOK_EVENT": "AfterAllowTestTraffic",
        "GREENROOM_HOOK_RESERVE": str(load.reserve_s),
        "GREENROOM_HOOK_REPORT": str(folder / "reports"),
    }


def _to_functions(load: Load, task: Path, environment: dict[str, str]) -> list[Delivered]:
    """Deliver to as many functions, each with a runtime of its own."""
    with ExitStack() as stack:
        functions = [
            stack.enter_context(
                LambdaFunction(
                    "greenroom.plugins.hook.handler",
                    task_root=task,
                    environment=environment,
                    timeout_s=load.timeout_s,
                    memory_mb=MEMORY_MB,
                )
            )
            for _ in range(load.functions)
        ]
        with ThreadPoolExecutor(max(load.functions, 1)) as pool:
            ended = list(pool.map(lambda function: function.invoke(EVENT), functions))
    return [
        _delivered("function", json.loads(one.payload or b"{}"), one.duration_s, failed=one.error)
        for one in ended
    ]


def _to_threads(
    load: Load, task: Path, environment: dict[str, str], folder: Path
) -> list[Delivered]:
    """Deliver to threads, at most `THREADS_PER_PROCESS` in each process."""
    counts = [
        min(THREADS_PER_PROCESS, load.threads - start)
        for start in range(0, load.threads, THREADS_PER_PROCESS)
    ]
    outs = [folder / f"threads-{number}.json" for number in range(len(counts))]
    environ = {**os.environ, **environment, "LAMBDA_TASK_ROOT": str(task)}
    command = [sys.executable, "-m", "benchmarks._delivery_threads"]
    processes = [
        subprocess.Popen(
            [*command, str(count), str(load.timeout_s), str(out)],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for count, out in zip(counts, outs, strict=True)
    ]
    with ThreadPoolExecutor(max(len(processes), 1)) as pool:
        list(pool.map(_converse, processes))
    outcomes = [one for out in outs for one in json.loads(out.read_text(encoding="utf-8"))]
    return [_of_thread(one) for one in outcomes]


def _converse(process: subprocess.Popen[str]) -> None:
    """Send the event once the process is ready, and read its log to the end."""
    with process:
        assert process.stdout is not None  # noqa: S101 - started with pipes
        process.stdout.readline()
        process.communicate(json.dumps(EVENT) + "\n")


def _of_thread(outcome: dict[str, Any]) -> Delivered:
    error = outcome.get("error", "")
    payload = outcome.get("payload", {"errorMessage": error})
    return _delivered("thread", payload, outcome["seconds"], failed=bool(error))


def _delivered(where: str, payload: dict[str, Any], seconds: float, *, failed: bool) -> Delivered:
    return Delivered(
        where=where,
        status=payload.get("status", ""),
        result=(payload.get("told") or {}).get("result", ""),
        claim=payload.get("notes", {}).get("claim", ""),
        seconds=seconds,
        error=str(payload.get("errorMessage", payload)) if failed else "",
    )


def lines(duplicates: Duplicates) -> Iterator[tuple[str, str]]:
    """Yield what a reader wants to know, as metric and value."""
    slowest = max(one.seconds for one in duplicates.delivered)
    yield "deliveries", str(len(duplicates.delivered))
    yield "suite runs", str(duplicates.suite_runs)
    yield "reported", _counted(duplicates.statuses)
    yield "CodeDeploy accepted", ", ".join(duplicates.accepted)
    yield "found the execution", _counted(duplicates.claims)
    yield "late", str(duplicates.late)
    yield "slowest", f"{slowest:.1f} s of {duplicates.timeout_s:.0f} s"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count}x {name or 'nothing'}" for name, count in counts.most_common())
