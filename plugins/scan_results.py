"""Makes results of what scanners report of addresses.

A result's place is its URL without user information, query and fragment; its fingerprint is made of
the rule, the method, the path and the parameter: the same at every target and in every run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from greenroom.validators.result import Level, Location, Result, Severity, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_SEVERITIES = {
    **dict.fromkeys(("critical", "fatal"), Severity.CRITICAL),
    "high": Severity.HIGH,
    **dict.fromkeys(("medium", "moderate"), Severity.MEDIUM),
    **dict.fromkeys(("low", "info", "informational"), Severity.LOW),
}
_TAG = re.compile(r"<[^>]*>")
_LINK = re.compile(r"https?://[^\s<>\"]+")
_WORDS_MOST = 500
_DIGITS_MOST = 18


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something was seen: a URL, and what of its request; ``key`` tells equals apart."""

    url: str = ""
    method: str = ""
    parameter: str = ""
    key: str = ""

    @property
    def path(self) -> str:
        """The URL's path."""
        return split(self.url).path

    @property
    def address(self) -> str:
        """The URL without user information, query and fragment."""
        parts = split(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}" if host else parts.path

    @property
    def words(self) -> str:
        """Method and parameter, for a person."""
        named = f"parameter {self.parameter}" if self.parameter else ""
        return ", ".join(filter(None, (self.method, named)))


@dataclass(frozen=True, slots=True)
class Rated:
    """What a tool says of a rule: its rating in a word, weakness (CWE-79), link and advice."""

    severity: str
    cwe: str = ""
    link: str = ""
    advice: str = ""
    score: float | None = None


def scan_result(tool: str, identity: str, said: str, rated: Rated, spot: Spot) -> Result:
    """Return a result; a rating that nobody knows is unknown, and one for information a note."""
    severity = _SEVERITIES.get(rated.severity.lower(), Severity.UNKNOWN)
    extra = ", ".join(filter(None, (rated.cwe, spot.words)))
    message = plain(said) or identity
    return Result(
        id=identity or "unnamed",
        message=f"{message} ({extra})" if extra else message,
        level=Level.NOTE if severity is Severity.LOW else severity.level,
        severity=severity,
        tool=tool,
        location=Location(spot.address) if spot.address else None,
        link=rated.link or _weakness(rated.cwe),
        score=rated.score,
        advice=plain(rated.advice),
        fingerprint=fingerprint_of(
            tool, identity, spot.method, spot.path, spot.parameter, spot.key
        ),
    )


def split(address: str) -> SplitResult:
    """Return the parts of an address; one that is broken is a path."""
    try:
        parts = urlsplit(address)
        _ = (parts.hostname, parts.port)
    except ValueError:
        return SplitResult("", "", address, "", "")
    return parts


def number_of(digits: str) -> int:
    """Return the whole number that a text holds, 0 for anything else."""
    return int(digits) if digits.isdecimal() and len(digits) <= _DIGITS_MOST else 0


def once(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the first of the results of each fingerprint."""
    return tuple({result.fingerprint: result for result in reversed([*results])}.values())[::-1]


def plain(text: str) -> str:
    """Return a text on one line, without the tags of HTML, cut where it is long."""
    return " ".join(_TAG.sub(" ", text).split())[:_WORDS_MOST]


def first_link(text: str) -> str:
    """Return the first address in a text, empty where there is none."""
    found = _LINK.search(text)
    return found[0] if found else ""


def cwe_of(number: str) -> str:
    """Return ``CWE-79`` for 79, cwe-79 and the like, empty where no weakness is told."""
    found = re.search(r"[1-9][0-9]*", number)
    return f"CWE-{found[0]}" if found else ""


def _weakness(cwe: str) -> str:
    number = cwe.removeprefix("CWE-")
    return f"https://cwe.mitre.org/data/definitions/{number}.html" if number else ""
