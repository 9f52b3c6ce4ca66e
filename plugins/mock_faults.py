"""What a mock service does instead of answering: fail, stall, reset or drop, so many times."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greenroom.plugins.mock_model import Reply

_AT_ONCE = struct.pack("ii", 1, 0)


class Harm(Enum):
    """The ways in which a call can go wrong."""

    FAIL = "answered with an error"
    STALL = "kept waiting"
    RESET = "connection reset"
    DROP = "connection closed without an answer"


@dataclass(slots=True)
class Fault:
    """One harm; ``left`` counts the calls it is still for, None for all.

    ``reply`` is the answer of a failure; ``seconds`` of a stall is None for until the end.
    """

    harm: Harm
    left: int | None = None
    reply: Reply | None = None
    seconds: float | None = None


class Faults:
    """The faults of each route, used up in the order they were told."""

    def __init__(self) -> None:
        self._told: dict[str, list[Fault]] = {}

    def tell(self, route: str, fault: Fault) -> None:
        """Add a fault to a route."""
        if fault.left is not None and fault.left < 1:
            raise ValueError(f"times must be 1 or more, not {fault.left}")
        self._told.setdefault(route, []).append(fault)

    def take(self, route: str) -> Fault | None:
        """Return the fault of the next call of ``route``, counted down, or None."""
        told = self._told.get(route)
        if not told:
            return None
        fault = told[0]
        if fault.left is not None:
            fault.left -= 1
            if fault.left == 0:
                told.pop(0)
        return fault

    def clear(self, route: str) -> None:
        """Forget the faults of a route: it answers again."""
        self._told.pop(route, None)

    def unused(self) -> tuple[str, ...]:
        """Return the routes with faults that were told and not met as often as told."""
        return tuple(
            route
            for route, told in self._told.items()
            if any(fault.left is not None for fault in told)
        )


def reset(connection: socket.socket) -> None:
    """End a TCP connection by a reset (RST), not by the usual exchange of farewells."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    os.close(connection.detach())
