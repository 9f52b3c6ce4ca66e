"""The HTTP client of checks: bound to a target, limited in time and size, every exchange recorded.

`client` makes a plain `httpx.Client`. What differs from httpx's own: one deadline covers the whole
of a request with its redirects, name look-up and body; a body has a size limit (before and after
decompression, of which there is one layer, gzip or deflate); bodies are read in full; credentials
never follow a redirect to another host; and each exchange, complete or not, is handed redacted to
``record``.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import httpcore
import httpx

from greenroom.plugins.client_tls import Tls
from greenroom.plugins.function_address import is_function, parse_function
from greenroom.plugins.http_chain import follow, signature_of
from greenroom.plugins.http_exchange import CODINGS, Reading, request_json
from greenroom.plugins.http_failures import MAPPED, failure_of
from greenroom.plugins.http_sending import SENDING, Sending
from greenroom.plugins.network import BoundedBackend, within
from greenroom.validators.http import Answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from greenroom.plugins.aws_worker import Clients
    from greenroom.plugins.http_exchange import Sender
    from greenroom.plugins.http_sending import SigV4
    from greenroom.plugins.lambda_transport import Invoker
    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.signing import Signer
    from greenroom.plugins.target_settings import Address
    from greenroom.validators.http import Failure

_ELAPSED = "greenroom.elapsed"
_CONNECTIONS = 100
_IDLE_S = 30.0
"""How long a connection may be idle. httpcore takes one that it has just given to a thread for idle
until that thread sends; one that is too many or too old would then be closed under its hands.
"""
_HEADERS = httpx.Headers(
    {
        "Accept-Encoding": ", ".join(sorted(CODINGS, reverse=True)),
        "User-Agent": f"greenroom (python-httpx/{httpx.__version__})",
    }
)
Route: TypeAlias = "tuple[str, Address] | None"
"""A host's name and the one address behind it that is meant; None: whatever address it has."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a request may take with everything in it, and how large its answer may be."""

    timeout_s: float = 10.0
    max_body: int = 10 * 1024 * 1024


class Connections:
    """Kept-alive connections that clients share, opened as they are needed.

    ``tls`` holds for every target that is not given settings of its own.
    """

    def __init__(self, tls: Tls | None = None) -> None:
        self.tls = tls or Tls()
        self._lock = threading.RLock()
        self._pools: dict[_Lane, httpcore.ConnectionPool] = {}
        self._senders: dict[tuple[str, Tls | None], Sender] = {}
        self._contexts: dict[tuple[Tls, bool], ssl.SSLContext] = {}

    @cached_property
    def _aws(self) -> Clients:
        from greenroom.plugins.lambda_transport import aws_clients  # noqa: PLC0415 - as below

        return aws_clients()

    @cached_property
    def _signer(self) -> Signer:
        from greenroom.plugins.signing import Signer  # noqa: PLC0415 - boto3 is an extra

        return Signer()

    def sender(self, target: str, tls: Tls | None = None) -> Sender:
        """Return the way to ``target``; raises `SettingsError` for a function without a version."""
        if is_function(target):
            return self.invoker(target)
        key = (target, tls)
        if (known := self._senders.get(key)) is None:
            known = self._senders[key] = self._network(target, None, tls)
        return known

    def invoker(self, address: str) -> Invoker:
        """Return the way to a function's version; raises `SettingsError` for another address."""
        from greenroom.plugins.lambda_transport import Invoker  # noqa: PLC0415 - for functions only

        return Invoker(parse_function(address), self._aws, self._elsewhere)

    def sender_at(self, target: str, address: Address, tls: Tls | None = None) -> Sender:
        """Return the way to ``target`` that ends at one ``address`` behind its load balancer.

        Host header and TLS server name stay the target's; the scheme is the address's own, where it
        has one.
        """
        url = httpx.URL(target)
        base = url.copy_with(scheme=address.scheme or url.scheme)
        route = (url.raw_host.decode(), address)
        return self._network(str(base), route, tls)

    def sign(self, request: httpx.Request, how: SigV4, redactor: Redactor) -> None:
        """Sign ``request`` for AWS within the present deadline."""
        with self._lock:
            signer = self._signer
        signer.sign(request, how, redactor)

    def _elsewhere(self, request: httpx.Request) -> httpcore.Response:
        lane = _Lane(None, request.url.scheme, self.tls.elsewhere)
        return self.pool_of(lane).handle_request(_to_httpcore(request))

    def _network(self, base: str, route: Route, tls: Tls | None) -> _Network:
        # What the first request needs is made here, before the clock of a check starts.
        known = (self.tls if tls is None else tls).at(base)
        if route is not None:
            host = route[1].host
            known = known.at(f"https://[{host}]" if ":" in host else f"https://{host}")
        lane = _Lane(route, httpx.URL(base).scheme, known)
        self.pool_of(lane)
        return _Network(base, lane, self)

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()
        if "_aws" in self.__dict__:
            self._aws.close()

    def pool_of(self, lane: _Lane) -> httpcore.ConnectionPool:
        """Return the connections of this kind."""
        if (known := self._pools.get(lane)) is not None:
            return known
        with self._lock:
            return self._pools.setdefault(lane, self._opened(lane))

    def _opened(self, lane: _Lane) -> httpcore.ConnectionPool:
        secure, http2 = lane.scheme == "https", bool(lane.http2)
        return httpcore.ConnectionPool(
            ssl_context=self._context(lane.tls, http2=http2) if secure else None,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=_IDLE_S,
            network_backend=BoundedBackend(lane.route),
            http1=secure or not http2,  # without TLS nothing is negotiated
            http2=http2,
        )

    def _context(self, tls: Tls, *, http2: bool) -> ssl.SSLContext:
        """Return the context made for the first https address: that takes 20 ms.

        One for each version of HTTP, as a connection writes into it what it can speak.
        """
        if (tls, http2) not in self._contexts:
            self._contexts[tls, http2] = tls.context()
        return self._contexts[tls, http2]


class _Lane(NamedTuple):
    """What connections have in common that can serve the same requests.

    ``http2`` is the thread whose they are, 0 for HTTP/1.1: who shares a connection of HTTP/2 waits
    for others' answers beyond his own deadline.
    """

    route: Route
    scheme: str
    tls: Tls
    http2: int = 0


class _Network:
    """The way to a host; ``address`` is where it leads whatever the host's name, or empty."""

    def __init__(self, base: str, lane: _Lane, connections: Connections) -> None:
        self.base = base
        self.address = str(lane.route[1]) if lane.route else ""
        self._host = httpx.URL(base).host
        self._lane = lane
        self._connections = connections

    def send(self, request: httpx.Request) -> httpcore.Response:
        pool = self._connections.pool_of(self._lane_of(request))
        return pool.handle_request(_to_httpcore(request))

    def sign(self, request: httpx.Request, how: SigV4, redactor: Redactor) -> None:
        self._connections.sign(request, how, redactor)

    def shown(self, url: httpx.URL) -> str:
        return str(url)

    def _lane_of(self, request: httpx.Request) -> _Lane:
        lane, sending = self._lane, request.extensions.get(SENDING)
        if request.url.host != self._host:
            lane = lane._replace(tls=lane.tls.elsewhere)
        if request.url.scheme != lane.scheme:
            lane = lane._replace(scheme=request.url.scheme)
        if isinstance(sending, Sending) and sending.http2:
            lane = lane._replace(http2=threading.get_ident())
        return lane


def client(  # noqa: PLR0913 - a target, and what is shared by all
    target: str,
    connections: Connections,
    redactor: Redactor,
    record: Callable[[dict[str, Any]], None],
    limits: Limits | None = None,
    *,
    tls: Tls | None = None,
) -> httpx.Client:
    """Return a client whose relative addresses lie below ``target``; ``tls`` if it has its own.

    A ``timeout=`` given to a request is the whole time for it. Closing the client leaves the shared
    connections open.
    """
    return client_of(connections.sender(target, tls), redactor, record, limits)


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
        headers=_HEADERS,
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
        protocol=response.http_version if "http_version" in response.extensions else "",
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
            trail = follow(request, self._limits.timeout_s)
            with within(trail.total_s, trail.deadline):
                if (how := signature_of(request)) is not None:
                    self._sender.sign(request, how, self._redactor)
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
