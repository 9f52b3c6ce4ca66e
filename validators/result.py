"""One thing that a tool reported of an artifact: a vulnerability, a lint message, a bad setting.

Levels are SARIF's, severities the vulnerability databases'; every result has both, so that a
threshold can be written in either.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 300
"""Characters of a message that a person is shown in a line; the record has the whole."""


class Severity(StrEnum):
    """How bad it is, worst first. ``unknown`` is not harmless: nobody has rated it yet."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"

    @property
    def level(self) -> Level:
        """The SARIF level that is meant where a tool gives a severity only."""
        match self:
            case Severity.CRITICAL | Severity.HIGH:
                return Level.ERROR
            case Severity.MEDIUM | Severity.UNKNOWN:
                return Level.WARNING
            case Severity.LOW:
                return Level.NOTE

    @property
    def least_score(self) -> float:
        """The lowest CVSS base score that is called so; 0 for what nobody has rated."""
        match self:
            case Severity.CRITICAL:
                return 9.0
            case Severity.HIGH:
                return 7.0
            case Severity.MEDIUM:
                return 4.0
            case Severity.LOW | Severity.UNKNOWN:
                return 0.0

    @classmethod
    def of_score(cls, score: float) -> Severity:
        """Return the severity of a CVSS base score, as CVSS 3.1 names its ranges (0 is low)."""
        for least, severity in ((9.0, cls.CRITICAL), (7.0, cls.HIGH), (4.0, cls.MEDIUM)):
            if score >= least:
                return severity
        return cls.LOW


class Level(StrEnum):
    """SARIF 2.1.0's levels, worst first; its ``none`` is a note."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def severity(self) -> Severity:
        """The severity that is meant where a tool gives a level only."""
        return {
            Level.ERROR: Severity.HIGH,
            Level.WARNING: Severity.MEDIUM,
            Level.NOTE: Severity.LOW,
        }[self]


class State(StrEnum):
    """Whether a result counts."""

    OPEN = "open"
    """It counts."""
    WAIVED = "waived"
    """It is accepted until a date, for a reason."""
    KNOWN = "known"
    """It was there before: in the baseline, or in the image that is deployed."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file, relative to the project's root; lines and columns from 1, 0 unknown."""

    file: str
    line: int = 0
    column: int = 0
    end_line: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.file, *numbers])


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; ``fixed`` is the version that repairs it, empty where there is none.

    ``ecosystem`` is what its tool calls it (debian, alpine, pip, npm, jar), ``path`` its file in
    the artifact where there is one, ``layer`` the digest of the layer that brought it.
    """

    name: str
    installed: str
    fixed: str = ""
    ecosystem: str = ""
    path: str = ""
    layer: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One result; ``id`` is the CVE's or rule's name, ``score`` a CVSS base score.

    ``fingerprint`` stays the same when lines move; `fingerprint_of` makes one. ``why`` says why a
    result that is not open does not count.
    """

    id: str
    message: str
    level: Level
    severity: Severity
    tool: str
    location: Location | None = None
    package: Package | None = None
    link: str = ""
    score: float | None = None
    advice: str = ""
    fingerprint: str = ""
    state: State = State.OPEN
    why: str = ""

    @property
    def fixable(self) -> bool:
        """Whether a version that repairs it is known."""
        return self.package is not None and bool(self.package.fixed)

    @property
    def where(self) -> str:
        """The place or the package, for a person."""
        if self.package is not None:
            return f"{self.package.name} {self.package.installed}".strip()
        return "" if self.location is None else str(self.location)

    def __str__(self) -> str:
        fixed = f", fixed in {self.package.fixed}" if self.package and self.package.fixed else ""
        where = f" in {self.where}" if self.where else ""
        said = " ".join(self.message.split())
        more = " …" if len(said) > _SHOWN else ""
        return f"{self.severity.value} {self.id}{where}{fixed}: {said[:_SHOWN]}{more}"

    def to_json(self) -> dict[str, Any]:
        """Return the record's form of this result; what is not known is left out."""
        data: dict[str, Any] = {
            "id": self.id,
            "message": self.message,
            "level": self.level.value,
            "severity": self.severity.value,
            "tool": self.tool,
            "state": self.state.value,
        }
        for name in ("link", "advice", "fingerprint", "why"):
            if value := getattr(self, name):
                data[name] = value
        if self.score is not None:
            data["score"] = self.score
        if self.location is not None:
            data["location"] = _known(self.location)
        if self.package is not None:
            data["package"] = _known(self.package)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Result:
        """Read `to_json`'s form."""
        location, package = data.get("location"), data.get("package")
        score = data.get("score")
        return cls(
            id=str(data["id"]),
            message=str(data["message"]),
            level=Level(data["level"]),
            severity=Severity(data["severity"]),
            tool=str(data["tool"]),
            location=None if location is None else Location(**location),
            package=None if package is None else Package(**package),
            link=str(data.get("link", "")),
            score=None if score is None else float(score),
            advice=str(data.get("advice", "")),
            fingerprint=str(data.get("fingerprint", "")),
            state=State(data["state"]),
            why=str(data.get("why", "")),
        )


def worst_first(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the results in the order in which a person reads them: open, then by severity."""
    states, severities, levels = list(State), list(Severity), list(Level)
    return tuple(
        sorted(
            results,
            key=lambda result: (
                states.index(result.state),
                severities.index(result.severity),
                levels.index(result.level),
                -(result.score or 0.0),
                result.id,
                result.where,
            ),
        )
    )


def count_metrics(results: Iterable[Result], examined: int) -> dict[str, Metric]:
    """Return how many open results there are, as metrics that rest on ``examined`` things.

    total, one for each severity and level, fixable and fixable_SEVERITY; waived and known count
    those that are not open; max_score is the highest CVSS base score of an open one (0 if none);
    one without a score has the least of its severity.
    """
    seen: Counter[str] = Counter()
    score = 0.0
    for result in results:
        if result.state is not State.OPEN:
            seen[result.state.value] += 1
            continue
        seen.update(("total", result.severity.value, result.level.value))
        score = max(score, result.severity.least_score if result.score is None else result.score)
        if result.fixable:
            seen.update(("fixable", f"fixable_{result.severity.value}"))
    names = ["total", *Severity, *Level, "fixable", *(f"fixable_{one}" for one in Severity)]
    counts = {
        str(name): Metric(seen[str(name)], Dimension.COUNT, examined)
        for name in [*names, State.WAIVED, State.KNOWN]
    }
    return counts | {"max_score": Metric(score, Dimension.COUNT, examined)}


def fingerprint_of(*parts: str) -> str:
    """Return 16 hexadecimal digits that stand for ``parts`` (rule, file, text …)."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _known(facts: Location | Package) -> Mapping[str, Any]:
    values = {name: getattr(facts, name) for name in facts.__slots__}
    required = {"file", "name", "installed"}
    return {name: value for name, value in values.items() if value or name in required}
