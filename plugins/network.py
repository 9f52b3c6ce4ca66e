"""Network connections that keep one deadline for everything done on them.

httpx's own time-outs start anew at each read, so that a server which drips a byte now and then
is waited for without end. Here each name look-up, connect, handshake, write and read gets only
what is left of the deadline that `within` has set for the present request.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore

from greenroom.validators.threshold import show

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    from greenroom.plugins.target_settings import Address

Result = TypeVar("Result")

_WRITE_SIZE = 16 * 1024
_DEADLINE: ContextVar[float] = ContextVar("deadline")
_TOTAL: ContextVar[float] = ContextVar("total")


@contextmanager
def within(seconds: float, deadline: float) -> Iterator[None]:
    """Hold everything done on the network in this block to ``deadline`` (of `time.monotonic`).

    ``seconds`` is the whole time that was given, for the message.
    """
    end, total = _DEADLINE.set(deadline), _TOTAL.set(seconds)
    try:
        yield
    finally:
        _DEADLINE.reset(end)
        _TOTAL.reset(total)


@contextmanager
def _time_left(error: type[httpcore.TimeoutException]) -> Iterator[float]:
    """Give the seconds left; a time-out, or none left, raises ``error`` and says the whole time."""
    left = _DEADLINE.get() - time.monotonic()
    if left <= 0:
        raise error(_late())
    try:
        yield left
    except httpcore.TimeoutException as late:
        raise error(_late()) from late


def _late() -> str:
    return f"no complete answer within {show(_TOTAL.get(), 's')}"


class BoundedBackend(httpcore.NetworkBackend):
    """Opens TCP connections within the present deadline; any address of a name may answer.

    ``route`` leads one host's connections, to whatever port, to an address of their own.
    """

    def __init__(self, route: tuple[str, Address] | None = None) -> None:
        self._inner = httpcore.SyncBackend()
        self._route = route

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline takes its place
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the addresses of ``host`` in turn, each for a fair share of the time left."""
        if self._route is not None and host == self._route[0]:
            host, port = self._route[1].host, self._route[1].port
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        addresses = _addresses(host, port)
        for tried, address in enumerate(addresses):
            try:
                with _time_left(httpcore.ConnectTimeout) as left:
                    share = left / (len(addresses) - tried)
                    stream = self._inner.connect_tcp(
                        address, port, share, local_address, socket_options
                    )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _BoundedStream(stream)
        raise failure


def close_after(answer: httpcore.Response) -> None:
    """Have the connection of ``answer``, which was read in full, not used again if more came.

    Whatever a server sent behind its answer (a body of a 204, a second answer) would be taken for
    the answer to the next request. Only HTTP/1.1's own buffer knows, and httpcore does not tell.
    """
    stream = answer.extensions.get("network_stream")
    connection = getattr(getattr(answer.stream, "_stream", None), "_connection", None)
    state = getattr(connection, "_h11_state", None)
    if isinstance(stream, _BoundedStream) and state is not None and state.trailing_data[0]:
        stream.spoilt = True


class _BoundedStream(httpcore.NetworkStream):
    """A connection whose file descriptor is nobody else's as long as somebody works with it.

    httpcore takes a connection that it has just given to one thread for idle until that thread
    sends, and may have another one close it meanwhile, because it is too old or the server has
    closed it. The system gives its descriptor to the next connection, whose answer would be read.
    """

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self._busy = self._closed = self._asked = False
        self.spoilt = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        with self._held(httpcore.ReadError), _time_left(httpcore.ReadTimeout) as left:
            self._asked = False
            return self._inner.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        # Of a request of which nothing was sent the pool tries another connection.
        closed = httpcore.WriteError if self._asked else httpcore.ConnectionNotAvailable
        with self._held(closed):
            self._asked = True
            for start in range(0, len(buffer), _WRITE_SIZE):
                with _time_left(httpcore.WriteTimeout) as left:
                    self._inner.write(buffer[start : start + _WRITE_SIZE], left)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._busy:  # who works with it wakes, and closes it
                with suppress(OSError):
                    self._inner.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
                return
        self._inner.close()

    @contextmanager
    def _held(self, closed: type[Exception]) -> Iterator[None]:
        """Keep the descriptor open in this block; ``closed`` is raised where it is already."""
        with self._lock:
            if self._closed:
                raise closed("the connection was closed meanwhile")
            self._busy = True
        try:
            yield
        finally:
            with self._lock:
                self._busy = False
                closing = self._closed
            if closing:
                self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        with _time_left(httpcore.ConnectTimeout) as left:
            return _BoundedStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        if info == "is_readable" and self.spoilt:
            return True  # what is readable between two answers is not used again
        return self._inner.get_extra_info(info)


def _addresses(host: str, port: int) -> list[str]:
    """Return the IP addresses of ``host``; the system's resolver has no deadline of its own."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        return in_time(lambda: _resolved(host, port), httpcore.ConnectTimeout)
    except (OSError, UnicodeError) as error:
        # Raised within its handler: the pool forgets causes, and keeps contexts.
        raise httpcore.ConnectError(str(error)) from error


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def in_time(work: Callable[[], Result], late: type[httpcore.TimeoutException]) -> Result:
    """Return or raise what ``work`` does in a thread of its own: it knows no deadline.

    At the present deadline ``late`` is raised, and the thread is left to itself.
    """
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    with _time_left(late) as left:
        if not wait([outcome], timeout=left).done:
            raise late("not done in time")
    return outcome.result()
