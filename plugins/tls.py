"""Looks at a server's TLS: real handshakes, judged by the TLS library and by nobody else.

Where the usual handshake is refused for the certificate, further ones find out what each part is
worth: one that takes any certificate tells what it is, one asks for a trusted chain whatever the
name, one for the name whatever the chain.
"""

from __future__ import annotations

import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from greenroom.plugins.dial import BROKEN, dialled, why
from greenroom.plugins.tls_certificate import read_certificate
from greenroom.plugins.tls_hello import offered
from greenroom.validators.errors import ServiceError, SettingsError
from greenroom.validators.tls import Protocol, Seen, TlsFacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.plugins.target_settings import Address

_ALL = 4
"""Handshakes with a server whose certificate is refused."""
_WRONG_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_TRUSTED = Seen(met=True, said="trusted")
_NAMED = Seen(met=True, said="it is")
_UNSEEN = Seen(met=None, said="not observed")
_USUAL = Seen(met=True, said="done")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a server: by which ``name`` (empty: its host), with which ``alpn``.

    ``ca`` is a file of trusted authorities, None for those that requests trust; ``refuses`` are the
    protocols to offer in vain.
    """

    peer: Address
    name: str = ""
    ca: Path | None = None
    alpn: tuple[str, ...] = ()
    refuses: tuple[Protocol, ...] = ()

    @property
    def called(self) -> str:
        """The name that the certificate must be made for."""
        return self.name or self.peer.host


@dataclass(frozen=True, slots=True)
class _Handshake:
    certificate: bytes
    protocol: str
    cipher: str
    alpn: str
    took_s: float


def observe_tls(asked: Asked, until: float) -> TlsFacts:
    """Return what a server's handshakes come to, before ``until`` (of `time.monotonic`).

    Raises `ServiceError` where nobody listens, in time, or does any handshake at all, and
    `SettingsError` for a file of authorities that cannot be read.
    """
    trusting = _trusting(asked)
    at = datetime.now(UTC)
    tried = _handshake(asked, trusting, until)
    if isinstance(tried, _Handshake):
        done, usual, chain, naming = tried, _USUAL, _TRUSTED, _NAMED
    else:
        done = _any_handshake(asked, until)
        usual = _usual(tried)
        chain, naming = _chain(asked, until), _naming(asked, done, until)
    refused = tuple(_offers(asked, until))
    return TlsFacts(
        server=str(asked.peer),
        name=asked.called,
        protocol=Protocol(done.protocol),
        cipher=done.cipher,
        alpn=done.alpn,
        certificate=read_certificate(done.certificate),
        usual=usual,
        chain=chain,
        naming=naming,
        refused=refused,
        took_s=done.took_s,
        handshakes=(1 if done is tried else _ALL) + len(refused),
        at=at,
        version=ssl.OPENSSL_VERSION.removeprefix("OpenSSL ").partition(" ")[0],
    )


def _offers(asked: Asked, until: float) -> Iterator[tuple[Protocol, Seen]]:
    """Offer each protocol in a fair share of the time that is left: some servers say nothing."""
    for index, protocol in enumerate(asked.refuses):
        now = time.monotonic()
        share = (until - now) / (len(asked.refuses) - index)
        yield protocol, offered(asked.peer, asked.called, protocol, now + share)


def _usual(refusal: ssl.SSLError) -> Seen:
    """Return what became of the usual handshake; what is about the certificate is told apart."""
    if isinstance(refusal, ssl.SSLCertVerificationError):
        return _USUAL
    return Seen(met=False, said=why(refusal))


def _trusting(asked: Asked) -> ssl.SSLContext:
    """Return the usual settings, and the authorities to trust, as requests of checks do."""
    try:
        context = (
            httpx.create_ssl_context()
            if asked.ca is None
            else ssl.create_default_context(cafile=asked.ca)
        )
    except OSError as error:
        raise SettingsError(
            f"{asked.ca} holds no certificates of authorities: {why(error)}",
            hint="give a file of PEM certificates",
        ) from error
    if asked.alpn:
        context.set_alpn_protocols(list(asked.alpn))
    return context


def _taking_any(asked: Asked) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    if asked.alpn:
        context.set_alpn_protocols(list(asked.alpn))
    return context


def _any_handshake(asked: Asked, until: float) -> _Handshake:
    done = _handshake(asked, _taking_any(asked), until)
    if isinstance(done, _Handshake):
        return done
    raise ServiceError(
        f"{asked.peer} does no TLS handshake: {why(done)}",
        hint="does it speak TLS at this port? does it ask for a client's certificate?",
    ) from done


def _chain(asked: Asked, until: float) -> Seen:
    context = _trusting(asked)
    context.check_hostname = False
    done = _handshake(asked, context, until)
    if isinstance(done, _Handshake):
        return _TRUSTED
    if isinstance(done, ssl.SSLCertVerificationError):
        return Seen(met=False, said=done.verify_message)
    return _UNSEEN


def _naming(asked: Asked, seen: _Handshake, until: float) -> Seen:
    """Ask for the name alone: the very certificate is what is trusted.

    The library looks at names before it looks at anything else that can be wrong here.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_verify_locations(cadata=seen.certificate)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    done = _handshake(asked, context, until)
    if not isinstance(done, _Handshake | ssl.SSLCertVerificationError):
        return _UNSEEN
    if isinstance(done, _Handshake) or done.verify_code not in _WRONG_NAME:
        return _NAMED
    names = ", ".join(read_certificate(seen.certificate).names)
    return Seen(met=False, said=f"for {names or 'no name'}")


def _handshake(asked: Asked, context: ssl.SSLContext, until: float) -> _Handshake | ssl.SSLError:
    """Do one handshake; one that fails is returned, `ServiceError` is raised without any."""
    begun = time.monotonic()
    with dialled(asked.peer, until) as stream:
        try:
            secure = stream.start_tls(context, asked.called)
        except BROKEN as error:
            if (failed := _tls_error(error)) is not None:
                return failed
            raise ServiceError(
                f"{asked.peer} does no TLS handshake: {why(error)}",
                hint="does it speak TLS at this port?",
            ) from error
        took = time.monotonic() - begun
        with closing(secure):
            return _done(secure.get_extra_info("ssl_object"), took)


def _done(session: Any, took_s: float) -> _Handshake:  # noqa: ANN401 - the library names no type
    name, *_ = session.cipher()
    return _Handshake(
        certificate=session.getpeercert(True),  # noqa: FBT003 - it takes no name
        protocol=session.version(),
        cipher=name,
        alpn=session.selected_alpn_protocol() or "",
        took_s=took_s,
    )


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            return error
        error = error.__cause__ or error.__context__
    return None
