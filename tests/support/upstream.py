"""Small real HTTP servers that stand for a revision, and a look at what runs on this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOREVER_S = 30.0
_SOON_S = 5.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextlib.contextmanager
def upstream(status: int = 200, *, silent: bool = False) -> Iterator[int]:
    """Serve every GET with ``status``, or never; yield the port."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for each answer: two would wait for the delayed acknowledgement

        def do_GET(self) -> None:
            if silent:
                released.wait(FOREVER_S)
                return
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
            """Log nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def raw_server(answer: bytes) -> Iterator[int]:
    """Send ``answer`` to whoever connects and has asked, then close; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        ended = threading.Event()
        thread = threading.Thread(target=_answer_all, args=(listener, answer, ended.is_set))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            ended.set()
            thread.join()


def _answer_all(listener: socket.socket, answer: bytes, ended: Callable[[], bool]) -> None:
    while not ended():
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)


def soon_gone(mark: str) -> list[str]:
    """Return what still runs with ``mark`` once nothing does, or after a bounded time."""
    deadline = time.monotonic() + _SOON_S
    while (left := running_with(mark)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def running_with(mark: str) -> list[str]:
    """Return the command lines of all processes whose environment mentions ``mark``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
