"""Where a hook runs: Lambda, a build that a hook started, or a shell."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from greenroom.plugins.hook_settings import HookSettings, hook_settings
from greenroom.validators.errors import GreenroomError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from greenroom.plugins.hand_off import Invitation


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hook runs: all that differs between Lambda, CodeBuild and a shell.

    ``ends`` is when it must be over (monotonic seconds); at most ``most_reserve_s`` of that is kept
    for the answer. ``arguments`` are pytest's where they are given here (a text is quoted as for a
    shell), None where the settings say, and ``suites`` where not even they do. ``owner`` is who
    claims the execution; ``invitation`` is what a build was handed. ``function`` is the Lambda
    function's ARN; ``keeps_report`` tells whether anybody can look into the report's folder later.
    """

    environ: Mapping[str, str]
    root: Path
    report: Path
    work: Path
    ends: float
    owner: str
    most_reserve_s: float = math.inf
    arguments: str | tuple[str, ...] | None = None
    suites: tuple[str, ...] = ("suites",)
    passed: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    memory_kib: int = 0
    keeps_report: bool = True
    function: str = ""
    invitation: Invitation | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    echo: IO[bytes] | None = None


def settings_at(place: Place) -> tuple[HookSettings, GreenroomError | None]:
    """Return the settings, and what is wrong with them: even then somebody waits for an answer."""
    try:
        return hook_settings(place.root, place.environ), None
    except GreenroomError as error:
        return HookSettings(), error
    except Exception as error:  # noqa: BLE001 - nested without end, a folder in the file's place, …
        return HookSettings(), SettingsError(
            f"the settings cannot be read: {error!r}", hint="correct greenroom.toml"
        )
