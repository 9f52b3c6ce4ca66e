"""Offers one version of TLS to a server, by the first message of a handshake alone.

The TLS library of this machine may be unable, or forbidden by its settings, to speak old versions;
a check that a server refuses them has to offer them all the same. Messages as in RFC 5246 and
RFC 6101; the server's first record answers: a ServerHello of that version, or an alert.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import httpcore

from greenroom.plugins.dial import BROKEN, dialled, why
from greenroom.plugins.peers import is_address
from greenroom.validators.errors import ServiceError
from greenroom.validators.tls import Protocol, Seen

if TYPE_CHECKING:
    from greenroom.plugins.target_settings import Address

_NUMBERS = {
    Protocol.SSL3: 0x0300,
    Protocol.TLS1: 0x0301,
    Protocol.TLS1_1: 0x0302,
    Protocol.TLS1_2: 0x0303,
}
OFFERED = tuple(_NUMBERS)
"""The versions that can be offered."""
_SUITES = (
    *(0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0x009E, 0x009F, 0x009C, 0x009D),
    *(0xC023, 0xC027, 0xC024, 0xC028, 0x0067, 0x006B, 0x003C, 0x003D),
    *(0xC009, 0xC013, 0xC00A, 0xC014, 0x0033, 0x0039, 0x002F, 0x0035),
    *(0xC008, 0xC012, 0x0016, 0x000A, 0xC007, 0xC011, 0x0005, 0x0004, 0x00FF),
)
"""Of each kind of key exchange, certificate and cipher that servers use, the old ones included."""
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019)
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601)
_OLD_SIGNATURES = (0x0203, 0x0201)
_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO = 2
_HEAD = 5
_HELLO_HEAD = 6
_ALERT_SIZE = 2
_REFUSALS = {40: "handshake failure", 70: "protocol version", 71: "insufficient security"}
"""The alerts that refuse what was offered; any other is about something else."""


def offered(peer: Address, name: str, protocol: Protocol, until: float) -> Seen:
    """Offer ``protocol`` to ``peer`` and return whether it was refused, and how.

    A server that closes the connection upon the offer refuses it. One that says nothing in time, or
    what no server of TLS says, was not observed.
    """
    try:
        with dialled(peer, until) as stream:
            stream.write(_hello(_NUMBERS[protocol], name))
            kind, record = _record(stream)
    except httpcore.ReadError as error:
        return Seen(met=True, said=f"refused: {why(error)}")
    except (*BROKEN, ServiceError) as error:
        return Seen(met=None, said=f"not observed: {why(error)}")
    return _judged(_NUMBERS[protocol], kind, record)


def _judged(number: int, kind: int, record: bytes) -> Seen:
    if kind == 0:
        return Seen(met=True, said="refused: the connection was closed")
    if kind == _ALERT and len(record) == _ALERT_SIZE:
        said = _REFUSALS.get(record[1])
        if said is not None:
            return Seen(met=True, said=f"refused: {said}")
        return Seen(met=None, said=f"not observed: alert {record[1]}")
    if kind == _HANDSHAKE and len(record) >= _HELLO_HEAD and record[0] == _SERVER_HELLO:
        chosen = int.from_bytes(record[4:6], "big")
        if chosen == number:
            return Seen(met=False, said="accepted")
        return Seen(met=True, said=f"refused: another version was chosen ({chosen:#06x})")
    return Seen(met=None, said="not observed: the answer is none of TLS")


def _record(stream: httpcore.NetworkStream) -> tuple[int, bytes]:
    """Return kind and content of the first record, as far as it decides; kind 0 if none came."""
    head = _exactly(stream, _HEAD)
    if len(head) < _HEAD:
        return (0, b"") if not head else (-1, b"")
    size = int.from_bytes(head[3:], "big")
    return head[0], _exactly(stream, min(size, _HELLO_HEAD))


def _exactly(stream: httpcore.NetworkStream, size: int) -> bytes:
    found = b""
    while len(found) < size and (step := stream.read(size - len(found))):
        found += step
    return found


def _hello(number: int, name: str) -> bytes:
    """Return a ClientHello in its record."""
    body = struct.pack("!H", number) + os.urandom(32) + b"\0"
    body += _listed(_SUITES) + b"\1\0"
    if number > _NUMBERS[Protocol.SSL3]:
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
