"""What a request asks of its way beside what it says: redirects, cookies, signature, protocol.

It travels in the extensions of an httpx request, and with it through its redirects; most requests
have none of it, and pay nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

SENDING = "greenroom.sending"
"""The extension of a request that holds its `Sending`."""
REDIRECTS_MOST = 20


@dataclass(frozen=True, slots=True)
class Redirects:
    """How far redirects are followed.

    ``hosts`` are those that may be asked beside the first: names, ``*.DOMAIN``, or ``*`` for any.
    """

    most: int = REDIRECTS_MOST
    hosts: tuple[str, ...] = ("*",)

    def allows(self, host: str) -> bool:
        """Tell whether a request may be led to this other host."""
        return any(fnmatchcase(host.lower(), pattern) for pattern in self.hosts)


@dataclass(frozen=True, slots=True)
class SigV4:
    """How a request is signed for AWS; an empty region is boto3's own, ``role`` an ARN or empty."""

    service: str
    region: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """What a request asks of its way; ``cookies`` go before those that answers have set."""

    redirects: Redirects = Redirects()
    cookies: tuple[tuple[str, str], ...] = ()
    signature: SigV4 | None = None
    http2: bool = False

    @property
    def away(self) -> Sending:
        """What is left of it once a redirect has led to another host."""
        return replace(self, cookies=(), signature=None)

    def cookie(self, jar: str) -> str:
        """Return a Cookie header: these cookies, and those of the header ``jar`` of other names."""
        own = {name for name, _ in self.cookies}
        kept = [one for one in jar.split("; ") if one and one.partition("=")[0] not in own]
        return "; ".join([*(f"{name}={value}" for name, value in self.cookies), *kept])
