"""A request and the redirects that follow it: one deadline, and nothing secret leaves its host."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import httpx

from greenroom.plugins.http_failures import UnsafeRedirectError
from greenroom.plugins.http_sending import SENDING, Sending, SigV4

_TRAIL = "greenroom.trail"
_SAFE_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "connection", "content-type", "host"}
    | {"content-length", "user-agent"}
)


@dataclass(frozen=True, slots=True)
class Trail:
    """What the first request of a chain was, and how many redirects have followed it."""

    origin: tuple[str, str, int | None]
    total_s: float
    deadline: float
    followed: int = 0

    def is_home(self, origin: tuple[str, str, int | None]) -> bool:
        """Tell whether ``origin`` is where the first request went, or the same under https."""
        return origin in {self.origin, _upgraded(self.origin)}


def follow(request: httpx.Request, default_s: float) -> Trail:
    """Return the chain that ``request`` belongs to; keep credentials from leaving their host.

    ``default_s`` is the whole time where the request names none.
    """
    origin = (request.url.scheme, request.url.host, request.url.port)
    trail = request.extensions.get(_TRAIL)
    sending = request.extensions.get(SENDING)
    if not isinstance(trail, Trail):
        total = _total_time(request, default_s)
        trail = Trail(origin, total, time.monotonic() + total)
    else:
        trail = replace(trail, followed=trail.followed + 1)
        if isinstance(sending, Sending):
            _hold(trail, sending, request)
        if not trail.is_home(origin):
            _leave(request)
    request.extensions[_TRAIL] = trail
    sending = request.extensions.get(SENDING)
    if isinstance(sending, Sending) and sending.cookies:
        request.headers["cookie"] = sending.cookie(request.headers.get("cookie", ""))
    return trail


def signature_of(request: httpx.Request) -> SigV4 | None:
    """Return how ``request`` is to be signed, if it is."""
    sending = request.extensions.get(SENDING)
    return sending.signature if isinstance(sending, Sending) else None


def _hold(trail: Trail, sending: Sending, request: httpx.Request) -> None:
    """Refuse a redirect that the request does not want followed."""
    host = request.url.host
    if trail.followed > sending.redirects.most:
        raise httpx.TooManyRedirects(
            f"more than {sending.redirects.most} redirects", request=request
        )
    if host != trail.origin[1] and not sending.redirects.allows(host):
        raise UnsafeRedirectError(
            f"redirected to another host, {host}, which `hosts` does not name", request=request
        )


def _leave(request: httpx.Request) -> None:
    """Take from ``request`` what is meant for the first host alone."""
    if request.method not in {"GET", "HEAD"} and request.headers.get("content-length"):
        raise UnsafeRedirectError(
            f"redirected with a body to another host, {request.url.host}", request=request
        )
    for name in set(request.headers) - _SAFE_HEADERS:
        del request.headers[name]
    sending = request.extensions.get(SENDING)
    if isinstance(sending, Sending):
        request.extensions[SENDING] = sending.away


def _total_time(request: httpx.Request, default: float) -> float:
    given = request.extensions.get("timeout", {}).values()
    return max((seconds for seconds in given if seconds is not None), default=default)


def _upgraded(origin: tuple[str, str, int | None]) -> tuple[str, str, int | None]:
    """Return the same host under https, where ``origin`` is plain http at its usual port."""
    scheme, host, port = origin
    return ("https", host, None) if scheme == "http" and port is None else origin
