"""The probes of suites for Python tests: they observe; the functions of `validators` judge.

::

    def test_certificate(probe, verify):
        verify(judge_tls(probe.tls("api.example.com:443")))
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from greenroom.plugins.dns_lookup import look_up
from greenroom.plugins.function_address import parse_function
from greenroom.plugins.lambda_call import call
from greenroom.plugins.peers import parse_peer, peer_of
from greenroom.plugins.recording import recording_of
from greenroom.plugins.settings import redactor_of, settings_of
from greenroom.plugins.target import connections_of
from greenroom.plugins.tcp import connect, converse
from greenroom.plugins.tls import Asked, observe_tls
from greenroom.plugins.workplace import Site
from greenroom.validators.dns import RecordType, judge_dns
from greenroom.validators.errors import SettingsError
from greenroom.validators.json_values import Expectation, Operator
from greenroom.validators.tcp import RECEIVED_MOST, judge_tcp
from greenroom.validators.texts import TextRule
from greenroom.validators.tls import Protocol, judge_tls
from greenroom.validators.vocabulary import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pytest

    from greenroom.plugins.security_run import SecurityOrder
    from greenroom.validators.dns import DnsFacts
    from greenroom.validators.evidence import Evidence
    from greenroom.validators.finding import Finding
    from greenroom.validators.functions import Invocation
    from greenroom.validators.security import SecurityFacts
    from greenroom.validators.tcp import TcpFacts
    from greenroom.validators.tls import TlsFacts

Facts = TypeVar("Facts")

_DNS_PORT = 53
_TLS_PORT = 443


@dataclass(frozen=True, slots=True)
class Probe:
    """Observes what lies below HTTP; each observation takes at most its ``seconds``.

    Raises `ServiceError` for what could not be observed, `ToolError` where a library is missing,
    and `SettingsError` for what cannot be asked. ``seen`` is the evidence of each observation.
    """

    site: Site
    seen: list[Evidence] = field(default_factory=list)

    def tcp(
        self,
        peer: str,
        *,
        send: str = "",
        receives: str = "",
        most: int = RECEIVED_MOST,
        seconds: float = 10.0,
    ) -> TcpFacts:
        """Connect to HOST:PORT; with ``receives`` send, and read until that text came."""
        until = time.monotonic() + seconds
        if send and not receives:
            raise SettingsError("send without receives proves nothing", hint="say what it answers")
        if not receives:
            return self._noted(connect(parse_peer(peer), until), judge_tcp)
        wanted = TextRule("receives", Expectation(Operator.CONTAINS, receives))
        facts = converse(parse_peer(peer), until, send.encode(), (wanted,), most)
        return self._noted(facts, judge_tcp)

    def dns(
        self, name: str, type_: str = "A", *, server: str = "", seconds: float = 10.0
    ) -> DnsFacts:
        """Ask ``server`` (HOST[:PORT], the system's if empty) about an absolute name."""
        until = time.monotonic() + seconds
        asked = parse_peer(server, _DNS_PORT) if server else None
        facts = look_up(name, choose(RecordType, type_, "type"), until, asked)
        return self._noted(facts, judge_dns)

    def tls(  # noqa: PLR0913 - what a handshake can be asked for, by name
        self,
        peer: str = "",
        *,
        name: str = "",
        ca: Path | None = None,
        alpn: Iterable[str] = (),
        refuses: Iterable[str] = (),
        seconds: float = 15.0,
    ) -> TlsFacts:
        """Do the handshakes with HOST[:PORT], or with the target."""
        found = parse_peer(peer, _TLS_PORT) if peer else peer_of(self.site.base, _TLS_PORT)
        old = tuple(choose(Protocol, one, "refuses") for one in refuses)
        asked = Asked(found, name, ca, tuple(alpn), old)
        return self._noted(observe_tls(asked, time.monotonic() + seconds), judge_tls)

    def security(self, order: SecurityOrder, *, seconds: float = 120.0) -> SecurityFacts:
        """Send the built-in penetration probes to the target, which the settings must allow."""
        from greenroom.plugins.security_run import observe_security  # noqa: PLC0415 - few ask

        return observe_security(order, self.site, time.monotonic() + seconds)

    def function(self, event: object, function: str = "", *, seconds: float = 60.0) -> Invocation:
        """Invoke ``lambda://NAME:VERSION``, or the target, with an event; it is recorded."""
        address = parse_function(function or self.site.base)
        return call(self.site, address, event, time.monotonic() + seconds)

    def _noted(self, facts: Facts, judge: Callable[[Facts], Finding]) -> Facts:
        """Keep the evidence that a judgement rests on, also for who asserts by himself."""
        self.seen.extend(judge(facts).evidence)
        return facts


def probe_of(request: pytest.FixtureRequest) -> Probe:
    """Return the probe of one test, whose invocations are recorded with it."""
    settings = settings_of(request.config)
    recording = recording_of(request.node)
    site = Site(
        target=settings.target or "",
        connections=connections_of(request.config),
        redactor=redactor_of(request.config),
        record=recording.exchanges.append,
        allow=settings.allow,
    )
    return Probe(site, recording.evidence)
