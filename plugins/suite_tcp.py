"""Reads ``tcp:`` of a suite, and does what it says: connect within the time, and say how long.

::

    tcp: {host: "${env.DATABASE}", port: 5432}
    expect: "time < 200ms"
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from greenroom.plugins.suite_limits import read_limits
from greenroom.validators.errors import ServiceError
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.threshold import Threshold

TCP_KEYS = ("host", "port")
PORT_MOST = 65535
_METRIC = "time"


@dataclass(frozen=True, slots=True)
class TcpWork:
    """A check that something accepts connections at ``host`` and ``port``."""

    host: str
    port: int
    limits: tuple[Threshold, ...] = ()

    @property
    def alone(self) -> bool:
        """One connection disturbs nobody."""
        return False

    def run(self, place: Workplace) -> Finding:
        """Connect and close again; who does not answer was not observed."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        begun = time.monotonic()
        name = f"{self.host}:{self.port}"
        try:
            socket.create_connection(
                (self.host, self.port), max(place.until - begun, 0.001)
            ).close()
        except OSError as error:
            raise ServiceError(
                f"{name} accepts no connection: {error.strerror or error}",
                hint="is it started, and may it be reached from here?",
            ) from error
        took = Metric(time.monotonic() - begun, Dimension.TIME, samples=1)
        rules = (
            Rule("connection", "accepted", "accepted", met=True),
            *(limit.judge({_METRIC: took}) for limit in self.limits),
        )
        return Finding.judged(rules, (Evidence(f"connection to {name}", 1, "socket", "", at),))


def read_tcp(fields: Fields, node: Node, expect: Node | None) -> TcpWork:
    """Read the value of ``tcp:``, and limits for ``time``."""
    found = fields.mapping(node, "tcp", TCP_KEYS)
    return TcpWork(
        host=fields.filled(fields.required(found, "host", node, "tcp"), "host"),
        port=fields.whole(fields.required(found, "port", node, "tcp"), "port", 1, PORT_MOST),
        limits=() if expect is None else read_limits(fields, expect, (_METRIC,)),
    )
