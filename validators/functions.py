"""Functions: the frozen facts of one invocation, and the pure functions that judge them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.finding import Rule
from greenroom.validators.json_values import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_ERROR = "none"
_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Invocation:
    """What one invocation came to.

    ``version`` is what was asked for (a number or an alias), ``executed`` what Lambda says it ran;
    ``error`` is the name of the function's error, empty if it returned, ``message`` what it said;
    ``payload`` is its answer, or its error, as JSON. ``at`` is an ISO 8601 time in UTC.
    """

    address: str
    version: str
    executed: str
    payload: bytes
    error: str
    message: str
    took_s: float
    at: str

    @property
    def shown_error(self) -> str:
        """The function's error on one line, or ``none``."""
        if not self.error:
            return NO_ERROR
        return cut(printable(f"{self.error}: {self.message}"), _SHOWN)


def judge_invocation(seen: Invocation, error: str = NO_ERROR, executed: str = "") -> Iterator[Rule]:
    """Judge which version ran and how it ended.

    ``error`` is the name of the error that is expected, ``executed`` the version; where that is
    empty, it is the one that was asked for if that is a number. A service that does not say what it
    ran proves nothing.
    """
    wanted = executed or (seen.version if seen.version.isdigit() else "")
    if wanted:
        said = seen.executed or "not said by the service"
        yield Rule("version", wanted, said, seen.executed == wanted if seen.executed else None)
    yield Rule("error", error, seen.shown_error, (seen.error or NO_ERROR) == error)
