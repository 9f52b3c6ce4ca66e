"""Reads ``tls:`` of a suite, and does what it says: look at a server's certificate and protocols.

Grammar (``?`` optional)::

    tls: target | HOST[:PORT]
    tls: {host?: HOST, port?: PORT, name?: NAME, ca?: PATH, alpn?: [NAME, …]}   ? the target's
    expect?: {
      days_left?: ">= 14", key_bits?: ">= 2048", time?: "< 500ms"
      protocol?: TLSv1.3 | ">= TLSv1.2"
      refuses?: [SSLv3 | TLSv1 | TLSv1.1 | TLSv1.2, …]
      cipher?, issuer?, subject?, alpn?, key?, signature?: TEXT | {OPERATOR: TEXT}
      names?: TEXT | [TEXT, …] | {OPERATOR: …}
    }

The operators are those of `greenroom.plugins.suite_texts`. That the certificate is valid now, made
for the name, and leads to a trusted authority is always expected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.peers import peer_of
from greenroom.plugins.suite_limits import read_limit_of
from greenroom.plugins.suite_peer import read_host, read_peer, read_port
from greenroom.plugins.suite_texts import read_list_rules, read_text_rules
from greenroom.plugins.suite_yaml import Mapping, Scalar
from greenroom.plugins.target_settings import Address
from greenroom.validators.errors import SettingsError
from greenroom.validators.threshold import Dimension
from greenroom.validators.tls import METRICS, TEXTS, Protocol, TlsExpect, judge_tls
from greenroom.validators.vocabulary import choose

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.texts import TextRule

TLS_KEYS = ("host", "port", "name", "ca", "alpn")
TLS_EXPECT_KEYS = (*METRICS, "protocol", "refuses", *TEXTS)
OLD = tuple(one for one in Protocol if one is not Protocol.TLS1_3)
"""The protocols that a server can be asked to refuse."""
_TARGET = "target"
_PORT = 443
_PROTOCOL = re.compile(r"(?:(?P<operator>>=|==) *)?(?P<name>\S+)")
_ALPN_MOST = 255


@dataclass(frozen=True, slots=True)
class TlsWork:
    """A check of the TLS of a server, the target's where ``host`` is empty.

    ``port`` is 0 where it is the target's, or 443; ``ca`` is a path from the root folder.
    """

    host: str
    port: int
    name: str = ""
    ca: str = ""
    alpn: tuple[str, ...] = ()
    refuses: tuple[Protocol, ...] = ()
    expect: TlsExpect | None = None

    @property
    def alone(self) -> bool:
        """A few handshakes disturb nobody."""
        return False

    def run(self, place: Workplace) -> Finding:
        """Do the handshakes and judge them; without any of them nothing was observed."""
        from greenroom.plugins.tls import Asked, observe_tls  # noqa: PLC0415 - not to collect

        asked = Asked(
            peer=self._peer(place),
            name=self.name,
            ca=place.path(self.ca, "ca") if self.ca else None,
            alpn=self.alpn,
            refuses=self.refuses,
        )
        return judge_tls(observe_tls(asked, place.until), self.expect)

    def _peer(self, place: Workplace) -> Address:
        if self.host:
            return Address(self.host, self.port or _PORT)
        peer = peer_of(place.site.base, _PORT)
        return Address(peer.host, self.port or peer.port)


def read_tls(fields: Fields, node: Node, expect: Node | None) -> TlsWork:
    """Read one check; raises `SettingsError` at the place of whatever is wrong."""
    wanted = TlsExpect()
    refuses: tuple[Protocol, ...] = ()
    if expect is not None:
        found = fields.mapping(expect, "expect", TLS_EXPECT_KEYS)
        wanted, refuses = _expect(fields, found), _refuses(fields, found.get("refuses"))
    if not isinstance(node, Mapping):
        peer = Address("", 0)
        if not isinstance(node, Scalar) or node.value != _TARGET:
            peer = read_peer(fields, node, "tls", _PORT)
        return TlsWork(peer.host, peer.port, refuses=refuses, expect=wanted)
    given = fields.mapping(node, "tls", TLS_KEYS)
    return TlsWork(
        host=_host(fields, given.get("host"), "host"),
        port=read_port(fields, given.get("port")),
        name=_host(fields, given.get("name"), "name"),
        ca=fields.filled(given["ca"].value, "ca") if "ca" in given else "",
        alpn=_alpn(fields, given.get("alpn")),
        refuses=refuses,
        expect=wanted,
    )


def _host(fields: Fields, entry: Entry | None, what: str) -> str:
    return "" if entry is None else read_host(fields, entry.value, what)


def _alpn(fields: Fields, entry: Entry | None) -> tuple[str, ...]:
    if entry is None:
        return ()
    names = []
    for item in fields.items(entry.value, "alpn"):
        name = fields.text(item, "a protocol of alpn")
        if not name.isascii() or len(name) > _ALPN_MOST:
            raise fields.error(item.place, "a protocol of alpn is at most 255 ASCII characters")
        names.append(name)
    return tuple(names)


def _expect(fields: Fields, found: dict[str, Entry]) -> TlsExpect:
    texts: list[TextRule] = []
    for name in (key for key in TEXTS if key in found):
        read = read_list_rules if name == "names" else read_text_rules
        texts += read(fields, found[name].value, name)
    shown = ""
    protocols: frozenset[Protocol] = frozenset()
    if "protocol" in found:
        shown, protocols = _protocols(fields, found["protocol"].value)
    return TlsExpect(
        protocols,
        shown,
        tuple(texts),
        tuple(
            read_limit_of(fields, found[key].value, key, (_dimension(key),))
            for key in METRICS
            if key in found
        ),
    )


def _dimension(metric: str) -> Dimension:
    return Dimension.TIME if metric == "time" else Dimension.COUNT


def _protocols(fields: Fields, node: Node) -> tuple[str, frozenset[Protocol]]:
    text = fields.text(node, "protocol")
    found = _PROTOCOL.fullmatch(text)
    try:
        least = choose(Protocol, found["name"] if found else text, "protocol")
    except SettingsError as error:
        raise fields.error(node.place, str(error), error.hint) from None
    if found is None or found["operator"] != ">=":
        return least.value, frozenset({least})
    order = list(Protocol)
    return text, frozenset(order[order.index(least) :])


def _refuses(fields: Fields, entry: Entry | None) -> tuple[Protocol, ...]:
    if entry is None:
        return ()
    named = []
    for item in fields.items(entry.value, "refuses"):
        protocol = fields.choice(Protocol, item, "refuses")
        if protocol not in OLD:
            raise fields.error(item.place, f"{protocol} is the newest: a server must have one")
        named.append(protocol)
    return tuple(named)
