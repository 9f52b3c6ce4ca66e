"""Observes what a check of immutable references judges: the images, and what registries say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from greenroom.plugins.image_references import find_images
from greenroom.plugins.registry import asking
from greenroom.plugins.registry_login import ecr_host
from greenroom.validators.errors import GreenroomError, ServiceError, SettingsError
from greenroom.validators.evidence import Evidence
from greenroom.validators.references import (
    Policy,
    References,
    Seen,
    has_holes,
    judge_references,
    reference_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.image_reference import Reference
    from greenroom.validators.references import ImageUse

_TOOL = "greenroom"
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class ReferencesWork:
    """A check of the references in ``files``, whose parameters have the values ``parameters``.

    With ``resolve`` every tag is looked up that has a digest to agree with; ``plain_http`` are
    registries without TLS.
    """

    files: tuple[str, ...]
    policy: Policy
    resolve: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)
    plain_http: tuple[str, ...] = ()
    alone: bool = False

    def run(self, place: Workplace) -> Finding:
        """Read the files, ask the registries, and judge."""
        facts = self.observe(place)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        asked = sum(bool(seen.digest) for seen in facts.seen.values())
        evidence = (
            Evidence("image references", len(facts.uses), _TOOL, "", at),
            *((Evidence("tags resolved", asked, "registry", "", at),) if asked else ()),
        )
        return judge_references(facts, self.policy, evidence)

    def observe(self, place: Workplace) -> References:
        """Return the images of the files and what was found out about their tags."""
        found = {
            name: find_images(place.path(name, "references"), name, self.parameters)
            for name in self.files
        }
        uses = tuple(use for images in found.values() for use in images)
        empty = tuple(name for name, images in found.items() if not images)
        known = {use.text: named for use in uses if (named := _known(use))}
        seen, notes = self._looked_up(known, place) if self.resolve else ({}, ())
        return References(uses, empty, seen, (*notes, *self._unused(known.values())))

    def _looked_up(
        self, known: Mapping[str, Reference], place: Workplace
    ) -> tuple[dict[str, Seen], tuple[str, ...]]:
        compared = {text: named for text, named in known.items() if self._compares(named)}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            # Each in a copy of the context: it tells a login's helper when the run is called off.
            looks = [
                pool.submit(copy_context().run, self._look, named, place)
                for named in compared.values()
            ]
            seen = dict(zip(compared, (look.result() for look in looks), strict=True))
        notes = []
        for text, named in known.items():
            if named.tag and not named.digest and ecr_host(named.registry):
                mutable, note = ecr_mutability(named)
                seen[text] = replace(seen.get(text, Seen()), mutable=mutable)
                notes += [note] if note else []
        return seen, tuple(notes)

    def _compares(self, reference: Reference) -> bool:
        return bool(reference.tag and (reference.digest or self.policy.recorded_of(reference)))

    def _look(self, reference: Reference, place: Workplace) -> Seen:
        tag = replace(reference, digest="")
        try:
            with asking(tag, place.environ, place.until, plain_http=self.plain_http) as registry:
                return Seen(registry.digest())
        except GreenroomError as error:
            return Seen(failed=str(error))

    def _unused(self, references: Iterable[Reference]) -> tuple[str, ...]:
        named = {f"{reference.name}:{reference.tag}" for reference in references}
        recorded = self.policy.recorded or {}
        return tuple(
            f"no file names {tag}, whose digest is given" for tag in recorded if tag not in named
        )


def _known(use: ImageUse) -> Reference | None:
    """Return the reference of a use of which every part is known."""
    try:
        return None if has_holes(use) else reference_of(use)[0]
    except SettingsError:
        return None


def ecr_mutability(reference: Reference) -> tuple[bool | None, str]:
    """Return whether an ECR repository lets its tags move, and a note where that is not known."""
    host = ecr_host(reference.registry)
    unknown = f"imageTagMutability of {reference.name} was not asked"
    if host is None:
        return None, f"{unknown}: it is not in ECR"
    from greenroom.plugins.aws import ask_aws  # noqa: PLC0415 - for ECR only

    members = {"registryId": host.account, "repositoryNames": [reference.repository]}
    action = "ecr:DescribeRepositories"
    try:
        answer = ask_aws("ecr", "describe_repositories", action, host.region, **members)
    except ServiceError as error:
        return None, f"{unknown}: {error}"
    setting = answer["repositories"][0].get("imageTagMutability", "MUTABLE")
    if setting in {"MUTABLE", "IMMUTABLE"}:
        return setting == "MUTABLE", ""
    return None, f"{reference.name} has {setting}: whether this tag may move is not judged"
