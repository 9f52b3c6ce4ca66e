"""All calls that a hook makes to AWS, made by a process of its own.

boto3 is most of what a hook would have to hold in memory, it takes longer to import than a small
suite takes to run, and no thread that hangs in it can be ended. So it lives in a child
(`greenroom.plugins.aws_worker`) that starts beside the suite and is replaced when it dies or lets a
call time out. The parent needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import select
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, Self

from greenroom.plugins.paths import with_import_paths
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMED_OUT = "TimedOut"
"""The code of a call that was not answered in its time."""

PATIENCE_S = 3.0
_BEYOND_S = 3.0  # connecting, and a busy machine
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_LEAST_S = 0.01
_LEAST_TRY_S = 0.25  # less would only end the worker of other calls
_END_S = 1.0
_LONGEST_START_S = 60.0


class CallError(ServiceError):
    """AWS refused a call, or did not answer it.

    ``code`` is the service's error code or the name of botocore's own error; ``again`` tells that
    the same call may succeed later.
    """

    def __init__(self, message: str, *, hint: str, code: str, again: bool) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.again = again


class Aws:
    """Calls AWS as ``environ`` says (region, credentials, endpoints); any thread may ask.

    ``prepared`` are services that will be needed first; ``patience_s`` is how long one try waits
    for an answer.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        prepared: tuple[str, ...] = (),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._environ = with_import_paths(environ)
        self._arguments = [str(patience_s), *prepared]
        self._try_s = patience_s + _BEYOND_S
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._closed = False
        with contextlib.suppress(CallError):  # tried again at the first call
            self._running()

    def call(
        self,
        service: str,
        operation: str,
        members: Mapping[str, Any],
        *,
        until: float,
        region: str = "",
    ) -> dict[str, Any]:
        """Call once and return the answer; raises `CallError`, at ``until`` (monotonic) at last.

        ``service`` and ``operation`` are boto3's names (``put_object``). A member
        ``{"$file": path}`` is sent as that file's content. In the answer, times are ISO 8601 texts,
        bytes and streams are text, and there is no ResponseMetadata.
        """
        return self._call(service, operation, members, (until, math.inf), region)

    def insist(
        self,
        service: str,
        operation: str,
        members: Mapping[str, Any],
        *,
        until: float,
        region: str = "",
    ) -> dict[str, Any]:
        """Call until it succeeds, is refused for good, or ``until`` is near; see `call`.

        Throttling, server errors and broken connections are tried again, and so are refusals for
        want of permissions: those take a while to arrive everywhere.
        """
        pause = _FIRST_PAUSE_S
        said: CallError | None = None
        while True:
            try:
                return self._call(service, operation, members, (until, self._try_s), region)
            except CallError as error:
                said = said if said and error.code == TIMED_OUT else error
                if not error.again or until - time.monotonic() < pause + _LEAST_TRY_S:
                    raise said from None
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    def _call(
        self,
        service: str,
        operation: str,
        members: Mapping[str, Any],
        limits: tuple[float, float],
        region: str,
    ) -> dict[str, Any]:
        """Call once, until a moment and for at most some seconds after the process was ready."""
        what = f"{service}.{operation}"
        number = next(self._numbers)
        request = {"service": service, "operation": operation, "members": dict(members)}
        line = json.dumps({"id": number, **request, "region": region}).encode() + b"\n"
        worker = self._running()
        answer = worker.ask(number, line, *limits)
        if answer is None:
            if worker.stuck_for(self._try_s):
                self._discard(worker)
            raise CallError(
                f"{what} was not answered in time",
                hint="check network, VPC endpoint and security groups; raise the reserve",
                code=TIMED_OUT,
                again=True,
            )
        if "answer" in answer:
            return dict(answer["answer"])
        code, again = str(answer["code"]), bool(answer["again"])
        raise CallError(answer["message"], hint=answer["hint"], code=code, again=again)

    def close(self) -> None:
        """End the process for good; calls under way, and any later one, end with a `CallError`."""
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise CallError("AWS is not asked any more", hint="", code="Closed", again=False)
            if self._worker is None or self._worker.ended:
                self._worker = _Worker(self._arguments, self._environ)
            return self._worker

    def _discard(self, worker: _Worker) -> None:
        with self._lock:
            if self._worker is worker:
                self._worker = None
        worker.end()


class _Worker:
    """One worker process and the calls that it has not answered yet."""

    def __init__(self, arguments: list[str], environ: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "greenroom.plugins.aws_worker", *arguments]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the command, which reports before it ends
            )
        except OSError as error:
            raise CallError(
                f"the process that calls AWS could not be started: {error}",
                hint="give the function more memory",
                code="NotStarted",
                again=True,
            ) from error
        assert self._process.stdin is not None  # noqa: S101 - started with pipes
        self._input = self._process.stdin.fileno()
        os.set_blocking(self._input, False)
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._heard = time.monotonic()
        self.ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, number: int, line: bytes, until: float, seconds: float) -> dict[str, Any] | None:
        """Return the answer to ``line``, or None at ``until`` or ``seconds`` after it was ready."""
        answer: Future[dict[str, Any]] = Future()
        with self._lock:
            if self.ended:
                return _LOST
            self._waiting[number] = answer
            if not self._write(line, min(until, time.monotonic() + seconds)):
                self.end()  # it reads no more, and half a line must not precede the next one
                return None
        try:
            # Where there is little of a processor, importing boto3 takes longer than a call.
            self._ready.wait(timeout=max(until - time.monotonic(), 0.0))
            left = min(until - time.monotonic(), seconds)
            return answer.result(timeout=max(left, _LEAST_S))
        except FutureTimeoutError:
            return None
        finally:
            self._waiting.pop(number, None)

    def stuck_for(self, seconds: float) -> bool:
        """Tell whether nothing was heard of it for that long, or far longer while it starts."""
        silence = time.monotonic() - self._heard
        return silence >= (seconds if self._ready.is_set() else _LONGEST_START_S)

    def end(self) -> None:
        """Kill the process and bury it."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_END_S)

    def _write(self, line: bytes, until: float) -> bool:
        """Write what the pipe takes, as long as there is time; tell whether it was all."""
        rest = memoryview(line)
        while rest:
            left = max(until - time.monotonic(), 0)
            if not select.select([], [self._input], [], left)[1]:
                return False
            try:
                rest = rest[os.write(self._input, rest) :]
            except BlockingIOError:
                continue
            except OSError:
                return True  # it has ended: the reader tells everybody who waits
        return True

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - started with pipes
        with contextlib.suppress(ValueError), self._process.stdout as lines:
            for line in lines:
                answer = json.loads(line)
                self._heard = time.monotonic()
                self._ready.set()
                waiting = self._waiting.pop(answer["id"], None)
                if waiting is not None:
                    waiting.set_result(answer)
        with self._lock:
            self.ended = True
            self._ready.set()
            lost, self._waiting = list(self._waiting.values()), {}
        for waiting in lost:
            waiting.set_result(_LOST)
        self._process.wait()
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()


_LOST = {
    "code": "ProcessEnded",
    "message": "the process that calls AWS ended",
    "hint": "give the function more memory",
    "again": True,
}
