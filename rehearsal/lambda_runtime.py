"""A Lambda function on this machine: the real ``awslambdaric`` fed by a local Runtime API.

What the service does and this repeats: initialisation outside the function's time, a deadline that
the context knows, SIGKILL for all processes at the time-out, a fresh process after a crash, frozen
processes between invocations, the kernel's choice of victim when memory runs out, and (with
``sandbox=True``) a read-only file system but for /tmp, no /dev/shm and no HOME.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

from greenroom.plugins.processes import (
    await_end,
    end_family,
    family,
    has_ended,
    oom_score,
    private_bytes,
    signal_family,
)
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_API = "/2018-06-01/runtime"
_INIT_LIMIT_S = 30.0  # Lambda grants 10 s; a busy laptop is no reason to call a function broken
_SETTLE_S = 1.0
_MEMORY_LOOK_S = 0.1
_REGION = "us-east-1"
_MARKER = "GREENROOM_LAMBDA_FUNCTION"

_SANDBOX = """
set -e
mount --bind /tmp /tmp
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
if [ -d /dev/shm ]; then mount -t tmpfs -o ro,size=4k tmpfs /dev/shm; fi
mount -t proc proc /proc
while read -r _ point _; do
  case "$point" in
    /proc|/proc/*|/sys|/sys/*|/dev|/dev/*|/tmp|/tmp/*|"$1") ;;
    *) mount -o remount,bind,ro "$point" 2>/dev/null || [ "$point" != / ] ;;
  esac
done < /proc/mounts
shift
"$@" || exit $?
"""
"""Runs ``$2…`` with ``$1`` and everything outside /tmp read-only.

The command is a child, not ``exec``: the first process of a PID namespace ignores its own signals.
"""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What became of one invocation.

    ``payload`` is the function's JSON answer or the service's error object; ``error`` says which.
    ``timed_out`` and ``crashed`` (the process ended without an answer) are errors as well.
    ``started`` is the moment of the delivery in monotonic seconds.
    """

    payload: bytes
    error: bool
    timed_out: bool
    crashed: bool
    started: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class _Message:
    """What the runtime process said or did: next, response, error, init-error, exit."""

    kind: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class _Delivery:
    request_id: str
    body: bytes
    deadline_ms: int


class _RuntimeApi(http.server.ThreadingHTTPServer):
    """The Runtime API of one runtime process; a restarted process gets a new one."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, function_name: str) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeHandler)
        self.arn = f"arn:aws:lambda:{_REGION}:000000000000:function:{function_name}"
        self.deliveries: queue.SimpleQueue[_Delivery | None] = queue.SimpleQueue()
        self.messages: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        """The ``host:port`` that the runtime client is told."""
        return f"127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        """Release whoever waits for an invocation, and the port."""
        self.deliveries.put(None)
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a killed function's connection breaks, and that is no error here."""


class _RuntimeHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _RuntimeApi

    def do_GET(self) -> None:
        if self.path != f"{_API}/invocation/next":
            self._answer(404)
            return
        self.server.messages.put(_Message("next"))
        delivery = self.server.deliveries.get()
        if delivery is not None:
            self._answer(200, delivery.body, self._headers_of(delivery))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = "init-error" if self.path == f"{_API}/init/error" else self.path.rsplit("/", 1)[-1]
        self._answer(202, b'{"status":"OK"}')
        self.server.messages.put(_Message(kind, body))

    def _headers_of(self, delivery: _Delivery) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": delivery.request_id,
            "Lambda-Runtime-Deadline-Ms": str(delivery.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.server.arn,
        }

    def _answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        """Log nothing: the function's own log is what people read."""


class LambdaFunction:
    """One function: ``handler`` is ``module.function``, importable from ``task_root``.

    ``environment`` is the function's configuration; nothing else of this process's environment goes
    in, but a variable by which its processes are found. ``log`` is appended with the function's
    output. Invocations run one after the other.
    """

    def __init__(  # noqa: PLR0913 - a function's configuration, all but two by name and optional
        self,
        handler: str,
        *,
        task_root: Path,
        environment: Mapping[str, str],
        timeout_s: float = 60,
        memory_mb: int | None = None,
        log: Path | None = None,
        sandbox: bool = False,
    ) -> None:
        self._handler = handler
        self._task_root = task_root.resolve()
        self._environment = dict(environment)
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._log = log
        self._prefix = _sandbox_prefix(self._task_root) if sandbox else []
        self._token = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._api: _RuntimeApi | None = None
        self._turn = threading.Lock()

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """Deliver ``event`` and wait for its end: an answer, an error, the time-out or a crash."""
        with self._turn:
            api, process, failure = self._ready()
            if failure is not None:
                return failure
            signal_family(process.pid, signal.SIGCONT, marker=self._marker)
            started = time.monotonic()
            deadline_ms = int((time.time() + self._timeout_s) * 1000)
            api.deliveries.put(
                _Delivery(str(uuid.uuid4()), json.dumps(event).encode(), deadline_ms)
            )
            message = self._next(api, process, started + self._timeout_s)
            told = self._told(message, started)
            if message is not None and message.kind in {"response", "error"}:
                self._freeze(api, process)
            else:
                self.close()
            return told

    def close(self) -> None:
        """Kill what is left of the function."""
        process, api = self._process, self._api
        self._process = self._api = None
        if process is not None:
            end_family(process.pid, marker=self._marker)
            process.wait()
        if api is not None:
            api.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self) -> tuple[_RuntimeApi, subprocess.Popen[bytes], Invocation | None]:
        """Return a runtime that has asked for work, or why it never did."""
        api, process = self._api, self._process
        if api and process and not has_ended(process):
            return api, process, None
        self.close()
        started = time.monotonic()
        self._api = api = _RuntimeApi(self._handler.replace(".", "-"))
        self._process = process = self._start(api)
        message = self._next(api, process, started + _INIT_LIMIT_S)
        if message is not None and message.kind == "next":
            return api, process, None
        failure = self._told(message, started)
        self.close()
        return api, process, failure

    @property
    def _marker(self) -> str:
        """What every process of the function carries in its environment."""
        return f"{_MARKER}={self._token}"

    def _start(self, api: _RuntimeApi) -> subprocess.Popen[bytes]:
        with _appending(self._log) as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*self._prefix, sys.executable, "-m", "awslambdaric", self._handler],
                cwd=self._task_root,
                env=self._variables(api),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        threading.Thread(target=_announce_end, args=(process, api), daemon=True).start()
        return process

    def _variables(self, api: _RuntimeApi) -> dict[str, str]:
        name = self._handler.replace(".", "-")
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": str(self._task_root),
            "LAMBDA_TASK_ROOT": str(self._task_root),
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._memory_mb or 1024),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3",
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "_HANDLER": self._handler,
            **self._environment,
            _MARKER: self._token,
        }

    def _next(
        self, api: _RuntimeApi, process: subprocess.Popen[bytes], deadline: float
    ) -> _Message | None:
        """Return the runtime's next message, or None at the deadline; memory is watched."""
        while (left := deadline - time.monotonic()) > 0:
            wait = min(left, _MEMORY_LOOK_S) if self._memory_mb else left
            with contextlib.suppress(queue.Empty):
                return api.messages.get(timeout=wait)
            if self._memory_mb:
                _relieve(process.pid, self._memory_mb * 1024 * 1024)
        return None

    def _told(self, message: _Message | None, started: float) -> Invocation:
        """Return what the service would say of an invocation that ended with ``message``."""
        kind = message.kind if message is not None else "time-out"
        body = message.body if message is not None else b""
        if kind == "time-out":
            body = _error("Sandbox.Timedout", f"Task timed out after {self._timeout_s:.2f} seconds")
        elif kind == "exit":
            body = _error("Runtime.ExitError", f"Runtime exited with error: {body.decode()}")
        return Invocation(
            payload=body,
            error=kind != "response",
            timed_out=kind == "time-out",
            crashed=kind == "exit",
            started=started,
            duration_s=time.monotonic() - started,
        )

    def _freeze(self, api: _RuntimeApi, process: subprocess.Popen[bytes]) -> None:
        """Stop all processes until the next invocation, once the runtime has asked for it."""
        message = self._next(api, process, time.monotonic() + _SETTLE_S)
        if message is not None and message.kind == "exit":
            self.close()
        else:
            signal_family(process.pid, signal.SIGSTOP, marker=self._marker)


def _announce_end(process: subprocess.Popen[bytes], api: _RuntimeApi) -> None:
    status = await_end(process)
    text = f"signal: {-status}" if status < 0 else f"exit status {status}"
    api.messages.put(_Message("exit", text.encode()))


@contextlib.contextmanager
def _appending(log: Path | None) -> Iterator[IO[bytes] | int]:
    if log is None:
        yield subprocess.DEVNULL
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        yield output


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _relieve(root: int, limit: int) -> None:
    """Do as the kernel does when a function is out of memory: kill its worst process."""
    members = family(root)
    if sum(map(private_bytes, members)) > limit:
        with contextlib.suppress(ProcessLookupError):
            os.kill(max(members, key=oom_score), signal.SIGKILL)


def _sandbox_prefix(task_root: Path) -> list[str]:
    """Return the command that runs another one in the sandbox; raises `ToolError`."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise ToolError(
            "a sandboxed function needs `unshare`, which is not installed",
            hint="use Linux with util-linux, or run the function without the sandbox",
        )
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    namespaces = [unshare, *user, "--mount", "--pid", "--fork", "--kill-child"]
    prefix = [*namespaces, "sh", "-c", _SANDBOX, "sh", str(task_root)]
    trial = subprocess.run(  # noqa: S603 - the same command with nothing to do
        [*prefix, "true"], capture_output=True, text=True, timeout=30, check=False
    )
    if trial.returncode != 0:
        raise ToolError(
            f"this machine does not allow a sandbox: {trial.stderr.strip()}",
            hint="run as root or allow user namespaces, or run the function without the sandbox",
        )
    return prefix
