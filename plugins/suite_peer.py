"""Reads where a check connects to: ``HOST:PORT``, or ``host`` and ``port`` of a mapping."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greenroom.plugins.peers import is_host
from greenroom.plugins.target_settings import Address

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node

PORT_MOST = 65535
_PEER = re.compile(r"(\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:/\[\]@]+))(:(?P<port>[0-9]{1,5}))?")


def read_peer(fields: Fields, node: Node, what: str, port: int | None = None) -> Address:
    """Read ``HOST:PORT``, which may hold variables; ``port`` is meant where none is given."""
    found = _PEER.fullmatch(fields.filled(node, what))
    host = "" if found is None else found["host"] or found["six"]
    given = port if found is None or found["port"] is None else int(found["port"])
    if not is_host(host) or given is None or not 1 <= given <= PORT_MOST:
        raise fields.error(
            node.place, f"{what} must be HOST:PORT", "for example 10.0.0.7:5432, or [::1]:5432"
        )
    return Address(host, given)


def read_host(fields: Fields, node: Node, what: str) -> str:
    """Read a host's name or address alone, which may hold variables."""
    text = fields.filled(node, what)
    if not is_host(text):
        raise fields.error(node.place, f"{what} must be a name or an address", "without a port")
    return text


def read_port(fields: Fields, entry: Entry | None, default: int = 0) -> int:
    """Read a port, or return the ``default``."""
    if entry is None:
        return default
    return fields.whole(entry.value, "port", 1, PORT_MOST)
