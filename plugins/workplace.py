"""Where a check that is no plain request works, and what such a check is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path

    import httpx

    from greenroom.plugins.allowed import Allowed
    from greenroom.plugins.http import Connections, Limits
    from greenroom.plugins.redaction import Redactor
    from greenroom.validators.finding import Finding


@dataclass(frozen=True, slots=True)
class Site:
    """The environment that a check looks at.

    ``target`` is the suite's or the run's address, without a slash at its end; empty if there is
    none. ``record`` takes each redacted exchange of HTTP for the record; ``allow`` says which
    origins may be attacked or loaded (`greenroom.plugins.allowed`).
    """

    target: str
    connections: Connections
    redactor: Redactor
    record: Callable[[dict[str, Any]], None]
    allow: Allowed

    @property
    def base(self) -> str:
        """The target; raises `SettingsError` where there is none."""
        if not self.target:
            raise SettingsError(
                "the check has no target",
                hint="give `target:` in the suite, --greenroom-target URL, or GREENROOM_TARGET",
            )
        return self.target

    def client(self, limits: Limits | None = None) -> httpx.Client:
        """Return a client below the target whose exchanges are recorded; close it after use."""
        from greenroom.plugins.http import client  # noqa: PLC0415 - checks of the artifact need none

        return client(self.base, self.connections, self.redactor, self.record, limits)


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a check may use.

    ``root`` is pytest's root folder: every path of a check is relative to it, and so are the places
    of its results. ``until`` is when the check's time is over (time.monotonic seconds). ``cache``
    is a folder that processes share and anybody may delete; ``today`` decides on waivers.
    ``tables`` are the settings' tables of tools, by name, checked when the settings were read.
    ``here`` is the environment, for checks that look at one.
    """

    root: Path
    environ: Mapping[str, str]
    until: float
    cache: Path
    redactor: Redactor
    today: date
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    here: Site | None = None

    @property
    def site(self) -> Site:
        """The environment; raises `SettingsError` where the check was given none."""
        if self.here is None:
            raise SettingsError("the check looks at an environment, and was given none")
        return self.here

    def path(self, name: str, what: str) -> Path:
        """Return the file or folder ``name``, which must exist; raises `SettingsError`."""
        path = self.root / name
        if not path.exists():
            raise SettingsError(
                f"{what}: {name} does not exist", hint=f"paths start at {self.root}: correct it"
            )
        return path


class Work(Protocol):
    """What such a check does; a frozen dataclass, read from a suite by ``read_KIND``."""

    @property
    def alone(self) -> bool:
        """Whether nothing else of the run may work meanwhile."""

    def run(self, place: Workplace) -> Finding:
        """Observe and judge; errors of `GreenroomError` become the check's *error*."""
