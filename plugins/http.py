"""The HTTP client of checks: bound to a target, limited in time and size, every exchange recorded.

`client` makes a plain `httpx.Client`. What differs from httpx's own: one deadline covers the whole
of a request with its redirects, name look-up and body; a body has a size limit (before and after
decompression, of which there is one layer, gzip or deflate); bodies are read in full; credentials
never follow a redirect to another host; and each exchange, complete or not, is handed redacted to
``record``.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import httpcore
import httpx

from greenroom.plugins.function_address import is_function, parse_function
from greenroom.plugins.http_exchange import CODINGS, Reading, request_json
from greenroom.plugins.http_failures import MAPPED, UnsafeRedirectError, failure_of
from greenroom.plugins.network import BoundedBackend, within
from greenroom.validators.http import Answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from greenroom.plugins.aws_worker import Clients
    from greenroom.plugins.http_exchange import Sender
    from greenroom.plugins.lambda_transport import Invoker
    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.target_settings import Address
    from greenroom.validators.http import Failure

_ELAPSED = "greenroom.elapsed"
_TRAIL = "greenroom.trail"
_SAFE_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "connection", "content-type", "host"}
    | {"content-length", "user-agent"}
)


Route: TypeAlias = "tuple[str, Address] | None"
"""A host's name and the one address behind it that is meant; None: whatever address it has."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a request may take with everything in it, and how large its answer may be."""

    timeout_s: float = 10.0
    max_body: int = 10 * 1024 * 1024


class Connections:
    """Kept-alive connections that clients share, opened as they are needed."""

    def __init__(self) -> None:
        self._pools: dict[tuple[Route, str], httpcore.ConnectionPool] = {}

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """One TLS context for all, made for the first https address: that takes 20 ms."""
        return httpx.create_ssl_context()

    @cached_property
    def _aws(self) -> Clients:
        from greenroom.plugins.lambda_transport import aws_clients  # noqa: PLC0415 - as below

        return aws_clients()

    def sender(self, target: str) -> Sender:
        """Return the way to ``target``; raises `SettingsError` for a function without a version."""
        return self.invoker(target) if is_function(target) else self._network(target, None)

    def invoker(self, address: str) -> Invoker:
        """Return the way to a function's version; raises `SettingsError` for another address."""
        from greenroom.plugins.lambda_transport import Invoker  # noqa: PLC0415 - for functions only

        return Invoker(parse_function(address), self._aws, self._elsewhere)

    def sender_at(self, target: str, address: Address) -> Sender:
        """Return the way to ``target`` that ends at one ``address`` behind its load balancer.

        Host header and TLS server name stay the target's; the scheme is the address's own, where it
        has one.
        """
        url = httpx.URL(target)
        base = url.copy_with(scheme=address.scheme or url.scheme)
        route = (url.raw_host.decode(), address)
        return self._network(str(base), route)

    def _elsewhere(self, request: httpx.Request) -> httpcore.Response:
        return self._pool_of(None, request.url.scheme).handle_request(_to_httpcore(request))

    def _network(self, base: str, route: Route) -> _Network:
        # What the first request needs is made here, before the clock of a check starts.
        self._pool_of(route, httpx.URL(base).scheme)
        return _Network(base, partial(self._pool_of, route), str(route[1]) if route else "")

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()
        if "_aws" in self.__dict__:
            self._aws.close()

    def _pool_of(self, route: Route, scheme: str) -> httpcore.ConnectionPool:
        """Return the connections by ``route``, or to whatever address a host's name has."""
        if (route, scheme) not in self._pools:
            self._pools[route, scheme] = httpcore.ConnectionPool(
                ssl_context=self._tls if scheme == "https" else None,
                max_connections=100,
                max_keepalive_connections=20,
                keepalive_expiry=5.0,
                network_backend=BoundedBackend(route),
            )
        return self._pools[route, scheme]


class _Network:
    """The way to a host; ``address`` is where it leads whatever the host's name, or empty."""

    def __init__(
        self, base: str, pool_of: Callable[[str], httpcore.ConnectionPool], address: str
    ) -> None:
        self.base = base
        self.address = address
        self._pool_of = pool_of

    def send(self, request: httpx.Request) -> httpcore.Response:
        return self._pool_of(request.url.scheme).handle_request(_to_httpcore(request))

    def shown(self, url: httpx.URL) -> str:
        return str(url)


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
    return client_of(connections.sender(target), redactor, record, limits)


def client_of(
    sender: Sender,
    redactor: Redactor,
    record: Callable[[dict[str, Any]], None],
    limits: Limits | None = None,
) -> httpx.Client:
    """Return the client of a target that ``sender`` leads to; see `client`."""
    limits = limits or Limits()
    return httpx.Client(
        base_url=sender.base,
        transport=_RecordingTransport(sender, redactor, record, limits),
        timeout=limits.timeout_s,
        trust_env=False,
        headers={
            "Accept-Encoding": ", ".join(sorted(CODINGS, reverse=True)),
            "User-Agent": f"greenroom (python-httpx/{httpx.__version__})",
        },
    )


def elapsed_s(answer: httpx.Response) -> float:
    """Return the seconds from the request's start to the answer's last byte, redirects included.

    Of a client that is not ours as httpx measured it; NaN for an answer that nobody sent.
    """
    return sum(map(_took_s, (*answer.history, answer)))


def _took_s(answer: httpx.Response) -> float:
    if _ELAPSED in answer.extensions:
        return float(answer.extensions[_ELAPSED])
    try:
        return answer.elapsed.total_seconds()
    except RuntimeError:
        return math.nan


def answer_of(response: httpx.Response) -> Answer:
    """Return the facts of a response that was read in full."""
    return Answer(
        status=response.status_code,
        headers=tuple((name.lower(), value) for name, value in response.headers.multi_items()),
        body=response.content,
        elapsed_s=elapsed_s(response),
    )


def get(http: httpx.Client, path: str, seconds: float) -> Answer | Failure:
    """Ask for ``path`` below the client's target; an answer that did not come is no exception."""
    try:
        return answer_of(http.get(below(http, path), timeout=seconds))
    except (httpx.RequestError, httpx.InvalidURL) as error:
        return failure_of(error)


def below(http: httpx.Client, path: str) -> str:
    """Return the URL of ``path``: joined by hand, as httpx takes ``//x`` for another host."""
    return f"{str(http.base_url).removesuffix('/')}{path}"


@dataclass(frozen=True, slots=True)
class _Trail:
    """What the first request of a chain of redirects was."""

    origin: tuple[str, str, int | None]
    total_s: float
    deadline: float


class _RecordingTransport(httpx.BaseTransport):
    def __init__(
        self,
        sender: Sender,
        redactor: Redactor,
        record: Callable[[dict[str, Any]], None],
        limits: Limits,
    ) -> None:
        self._sender = sender
        self._redactor = redactor
        self._record = record
        self._limits = limits

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        begun, started = time.monotonic(), datetime.now(UTC)
        reading = Reading(self._limits.max_body)
        error: Exception | None = None
        try:
            trail = self._follow(request)
            with within(trail.total_s, trail.deadline):
                answer = reading.run(self._sender, request)
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
                    "request": request_json(request, self._sender, self._redactor),
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
