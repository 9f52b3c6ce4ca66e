"""What a silent pass is: a tool says ok having examined nothing, and what Greenroom says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greenroom.validators.finding import Finding


@dataclass(frozen=True, slots=True)
class SilentPass:
    """One row of docs/silent-passes.md; both callables work in an empty folder of their own.

    ``bare`` runs the tool as people do and says in a few stable words what it said; ``ours`` runs
    our check on the same thing and returns its finding, or lets a `GreenroomError` out.
    """

    id: str
    tool: str
    case: str
    bare: Callable[[Path], str]
    ours: Callable[[Path], Finding]
