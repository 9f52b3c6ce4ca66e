"""Where a check of the artifact works, and what such a check is."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

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

    @classmethod
    def of_process(
        cls,
        root: Path,
        timeout_s: float,
        redactor: Redactor,
        tables: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Workplace:
        """Return one with this process's environment, its user's cache and today's date."""
        return cls(
            root=root,
            environ=os.environ,
            until=time.monotonic() + timeout_s,
            cache=cache_folder(os.environ),
            redactor=redactor,
            today=datetime.now(UTC).date(),
            tables=tables or {},
        )

    def path(self, name: str, what: str) -> Path:
        """Return the file or folder ``name``, which must exist; raises `SettingsError`."""
        path = self.root / name
        if not path.exists():
            raise SettingsError(
                f"{what}: {name} does not exist", hint=f"paths start at {self.root}: correct it"
            )
        return path


def matching(root: Path, pattern: str) -> list[Path]:
    """Return what matches ``pattern`` below ``root``, sorted; raises `SettingsError`."""
    try:
        return sorted(root.glob(pattern))
    except (ValueError, NotImplementedError) as error:
        raise SettingsError(
            f"{pattern!r} is no pattern: {error}", hint="start at the root"
        ) from error


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where what costs time is kept: GREENROOM_CACHE, else the user's cache folder."""
    if given := environ.get("GREENROOM_CACHE"):
        return Path(given).absolute()
    home = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/tmp"), ".cache")  # noqa: S108 - no home: a cache may be lost
    return Path(home).absolute() / "greenroom"


class Work(Protocol):
    """What a check of the artifact does; a frozen dataclass, read from a suite by ``read_KIND``."""

    @property
    def alone(self) -> bool:
        """Whether nothing else of the run may work meanwhile."""

    def run(self, place: Workplace) -> Finding:
        """Observe and judge; errors of `GreenroomError` become the check's *error*."""
