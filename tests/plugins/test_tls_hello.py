"""A greeting says what a TLS server would go on with, whatever this machine's library speaks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from greenroom.plugins.target_settings import Address
from greenroom.plugins.tls_hello import WEAK, Chosen, client_hello, greet
from greenroom.validators.errors import ServiceError
from greenroom.validators.tls import Protocol
from tests.support.servers import closes, hostile, not_http, silent

if TYPE_CHECKING:
    import socket
    import threading

    from tests.support.servers import Behaviour

HELLO = b"\x02\x00\x00\x46\x03\x01" + bytes(32) + b"\x02ab\x00\x0a\x00"


def sends(content: bytes, kind: int = 22) -> Behaviour:
    def behave(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(bytes((kind, 3, 1)) + len(content).to_bytes(2, "big") + content)

    return behave


def drips(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"\x16\x03\x01\x10\x00")
    while not over.wait(0.02):
        connection.sendall(b"\x02")


def greeted(behave: Behaviour) -> Chosen | None:
    with hostile(behave) as url:
        port = urlsplit(url).port or 0
        return greet(Address("127.0.0.1", port), Protocol.TLS1, WEAK, time.monotonic() + 0.3)


@pytest.mark.parametrize("behave", [closes, sends(b"\x02\x46", 21)], ids=["closes", "alert"])
def test_a_server_that_does_not_go_on_refuses(behave: Behaviour) -> None:
    assert greeted(behave) is None


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (silent, "no complete answer within 0.3 s"),
        (drips, "no complete answer within 0.3 s"),
        (not_http, "the answer is none of TLS"),
        (sends(b"\x0b"), "the answer is none of TLS"),
        (sends(b"\x02\x70", 21), "alert 112"),
        (sends(HELLO[:20]), "cut short"),
        (sends(HELLO[:40]), "cut short"),
    ],
    ids=["silent", "drips", "no-tls", "other-message", "other-alert", "cut", "cut-at-cipher"],
)
def test_a_server_that_does_neither_was_not_observed(behave: Behaviour, said: str) -> None:
    with pytest.raises(ServiceError, match=said):
        greeted(behave)


def test_what_a_server_chooses_is_read() -> None:
    assert greeted(sends(HELLO)) == Chosen(Protocol.TLS1, 0x000A)


def test_a_name_is_sent_and_an_address_is_not() -> None:
    assert b"shop.example.com" in client_hello("shop.example.com", Protocol.TLS1_2, WEAK)
    assert b"127.0.0.1" not in client_hello("127.0.0.1", Protocol.TLS1_2, WEAK)
