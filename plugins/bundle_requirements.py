"""What a bundle needs: Greenroom's requirements and the user's, as they hold on the target.

pip evaluates environment markers for the Python that runs it, whatever target it is told, so they
are evaluated here. Greenroom's own dependencies go at the versions installed on this machine: what
was tested is what decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from greenroom.plugins.bundle_target import Target

    Find = Callable[[str], metadata.Distribution | None]

ITSELF = "greenroom"
_COMMENT = re.compile(r"(^|\s)#.*$")
_CONTINUED = re.compile(r"\\\n")
_OTHER_FILE = re.compile(r"(?:-r|--requirement|(?P<limit>-c|--constraint))(?:\s*=?\s*)(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class Needs:
    """Requirements that hold on the target (without markers), and files that constrain them."""

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """What ``roots`` need: the distributions found, by canonical name, and what nothing meets."""

    found: dict[str, metadata.Distribution]
    missing: tuple[Requirement, ...]


def holding(
    texts: Iterable[str], target: Target, extras: Collection[str] = ()
) -> Iterator[Requirement]:
    """Yield the requirements among ``texts`` that hold on ``target``, without their markers."""
    for requirement in map(Requirement, texts):
        marker, requirement.marker = requirement.marker, None
        if marker is None or any(
            marker.evaluate({**target.markers, "extra": extra}) for extra in extras or ("",)
        ):
            yield requirement


def walk(roots: Iterable[Requirement], find: Find, target: Target) -> Walk:
    """Follow the requirements of ``roots`` through the distributions that ``find`` knows."""
    found: dict[str, metadata.Distribution] = {}
    missing: list[Requirement] = []
    ahead, seen = list(roots), set()
    while ahead:
        requirement = ahead.pop(0)
        name = canonicalize_name(requirement.name)
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        distribution = find(name)
        if distribution is None:
            missing.append(requirement)
            continue
        if not requirement.specifier.contains(distribution.version, prereleases=True):
            missing.append(requirement)
        found[name] = distribution
        extras = ("", *sorted(requirement.extras))
        ahead.extend(holding(distribution.requires or (), target, extras))
    return Walk(found, tuple(missing))


def own(target: Target, extras: Sequence[str] = ()) -> tuple[Requirement, ...]:
    """Return what Greenroom with ``extras`` needs, each at the version installed here.

    What the target needs and this machine does not is left to pip within its limits.
    """
    known = itself().metadata.get_all("Provides-Extra") or []
    for extra in extras:
        if extra not in known:
            raise SettingsError(
                f"greenroom has no extra {extra!r}", hint=f"use one of: {', '.join(sorted(known))}"
            )
    roots = holding(itself().requires or (), target, ("", *extras))
    walked = walk(roots, installed, target)
    walked.found.pop(ITSELF, None)
    pins = [Requirement(f"{name}=={it.version}") for name, it in sorted(walked.found.items())]
    return (*pins, *(it for it in walked.missing if canonicalize_name(it.name) != ITSELF))


def itself() -> metadata.Distribution:
    """Return Greenroom's own distribution: the installed one before a checkout's egg-info."""
    found = metadata.distributions(name=ITSELF)
    return next((it for it in found if it.read_text("METADATA")), metadata.distribution(ITSELF))


def installed(name: str) -> metadata.Distribution | None:
    """Return the distribution ``name`` of this environment."""
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def given(texts: Iterable[str], files: Iterable[Path], target: Target) -> Needs:
    """Return the user's own needs: requirements as texts and in requirements files."""
    needs = Needs(tuple(_parsed(texts, "--with", target)))
    for file in files:
        needs = _together(needs, _read(file, target, ()))
    return needs


def _together(one: Needs, other: Needs) -> Needs:
    return Needs((*one.requirements, *other.requirements), (*one.constraints, *other.constraints))


def _read(file: Path, target: Target, within: tuple[Path, ...]) -> Needs:
    """Read a requirements file and those that it names, relative to it."""
    if file.resolve() in within:
        raise SettingsError(f"{file} includes itself", hint="remove the -r line")
    needs = Needs()
    for line in _lines(file):
        other = _OTHER_FILE.fullmatch(line)
        if other is None:
            more = Needs(tuple(_parsed([line], str(file), target)))
        elif other["limit"]:
            more = Needs(constraints=((file.parent / other["path"]).absolute(),))
        else:
            more = _read(file.parent / other["path"], target, (*within, file.resolve()))
        needs = _together(needs, more)
    return needs


def _lines(file: Path) -> Iterator[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file}: cannot be read: {error}", hint="give a requirements file of pip's format"
        ) from error
    for line in _CONTINUED.sub(" ", text).splitlines():
        if stripped := _COMMENT.sub("", line).strip():
            yield stripped


def _parsed(texts: Iterable[str], where: str, target: Target) -> Iterator[Requirement]:
    for text in texts:
        try:
            yield from holding([text], target)
        except InvalidRequirement as error:
            raise SettingsError(f"{where}: {text!r} is not a requirement", hint=_hint(text)) from (
                error
            )


def _hint(text: str) -> str:
    if "--hash" in text:
        return "leave the hashes out: Greenroom's own dependencies are pinned without them"
    if text.startswith("-"):
        return "set pip's options in its own configuration: PIP_INDEX_URL, PIP_FIND_LINKS, pip.conf"
    return "write it as NAME, NAME==VERSION or NAME @ URL"
