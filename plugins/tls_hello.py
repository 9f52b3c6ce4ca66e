"""Greets a TLS server, by the first message of a handshake alone, and reads what it goes on with.

The TLS library of this machine may be unable, or forbidden by its settings, to speak old versions
and weak ciphers; a check that a server refuses them has to offer them all the same. Messages as in
RFC 5246 and RFC 6101; the server's first record answers: a ServerHello or an alert.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, NamedTuple

import httpcore

from greenroom.plugins.dial import BROKEN, dialled, why
from greenroom.plugins.peers import is_address
from greenroom.validators.errors import ServiceError
from greenroom.validators.tls import Protocol, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.plugins.target_settings import Address

_NUMBERS = {
    Protocol.SSL3: 0x0300,
    Protocol.TLS1: 0x0301,
    Protocol.TLS1_1: 0x0302,
    Protocol.TLS1_2: 0x0303,
}
OFFERED = tuple(_NUMBERS)
"""The versions that can be offered."""
USUAL = (
    *(0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0x009E, 0x009F, 0x009C, 0x009D),
    *(0xC023, 0xC027, 0xC024, 0xC028, 0x0067, 0x006B, 0x003C, 0x003D),
    *(0xC009, 0xC013, 0xC00A, 0xC014, 0x0033, 0x0039, 0x002F, 0x0035, 0x0041, 0x0084),
    *(0xC008, 0xC012, 0x0016, 0x000A, 0xC007, 0xC011, 0x0005, 0x0004),
)
"""Of each kind of key exchange, certificate and cipher that servers use, the old ones included."""
WEAK = {
    **dict.fromkeys((0x0001, 0x0002, 0x003B, 0xC001, 0xC006, 0xC00B, 0xC010, 0xC015), "NULL"),
    **dict.fromkeys((0x0018, 0x001B, 0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7), "anonymous"),
    **dict.fromkeys((0xC016, 0xC017, 0xC018, 0xC019), "anonymous"),
    **dict.fromkeys((0x0003, 0x0006, 0x0008, 0x000E, 0x0014, 0x0017, 0x0019), "export"),
    **dict.fromkeys((0x0004, 0x0005, 0xC002, 0xC007, 0xC00C, 0xC011), "RC4"),
    **dict.fromkeys((0x0009, 0x000C, 0x0012, 0x0015, 0x001A), "DES"),
    **dict.fromkeys((0x000A, 0x000D, 0x0010, 0x0013, 0x0016, 0xC003, 0xC008, 0xC00D), "3DES"),
    0xC012: "3DES",
}
"""Weak ciphers by their number in IANA's registry."""
_RENEGOTIATION = 0x00FF
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019)
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601)
_OLD_SIGNATURES = (0x0203, 0x0201)
_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO = 2
_HEAD = 5
_HELLO_HEAD = 6
_HELLO_MOST = 4096
_SESSION_AT = 38
_ALERT_SIZE = 2
_REFUSALS = {40: "handshake failure", 70: "protocol version", 71: "insufficient security"}
"""The alerts that refuse what was offered; any other is about something else."""
_HINT = "is it a server of TLS, and does it answer others?"


class Chosen(NamedTuple):
    """What a server goes on with: a version, and the number of a cipher."""

    version: Protocol | None
    cipher: int


def offered(peer: Address, name: str, protocol: Protocol, until: float) -> Seen:
    """Offer ``protocol`` to ``peer`` and return whether it was refused, and how.

    A server that closes the connection upon the offer refuses it. One that says nothing in time, or
    what no server of TLS says, was not observed.
    """
    try:
        answer = _greeted(peer, name, protocol, USUAL, until)
    except ServiceError as error:
        return Seen(met=None, said=f"not observed: {error}")
    if isinstance(answer, str):
        return Seen(met=True, said=f"refused: {answer}")
    number = _version(answer)
    if number == _NUMBERS[protocol]:
        return Seen(met=False, said="accepted")
    return Seen(met=True, said=f"refused: another version was chosen ({number:#06x})")


def greet(peer: Address, protocol: Protocol, ciphers: Iterable[int], until: float) -> Chosen | None:
    """Return what ``peer`` chooses of ``protocol`` and ``ciphers``, or None where it refuses.

    Raises `ServiceError` where it neither chooses nor refuses.
    """
    hello = _greeted(peer, peer.host, protocol, ciphers, until)
    if isinstance(hello, str):
        return None
    try:
        (cipher,) = struct.unpack_from("!H", hello, _SESSION_AT + 1 + hello[_SESSION_AT])
    except (struct.error, IndexError) as error:
        raise ServiceError(f"the ServerHello of {peer} is cut short", hint=_HINT) from error
    known = {number: version for version, number in _NUMBERS.items()}
    return Chosen(known.get(_version(hello)), cipher)


def _greeted(
    peer: Address, name: str, protocol: Protocol, ciphers: Iterable[int], until: float
) -> bytes | str:
    """Return the ServerHello as far as it came, or how the server refuses, in words."""
    try:
        with dialled(peer, until) as stream:
            stream.write(client_hello(name, protocol, ciphers))
            kind, record = _record(stream)
    except httpcore.ReadError as error:
        return why(error)
    except BROKEN as error:
        raise ServiceError(why(error), hint=_HINT) from error
    if kind == 0:
        return "the connection was closed"
    if kind == _ALERT and len(record) == _ALERT_SIZE:
        if (said := _REFUSALS.get(record[1])) is not None:
            return said
        raise ServiceError(f"alert {record[1]}", hint=_HINT)
    if kind == _HANDSHAKE and len(record) >= _HELLO_HEAD and record[0] == _SERVER_HELLO:
        return record
    raise ServiceError("the answer is none of TLS", hint=_HINT)


def _version(hello: bytes) -> int:
    return int.from_bytes(hello[4:_HELLO_HEAD], "big")


def _record(stream: httpcore.NetworkStream) -> tuple[int, bytes]:
    """Return kind and content of the first record, as far as it came; kind 0 if none did."""
    head = _exactly(stream, _HEAD)
    if len(head) < _HEAD:
        return (0, b"") if not head else (-1, b"")
    size = int.from_bytes(head[3:], "big")
    return head[0], _exactly(stream, min(size, _HELLO_MOST))


def _exactly(stream: httpcore.NetworkStream, size: int) -> bytes:
    found = b""
    while len(found) < size and (step := stream.read(size - len(found))):
        found += step
    return found


def client_hello(name: str, protocol: Protocol, ciphers: Iterable[int]) -> bytes:
    """Return a ClientHello in its record; an address is no name that is sent (RFC 6066)."""
    number = _NUMBERS[protocol]
    body = struct.pack("!H", number) + os.urandom(32) + b"\0"
    body += _listed((*ciphers, _RENEGOTIATION)) + b"\1\0"
    if protocol is not Protocol.SSL3:
        extensions = b"".join(_extensions(number, name))
        body += struct.pack("!H", len(extensions)) + extensions
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return struct.pack("!BHH", _HANDSHAKE, min(number, 0x0301), len(message)) + message


def _extensions(number: int, name: str) -> list[bytes]:
    made = [_extension(10, _listed(_GROUPS)), _extension(11, b"\1\0")]
    if number >= _NUMBERS[Protocol.TLS1_2]:
        made.append(_extension(13, _listed((*_SIGNATURES, *_OLD_SIGNATURES))))
    if not is_address(name):
        host = name.encode("idna")
        made.insert(0, _extension(0, struct.pack("!HBH", len(host) + 3, 0, len(host)) + host))
    return made


def _extension(number: int, content: bytes) -> bytes:
    return struct.pack("!HH", number, len(content)) + content


def _listed(numbers: tuple[int, ...]) -> bytes:
    return struct.pack(f"!H{len(numbers)}H", 2 * len(numbers), *numbers)
