"""The closed choices of the field's vocabulary, with one parser that lists what is valid."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from greenroom.validators.errors import SettingsError

Choice = TypeVar("Choice", bound=StrEnum)


class Outcome(StrEnum):
    """What became of one check. Only ``passed`` counts for a green."""

    PASSED = "passed"
    """The expectation was met, on positive evidence."""
    FAILED = "failed"
    """The expectation was observed not to be met."""
    INCONCLUSIVE = "inconclusive"
    """Too little evidence to decide (skipped, no samples, nothing examined)."""
    ERROR = "error"
    """Could not be observed (tool missing, endpoint unreachable, crash, time-out)."""


class Gate(StrEnum):
    """What a check that did not pass does to the verdict."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class Stage(StrEnum):
    """What is validated: the thing that was built, or the place where it runs."""

    ARTIFACT = "artifact"
    ENVIRONMENT = "environment"


class Kind(StrEnum):
    """What a check does; each kind belongs to one stage (see ``stage``)."""

    UNIT = "unit"
    STATIC = "static"
    IMAGE = "image"
    TEMPLATE = "template"
    SMOKE = "smoke"
    INTEGRATION = "integration"
    CONTRACT = "contract"
    LOAD = "load"
    SECURITY = "security"
    MONITOR = "monitor"

    @property
    def stage(self) -> Stage:
        """The stage this kind belongs to."""
        return Stage.ARTIFACT if self in _ARTIFACT_KINDS else Stage.ENVIRONMENT


_ARTIFACT_KINDS = frozenset({Kind.UNIT, Kind.STATIC, Kind.IMAGE, Kind.TEMPLATE})


class Verdict(StrEnum):
    """The one answer of a run. Only ``ship`` opens a gate."""

    SHIP = "ship"
    DO_NOT_SHIP = "do-not-ship"
    COULD_NOT_DECIDE = "could-not-decide"

    @property
    def words(self) -> str:
        """The verdict as people read it: ``do not ship``."""
        return self.value.replace("-", " ")


def choose(choices: type[Choice], value: object, where: str) -> Choice:
    """Return the member of ``choices`` named ``value``; a `SettingsError` lists the valid names."""
    for member in choices:
        if member.value == value:
            return member
    known = ", ".join(member.value for member in choices)
    raise SettingsError(f"{where}: unknown value {value!r}", hint=f"use one of: {known}")
