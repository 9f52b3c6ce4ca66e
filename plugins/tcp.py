"""Connects by TCP, sends a text if there is one to send, and reads what comes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from greenroom.plugins.dial import BROKEN, dialled, why
from greenroom.validators.errors import ServiceError
from greenroom.validators.tcp import RECEIVED_MOST, TcpFacts

if TYPE_CHECKING:
    import httpcore

    from greenroom.plugins.target_settings import Address
    from greenroom.validators.texts import TextRule

_STEP = 16 * 1024


def connect(peer: Address, until: float) -> TcpFacts:
    """Connect and close again; raises `ServiceError` where nobody accepts in time."""
    at, begun = _now(), time.monotonic()
    with dialled(peer, until):
        return TcpFacts(str(peer), time.monotonic() - begun, at)


def converse(
    peer: Address,
    until: float,
    send: bytes,
    receives: tuple[TextRule, ...],
    most: int = RECEIVED_MOST,
) -> TcpFacts:
    """Connect, send, and read until ``receives`` is met, the peer ends, or ``most`` bytes came.

    Raises `ServiceError` where nobody accepts, the connection breaks, nothing comes at all, or the
    time is over before one of these.
    """
    at, begun = _now(), time.monotonic()
    received = b""
    with dialled(peer, until) as stream:
        connected = time.monotonic() - begun
        try:
            stream.write(send)
            while len(received) < most and (step := _step(stream, most - len(received))):
                received += step
                facts = TcpFacts(str(peer), connected, at, receives, received)
                if all(rule.met for rule in facts.answers):
                    break
        except BROKEN as error:
            raise ServiceError(
                f"{peer} gave no complete answer: {why(error)}; {len(received):,} bytes came",
                hint="is that what it speaks? look at its log for this connection",
            ) from error
    if not received:
        raise ServiceError(
            f"{peer} closed the connection without an answer",
            hint="look at its log; a load balancer does so when nothing is behind it",
        )
    return TcpFacts(str(peer), connected, at, receives, received)


def _step(stream: httpcore.NetworkStream, most: int) -> bytes:
    return stream.read(min(_STEP, most))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
