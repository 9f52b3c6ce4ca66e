"""Real certificates of an authority of the tests' own, and real TLS servers on 127.0.0.1."""

from __future__ import annotations

import ssl
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from greenroom.plugins.target_settings import Address
from tests.support.servers import hostile

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Iterator
    from pathlib import Path

VALID = (-1, 30)
"""Days from now, from and until which a certificate is valid unless a test says otherwise."""


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def write(self, path: Path) -> Path:
        """Write both as PEM."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM) + key)
        return path


@cache
def authority() -> Issued:
    """Return the authority of this process."""
    return _signed("Tests' Authority", None, VALID, None)


def issued(*names: str, days: tuple[float, float] = VALID, self_signed: bool = False) -> Issued:
    """Return a certificate for ``names`` (the address of this machine if there are none)."""
    kinds: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    kinds = kinds or [x509.IPAddress(IPv4Address("127.0.0.1"))]
    by = None if self_signed else authority()
    return _signed("server", by, days, x509.SubjectAlternativeName(kinds))


def _signed(
    name: str,
    by: Issued | None,
    days: tuple[float, float],
    names: x509.SubjectAlternativeName | None,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = by.key if by else key
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if names is None:  # from Python 3.13 on, an authority must say that it may sign
        builder = builder.add_extension(_signing(), critical=True)
    else:
        builder = builder.add_extension(names, critical=False)
    return Issued(builder.sign(signer, hashes.SHA256()), key)


def _signing() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def context_of(
    folder: Path,
    shown: Issued,
    *,
    least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    alpn: tuple[str, ...] = (),
) -> ssl.SSLContext:
    """Return the settings of a server that shows one certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.write(folder / "server.pem"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = least, most
    if least < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


@contextmanager
def serving_tls(context: ssl.SSLContext) -> Iterator[Address]:
    """Do handshakes, and nothing else."""

    def greet(connection: socket.socket, _: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    with hostile(greet) as url:
        yield Address("127.0.0.1", int(url.rpartition(":")[2]))


def write_authority(folder: Path) -> Path:
    """Write the authority's certificate, and return its file."""
    path = folder / "ca.pem"
    path.write_bytes(authority().certificate.public_bytes(Encoding.PEM))
    return path
