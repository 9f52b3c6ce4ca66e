"""Reads where a check connects to: ``HOST:PORT``, or ``host`` and ``port`` of a mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.peers import PORT_MOST, is_host, parse_peer
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node
    from greenroom.plugins.target_settings import Address


def read_peer(fields: Fields, node: Node, what: str, port: int | None = None) -> Address:
    """Read ``HOST:PORT``, which may hold variables; ``port`` is meant where none is given."""
    text = fields.filled(node, what)
    try:
        return parse_peer(text, port)
    except SettingsError as error:
        raise fields.error(node.place, f"{what} must be HOST:PORT", error.hint) from None


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
