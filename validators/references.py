"""Immutable references: whether every image that is named can only ever mean one image.

A digest can; a tag can only by somebody's word (a declared pattern of build ids, which never covers
``latest``). A text may have holes (``${Name}``) where it is filled in later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from greenroom.validators.errors import SettingsError
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.image_reference import parse_reference
from greenroom.validators.result import Level, Result, Severity, fingerprint_of, worst_first
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.validators.evidence import Evidence
    from greenroom.validators.image_reference import Reference
    from greenroom.validators.result import Location

_HOLE = re.compile(r"\$\{[^}]*\}")
_STAND_IN = "\0"
_UNDECIDED = "reference-undecided"
_ADVICE = {
    "reference-no-tag": "give the digest that was built and scanned: name@sha256:…",
    "reference-latest": "give the digest that was built and scanned: name@sha256:…",
    "reference-mutable": "give the digest, or declare build ids under `immutable`",
    "reference-invalid": "write it as registry/repository:tag@sha256:…",
    "reference-disagrees": "name one image: take the tag out, or the digest of what was built",
    "reference-moved": "deploy the digest that was recorded, and find out who moved the tag",
    "reference-mutable-repository": "set the repository's imageTagMutability to IMMUTABLE",
    _UNDECIDED: "give its value under `parameters`, or check the file that is deployed",
}


@dataclass(frozen=True, slots=True)
class ImageUse:
    """One image that a file names; ``undecided`` says why its text is not known, if so."""

    text: str
    location: Location
    undecided: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is taken for immutable.

    ``immutable`` are shell patterns, or regular expressions between slashes, for ``name:tag`` as
    written or with its defaults. ``recorded`` are the digests of tags (``name:tag``) when they were
    built.
    """

    immutable: tuple[str, ...] = ()
    recorded: Mapping[str, str] | None = None

    def trusts(self, text: str, reference: Reference) -> bool:
        """Tell whether the tag of ``reference`` is declared to stay as it is."""
        named = {text.partition("@")[0], f"{reference.name}:{reference.tag}"}
        return any(_matches(pattern, name) for pattern in self.immutable for name in named)

    def recorded_of(self, reference: Reference) -> str:
        """Return the digest that was recorded of a tag; empty if none was.

        A reference without a tag may have any digest of its repository that was recorded.
        """
        recorded = self.recorded or {}
        if reference.tag or not reference.digest:
            return recorded.get(f"{reference.name}:{reference.tag}", "")
        known = [digest for tag, digest in recorded.items() if _untagged(tag) == reference.name]
        return reference.digest if reference.digest in known else next(iter(known), "")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out about a tag: its digest now, or why that could not be asked.

    ``mutable`` is whether its repository lets tags move; None where that is not known.
    """

    digest: str = ""
    failed: str = ""
    mutable: bool | None = None


@dataclass(frozen=True, slots=True)
class References:
    """Every image of some files; ``seen`` has what was found out, by the use's text."""

    uses: tuple[ImageUse, ...]
    empty: tuple[str, ...]
    seen: Mapping[str, Seen]
    notes: tuple[str, ...] = ()


def reference_of(use: ImageUse) -> tuple[Reference | None, str]:
    """Return the reference of a use, and why there is none (or it is not known) otherwise.

    Holes may be in the registry and repository: they change nothing about tag and digest.
    """
    if use.undecided:
        return None, use.undecided
    plain = _HOLE.sub(_STAND_IN, use.text)
    named, _, digest = plain.partition("@")
    repository, _, tag = named.rpartition("/")[2].partition(":")
    decides = digest or tag or repository
    if _STAND_IN in decides:
        return None, f"{use.text} has no value here"
    return parse_reference(plain.replace(_STAND_IN, "hole")), ""


def has_holes(use: ImageUse) -> bool:
    """Tell whether a part of the text is not known, so that no registry can be asked."""
    return bool(_HOLE.search(use.text))


def judge_references(facts: References, policy: Policy, evidence: tuple[Evidence, ...]) -> Finding:
    """Judge that every image is immutable, agrees with the registry and has not moved.

    A file without an image makes it *inconclusive*; an image or digest that could not be observed
    makes it *error*; what is mutable, disagrees or has moved makes it *failed*.
    """
    results = tuple(found for use in facts.uses for found in _problems(use, facts, policy))
    if facts.empty and not results:
        return _nothing(facts)
    bad = sorted(found.id for found in results if found.id != _UNDECIDED)
    undecided = len(results) - len(bad)
    seen = f"{len(bad)} ({', '.join(sorted(set(bad)))})" if bad else "0"
    rules = [Rule("mutable images", "== 0", seen, met=not bad)] if facts.uses else []
    if undecided:
        rules.append(Rule("undecided images", "== 0", str(undecided), met=None))
    notes = tuple(f"{name} names no image" for name in facts.empty) + facts.notes
    return Finding.judged(
        tuple(rules),
        () if facts.empty and not results else evidence,
        advice=next((found.advice for found in worst_first(results)), ""),
        results=worst_first(results),
        notes=notes,
    )


def _nothing(facts: References) -> Finding:
    return Finding(
        Outcome.INCONCLUSIVE,
        "an image in every file",
        f"none in {', '.join(facts.empty)}",
        advice="name files that name images, and take the others out of `files`",
        notes=facts.notes,
    )


def _problems(use: ImageUse, facts: References, policy: Policy) -> list[Result]:
    try:
        reference, why = reference_of(use)
    except SettingsError as error:
        return [_result("reference-invalid", use, str(error))]
    if reference is None:
        return [_result(_UNDECIDED, use, why)]
    found = [*_mutable(use, reference, policy)]
    seen = facts.seen.get(use.text, Seen())
    if seen.failed:
        found.append(_result(_UNDECIDED, use, seen.failed))
    if seen.mutable and not reference.digest:
        message = f"{use.text}: its repository lets tags be moved"
        found.append(_result("reference-mutable-repository", use, message))
    if not (reference.digest or seen.digest or seen.failed) and policy.recorded_of(reference):
        found.append(_result(_UNDECIDED, use, f"{use.text}: the registry was not asked for it"))
    return found + _compared(use, reference, seen.digest, policy.recorded_of(reference))


def _mutable(use: ImageUse, reference: Reference, policy: Policy) -> list[Result]:
    if reference.digest:
        return []
    if not reference.tag:
        return [_result("reference-no-tag", use, f"{use.text} has no tag: it means latest")]
    if reference.tag == "latest":
        return [_result("reference-latest", use, f"{use.text} is whatever was pushed last")]
    if policy.trusts(use.text, reference):
        return []
    return [_result("reference-mutable", use, f"{use.text} is a tag, which can be moved")]


def _compared(use: ImageUse, reference: Reference, now: str, recorded: str) -> list[Result]:
    if recorded and reference.digest and recorded != reference.digest:
        message = f"{use.text} is not the image that was built: {recorded}"
        return [_result("reference-disagrees", use, message)]
    if recorded and now and recorded != now:
        message = f"{use.text} has moved from {recorded} to {now}"
        return [_result("reference-moved", use, message)]
    if reference.digest and now and reference.digest != now:
        message = f"{use.text}: the tag means {now} now"
        return [_result("reference-disagrees", use, message)]
    return []


def _result(rule: str, use: ImageUse, message: str) -> Result:
    return Result(
        id=rule,
        message=message,
        level=Level.ERROR,
        severity=Severity.HIGH,
        tool="greenroom",
        location=use.location,
        advice=_ADVICE[rule],
        fingerprint=fingerprint_of(rule, use.location.file, use.text),
    )


def _untagged(name: str) -> str:
    return name.rpartition(":")[0]


def _matches(pattern: str, name: str) -> bool:
    if len(pattern) > 1 and pattern[0] == pattern[-1] == "/":
        return re.fullmatch(pattern[1:-1], name) is not None
    return fnmatchcase(name, pattern)
