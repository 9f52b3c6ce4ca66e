"""A service with every weakness that the security probes look for, and one with none."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from greenroom.validators.http import Answer
from greenroom.validators.security import Exchange
from tests.support.servers import Asked, Reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping


TRACE = (
    'Traceback (most recent call last):\n  File "app.py", line 3, in view\nsqlite3.OperationalError'
)
PAGE = "<html><title>Shop</title>hello</html>"
HARD = {
    "Content-Type": "text/html",
    "Strict-Transport-Security": "max-age=31536000",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Set-Cookie": "__Host-sid=s3cr3t; Secure; HttpOnly; SameSite=Lax; Path=/",
    "Server": "web",
}
FILES = {
    "/.git/HEAD": b"ref: refs/heads/main\n",
    "/.env": b"DB_PASSWORD=hunter2-hunter2\n",
    "/actuator": b'{"_links":{"self":{"href":"/actuator"}}}',
    "/backup.zip": b"PK\x03\x04" + bytes(2_000_000),
    "/static/": b"<html><title>Index of /static/</title>",
}


def weak() -> Callable[[Asked], Reply]:
    """Return the behaviour of a service that does everything wrong."""
    written: dict[str, bytes] = {}

    def answer(asked: Asked) -> Reply:
        path = urlsplit(asked.path).path
        headers = asked.headers
        reply = _methods(asked, path, written) or _served(asked, path)
        reply.headers = {
            "Content-Type": "text/html",
            "Content-Security-Policy": "script-src * 'unsafe-inline'",
            "Cache-Control": "public, max-age=60",
            "Set-Cookie": "__Host-sid=s3cr3t-value",
            "X-Powered-By": "PHP/5.3",
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Origin": headers.get("origin", "*"),
            **reply.headers,
        }
        return reply

    return answer


def _methods(asked: Asked, path: str, written: dict[str, bytes]) -> Reply | None:
    headers = asked.headers
    method = headers.get("x-http-method-override", asked.method)
    known = {"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"}
    if method not in known and path != "/admin":
        return Reply(b"no such method", 405)
    if method == "TRACE":
        return Reply(str(headers).encode())
    if method == "PUT":
        written[path] = asked.body
        return Reply(status=201)
    if method in {"DELETE", "CONNECT"}:
        return Reply(status=200)
    if method == "GET" and path in written:
        return Reply(written[path])
    return Reply(TRACE.encode(), 500) if method == "POST" else None


def _served(asked: Asked, path: str) -> Reply:
    leads = parse_qs(urlsplit(asked.path).query).get("next", [""])[0]
    if leads:
        return Reply(status=302, headers={"Location": leads})
    if path.upper().startswith("/ADMIN"):
        return _admin(asked, path)
    if path == "/plain":
        return Reply(PAGE.encode(), headers={"Content-Security-Policy": ""})
    host = asked.headers.get("x-forwarded-host", "here")
    served = FILES | {"/open": b"secrets", "/": f"{PAGE}<a href='//{host}/'>".encode()}
    lost = b"You're seeing this error because you have <code>DEBUG = True</code>"
    return Reply(served[path]) if path in served else Reply(lost, 404)


def _admin(asked: Asked, path: str) -> Reply:
    given = asked.headers.get("authorization")
    if path == "/admin" and given is None and asked.method == "GET":
        return Reply(b"who are you", 401)
    return Reply(b"the list of everybody")


def hard(token: str = "Bearer right-token-of-the-test") -> Callable[[Asked], Reply]:  # noqa: S107
    """Return the behaviour of a service without a weakness that is looked for."""
    asked_often = [0]

    def answer(asked: Asked) -> Reply:
        path = urlsplit(asked.path).path
        if asked.headers.get("host", "").startswith("greenroom."):
            return Reply(b"unknown host", 421, HARD)
        if asked.method not in {"GET", "HEAD"}:
            return Reply(b"not here", 405, HARD)
        if path == "/admin":
            right = asked.headers.get("authorization") == token
            return Reply(b"welcome" if right else b"no", 200 if right else 401, HARD)
        if path == "/login":
            asked_often[0] += 1
            return Reply(
                b"slow down" if asked_often[0] > 4 else b"?",
                429 if asked_often[0] > 4 else 200,
                HARD,
            )
        return Reply(PAGE.encode(), 200, HARD) if path == "/" else Reply(b"nothing", 404, HARD)

    return answer


class _AnyMethod(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    behave: Callable[[Asked], Reply]

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = type(self).behave(Asked(self.command, self.path, headers, body))
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        if self.command == "CONNECT":
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients go away, as they should."""


@contextmanager
def any_method(
    behave: Callable[[Asked], Reply], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve ``behave`` for every method there is and is not, and give the address."""
    handler = type("Handler", (_AnyMethod,), {"behave": staticmethod(behave)})
    server = _Quiet(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page(body: str = PAGE, headers: Mapping[str, str] | None = None) -> Exchange:
    """Return an answered request; names of headers are lower case."""
    named = {"content-type": "text/html", **(headers or {})}
    return Exchange("GET", "/", Answer(200, tuple(named.items()), body.encode(), 0.1))
