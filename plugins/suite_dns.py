"""Reads ``dns:`` of a suite, and does what it says: ask a name server, and judge its answer.

Grammar (``?`` optional)::

    dns: {name: NAME, type?: A | AAAA | CNAME | TXT | MX | …, server?: HOST[:PORT]}
    expect?: {
      exists?: true | false                     ? true: there are records
      values?: VALUE | [VALUE, …] | {OPERATOR: …}    in any order
      ttl?: ">= 60"                             seconds
      time?: "< 100ms"
    }

The operators of ``values`` are those of a list in `greenroom.plugins.suite_texts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.suite_limits import read_limit_of
from greenroom.plugins.suite_peer import read_peer
from greenroom.plugins.suite_texts import read_list_rules
from greenroom.validators.dns import DnsExpect, RecordType, canonical, judge_dns
from greenroom.validators.threshold import Dimension

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node
    from greenroom.plugins.target_settings import Address
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.texts import TextRule

DNS_KEYS = ("name", "type", "server")
DNS_EXPECT_KEYS = ("exists", "values", "ttl", "time")
_PORT = 53
_LIMITS = {"ttl": (Dimension.COUNT, Dimension.TIME), "time": (Dimension.TIME,)}


@dataclass(frozen=True, slots=True)
class DnsWork:
    """A check of what ``server`` (the system's if None) says about ``name``."""

    name: str
    type: RecordType
    server: Address | None
    expect: DnsExpect

    @property
    def alone(self) -> bool:
        """One question disturbs nobody."""
        return False

    def run(self, place: Workplace) -> Finding:
        """Ask and judge; without an answer nothing was observed."""
        from greenroom.plugins.dns_lookup import look_up  # noqa: PLC0415 - not to collect

        return judge_dns(look_up(self.name, self.type, place.until, self.server), self.expect)


def read_dns(fields: Fields, node: Node, expect: Node | None) -> DnsWork:
    """Read one check; raises `SettingsError` at the place of whatever is wrong."""
    found = fields.mapping(node, "dns", DNS_KEYS)
    asked = RecordType.A
    if "type" in found:
        asked = fields.choice(RecordType, found["type"].value, "type")
    server = (
        read_peer(fields, found["server"].value, "server", _PORT) if "server" in found else None
    )
    return DnsWork(
        name=_name(fields, fields.required(found, "name", node, "dns")),
        type=asked,
        server=server,
        expect=DnsExpect() if expect is None else _expect(fields, expect, asked),
    )


def _name(fields: Fields, node: Node) -> str:
    """Read a name of the DNS; labels such as _dmarc are no host's, and still names."""
    name = fields.filled(node, "name")
    labels = name.removesuffix(".").split(".")
    try:
        name.encode("idna")
    except UnicodeError:
        labels = []
    if not all(labels) or not labels or not name.isprintable() or " " in name:
        raise fields.error(node.place, f"{name!r} is not a name of the DNS")
    return name


def _expect(fields: Fields, node: Node, asked: RecordType) -> DnsExpect:
    found = fields.mapping(node, "expect", DNS_EXPECT_KEYS)
    exists = "exists" not in found or fields.flag(found["exists"].value, "exists")
    for key in ("values", "ttl"):
        if not exists and key in found:
            raise fields.error(found[key].place, f"where nothing exists there is no {key}")
    values: tuple[TextRule, ...] = ()
    if "values" in found:
        values = read_list_rules(
            fields, found["values"].value, "values", lambda text: canonical(text, asked)
        )
    return DnsExpect(
        exists,
        values,
        tuple(
            read_limit_of(fields, found[key].value, key, dimensions)
            for key, dimensions in _LIMITS.items()
            if key in found
        ),
    )
