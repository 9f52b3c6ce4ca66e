"""Greets a TLS server in versions and ciphers that this machine's own TLS library may not speak.

Only a ClientHello is sent and the head of the ServerHello read (RFC 5246, RFC 4346, RFC 2246):
enough to see what the server would go on with, and nothing is ever encrypted.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TLS_1_0, TLS_1_1, TLS_1_2 = 0x0301, 0x0302, 0x0303
USUAL = (
    *(0xC013, 0xC014, 0xC009, 0xC00A, 0x002F, 0x0035, 0x0033, 0x0039, 0x000A, 0xC012),
    *(0x0016, 0x0005, 0x0004, 0x0041, 0x0084),
)
"""Ciphers that servers of TLS 1.0 and 1.1 have."""
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
_HANDSHAKE, _ALERT, _SERVER_HELLO = 22, 21, 2
_MOST = 4096
_RECORD = struct.Struct("!BHH")
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019)
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0201)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a server goes on with."""

    version: int
    cipher: int


def greet(
    address: tuple[str, int], version: int, ciphers: Iterable[int], seconds: float
) -> Chosen | None:
    """Return what the server at ``address`` chooses, or None where it refuses.

    Raises `OSError` where it neither chooses nor refuses in time, or speaks no TLS.
    """
    until = time.monotonic() + seconds
    with socket.create_connection(address, seconds) as connection:
        connection.sendall(client_hello(address[0], version, ciphers))
        try:
            kind, _, size = _RECORD.unpack(_exactly(connection, _RECORD.size, until))
            if kind not in {_HANDSHAKE, _ALERT}:
                raise OSError("it does not speak TLS")
            content = _exactly(connection, min(size, _MOST), until)
        except (EOFError, ConnectionError):
            return None
    if kind == _ALERT:
        return None
    if content[:1] != bytes((_SERVER_HELLO,)):
        raise OSError("it does not answer a greeting of TLS")
    return chosen(content)


def chosen(hello: bytes) -> Chosen:
    """Read a ServerHello; raises `OSError` where it is none."""
    try:
        (version,) = struct.unpack_from("!H", hello, 4)
        (cipher,) = struct.unpack_from("!H", hello, 39 + hello[38])
    except (struct.error, IndexError) as error:
        raise OSError("its ServerHello is cut short") from error
    return Chosen(version, cipher)


def client_hello(host: str, version: int, ciphers: Iterable[int]) -> bytes:
    """Return the record that asks for ``version`` with one of ``ciphers``."""
    suites = _numbers(ciphers)
    extensions = b"".join(
        (
            _server_name(host),
            _extension(0x000A, _prefixed(_numbers(_GROUPS))),
            _extension(0x000B, b"\x01\x00"),
            _extension(0x000D, _prefixed(_numbers(_SIGNATURES))) if version == TLS_1_2 else b"",
            _extension(0xFF01, b"\x00"),
        )
    )
    body = b"".join(
        (
            struct.pack("!H", version),
            secrets.token_bytes(32),
            b"\x00",
            _prefixed(suites),
            b"\x01\x00",
            _prefixed(extensions),
        )
    )
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return _RECORD.pack(_HANDSHAKE, TLS_1_0, len(message)) + message


def _server_name(host: str) -> bytes:
    """Return the name that is meant; an address has none (RFC 6066)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _extension(0x0000, _prefixed(b"\x00" + _prefixed(host.encode("idna"))))
    return b""


def _extension(number: int, content: bytes) -> bytes:
    return struct.pack("!H", number) + _prefixed(content)


def _prefixed(content: bytes) -> bytes:
    return struct.pack("!H", len(content)) + content


def _numbers(numbers: Iterable[int]) -> bytes:
    return b"".join(struct.pack("!H", number) for number in numbers)


def _exactly(connection: socket.socket, size: int, until: float) -> bytes:
    content = b""
    while len(content) < size:
        if (left := until - time.monotonic()) <= 0:
            raise TimeoutError("it neither chose nor refused in time")
        connection.settimeout(left)
        if not (more := connection.recv(size - len(content))):
            raise EOFError
        content += more
    return content
