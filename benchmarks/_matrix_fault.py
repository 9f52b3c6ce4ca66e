"""What one row of the fault matrix is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from benchmarks._invocation import GREENROOM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tests.support.faults import Script, Step
    from tests.support.servers import Served

AMPLE_S = 45.0
"""The time-out where the suite ends by itself: a busy machine must not make it a fault."""
SHORT_S = 12.0
"""The time-out where the suite uses it up."""
LONG_S = 20.0
"""The time-out where a service or the wait for the target does: others are still called in it."""

Target: TypeAlias = "Callable[[], AbstractContextManager[Served | str]]"
Around: TypeAlias = "Callable[[Step], Step | Sequence[Step]]"
"""From what a service would do to what it does."""


class Deliveries(StrEnum):
    """How often the event is delivered, retries after an error of the function aside."""

    ONCE = "once"
    AGAIN = "again"
    """A second time after the first was answered."""
    TWICE_AT_ONCE = "twice at once"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong, or right: ``passes`` tells what has to be reported.

    ``files`` are the function's. ``why`` is a regular expression that the reasons for any verdict
    but *ship* hold: a cell that is right for another reason proves nothing of this fault.
    ``service`` is what the waiter's service does with the calls that tell it; ``first_delivery`` is
    what it does with all of them until the event is delivered again; ``storage`` is what S3 does
    with the requests that a key of it finds. ``needs_function`` leaves out waiters that no function
    serves, ``own_settings`` those for which the matrix has to write a settings file.
    """

    name: str
    files: Mapping[str, str]
    why: str = ""
    passes: bool = False
    target: Target | None = None
    service: Around | None = None
    first_delivery: Step | None = None
    deliveries: Deliveries = Deliveries.ONCE
    storage: Mapping[str, Script] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    handler: str = GREENROOM
    timeout_s: float = AMPLE_S
    needs_function: bool = False
    own_settings: bool = False

    @property
    def needs_sandbox(self) -> bool:
        """Tell whether the function makes itself a small disk."""
        return self.handler != GREENROOM

    @property
    def about_services(self) -> bool:
        """Tell whether a service or a delivery goes wrong, not the suite."""
        delivered = self.deliveries is not Deliveries.ONCE
        return delivered or bool(self.service or self.first_delivery or self.storage)
