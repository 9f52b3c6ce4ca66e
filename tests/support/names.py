"""A real name server on 127.0.0.1: what it answers is a zone in the form of zone files."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from greenroom.plugins.target_settings import Address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BROKEN = "broken.example."
"""The name about which the server says that it failed."""
REFERRED = "referred.example."
"""The name of which the server only knows who may know it."""


def _answer(query: dns.message.Message, zone: Mapping[str, tuple[str, ...]]) -> bytes:
    """Answer as an authority: ``zone`` is lines ``TTL TYPE VALUE`` by name."""
    response = dns.message.make_response(query)
    response.flags |= dns.flags.AA | dns.flags.RA
    [question] = query.question
    name = question.name.to_text().lower()
    if name == REFERRED:
        response.flags &= ~(dns.flags.AA | dns.flags.RA)
        referral = dns.rrset.from_text(question.name, 60, "IN", "NS", "ns1.example.")
        response.authority.append(referral)
    elif name == BROKEN:
        response.set_rcode(dns.rcode.SERVFAIL)
    elif name not in zone:
        response.set_rcode(dns.rcode.NXDOMAIN)
    else:
        _fill(response, question.name, question.rdtype, zone)
    return response.to_wire()


def _fill(
    response: dns.message.Message,
    name: dns.name.Name,
    wanted: dns.rdatatype.RdataType,
    zone: Mapping[str, tuple[str, ...]],
) -> None:
    for line in zone.get(name.to_text().lower(), ()):
        ttl, kind, value = line.split(maxsplit=2)
        record = dns.rdatatype.from_text(kind)
        if record in {wanted, dns.rdatatype.CNAME}:
            given = dns.rrset.from_text(name, int(ttl), "IN", kind, value)
            found = response.find_rrset(response.answer, name, given.rdclass, record, create=True)
            found.ttl = given.ttl
            for each in given:
                found.add(each)
        if record == dns.rdatatype.CNAME and wanted != record:
            _fill(response, dns.name.from_text(value), wanted, zone)


@contextmanager
def serving_names(zone: Mapping[str, tuple[str, ...]]) -> Iterator[Address]:
    """Serve ``zone`` by UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                asked, client = server.recvfrom(4096)
                if not asked:
                    return
                server.sendto(_answer(dns.message.from_wire(asked), zone), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Address("127.0.0.1", server.getsockname()[1])
        finally:
            server.sendto(b"", server.getsockname())
            thread.join()
