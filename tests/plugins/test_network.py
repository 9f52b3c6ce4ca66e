"""A connection that another thread closes: nobody reads what is meant for the next one."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpcore
import pytest

from greenroom.plugins.network import BoundedBackend, within

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def connected() -> Iterator[tuple[httpcore.NetworkStream, socket.socket]]:
    """Give a connection and its other end, with five seconds for everything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with within(5.0, time.monotonic() + 5.0):
            stream = BoundedBackend().connect_tcp("127.0.0.1", listener.getsockname()[1])
            other, _ = listener.accept()
            with other:
                yield stream, other
        stream.close()


def test_who_reads_sees_the_end_and_keeps_the_descriptor_until_then() -> None:
    with connected() as (stream, other):
        seen: list[bytes] = []
        own = stream.get_extra_info("socket")

        def read() -> None:
            with within(5.0, time.monotonic() + 5.0):
                seen.append(stream.read(10))

        reader = threading.Thread(target=read)
        reader.start()
        while not getattr(stream, "_busy"):  # noqa: B009 - private: the moment that counts
            time.sleep(0.001)
        stream.close()
        reader.join(5.0)
        assert seen == [b""]
        assert own.fileno() == -1
        assert other.recv(1) == b""


def test_a_request_of_which_nothing_was_sent_goes_by_another_connection() -> None:
    with connected() as (stream, _):
        stream.close()
        with pytest.raises(httpcore.ConnectionNotAvailable):
            stream.write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(httpcore.ReadError, match="closed meanwhile"):
            stream.read(1)


def test_a_request_that_was_sent_is_not_sent_again() -> None:
    with connected() as (stream, other):
        stream.write(b"POST / HTTP/1.1\r\n\r\n")
        assert other.recv(100) == b"POST / HTTP/1.1\r\n\r\n"
        stream.close()
        with pytest.raises(httpcore.WriteError, match="closed meanwhile"):
            stream.write(b"")


def test_an_answer_that_was_read_ends_a_request() -> None:
    with connected() as (stream, other):
        stream.write(b"GET / HTTP/1.1\r\n\r\n")
        other.sendall(b"x")
        assert stream.read(1) == b"x"
        stream.close()
        with pytest.raises(httpcore.ConnectionNotAvailable):
            stream.write(b"GET / HTTP/1.1\r\n\r\n")
