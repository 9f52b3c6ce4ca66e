"""Where a check that is no plain request works, and what such a check is."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    import httpx

    from greenroom.plugins.allowed import Allowed
    from greenroom.plugins.client_tls import Tls
    from greenroom.plugins.http import Connections, Limits
    from greenroom.plugins.redaction import Redactor
    from greenroom.validators.finding import Finding


@dataclass(frozen=True, slots=True)
class Site:
    """The environment that a check looks at.

    ``target`` is the suite's or the run's address, without a slash at its end; empty if there is
    none. ``record`` takes each redacted exchange of HTTP for the record; ``allow`` says which
    origins may be attacked or loaded (`greenroom.plugins.allowed`); ``tls`` is the suite's own.
    """

    target: str
    connections: Connections
    redactor: Redactor
    record: Callable[[dict[str, Any]], None]
    allow: Allowed
    tls: Tls | None = None

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

        return client(self.base, self.connections, self.redactor, self.record, limits, tls=self.tls)


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
    """What such a check does; a frozen dataclass, read from a suite by ``read_KIND``."""

    @property
    def alone(self) -> bool:
        """Whether nothing else of the run may work meanwhile."""

    def run(self, place: Workplace) -> Finding:
        """Observe and judge; errors of `GreenroomError` become the check's *error*."""
