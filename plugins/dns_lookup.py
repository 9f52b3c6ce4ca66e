"""Asks the DNS for records, by the library `dnspython`: a given server, or the system's."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpcore

from greenroom.plugins.network import in_time, within
from greenroom.plugins.peers import is_address
from greenroom.plugins.target_settings import Address
from greenroom.validators.dns import DnsFacts, Existence, RecordType, canonical
from greenroom.validators.errors import ServiceError, ToolError

if TYPE_CHECKING:
    from types import ModuleType

    from dns.name import Name
    from dns.resolver import Answer, Resolver

_LEAST_S = 0.001
_PORT = 53
_SYSTEM = "the system's name server"
_HINT = "may the server be reached from here, and does it know this zone?"


def look_up(name: str, type_: RecordType, until: float, server: Address | None = None) -> DnsFacts:
    """Return what ``server`` (the system's if None) says about ``name``, before ``until``.

    ``name`` is absolute, whatever the system's search list; of PTR it may be an address. That a
    name does not exist is an answer. Raises `ServiceError` where no server gave one, and
    `ToolError` where the library is missing.
    """
    library = _library()
    from dns.exception import DNSException  # noqa: PLC0415 - part of an extra, as all of it

    values: tuple[str, ...] = ()
    ttl = 0
    begun, at = time.monotonic(), datetime.now(UTC)
    total = max(until - begun, _LEAST_S)
    try:
        answer = _resolver(library, server, until).resolve(
            _question(name, type_),
            type_.value,
            raise_on_no_answer=False,
            lifetime=total,
            search=False,
        )
    except library.NXDOMAIN:
        existence, said = Existence.NO_NAME, _SYSTEM
    except (DNSException, OSError) as error:
        told = " ".join(str(error).split())
        raise ServiceError(f"no answer about {name} {type_}: {told}", hint=_HINT) from error
    else:
        existence = Existence.RECORDS if answer.rrset else Existence.NO_RECORDS
        said = str(Address(str(answer.nameserver), answer.port or _PORT))
        if existence is Existence.NO_RECORDS and not _knows(answer):
            raise ServiceError(
                f"no answer about {name} {type_}: {said} neither has this zone nor asks for others",
                hint=_HINT,
            )
        values = _values(answer, type_)
        ttl = answer.chaining_result.minimum_ttl if values else 0
    return DnsFacts(
        name=name,
        type=type_,
        server=str(server) if server is not None else said,
        existence=existence,
        values=values,
        ttl_s=ttl,
        took_s=time.monotonic() - begun,
        at=at.isoformat(timespec="milliseconds"),
        version=_version(),
    )


def _library() -> ModuleType:
    try:
        import dns.resolver  # noqa: PLC0415 - part of an extra
    except ImportError as error:
        raise ToolError(
            f"the DNS cannot be asked: {error}", hint="install greenroom[probes]"
        ) from error
    return dns.resolver


def _version() -> str:
    import dns.version  # noqa: PLC0415 - as above

    return str(dns.version.version)


def _resolver(library: Any, server: Address | None, until: float) -> Resolver:  # noqa: ANN401 - the library's module
    if server is None:
        found: Resolver = library.Resolver()
        return found
    found = library.Resolver(configure=False)
    found.nameservers = _addresses(server, until)
    found.port = server.port
    return found


def _addresses(server: Address, until: float) -> list[str]:
    """Return the addresses of a server; the system's resolver has no deadline of its own."""
    if is_address(server.host):
        return [server.host]
    with within(max(until - time.monotonic(), _LEAST_S), until):
        try:
            found = in_time(
                lambda: socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM),
                httpcore.ConnectTimeout,
            )
        except (OSError, httpcore.ConnectTimeout) as error:
            raise ServiceError(
                f"the name server {server} has no address: {error}", hint="give its address"
            ) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _question(name: str, type_: RecordType) -> Name:
    from dns import name as names  # noqa: PLC0415 - as above
    from dns import reversename  # noqa: PLC0415 - as above

    if type_ is RecordType.PTR and is_address(name):
        return reversename.from_address(name)
    return names.from_text(name)


def _knows(answer: Answer) -> bool:
    """Tell whether who answered without a record is an authority for it, or has asked one.

    Others refer to other servers, which looks like an empty answer, whatever those would say.
    """
    from dns import flags  # noqa: PLC0415 - as above

    return bool(answer.response.flags & (flags.AA | flags.RA))


def _values(answer: Answer, type_: RecordType) -> tuple[str, ...]:
    if answer.rrset is None:
        return ()
    if type_ is RecordType.TXT:
        texts = (b"".join(record.strings) for record in answer.rrset)
        return tuple(text.decode("utf-8", "replace") for text in texts)
    return tuple(canonical(record.to_text(), type_) for record in answer.rrset)
