"""Names and addresses of the hosts that checks connect to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from greenroom.plugins.target_settings import Address
from greenroom.validators.errors import SettingsError

PORT_MOST = 65535
_PEER = re.compile(r"(\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:/\[\]@]+))(:(?P<port>[0-9]{1,5}))?")
_HOST = re.compile(r"[^\s:/\[\]@.][^\s:/\[\]@]*")


def is_address(host: str) -> bool:
    """Tell whether ``host`` is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_host(text: str) -> bool:
    """Tell whether ``text`` can be a host: an IP address, or a name that resolvers take."""
    if is_address(text):
        return True
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return _HOST.fullmatch(text) is not None


def parse_peer(text: str, port: int | None = None) -> Address:
    """Read ``HOST:PORT``; ``port`` is meant where none is given. Raises `SettingsError`."""
    found = _PEER.fullmatch(text)
    host = "" if found is None else found["host"] or found["six"]
    given = port if found is None or found["port"] is None else int(found["port"])
    if not is_host(host) or given is None or not 1 <= given <= PORT_MOST:
        raise SettingsError(
            f"{text!r} is not HOST:PORT", hint="for example 10.0.0.7:5432, or [::1]:5432"
        )
    return Address(host, given)


def peer_of(target: str, default: int) -> Address:
    """Return where a target's URL leads, by ``default`` to that port.

    Raises `SettingsError` for a function's version.
    """
    url = urlsplit(target)
    if url.hostname is None or url.scheme not in {"http", "https"}:
        raise SettingsError(
            f"the target {target} has no host to connect to", hint="give the check a host"
        )
    return Address(url.hostname, url.port or default)
