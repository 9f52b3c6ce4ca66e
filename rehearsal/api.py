"""The deployment engine as an HTTP endpoint that unmodified boto3 and the AWS CLI can call.

It speaks CodeDeploy's JSON 1.1 protocol on a free port of 127.0.0.1. Point clients there by
``AWS_ENDPOINT_URL_CODEDEPLOY``; any credentials and region will do.
"""

from __future__ import annotations

import json
import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Self

from greenroom.rehearsal.lifecycle import RefusedError
from greenroom.rehearsal.operations import perform

if TYPE_CHECKING:
    from types import TracebackType

    from greenroom.rehearsal.engine import Engine

_PREFIX = "CodeDeploy_20141006."
_MOST_BYTES = 1024 * 1024
_IDLE_S = 30.0
_POLL_S = 0.1
_log = logging.getLogger(__name__)


class CodeDeployApi:
    """Serves ``engine`` at `url` from `start` to `close`, in threads of its own."""

    def __init__(self, engine: Engine) -> None:
        handler = type("BoundHandler", (_Handler,), {"engine": engine})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="codedeploy-api", daemon=True
        )

    @property
    def url(self) -> str:
        """Where the endpoint is: ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop answering and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A kept-alive connection of a client must not hold up the end of a rehearsal.
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what went wrong: a client that dies in mid-request is no matter for the terminal."""
        _log.debug("%s from %s ended early", request, client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    engine: ClassVar[Engine]
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S

    def do_POST(self) -> None:
        """Answer one operation, or one refusal, as JSON 1.1."""
        try:
            given = self._body()
            self._answer(HTTPStatus.OK, perform(self.engine, self._operation(), given))
        except RefusedError as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"__type": error.code, "message": str(error)})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: a rehearsal's own output is what its user reads."""

    def _operation(self) -> str:
        target: str = self.headers.get("X-Amz-Target", "")
        return target.removeprefix(_PREFIX)

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            self.close_connection = True
            raise RefusedError("SerializationException", f"A body of {length} bytes is not read.")
        try:
            given = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError as error:
            raise RefusedError("SerializationException", f"The body is no JSON: {error}") from error
        if not isinstance(given, dict):
            raise RefusedError("SerializationException", "The body is no JSON object.")
        return given

    def _answer(self, status: HTTPStatus, members: dict[str, Any]) -> None:
        body = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
