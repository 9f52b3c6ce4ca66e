"""TLS: the frozen facts of one server's handshakes, and the pure function that judges them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.texts import judge_text, judge_texts
from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from greenroom.validators.texts import TextRule
    from greenroom.validators.threshold import Threshold

METRICS = ("days_left", "key_bits", "time")
TEXTS = ("alpn", "cipher", "issuer", "key", "names", "signature", "subject")
"""What texts can be expected of; ``names`` is a list."""
_DAY = timedelta(days=1)
_ADVICE = (
    "look at the certificate that the server sends, with those between it and the authority, "
    "and at its settings; a private authority's file is named with `ca`"
)


class Protocol(StrEnum):
    """The versions of the protocol, oldest first."""

    SSL3 = "SSLv3"
    TLS1 = "TLSv1"
    TLS1_1 = "TLSv1.1"
    TLS1_2 = "TLSv1.2"
    TLS1_3 = "TLSv1.3"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's own certificate; ``names`` are the DNS names and addresses it is made for.

    ``key`` is the kind of its key (RSA, EC, Ed25519), ``signature`` the hash it was signed with.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    key: str
    key_bits: int
    signature: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether one thing holds, and what was observed; None: it could not be observed."""

    met: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What the handshakes with ``server`` (HOST:PORT), asked for as ``name``, came to.

    ``usual`` is whether a client with the usual settings gets a connection at all, ``chain``
    whether the certificate leads to a trusted authority and each one on the way is valid,
    ``naming`` whether it is made for the name; ``refused`` whether each protocol that was tried
    was refused. ``at`` is when (with a zone), ``handshakes`` how many there were.
    """

    server: str
    name: str
    protocol: Protocol
    cipher: str
    alpn: str
    certificate: Certificate
    usual: Seen
    chain: Seen
    naming: Seen
    refused: tuple[tuple[Protocol, Seen], ...]
    took_s: float
    handshakes: int
    at: datetime
    version: str = ""

    @property
    def days_left(self) -> float:
        """Days until the certificate ends; below zero when it has ended."""
        return (self.certificate.ends - self.at) / _DAY


@dataclass(frozen=True, slots=True)
class TlsExpect:
    """What is expected beyond a valid certificate of a trusted authority for the name.

    ``protocols`` are those that may be agreed on (empty: any that a usual client takes), with
    ``protocol_shown`` as the user wrote it; ``limits`` are about `METRICS`, ``texts`` about
    `TEXTS`.
    """

    protocols: frozenset[Protocol] = frozenset()
    protocol_shown: str = ""
    texts: tuple[TextRule, ...] = ()
    limits: tuple[Threshold, ...] = ()


def judge_tls(facts: TlsFacts, expect: TlsExpect | None = None) -> Finding:
    """Judge a server's certificate and settings; each rule says the exact reason of a miss."""
    evidence = Evidence(
        f"TLS handshakes with {facts.server} as {facts.name}",
        facts.handshakes,
        "OpenSSL",
        facts.version,
        facts.at.isoformat(timespec="milliseconds"),
    )
    rules = (*_certificate(facts), *_settings(facts, expect or TlsExpect()))
    return Finding.judged(rules, (evidence,), advice=_ADVICE)


def _certificate(facts: TlsFacts) -> Iterator[Rule]:
    if facts.usual.met is not True:
        yield Rule("handshake", "with a usual client", facts.usual.said, facts.usual.met)
    yield Rule("chain", "leads to a trusted authority", facts.chain.said, facts.chain.met)
    yield Rule("name", f"for {facts.name}", facts.naming.said, facts.naming.met)
    given = facts.certificate
    dates = f"from {given.begins:%Y-%m-%d %H:%M} to {given.ends:%Y-%m-%d %H:%M} UTC"
    yield Rule("validity", "now", dates, given.begins <= facts.at < given.ends)


def _settings(facts: TlsFacts, expect: TlsExpect) -> Iterator[Rule]:
    if expect.protocols:
        met = facts.protocol in expect.protocols
        yield Rule("protocol", expect.protocol_shown, facts.protocol.value, met)
    for protocol, seen in facts.refused:
        yield Rule(f"{protocol}", "refused", seen.said, seen.met)
    metrics = {
        "days_left": Metric(facts.days_left, Dimension.COUNT, samples=1),
        "key_bits": Metric(facts.certificate.key_bits, Dimension.COUNT, samples=1),
        "time": Metric(facts.took_s, Dimension.TIME, samples=1),
    }
    for limit in expect.limits:
        yield limit.judge(metrics)
    for rule in expect.texts:
        yield _text(facts, rule)


def _text(facts: TlsFacts, rule: TextRule) -> Rule:
    given = facts.certificate
    if rule.name == "names":
        return judge_texts(rule, given.names)
    texts = {
        "alpn": facts.alpn,
        "cipher": facts.cipher,
        "issuer": given.issuer,
        "key": given.key,
        "signature": given.signature,
        "subject": given.subject,
    }
    return judge_text(rule, texts[rule.name])
