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
from contextlib import contextmanager
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


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        with _time_left(httpcore.ReadTimeout) as left:
            return self._inner.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        for start in range(0, len(buffer), _WRITE_SIZE):
            with _time_left(httpcore.WriteTimeout) as left:
                self._inner.write(buffer[start : start + _WRITE_SIZE], left)

    def close(self) -> None:
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
