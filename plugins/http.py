"""The HTTP client of checks: bound to a target, limited in time and size, every exchange recorded.

`client` makes a plain `httpx.Client`. What differs from httpx's own: one deadline covers the whole
of a request with its redirects, name look-up and body; a body has a size limit (before and after
decompression, of which there is one layer, gzip or deflate); bodies are read in full; credentials
never follow a redirect to another host; and each exchange, complete or not, is handed redacted to
``record``.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from greenroom.plugins.http_failures import MAPPED, BodyTooLargeError, UnsafeRedirectError
from greenroom.plugins.network import BoundedBackend, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.redaction import Redactor

RECORDED = 8 * 1024
"""Characters of a body that a record keeps."""
_ELAPSED = "greenroom.elapsed"
_TRAIL = "greenroom.trail"
_CODINGS = frozenset({"gzip", "deflate"})
"""What is asked for: these grow about 1,000 times at most, so a step of one stays small."""
_KNOWN_CODINGS = _CODINGS | {"br", "zstd"}
"""What httpx decodes where it can; anything else it leaves as it came."""
_DECODED_STEP = 1024
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_SAFE_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "connection", "content-type", "host"}
    | {"content-length", "user-agent"}
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a request may take with everything in it, and how large its answer may be."""

    timeout_s: float = 10.0
    max_body: int = 10 * 1024 * 1024


class Connections:
    """Kept-alive connections that clients share, opened as they are needed."""

    @cached_property
    def pool(self) -> httpcore.ConnectionPool:
        """The pool, with one TLS context for all (making one takes 20 ms)."""
        return httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=BoundedBackend(),
        )

    def close(self) -> None:
        """Close every connection."""
        if "pool" in self.__dict__:
            self.pool.close()


def client(
    target: str,
    connections: Connections,
    redactor: Redactor,
    record: Callable[[dict[str, Any]], None],
    limits: Limits | None = None,
) -> httpx.Client:
    """Return a client whose relative addresses lie below ``target``.

    A ``timeout=`` given to a request is the whole time for it. Closing the client leaves the shared
    connections open.
    """
    limits = limits or Limits()
    return httpx.Client(
        base_url=target,
        transport=_RecordingTransport(connections.pool, redactor, record, limits),
        timeout=limits.timeout_s,
        trust_env=False,
        headers={
            "Accept-Encoding": ", ".join(sorted(_CODINGS, reverse=True)),
            "User-Agent": f"greenroom (python-httpx/{httpx.__version__})",
        },
    )


def elapsed_s(answer: httpx.Response) -> float:
    """Return the seconds from the request's start to the answer's last byte, redirects included."""
    return sum(float(one.extensions[_ELAPSED]) for one in (*answer.history, answer))


@dataclass(frozen=True, slots=True)
class _Trail:
    """What the first request of a chain of redirects was."""

    origin: tuple[str, str, int | None]
    total_s: float
    deadline: float


class _RecordingTransport(httpx.BaseTransport):
    def __init__(
        self,
        pool: httpcore.ConnectionPool,
        redactor: Redactor,
        record: Callable[[dict[str, Any]], None],
        limits: Limits,
    ) -> None:
        self._pool = pool
        self._redactor = redactor
        self._record = record
        self._limits = limits

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        begun, started = time.monotonic(), datetime.now(UTC)
        reading = _Reading(self._limits.max_body)
        error: Exception | None = None
        try:
            trail = self._follow(request)
            with within(trail.total_s, trail.deadline):
                answer = reading.run(self._pool, request)
            answer.extensions[_ELAPSED] = time.monotonic() - begun
        except tuple(MAPPED) as cause:
            error = MAPPED[type(cause)](str(cause), request=request)
            raise error from cause
        except httpx.RequestError as cause:
            error = cause
            cause.request = request
            raise
        else:
            return answer
        finally:
            self._record(
                {
                    "request": _request_json(request, self._redactor),
                    "response": reading.to_json(self._redactor),
                    "error": self._redactor.text(str(error)) if error else None,
                    "elapsed_ms": round((time.monotonic() - begun) * 1000, 3),
                    "started": started.isoformat(timespec="milliseconds"),
                }
            )

    def _follow(self, request: httpx.Request) -> _Trail:
        """Return the chain this request belongs to; keep credentials from leaving their host."""
        origin = (request.url.scheme, request.url.host, request.url.port)
        trail = request.extensions.get(_TRAIL)
        if not isinstance(trail, _Trail):
            total = _total_time(request, self._limits.timeout_s)
            trail = _Trail(origin, total, time.monotonic() + total)
            request.extensions[_TRAIL] = trail
        elif origin not in {trail.origin, _upgraded(trail.origin)}:
            if request.method not in {"GET", "HEAD"} and request.headers.get("content-length"):
                raise UnsafeRedirectError(
                    f"redirected with a body to another host, {request.url.host}", request=request
                )
            for name in set(request.headers) - _SAFE_HEADERS:
                del request.headers[name]
        return trail


class _Reading:
    """One response as far as it was read, so that a broken one can be recorded as well."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._head: httpcore.Response | None = None
        self._raw = bytearray()
        self._body: bytes | None = None

    def run(self, pool: httpcore.ConnectionPool, request: httpx.Request) -> httpx.Response:
        """Send ``request`` and read the whole answer."""
        head = self._head = pool.handle_request(_to_httpcore(request))
        try:
            for chunk in head.iter_stream():
                self._raw += chunk
                self._hold(len(self._raw), request)
        finally:
            head.close()
        answer = self._response(request)
        self._body = self._decoded(answer, request)
        return answer

    def to_json(self, redactor: Redactor) -> dict[str, Any] | None:
        """Return the record's form, or None if no answer began."""
        if self._head is None:
            return None
        whole = self._body is not None
        body = bytes(self._raw) if self._body is None else self._body
        headers = httpx.Headers(self._head.headers)
        text = redactor.excerpt(_text(body, headers), RECORDED, whole=whole)
        return {
            "status": self._head.status,
            "headers": redactor.headers(headers.multi_items()),
            "body": text,
            "body_bytes": len(body),
            "truncated": not whole or len(_text(body, headers)) > RECORDED,
        }

    def _response(self, request: httpx.Request) -> httpx.Response:
        assert self._head is not None  # noqa: S101 - called after the head was read
        return httpx.Response(
            self._head.status,
            headers=self._head.headers,
            stream=httpx.ByteStream(bytes(self._raw)),
            request=request,
        )

    def _decoded(self, answer: httpx.Response, request: httpx.Request) -> bytes:
        """Return the body decompressed, at most as far as the limit allows."""
        named = answer.headers.get_list("content-encoding", split_commas=True)
        codings = [name for one in named if (name := one.strip().lower()) in _KNOWN_CODINGS]
        if not codings or not self._raw:
            return bytes(self._raw)
        # Each further coding would multiply what a step can grow to, and no server needs one.
        if len(codings) > 1 or codings[0] not in _CODINGS:
            raise httpx.DecodingError(
                f"compressed as {', '.join(codings)}: one of gzip or deflate is read",
                request=request,
            )
        steps = httpx.Response(
            answer.status_code, headers=answer.headers, stream=_Steps(bytes(self._raw))
        )
        body = bytearray()
        for chunk in steps.iter_bytes():
            body += chunk
            self._hold(len(body), request)
        return bytes(body)

    def _hold(self, size: int, request: httpx.Request) -> None:
        if size > self._max_body:
            raise BodyTooLargeError(
                f"the body is larger than {self._max_body:,} bytes", request=request
            )


class _Steps(httpx.SyncByteStream):
    """Bytes in small steps, so that a compression bomb is noticed before it has grown."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Any:  # noqa: ANN401 - httpx names no type here
        for start in range(0, len(self._data), _DECODED_STEP):
            yield self._data[start : start + _DECODED_STEP]


def _total_time(request: httpx.Request, default: float) -> float:
    given = request.extensions.get("timeout", {}).values()
    return max((seconds for seconds in given if seconds is not None), default=default)


def _upgraded(origin: tuple[str, str, int | None]) -> tuple[str, str, int | None]:
    """Return the same host under https, where ``origin`` is plain http at its usual port."""
    scheme, host, port = origin
    return ("https", host, None) if scheme == "http" and port is None else origin


def _to_httpcore(request: httpx.Request) -> httpcore.Request:
    assert isinstance(request.stream, httpx.SyncByteStream)  # noqa: S101 - the client is synchronous
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions={},
    )


def _request_json(request: httpx.Request, redactor: Redactor) -> dict[str, Any]:
    try:
        body = redactor.excerpt(_text(request.content, request.headers), RECORDED)
    except httpx.RequestNotRead:
        body = "(a stream)"
    return {
        "method": request.method,
        "url": redactor.url(str(request.url)),
        "headers": redactor.headers(request.headers.multi_items()),
        "body": body or None,
    }


def _text(body: bytes, headers: httpx.Headers) -> str:
    """Read a body as text in the encoding it names, else UTF-8; what cannot be read is marked."""
    named = _CHARSET.search(headers.get("content-type", ""))
    try:
        return body.decode(named[1] if named else "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
