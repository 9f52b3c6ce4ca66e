"""Which addresses may be loaded or attacked: this machine, and those that the settings name.

::

    [allow]
    load = ["https://green.test.example.com"]
    security = ["https://green.test.example.com", "https://*.staging.example.com:8443"]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOST = r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-][A-Za-z0-9._-]*"
_ORIGIN = re.compile(rf"https?://([a-z0-9*._-]*\*\.)?({_HOST})(:[0-9]{{1,5}})?", re.IGNORECASE)
"""An origin; a ``*`` stands before a domain, as it matches dots, too: ``a*`` would match any."""
_PLAIN = re.compile(rf"https?://({_HOST})(:[0-9]{{1,5}})?")
_PORTS = {"http": 80, "https": 443}


class Traffic(StrEnum):
    """What more than ordinary requests may do to a service."""

    LOAD = "load"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The origins that the settings allow, as patterns: ``https://*.example.com:8443``."""

    load: tuple[str, ...] = ()
    security: tuple[str, ...] = ()

    def require(self, traffic: Traffic, address: str) -> None:
        """Raise `SettingsError` unless ``address`` (a URL) may be sent such traffic."""
        if (scheme := urlsplit(address).scheme.lower()) not in _PORTS:
            raise SettingsError(
                f"{scheme}:// is no target for {traffic.value} checks",
                hint="give one of http(s)://",
            )
        origin = origin_of(address)
        patterns = self.load if traffic is Traffic.LOAD else self.security
        named = any(fnmatchcase(origin, _pattern(one)) for one in patterns)
        if is_here(address) or (named and _PLAIN.fullmatch(origin)):
            return
        raise SettingsError(
            f"{origin} is not marked as a target that {traffic.value} checks may be sent to",
            hint=f'if it may be, and is no production: [allow] {traffic.value} = ["{origin}"]',
        )


def origin_of(address: str) -> str:
    """Return scheme, host and port of a URL in lower case; the port is left out where usual."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2].lower()
    usual = f":{_PORTS.get(parts.scheme.lower())}"
    return f"{parts.scheme.lower()}://{host.removesuffix(usual)}"


def read_allowed(table: Mapping[str, Any], where: str) -> Allowed:
    """Read ``[allow]``; raises `SettingsError`."""
    names = [traffic.value for traffic in Traffic]
    if unknown := sorted(set(table) - set(names)):
        hint = f"known keys: {', '.join(names)}"
        raise SettingsError(f"{where}: unknown key {', '.join(unknown)} in [allow]", hint=hint)
    found = {name: _origins(table[name], f"{where}: [allow] {name}") for name in table}
    return Allowed(**found)


def _origins(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise SettingsError(f"{where} is not a list of origins", hint='write ["https://host"]')
    for one in value:
        if not _ORIGIN.fullmatch(one):
            raise SettingsError(
                f"{where}: {one!r} is no origin",
                hint="write https://HOST or https://*.DOMAIN:PORT, without a path",
            )
    return tuple(value)


def _pattern(origin: str) -> str:
    """Return a shell pattern in which the brackets of an IPv6 address are themselves."""
    return origin_of(origin).replace("[", "[[]")


def is_here(address: str) -> bool:
    """Tell whether a URL names this machine by a loopback address, or as localhost."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
