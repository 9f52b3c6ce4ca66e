"""Why a request got no complete answer: errors of the client, and what to do about each."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import httpcore
import httpx

from greenroom.validators.http import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAPPED: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}
"""httpx's own name for each error of the connections below it."""


class BodyTooLargeError(httpx.ReadError):
    """The response's body is longer than the limit."""


class UnsafeRedirectError(httpx.RequestError):
    """A redirect would have sent the request's body to another host."""


class ExplainedError(httpx.TransportError):
    """A request without an answer; ``failure`` says why and what to do."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class InvocationError(ExplainedError):
    """A function's version was not invoked, or gave no answer that stands for one of HTTP.

    It is worth another try only where nothing was invoked.
    """


class SigningError(ExplainedError):
    """A request was not sent, as it could not be signed."""


def failure_of(error: Exception) -> Failure:
    """Say why a request got no complete answer, and what to do about it."""
    if isinstance(error, ExplainedError):
        return error.failure
    reason, advice, retry = next(
        (reason, advice, retry) for known, reason, advice, retry in _FAILURES if known(error)
    )
    detail = str(error) or type(error).__name__
    return Failure(f"{reason}: {detail}" if reason else detail, advice, retry=retry)


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _caused_by(*kinds: type[BaseException]) -> Callable[[Exception], bool]:
    return lambda error: any(isinstance(cause, kinds) for cause in _causes(error))


def _is_a(*kinds: type[BaseException]) -> Callable[[Exception], bool]:
    return lambda error: isinstance(error, kinds)


_UP = "check that the target is right, that the service runs, and that this machine may reach it"
_FAILURES: tuple[tuple[Callable[[Exception], bool], str, str, bool], ...] = (
    (
        _caused_by(ConnectionRefusedError),
        "connection refused",
        f"nothing listens there: {_UP}",
        True,
    ),
    (_caused_by(socket.gaierror), "name not resolved", "check the host name in the target", True),
    (
        _caused_by(ssl.SSLError),
        "TLS failed",
        "check the certificate and the scheme; `tls: {ca: …}` names a private authority's file",
        False,
    ),
    (_is_a(httpx.ConnectTimeout), "connection timed out", _UP, True),
    (_is_a(httpx.ConnectError), "no connection", _UP, True),
    (
        _is_a(httpx.TimeoutException),
        "timed out",
        "look at the service's log for this request; if it may be this slow, raise `timeout`",
        False,
    ),
    (
        _is_a(BodyTooLargeError),
        "answer too large",
        "if the service may answer this much, raise `max_body`",
        False,
    ),
    (
        _is_a(httpx.DecodingError),
        "answer cannot be decompressed",
        "look at the service or a proxy: content-encoding must fit the body and what was asked for",
        False,
    ),
    (
        _is_a(httpx.RemoteProtocolError),
        "answer is not valid HTTP",
        "the service or a proxy closed the connection early, or speaks another version of HTTP",
        False,
    ),
    (
        _is_a(httpx.ReadError, httpx.WriteError, httpx.NetworkError),
        "connection broke",
        "the service or a proxy dropped the connection: look at its log for a crash",
        False,
    ),
    (
        _is_a(UnsafeRedirectError, httpx.TooManyRedirects),
        "redirect not followed",
        "request the final address itself",
        False,
    ),
    (
        _is_a(httpx.InvalidURL, httpx.LocalProtocolError, httpx.UnsupportedProtocol),
        "request not sent",
        "correct the request: its address, method or headers are not valid HTTP",
        False,
    ),
    (_is_a(Exception), "request failed", _UP, False),
)
"""The first line whose test holds explains the error: reason, advice, worth another try."""
