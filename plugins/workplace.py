"""Where a check of the artifact works, and what such a check is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from greenroom.plugins.redaction import Redactor
    from greenroom.validators.finding import Finding


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a check may use.

    ``root`` is pytest's root folder: every path of a check is relative to it, and so are the places
    of its results. ``until`` is when the check's time is over (time.monotonic seconds). ``cache``
    is a folder that processes share and anybody may delete; ``today`` decides on waivers.
    ``tables`` are the settings' tables of tools, by name, checked when the settings were read.
    """

    root: Path
    environ: Mapping[str, str]
    until: float
    cache: Path
    redactor: Redactor
    today: date
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def path(self, name: str, what: str) -> Path:
        """Return the file or folder ``name``, which must exist; raises `SettingsError`."""
        path = self.root / name
        if not path.exists():
            raise SettingsError(
                f"{what}: {name} does not exist", hint=f"paths start at {self.root}: correct it"
            )
        return path


class Work(Protocol):
    """What a check of the artifact does; a frozen dataclass, read from a suite by ``read_KIND``."""

    @property
    def alone(self) -> bool:
        """Whether nothing else of the run may work meanwhile."""

    def run(self, place: Workplace) -> Finding:
        """Observe and judge; errors of `GreenroomError` become the check's *error*."""
