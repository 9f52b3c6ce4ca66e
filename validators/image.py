"""Images and other artifacts that Trivy scans: what was observed of one, and its judgement.

::

    ImageFacts ── scans: one for each platform ── results, licences, packages, operating system
               ├─ database: which advisories they were compared with
               └─ canary: what that database is proven to find
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.license_expression import is_denied
from greenroom.validators.result import (
    Location,
    Result,
    Severity,
    State,
    count_metrics,
    fingerprint_of,
    worst_first,
)
from greenroom.validators.result_waiver import waive
from greenroom.validators.threshold import parse_threshold
from greenroom.validators.vocabulary import Outcome
from greenroom.validators.words import few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from greenroom.validators.result_waiver import ResultWaiver
    from greenroom.validators.threshold import Threshold

DEFAULT_LIMITS = (parse_threshold("critical == 0"), parse_threshold("high == 0"))
_ADVICE = {
    "digest": "scan again, and deploy what was scanned: name it by its digest",
    "operating system": "build on a supported release; an image built on scratch says os: none",
    "never": "update or remove it: it is never accepted",
    "unread": "repair or remove it; what need not be read is named in `unread`",
    "comments": "remove the comments; what may stay is waived, with a reason and a date",
    "licenses": "replace the package, or take its licence out of `deny`",
    "canary": "fetch the whole database anew; an ecosystem may do without if `unproven` names it",
}
"""What to do about a rule whose name begins so."""


class Unread(NamedTuple):
    """What should have been read and was not: ``path`` names a file, or a component of an SBOM."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path} ({self.why})"


class Hidden(NamedTuple):
    """Results of ``rule`` (``*``: of all) that a comment in the examined file itself drops."""

    rule: str
    path: str
    line: int


class Scanner(StrEnum):
    """What is looked for."""

    VULN = "vuln"
    SECRET = "secret"  # noqa: S105 - a scanner's name
    MISCONFIG = "misconfig"
    LICENSE = "license"


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """What an image says that it is; ``end_of_life`` is what Trivy knows of that release."""

    family: str
    version: str
    end_of_life: bool = False

    def __str__(self) -> str:
        return f"{self.family} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Scan:
    """What one scan saw. ``platform`` is empty where there is none to choose from.

    ``amounts`` are how many things each scanner examined, and what they are: packages, layers,
    files, checks. ``ecosystems`` are those of its packages that belong to no operating system.
    ``licenses`` are all that were found, denied or not; they are in no metric. ``os_packages``
    counts the packages of the operating system. ``notes`` are what a person should know.
    """

    platform: str
    os: OperatingSystem | None
    layers: int
    amounts: tuple[tuple[Scanner, str, int], ...]
    ecosystems: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    licenses: tuple[Result, ...] = ()
    os_packages: int = 0
    unread: tuple[Unread, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Database:
    """The vulnerability database in use; ``updated`` is when its makers built it (ISO 8601)."""

    version: str
    updated: str
    source: str


@dataclass(frozen=True, slots=True)
class Canary:
    """What a known-vulnerable image of ours proved of the database.

    ``found`` counts its vulnerabilities; ``blind`` are the releases and ecosystems of the subject
    in which nothing was found, or for which there is no canary.
    """

    found: int
    blind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of a subject, at the time ``at`` (ISO 8601, UTC).

    ``digest`` is what was scanned, empty for a folder; ``digest_after`` what the tag led to at the
    end, equal to ``digest`` where nothing can move. ``image`` tells whether it has layers,
    ``needs_os`` whether it must say which operating system it is. ``database`` and ``canary`` are
    None where no advisories were asked.
    """

    subject: str
    digest: str
    digest_after: str
    scans: tuple[Scan, ...]
    image: bool
    needs_os: bool
    version: str
    at: str
    database: Database | None = None
    canary: Canary | None = None


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """What is accepted. ``known`` are the fingerprints of the deployed image's results.

    ``never`` are ids that no waiver covers; ``deny_licenses`` are shell patterns of names;
    ``unproven`` are ecosystems that may do without a canary, ``unread`` shell patterns of what need
    not be read.
    """

    today: date
    limits: tuple[Threshold, ...] = DEFAULT_LIMITS
    never: tuple[str, ...] = ()
    deny_licenses: tuple[str, ...] = ()
    waivers: tuple[ResultWaiver, ...] = ()
    known: frozenset[str] = frozenset()
    unproven: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def judge_image(facts: ImageFacts, policy: ImagePolicy) -> Finding:
    """Judge ``facts``: *inconclusive* where a scanner examined nothing, else by every rule."""
    evidence = tuple(_evidence(facts))
    if nothing := tuple(_nothing(facts)):
        return Finding(
            outcome=Outcome.INCONCLUSIVE,
            expected=f"something to examine in {facts.subject}",
            seen="; ".join(nothing),
            evidence=evidence,
            advice="name what holds what the scanner looks for, or leave that scanner out",
            notes=_notes(facts, policy),
        )
    hidden = tuple(_hidden(facts))
    waived = waive((*hidden, *_named(facts, policy)), policy.waivers, policy.today)
    dropped, found = waived.results[: len(hidden)], waived.results[len(hidden) :]
    results = worst_first([*waived.results, *_denied(facts, policy)])
    rules = (
        *_identity(facts),
        *_systems(facts, policy),
        *_canary(facts, policy),
        *_read(facts, policy),
        *_comments(dropped),
        *_limits(facts, found, policy),
        *_never(found, policy),
        *_licenses(facts, policy),
    )
    return Finding.judged(
        rules,
        evidence,
        advice=_advice(rules, results),
        results=results,
        notes=(*waived.notes, *_notes(facts, policy)),
    )


def _evidence(facts: ImageFacts) -> Iterator[Evidence]:
    for scan in facts.scans:
        of = f" of {scan.platform}" if scan.platform else ""
        for what, amount in dict.fromkeys((what, amount) for _, what, amount in scan.amounts):
            yield Evidence(f"{what}{of}", amount, "trivy", facts.version, facts.at)
    if facts.database is not None:
        data = facts.database
        what = f"vulnerability database of {data.updated} from {data.source}"
        yield Evidence(what, 1, "trivy-db", data.version, facts.at)
    if facts.canary is not None:
        what = "vulnerabilities of the canary image"
        yield Evidence(what, facts.canary.found, "trivy", facts.version, facts.at)


def _nothing(facts: ImageFacts) -> Iterator[str]:
    if not facts.scans:
        yield "nothing was scanned"
    for scan in facts.scans:
        of = f" ({scan.platform})" if scan.platform else ""
        if facts.image and not scan.layers:
            yield f"no layers{of}"
        for scanner, what, amount in scan.amounts:
            if not amount:
                yield f"no {what} for the scanner {scanner.value}{of}"


def _named(facts: ImageFacts, policy: ImagePolicy) -> Iterator[Result]:
    """Yield each result once for all platforms that have it, marked where it is known."""
    platforms: dict[Result, list[str]] = {}
    for scan in facts.scans:
        for result in scan.results:
            platforms.setdefault(result, []).append(scan.platform)
    for result, names in platforms.items():
        told = result
        if len(facts.scans) > 1:
            told = replace(told, message=f"{told.message} [{', '.join(names)}]")
        if result.fingerprint in policy.known and not _is(result.id, policy.never):
            told = replace(told, state=State.KNOWN, why="the deployed image has it too")
        yield told


def _identity(facts: ImageFacts) -> Iterator[Rule]:
    if facts.digest:
        same = facts.digest == facts.digest_after
        yield Rule("digest", f"== {facts.digest}", facts.digest_after or "gone", same)


def _systems(facts: ImageFacts, policy: ImagePolicy) -> Iterator[Rule]:
    for scan in facts.scans if facts.database is not None else ():
        name = f"operating system {scan.platform}".strip()
        if scan.os is None:
            if facts.needs_os:
                yield Rule(name, "known", "not recognised", None)
            continue
        ended = scan.os.end_of_life
        life = "past its end of life: no advisories are made for it" if ended else "supported"
        yield Rule(name, "supported", f"{scan.os} is {life}", not ended)
        bare = facts.image and not facts.needs_os
        if not scan.os_packages and not bare and str(scan.os) not in policy.unproven:
            yield Rule(f"packages of {name}", ">= 1", "none could be read", None)


def _canary(facts: ImageFacts, policy: ImagePolicy) -> Iterator[Rule]:
    if facts.canary is None:
        return
    blind = [name for name in facts.canary.blind if name not in policy.unproven]
    seen = f"it finds nothing for {', '.join(blind)}" if blind else f"{facts.canary.found} found"
    proven = not blind and (facts.canary.found > 0 or bool(policy.unproven))
    yield Rule("canary", "found vulnerable by this database", seen, proven or None)


def _read(facts: ImageFacts, policy: ImagePolicy) -> Iterator[Rule]:
    left = [str(one) for one in _unread(facts) if not _accepted(one, policy)]
    if left:
        yield Rule("unread", "none", few(left, between="; "), None)


def _unread(facts: ImageFacts) -> tuple[Unread, ...]:
    return tuple(dict.fromkeys(one for scan in facts.scans for one in scan.unread))


def _accepted(one: Unread, policy: ImagePolicy) -> bool:
    return any(fnmatchcase(one.path, pattern) for pattern in policy.unread)


def _notes(facts: ImageFacts, policy: ImagePolicy) -> tuple[str, ...]:
    accepted = (f"unread: {one}" for one in _unread(facts) if _accepted(one, policy))
    told = (note for scan in facts.scans for note in scan.notes)
    return tuple(dict.fromkeys((*accepted, *told)))


def _hidden(facts: ImageFacts) -> Iterator[Result]:
    """Yield a result for each comment that drops results: nobody knows how bad they are."""
    for rule, path, line in dict.fromkeys(one for scan in facts.scans for one in scan.hidden):
        yield Result(
            id=rule,
            message="a comment in the file drops it",
            level=Severity.UNKNOWN.level,
            severity=Severity.UNKNOWN,
            tool="trivy",
            location=Location(path, line=line),
            fingerprint=fingerprint_of("comment", rule, path),
        )


def _comments(dropped: tuple[Result, ...]) -> Iterator[Rule]:
    left = [f"{one.id} in {one.where}" for one in dropped if one.state is State.OPEN]
    if dropped:
        yield Rule("comments that drop results", "none", few(left) or "waived", not left)


def _limits(
    facts: ImageFacts, results: tuple[Result, ...], policy: ImagePolicy
) -> tuple[Rule, ...]:
    examined = sum(amount for scan in facts.scans for _, _, amount in scan.amounts)
    metrics = count_metrics(results, examined)
    return tuple(limit.judge(metrics) for limit in policy.limits)


def _never(results: tuple[Result, ...], policy: ImagePolicy) -> Iterator[Rule]:
    for pattern in policy.never:
        found = sorted({result.where for result in results if _is(result.id, (pattern,))})
        yield Rule(f"never {pattern}", "absent", few(found) or "absent", not found)


def _licenses(facts: ImageFacts, policy: ImagePolicy) -> Iterator[Rule]:
    if policy.deny_licenses:
        found = sorted({f"{one.id} ({one.where})" for one in _denied(facts, policy)})
        limit = f"none of {', '.join(policy.deny_licenses)}"
        yield Rule("licenses", limit, few(found) or "none", not found)


def _denied(facts: ImageFacts, policy: ImagePolicy) -> tuple[Result, ...]:
    found = (one for scan in facts.scans for one in scan.licenses)
    return tuple(dict.fromkeys(one for one in found if is_denied(one.id, policy.deny_licenses)))


def _is(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a pattern names ``name``; case does not matter in the id of a flaw."""
    low = name.lower()
    return any(low == one.lower() or fnmatchcase(low, one.lower()) for one in patterns)


def _advice(rules: tuple[Rule, ...], results: tuple[Result, ...]) -> str:
    """Return what to do about the first rule that was missed, else about one not observed."""
    missed = [rule for rule in rules if not rule.met]
    for first in sorted(missed, key=lambda rule: rule.met is None)[:1]:
        for name, advice in _ADVICE.items():
            if first.rule.startswith(name):
                return advice
    worst = next((result for result in results if result.state is State.OPEN), None)
    if worst is None:
        return ""
    if worst.fixable:
        return "update the packages to the versions that repair them, and build again"
    if worst.package is not None:
        return "build on a newer base, or waive each with a reason and a date"
    return "correct each, or waive it with a reason and a date"
