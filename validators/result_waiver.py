"""Waivers of single results: a CVE or a rule is accepted, for a reason, until a date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from greenroom.validators.result import Result, State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


@dataclass(frozen=True, slots=True)
class ResultWaiver:
    """Accept the results whose id matches ``id`` through the day ``expires``.

    ``id``, ``package``, ``version`` and ``path`` are shell patterns; an empty one matches anything.
    ``expires`` is None only for statements that have no date (OpenVEX). ``where`` says where it
    stands (waivers.yaml:12).
    """

    id: str
    reason: str
    expires: date | None
    package: str = ""
    version: str = ""
    path: str = ""
    where: str = ""

    def covers(self, result: Result) -> bool:
        """Tell whether this waiver names the result."""
        package, location = result.package, result.location
        paths = [package.path if package else "", location.file if location else ""]
        return (
            _matches(self.id, [result.id])
            and _matches(self.package, [package.name if package else ""])
            and _matches(self.version, [package.installed if package else ""])
            and _matches(self.path, paths)
        )

    def active(self, today: date) -> bool:
        """Tell whether it still holds on ``today`` (its last day included)."""
        return self.expires is None or today <= self.expires

    def __str__(self) -> str:
        until = f" until {self.expires.isoformat()}" if self.expires else ""
        where = f" ({self.where})" if self.where else ""
        return f"{self.id}{until}{where}"


class Waived(NamedTuple):
    """The results with those waived marked, and what to tell of the waivers themselves.

    ``unused`` cover no result; ``expired`` cover one and no longer hold.
    """

    results: tuple[Result, ...]
    unused: tuple[ResultWaiver, ...]
    expired: tuple[ResultWaiver, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the waivers."""
        return (
            *(f"expired waiver: {waiver}" for waiver in self.expired),
            *(
                f"unused waiver: {waiver}: nothing that it covers was found"
                for waiver in self.unused
            ),
        )


def waive(results: Iterable[Result], waivers: Iterable[ResultWaiver], today: date) -> Waived:
    """Mark each open result that an active waiver covers; the first waiver that does so counts."""
    given = tuple(waivers)
    used: set[int] = set()
    expired: set[int] = set()
    marked = []
    for result in results:
        covering = [index for index, waiver in enumerate(given) if waiver.covers(result)]
        active = [index for index in covering if given[index].active(today)]
        used.update(covering)
        if active and result.state is State.OPEN:
            marked.append(replace(result, state=State.WAIVED, why=_why(given[active[0]])))
        else:
            expired.update(covering if not active else ())
            marked.append(result)
    return Waived(
        tuple(marked),
        tuple(waiver for index, waiver in enumerate(given) if index not in used),
        tuple(given[index] for index in sorted(expired)),
    )


def _why(waiver: ResultWaiver) -> str:
    until = f" (until {waiver.expires.isoformat()})" if waiver.expires else ""
    return f"{waiver.reason}{until}"


def _matches(pattern: str, texts: list[str]) -> bool:
    return not pattern or any(text == pattern or fnmatchcase(text, pattern) for text in texts)
