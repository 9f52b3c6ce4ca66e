"""Connections of checks that speak below HTTP: one deadline holds for everything done on them."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpcore

from greenroom.plugins.network import BoundedBackend, within
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.target_settings import Address

_LEAST_S = 0.001
BROKEN = (httpcore.NetworkError, httpcore.TimeoutException)
"""What the stream of `dialled` raises."""


@contextmanager
def dialled(peer: Address, until: float) -> Iterator[httpcore.NetworkStream]:
    """Give a connection to ``peer`` that is held to ``until`` (of `time.monotonic`), then close it.

    Raises `ServiceError` where no connection is accepted.
    """
    left = max(until - time.monotonic(), _LEAST_S)
    with within(left, until):
        try:
            stream = BoundedBackend().connect_tcp(peer.host, peer.port)
        except BROKEN as error:
            raise ServiceError(
                f"{peer} accepts no connection: {why(error)}",
                hint="is it started, and may it be reached from here?",
            ) from error
        try:
            yield stream
        finally:
            stream.close()


def why(error: BaseException) -> str:
    """Say in a few words why a connection was not made, or broke."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return (seen.reason or str(seen)).replace("_", " ").lower()
        if isinstance(seen, socket.gaierror):
            return f"its name is not resolved: {seen.strerror}"
        if isinstance(seen, OSError) and not isinstance(seen, TimeoutError):
            return seen.strerror or str(seen)
        seen = seen.__cause__ or seen.__context__
    return str(error) or type(error).__name__
