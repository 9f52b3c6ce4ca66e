"""Probes of the transport: plain http beside https, old versions, weak ciphers, the certificate."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from greenroom.plugins.allowed import Traffic, is_here
from greenroom.plugins.security_ask import Ask
from greenroom.plugins.target_settings import Address
from greenroom.plugins.tls_hello import USUAL, WEAK, greet
from greenroom.validators.errors import ServiceError, SettingsError
from greenroom.validators.security import Hit, Tally
from greenroom.validators.security_probes import PROBES
from greenroom.validators.tls import Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.security_ask import Asker
    from greenroom.plugins.workplace import Site
    from greenroom.validators.security import Probed

_ONE_S = 5.0
_OLD = {Protocol.TLS1: "TLS 1.0", Protocol.TLS1_1: "TLS 1.1"}
_PLAIN = "the target is plain http"


def probe_tls(asker: Asker, site: Site, plain: str) -> Iterator[Probed]:
    """Look at the transport; ``plain`` is the address of plain http, empty for the usual one."""
    yield _plain(asker, site, plain)
    parts = urlsplit(asker.target)
    if parts.scheme != "https" or not parts.hostname:
        yield from (Tally(PROBES[f"GR-S03{n}"], why=_PLAIN).done() for n in (1, 2, 3))
        return
    address = Address(parts.hostname, parts.port or 443)
    certificate = _certificate(address, asker.until)
    yield _old(address, asker.until)
    yield _weak(address, asker.until)
    yield certificate


def _plain(asker: Asker, site: Site, given: str) -> Probed:
    url = given or _usual_plain(asker.target)
    tally = Tally(PROBES["GR-S030"], why="give `plain_http` its address: the port is not the usual")
    if not url:
        return tally.done()
    if not given and url == asker.target and is_here(url):
        tally.why = "the target is plain http on this machine"
        return tally.done()
    try:
        site.allow.require(Traffic.SECURITY, url)
    except SettingsError as error:
        tally.why = str(error)
        return tally.done()
    seen = asker(Ask("/", url=f"{url}/", bare=True))
    if seen.failure.startswith("connection refused"):
        tally.examined += 1
    elif tally.saw(seen):
        secure = seen.header("location").lower().startswith("https://")
        if seen.status in range(200, 400) and not (seen.status >= 300 and secure):  # noqa: PLR2004 - redirects
            tally.hit(seen, f"answered {seen.status}, not a redirect to https")
    return tally.done()


def _usual_plain(target: str) -> str:
    parts = urlsplit(target)
    if parts.scheme == "http":
        return target
    return f"http://{parts.hostname}" if parts.port in {None, 443} else ""


def _left(until: float) -> float:
    return max(min(until - time.monotonic(), _ONE_S), 0.001)


def _soon(until: float) -> float:
    """Return when one greeting must be over, of `time.monotonic`."""
    return time.monotonic() + _left(until)


def _old(address: Address, until: float) -> Probed:
    tally = Tally(PROBES["GR-S031"], unit="greetings")
    for version, name in _OLD.items():
        try:
            answer = greet(address, version, USUAL, _soon(until))
        except ServiceError as error:
            tally.failed.append(f"{name}: {error}")
            continue
        tally.examined += 1
        if answer is not None and answer.version == version:
            tally.hits.append(_hit(address, f"{name} is accepted", name))
    return tally.done()


def _weak(address: Address, until: float) -> Probed:
    tally = Tally(PROBES["GR-S032"], unit="greetings")
    for version in (Protocol.TLS1_2, Protocol.TLS1):
        try:
            answer = greet(address, version, WEAK, _soon(until))
        except ServiceError as error:
            tally.failed.append(str(error))
            continue
        tally.examined += 1
        if answer is not None and answer.cipher in WEAK:
            said = f"cipher 0x{answer.cipher:04X} ({WEAK[answer.cipher]}) is accepted"
            tally.hits.append(_hit(address, said, "a greeting"))
    return tally.done()


def _certificate(address: Address, until: float) -> Probed:
    tally = Tally(PROBES["GR-S033"], unit="handshakes")
    try:
        with (
            socket.create_connection((address.host, address.port), _left(until)) as plain,
            httpx.create_ssl_context().wrap_socket(plain, server_hostname=address.host),
        ):
            tally.examined += 1
    except ssl.SSLCertVerificationError as error:
        tally.examined += 1
        tally.hits.append(_hit(address, error.verify_message, "a handshake"))
    except OSError as error:
        tally.failed.append(f"a handshake: {error}")
    return tally.done()


def _hit(address: Address, seen: str, what: str) -> Hit:
    return Hit(f"{what} to {address}", str(address), seen)
