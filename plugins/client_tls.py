"""TLS as a client speaks it: whom it trusts, and who it says it is."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from greenroom.plugins.allowed import is_here
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Loaded = TypeVar("Loaded")

TLS_KEYS = ("ca", "client_cert", "client_key", "insecure")
PATH_KEYS = ("ca", "client_cert", "client_key")
UNVERIFIED = "the server's certificate was not verified (tls: insecure)"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM, by absolute path or empty.

    ``ca`` takes the place of the authorities that are trusted otherwise; ``client_cert`` may hold
    its key, which else is ``client_key``. ``insecure``: no certificate is verified; for this
    machine's own addresses alone.
    """

    ca: str = ""
    client_cert: str = ""
    client_key: str = ""
    insecure: bool = False

    @property
    def elsewhere(self) -> Tls:
        """What of it holds for hosts other than the target's: trust, and nothing else."""
        return Tls(ca=self.ca)

    def at(self, target: str) -> Tls:
        """Return what of it holds for ``target``: only this machine's own may go unverified."""
        return self if not self.insecure or is_here(target) else self.elsewhere

    def note(self, target: str) -> tuple[str, ...]:
        """Return what each finding about ``target`` tells of it."""
        unverified = self.insecure and target.startswith("https:") and is_here(target)
        return (UNVERIFIED,) if unverified else ()

    def below(self, folder: Path) -> Tls:
        """Return this with each relative path starting at ``folder``."""
        ca, cert, key = (
            str((folder / path).absolute()) if path else ""
            for path in (self.ca, self.client_cert, self.client_key)
        )
        return Tls(ca, cert, key, self.insecure)

    def context(self) -> ssl.SSLContext:
        """Return a new context; raises `SettingsError` for a file that cannot be used."""
        if self.insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca:
            context = _loaded(lambda: ssl.create_default_context(cafile=self.ca), "ca", self.ca)
        else:
            import httpx  # noqa: PLC0415 - what it trusts unless told otherwise

            context = httpx.create_ssl_context()
        if self.client_cert:
            key = self.client_key or None
            _loaded(
                lambda: context.load_cert_chain(self.client_cert, key, password=_no_password),
                "client_cert",
                self.client_cert,
            )
        return context

    def require_fit(self, target: str) -> None:
        """Raise `SettingsError` where ``target`` must not be asked with these settings."""
        if self.insecure and not is_here(target):
            raise SettingsError(
                f"insecure is for this machine's own addresses alone, not for {target}",
                hint="give the authority's certificate as `ca`",
            )


def read_tls(table: Mapping[str, Any], where: str) -> Tls:
    """Read the settings' table [tls]; its paths start at the root folder."""
    if unknown := sorted(set(table) - set(TLS_KEYS)):
        raise SettingsError(
            f"{where}: unknown key {', '.join(unknown)} in [tls]",
            hint=f"valid keys: {', '.join(TLS_KEYS)}",
        )
    for key, value in table.items():
        kind: type = bool if key == "insecure" else str
        if not isinstance(value, kind) or value == "":
            wanted = "true or false" if kind is bool else "a path"
            raise SettingsError(f"{where}: {key} in [tls] must be {wanted}")
    return checked(Tls(**table))


def checked(tls: Tls) -> Tls:
    """Return ``tls`` unless it contradicts itself."""
    if tls.client_key and not tls.client_cert:
        raise SettingsError("tls has a client_key and no client_cert", hint="give both")
    if tls.insecure and tls.ca:
        raise SettingsError("tls has ca and insecure: what is trusted?", hint="keep ca")
    return tls


def _loaded(load: Callable[[], Loaded], key: str, path: str) -> Loaded:
    try:
        return load()
    except ssl.SSLError as error:
        why = "holds no certificate" if key == "ca" else _why(error)
        raise SettingsError(f"tls: {key}: {path} {why}", hint="give a file in PEM") from error
    except OSError as error:
        raise SettingsError(
            f"tls: {key}: {path}: {error.strerror}", hint="check the path and its permissions"
        ) from error


def _why(error: ssl.SSLError) -> str:
    if "KEY_VALUES_MISMATCH" in str(error):
        return "does not fit its key"
    return "holds no certificate and key (without a password)"


def _no_password() -> str:
    """Stand for a key's password: OpenSSL would ask for it at the terminal."""
    return ""
