"""Reads the facts of a certificate out of its DER form, by the library `cryptography`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.validators.errors import ServiceError, ToolError
from greenroom.validators.tls import Certificate

if TYPE_CHECKING:
    from cryptography import x509

_EDWARDS_BITS = 256
"""Of Ed25519, the one key of a server's certificate whose size the library does not tell."""


def read_certificate(der: bytes) -> Certificate:
    """Return a certificate's facts.

    Raises `ServiceError` where it cannot be read, `ToolError` where the library is missing.
    """
    try:
        from cryptography import x509  # noqa: PLC0415 - part of an extra
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ToolError(
            f"certificates cannot be read: {error}", hint="install greenroom[probes]"
        ) from error
    try:
        return _facts(x509.load_der_x509_certificate(der))
    except (
        *(ValueError, UnsupportedAlgorithm, x509.InvalidVersion),
        *(x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
    ) as error:
        raise ServiceError(f"the server's certificate cannot be read: {error}") from error


def _facts(found: x509.Certificate) -> Certificate:
    key = found.public_key()
    digest = found.signature_hash_algorithm
    return Certificate(
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        names=_names(found),
        begins=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
        key=type(key).__name__.removesuffix("PublicKey"),
        key_bits=int(getattr(key, "key_size", _EDWARDS_BITS)),
        signature="" if digest is None else digest.name,
    )


def _names(found: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        given = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = given.get_values_for_type(x509.DNSName)
    return (*names, *map(str, given.get_values_for_type(x509.IPAddress)))
