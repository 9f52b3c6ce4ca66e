r"""Reads ``tcp:`` of a suite, and does what it says: connect, and maybe talk, within the time.

Grammar (``?`` optional)::

    tcp: HOST:PORT
    tcp: {host: HOST, port: PORT, send?: TEXT, receives?: TEXT | {OPERATOR: TEXT}, most?: SIZE}
    expect?: "time < 200ms"                     the time to connect

``receives`` alone is a text that the answer must hold; the operators are those of
`greenroom.plugins.suite_texts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.suite_limits import read_limits
from greenroom.plugins.suite_operators import read_expectation
from greenroom.plugins.suite_peer import read_host, read_peer, read_port
from greenroom.plugins.suite_texts import read_text_rules
from greenroom.plugins.suite_yaml import Mapping
from greenroom.plugins.target_settings import Address
from greenroom.validators.json_values import Operator
from greenroom.validators.tcp import RECEIVED_MOST, judge_tcp
from greenroom.validators.texts import TextRule

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.tcp import TcpFacts
    from greenroom.validators.threshold import Threshold

TCP_KEYS = ("host", "port", "send", "receives", "most")
_METRIC = "time"
_OPERATORS = (Operator.EQUALS, Operator.CONTAINS, Operator.MATCHES, Operator.ONE_OF)


@dataclass(frozen=True, slots=True)
class TcpWork:
    """A check that ``peer`` accepts connections, and gives the answer that is expected."""

    peer: Address
    limits: tuple[Threshold, ...] = ()
    send: bytes = b""
    receives: tuple[TextRule, ...] = ()
    most: int = RECEIVED_MOST

    @property
    def alone(self) -> bool:
        """One connection disturbs nobody."""
        return False

    def run(self, place: Workplace) -> Finding:
        """Connect, talk and close again; who does not answer was not observed."""
        return judge_tcp(self._observed(place.until), self.limits)

    def _observed(self, until: float) -> TcpFacts:
        from greenroom.plugins.tcp import connect, converse  # noqa: PLC0415 - not to collect

        if not self.receives:
            return connect(self.peer, until)
        return converse(self.peer, until, self.send, self.receives, self.most)


def read_tcp(fields: Fields, node: Node, expect: Node | None) -> TcpWork:
    """Read the value of ``tcp:``, and limits for ``time``."""
    limits = () if expect is None else read_limits(fields, expect, (_METRIC,))
    if not isinstance(node, Mapping):
        return TcpWork(read_peer(fields, node, "tcp"), limits)
    found = fields.mapping(node, "tcp", TCP_KEYS)
    host = read_host(fields, fields.required(found, "host", node, "tcp"), "host")
    fields.required(found, "port", node, "tcp")
    for key in ("send", "most"):
        if key in found and "receives" not in found:
            raise fields.error(found[key].place, f"{key} without receives proves nothing")
    return TcpWork(
        peer=Address(host, read_port(fields, found["port"])),
        limits=limits,
        send=fields.filled(found["send"].value, "send").encode() if "send" in found else b"",
        receives=_receives(fields, found["receives"].value) if "receives" in found else (),
        most=fields.octets(found["most"].value, "most") if "most" in found else RECEIVED_MOST,
    )


def _receives(fields: Fields, node: Node) -> tuple[TextRule, ...]:
    if isinstance(node, Mapping):
        return read_text_rules(fields, node, "receives", _OPERATORS)
    return (TextRule("receives", read_expectation(fields, Operator.CONTAINS, node)),)
