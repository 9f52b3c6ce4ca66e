"""A small CodeDeploy endpoint for unmodified boto3: it answers as told and keeps every call."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_TARGET = "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus"
_SILENCE_S = 60.0


class Answer(StrEnum):
    """What the endpoint does with one call."""

    ACCEPT = "accept"
    THROTTLE = "throttle"
    ALREADY_COMPLETED = "already completed"
    DENY = "deny"
    UNKNOWN_ID = "unknown id"
    FAIL = "500"
    SILENT = "silent"
    DRIP = "drip"
    RESET = "reset"


_ERRORS = {
    Answer.THROTTLE: (400, "ThrottlingException", "Rate exceeded"),
    Answer.ALREADY_COMPLETED: (
        400,
        "LifecycleEventAlreadyCompletedException",
        "The lifecycle event has already completed",
    ),
    Answer.DENY: (400, "AccessDeniedException", "not authorized to perform this action"),
    Answer.UNKNOWN_ID: (
        400,
        "InvalidLifecycleEventHookExecutionIdException",
        "The execution id is not valid",
    ),
    Answer.FAIL: (500, "InternalFailure", "Something broke"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One PutLifecycleEventHookExecutionStatus; ``at`` is in monotonic seconds."""

    deployment_id: str
    execution_id: str
    status: str
    answer: Answer
    at: float


class CodeDeployEndpoint(http.server.ThreadingHTTPServer):
    """``script`` gives the answers in turn; its last one goes on for ever."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *script: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._script: Sequence[Answer] = script or (Answer.ACCEPT,)
        self._lock = threading.Lock()
        self.calls: list[Call] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        """The value for AWS_ENDPOINT_URL_CODEDEPLOY."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs in order to come here."""
        return {
            "AWS_ENDPOINT_URL_CODEDEPLOY": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    @property
    def accepted(self) -> list[str]:
        """The statuses that were accepted, in order."""
        return [call.status for call in self.calls if call.answer is Answer.ACCEPT]

    def note(self, body: dict[str, Any]) -> Answer:
        """Keep a call; return what to do with it."""
        with self._lock:
            answer = self._script[min(len(self.calls), len(self._script) - 1)]
            self.calls.append(
                Call(
                    deployment_id=body["deploymentId"],
                    execution_id=body["lifecycleEventHookExecutionId"],
                    status=body["status"],
                    answer=answer,
                    at=time.monotonic(),
                )
            )
        return answer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that gave up are part of the game."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CodeDeployEndpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Amz-Target"] != _TARGET:
            self._send(400, {"__type": "UnknownOperationException"})
            return
        answer = self.server.note(body)
        if answer is Answer.ACCEPT:
            done = {"lifecycleEventHookExecutionId": body["lifecycleEventHookExecutionId"]}
            self._send(200, done)
        elif answer is Answer.SILENT:
            self.server.closing.wait(_SILENCE_S)
            self.close_connection = True
        elif answer is Answer.DRIP:
            self._drip()
        elif answer is Answer.RESET:
            at_once = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self.close_connection = True
        else:
            status, kind, message = _ERRORS[answer]
            self._send(status, {"__type": kind, "message": message})

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.server.closing.wait(0.1):
                self.wfile.write(b" ")
        self.close_connection = True

    def _send(self, status: int, answer: dict[str, str]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        """Log nothing."""
