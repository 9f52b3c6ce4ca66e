"""Names and addresses of the hosts that checks connect to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from greenroom.plugins.target_settings import Address
from greenroom.validators.errors import SettingsError

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
