"""Small real servers on 127.0.0.1: one that answers by a function, and hostile ones."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass
class Reply:
    """What a server answers."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """What a server was asked; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Served:
    """A running server."""

    url: str
    asked: list[Asked]


Behaviour = Callable[[socket.socket, threading.Event], None]
"""What a hostile server does with a connection."""


def json_reply(value: object, status: int = 200) -> Reply:
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json"})


@contextmanager
def serving(
    answer: Callable[[Asked], Reply], tls: ssl.SSLContext | None = None
) -> Iterator[Served]:
    """Serve HTTP/1.1 with keep-alive, each request answered by ``answer``; over ``tls`` if any."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Asked(self.command, self.path, headers, body)
            asked.append(request)
            reply = answer(request)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's names
            """Show what broke, but for clients that TLS turns away."""
            if not isinstance(sys.exception(), ssl.SSLError):
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Served(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def hostile(behave: Behaviour) -> Iterator[str]:
    """Let ``behave`` have each accepted connection until it returns or the event is set."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def each(connection: socket.socket) -> None:
        # The client goes away with an error, as it should.
        with connection, suppress(OSError):
            behave(connection, over)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=each, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        with suppress(OSError):  # macOS does not shut down a listening socket
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def refused_url() -> str:
    """Return an address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def silent(_: socket.socket, over: threading.Event) -> None:
    """Accept and never answer."""
    over.wait(30)


def drip_head(connection: socket.socket, over: threading.Event) -> None:
    """Send a header byte by byte, without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.02):
        connection.sendall(b"a")


def drip_body(connection: socket.socket, over: threading.Event) -> None:
    """Send a body byte by byte, far from its announced length."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not over.wait(0.02):
        connection.sendall(b"a")


def endless_body(connection: socket.socket, over: threading.Event) -> None:
    """Send chunks as fast as they are taken."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    while not over.is_set():
        connection.sendall(chunk)


def endless_head(connection: socket.socket, over: threading.Event) -> None:
    """Send header after header as fast as they are taken."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.is_set():
        connection.sendall(b"X-More: " + b"y" * 1000 + b"\r\n")


def reset_in_body(connection: socket.socket, _: threading.Event) -> None:
    """Reset the connection in the middle of a body."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def short_body(connection: socket.socket, _: threading.Event) -> None:
    """Close before the announced length was sent."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")


def closes(connection: socket.socket, _: threading.Event) -> None:
    """Take the request and close without a word."""
    connection.recv(65536)


def not_http(connection: socket.socket, _: threading.Event) -> None:
    """Answer in another protocol."""
    connection.recv(65536)
    connection.sendall(b"220 mail.example ESMTP\r\n")
