"""Reports a verdict to CodeDeploy: Succeeded or Failed, once, before a deadline.

The client is made in the background from the start, so that the import of boto3 costs the suite
nothing and the report no time.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from greenroom.plugins.aws import code_of, codedeploy_client, explained, may_succeed_later
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_codedeploy.client import CodeDeployClient

    from greenroom.plugins.hook_events import CodeDeployEvent

Result = TypeVar("Result")

ACTION = "codedeploy:PutLifecycleEventHookExecutionStatus"
ACCEPTED = "accepted"
ALREADY_COMPLETED = "already completed"

_CONNECT_S = 2.0
_READ_S = 3.0
_SHARE = 0.25  # of the reserve for one silent attempt, so that there is time for another
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0


class CodeDeployReporter:
    """Answers for one hook execution; ``reserve_s`` is the time kept for the report."""

    def __init__(self, event: CodeDeployEvent, *, reserve_s: float) -> None:
        self._event = event
        self._read_s = max(min(_READ_S, reserve_s * _SHARE), 0.1)
        self._connect_s = min(_CONNECT_S, self._read_s)
        self._client = _Background(self._make)

    def report(self, *, succeeded: bool, until: float) -> str:
        """Report by ``until`` (monotonic seconds); return `ACCEPTED` or `ALREADY_COMPLETED`.

        Raises `ServiceError` when the service refuses, or has not accepted when the time is up.
        """
        status: Literal["Succeeded", "Failed"] = "Succeeded" if succeeded else "Failed"
        # A thread, as name resolution and a dripping answer know no time-out of botocore's.
        return _Background(lambda: self._try(status, until)).result(until)

    def _make(self) -> CodeDeployClient:
        return codedeploy_client(connect_s=self._connect_s, read_s=self._read_s)

    def _try(self, status: Literal["Succeeded", "Failed"], until: float) -> str:
        codedeploy = self._client.result(until)
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see aws.py

        pause = _FIRST_PAUSE_S
        while True:
            try:
                codedeploy.put_lifecycle_event_hook_execution_status(
                    deploymentId=self._event.deployment_id,
                    lifecycleEventHookExecutionId=self._event.execution_id,
                    status=status,
                )
            except (BotoCoreError, ClientError) as error:
                if code_of(error) == "LifecycleEventAlreadyCompletedException":
                    return ALREADY_COMPLETED
                left = until - time.monotonic()
                if not may_succeed_later(error) or left < pause + self._read_s:
                    raise explained(error, ACTION) from error
            else:
                return ACCEPTED
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)


class _Background(Generic[Result]):
    """A call that runs in a thread of its own; nobody waits for it longer than they want."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._outcome: Future[Result] = Future()
        threading.Thread(target=self._run, args=(call,), daemon=True).start()

    def _run(self, call: Callable[[], Result]) -> None:
        try:
            self._outcome.set_result(call())
        except Exception as error:  # noqa: BLE001 - it is raised again where the result is asked for
            self._outcome.set_exception(error)

    def result(self, until: float) -> Result:
        """Return or raise what the call did; raise `ServiceError` at ``until`` without either."""
        try:
            return self._outcome.result(timeout=max(until - time.monotonic(), 0.01))
        except FutureTimeoutError:
            raise ServiceError(
                "CodeDeploy did not answer in time",
                hint="check network, VPC endpoint and security groups; raise the reserve",
            ) from None
