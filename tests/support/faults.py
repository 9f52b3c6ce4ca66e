"""What goes wrong between a client and an HTTP service, inflicted at the socket.

`FaultServer` is the common part; `FaultProxy` stands in front of another server (moto's, the
rehearsal's), `tests.support.aws` answers by itself.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import re
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

_LONGEST_S = 120.0
_DRIP_S = 0.1
_POLL_S = 0.05
_HOP_BY_HOP = frozenset({"connection", "content-length", "expect", "keep-alive", "date", "server"})


class Fault(StrEnum):
    """What a service, or the way to it, does instead of answering."""

    THROTTLE = "throttle"
    DENY = "deny"
    FAIL = "500"
    GARBAGE = "garbage"
    SILENT = "silent"
    DRIP = "drip"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that the service answers with: its code as botocore's model names it."""

    code: str
    message: str = ""
    status: int = 400


@dataclass(frozen=True, slots=True)
class After:
    """``step`` after ``seconds``."""

    seconds: float
    step: Step


@dataclass(frozen=True, slots=True)
class Unheard:
    """``step`` is performed, and instead of its answer comes ``fault``."""

    fault: Fault
    step: Step


@dataclass(frozen=True, slots=True)
class Pass:
    """Let the request through to the server behind a `FaultProxy`."""


Json: TypeAlias = dict[str, Any]
Step: TypeAlias = (
    Fault | Refusal | After | Unheard | Pass | Mapping[str, Any] | Callable[[Json], "Step"]
)
"""What is done with one request. Where the server answers by itself, a mapping is the answer, and
a function makes the step (mostly an answer) from the request's members."""
Script: TypeAlias = Step | Sequence[Step]
"""One step for ever, or steps in turn, the last of which goes on for ever."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of AWS's query protocol."""
        if "x-www-form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        fields = parse_qs(self.body.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}

    @property
    def line(self) -> str:
        """The method, the path and the operation's name where the protocol carries one."""
        operation = self.headers.get("x-amz-target") or self.form.get("Action", "")
        return f"{self.method} {self.path} {operation}".rstrip()

    @property
    def is_json(self) -> bool:
        """Tell whether the service's protocol is one of JSON."""
        if "x-amz-content-sha256" in self.headers:  # S3, whatever its object's own type is
            return False
        return "json" in self.headers.get("content-type", "") or "x-amz-target" in self.headers


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """What is done with one request: a step, and how steps that lead to an answer are performed.

    ``perform`` returns the answer, or another step that is to be taken instead.
    """

    step: Step
    perform: Callable[[Step], Response | Step]


class Turns:
    """Gives the steps of a script one after the other; any thread may ask."""

    def __init__(self, script: Script) -> None:
        listed = isinstance(script, Sequence) and not isinstance(script, str)
        self._steps: Sequence[Any] = script if listed else (script,)  # type: ignore[assignment] # narrowed by listed
        self._taken = 0
        self._lock = threading.Lock()

    def take(self) -> Step:
        """Return the next step."""
        with self._lock:
            step: Step = self._steps[min(self._taken, len(self._steps) - 1)]
            self._taken += 1
        return step


def refused(refusal: Refusal, request: Request) -> Response:
    """Return ``refusal`` in the protocol that the request speaks."""
    if request.is_json:
        body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
        kind = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": refusal.code}
        return Response(refusal.status, body, kind)
    code, message = escape(refusal.code), escape(refusal.message)
    text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    ending = "<RequestId>r-1</RequestId></ErrorResponse>"
    return Response(refusal.status, (text + ending).encode(), {"Content-Type": "text/xml"})


def _refusal(fault: Fault, request: Request) -> Refusal:
    plain = request.is_json
    if fault is Fault.THROTTLE:
        return Refusal("ThrottlingException" if plain else "Throttling", "Rate exceeded")
    if fault is Fault.DENY:
        code = "AccessDeniedException" if plain else "AccessDenied"
        return Refusal(code, "not authorized to perform this action", 400 if plain else 403)
    return Refusal("InternalFailure", "Something broke", 500)


class FaultServer(http.server.ThreadingHTTPServer, ABC):
    """An HTTP server on a free port of 127.0.0.1 that does with each request what `visit` says."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs in order to come here for every service."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    @abstractmethod
    def visit(self, request: Request) -> Visit:
        """Return what to do with ``request``."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that gave up are part of the game."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(_POLL_S,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for each answer: two would wait for the delayed acknowledgement
    server: FaultServer

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:  # whoever asked was ended in the middle of it: no call at all
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        visit = self.server.visit(request)
        self._take(visit.step, visit, request)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def handle_expect_100(self) -> bool:
        """Tell the client at once: it waits for that before it sends what S3 shall store."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def _take(self, step: Step, visit: Visit, request: Request) -> None:
        match step:
            case After():
                self.server.closing.wait(step.seconds)
                self._take(step.step, visit, request)
            case Unheard():
                visit.perform(step.step)
                self._inflict(step.fault, request)
            case Fault():
                self._inflict(step, request)
            case Refusal():
                self._send(refused(step, request))
            case _:
                outcome = visit.perform(step)
                if isinstance(outcome, Response):
                    self._send(outcome)
                else:
                    self._take(outcome, visit, request)

    def _inflict(self, fault: Fault, request: Request) -> None:
        match fault:
            case Fault.SILENT:
                self.server.closing.wait(_LONGEST_S)
            case Fault.DRIP:
                self._drip()
            case Fault.RESET:
                at_once = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            case Fault.GARBAGE:
                self._send(
                    Response(200, b"<html>a proxy's own page", {"Content-Type": "text/html"})
                )
                return
            case _:
                self._send(refused(_refusal(fault, request), request))
                return
        self.close_connection = True

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10000")
        self.end_headers()
        ends = time.monotonic() + _LONGEST_S
        with contextlib.suppress(OSError):
            while not self.server.closing.wait(_DRIP_S) and time.monotonic() < ends:
                self.wfile.write(b" ")
                self.wfile.flush()

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        """Log nothing."""


class FaultProxy(FaultServer):
    """Passes requests on to ``upstream``, but those that ``scripts`` has something else for.

    A key of ``scripts`` is a regular expression that is searched in `Request.line`, such as
    ``PutItem``, ``PUT /bucket/lock`` or ``Publish``; the first that is found gives the step.
    """

    def __init__(self, upstream: str, scripts: Mapping[str, Script]) -> None:
        super().__init__()
        self._upstream = urlsplit(upstream)
        self._scripts = {re.compile(key): Turns(script) for key, script in scripts.items()}
        self.lines: list[str] = []

    def visit(self, request: Request) -> Visit:
        """Return the step of the first script that knows the request."""
        self.lines.append(request.line)
        scripts = (turns for found, turns in self._scripts.items() if found.search(request.line))
        turns = next(scripts, None)
        return Visit(turns.take() if turns else Pass(), lambda step: self._perform(request, step))

    def _perform(self, request: Request, step: Step) -> Response | Step:
        """Pass the request on, or ask a function what to do."""
        return step({}) if callable(step) else self._pass(request, step)

    def _pass(self, request: Request, step: Step) -> Response:
        """Return what the server behind answers."""
        assert isinstance(step, Pass), f"a proxy cannot answer by itself: {step!r}"
        port = self._upstream.port
        behind = http.client.HTTPConnection(str(self._upstream.hostname), port, timeout=_LONGEST_S)
        with contextlib.closing(behind):
            headers = {key: value for key, value in request.headers.items() if key != "expect"}
            behind.request(request.method, request.path, request.body, headers)
            answer = behind.getresponse()
            kept = [pair for pair in answer.getheaders() if pair[0].lower() not in _HOP_BY_HOP]
            return Response(answer.status, answer.read(), dict(kept))
