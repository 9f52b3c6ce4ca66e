"""Delivers one event to the hook's handler many times at once, in threads of this process.

``python -m benchmarks._delivery_threads COUNT SECONDS OUT`` says ``ready`` once all is imported,
waits for the event as a line on standard input, and writes what became of each delivery to the file
OUT. Each delivery has SECONDS and a context of its own; they share one process for calls to AWS, as
200 imports of boto3 at once would measure how this machine starts processes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from greenroom.plugins.aws_process import Aws
from greenroom.plugins.hook import handler


@dataclass
class Context:
    """What the handler uses of Lambda's context."""

    ends: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:hook"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return int(max(self.ends - time.monotonic(), 0) * 1000)


def deliver(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return what the handler made of one delivery, and how long it took."""
    started = time.monotonic()
    try:
        outcome: dict[str, Any] = {"payload": handler(event, Context(started + seconds))}
    except Exception as error:  # noqa: BLE001 - it is the outcome
        outcome = {"error": repr(error)}
    return {**outcome, "seconds": time.monotonic() - started}


class Shared(Aws):
    """Calls AWS for all deliveries of this process; a delivery's end is not its end."""

    def close(self) -> None:
        """Stay: the process ends with this one."""


def main(count: int, seconds: float, out: Path) -> None:
    """Deliver the event on standard input ``count`` times at once."""
    shared = Shared(os.environ, prepared=("codedeploy", "s3", "dynamodb"))
    print("ready", flush=True)
    event = json.loads(sys.stdin.readline())
    ready, outcomes = threading.Barrier(count), []

    def one() -> None:
        ready.wait()
        outcomes.append(deliver(event, seconds))

    threads = [threading.Thread(target=one) for _ in range(count)]
    with mock.patch("greenroom.plugins.gate.Aws", return_value=shared):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    out.write_text(json.dumps(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
