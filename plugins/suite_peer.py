"""Reads where a check connects to: ``HOST:PORT``, or ``host`` and ``port`` of a mapping."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from greenroom.plugins.target_settings import Address
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node

PORT_MOST = 65535
_PEER = re.compile(r"(\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:/\[\]@]+))(:(?P<port>[0-9]{1,5}))?")
_HOST = re.compile(r"[^\s:/\[\]@.][^\s:/\[\]@]*")


def read_peer(fields: Fields, node: Node, what: str, port: int | None = None) -> Address:
    """Read ``HOST:PORT``, which may hold variables; ``port`` is meant where none is given."""
    text = fields.filled(node, what)
    found = _PEER.fullmatch(text)
    given = port if found is None or found["port"] is None else int(found["port"])
    if found is None or given is None or not 1 <= given <= PORT_MOST:
        raise fields.error(
            node.place, f"{what} must be HOST:PORT", "for example 10.0.0.7:5432, or [::1]:5432"
        )
    host = found["host"] or found["six"]
    if not is_address(host) and not _is_name(host):
        raise fields.error(node.place, f"{what}: {host!r} is no name and no address")
    return Address(host, given)


def read_host(fields: Fields, node: Node, what: str) -> str:
    """Read a host's name or address alone, which may hold variables."""
    text = fields.filled(node, what)
    if not is_address(text) and not _is_name(text):
        raise fields.error(node.place, f"{what} must be a name or an address", "without a port")
    return text


def read_port(fields: Fields, entry: Entry | None, default: int = 0) -> int:
    """Read a port, or return the ``default``."""
    if entry is None:
        return default
    return fields.whole(entry.value, "port", 1, PORT_MOST)


def is_address(host: str) -> bool:
    """Tell whether ``host`` is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return _HOST.fullmatch(host) is not None


def peer_of(target: str, default: int) -> Address:
    """Return where a target's URL leads; raises `SettingsError` for a function's version."""
    url = urlsplit(target)
    if url.hostname is None or url.scheme not in {"http", "https"}:
        raise SettingsError(
            f"the target {target} has no host to connect to", hint="give the check a host"
        )
    return Address(url.hostname, url.port or default)
