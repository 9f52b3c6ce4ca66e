"""Reads ``image:`` of a suite, and does what it says: scan, prove the database, judge.

::

    image: {ref: "registry.example/app:1.2", waivers: waivers.yaml, since: "${env.DEPLOYED}"}
    expect: ["critical == 0", "fixable_high == 0"]
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.plugins.openvex import read_openvex
from greenroom.plugins.suite_limits import read_limits
from greenroom.plugins.suite_yaml import Mapping, Scalar
from greenroom.plugins.trivy import Sbom, SbomFormat, Trivy
from greenroom.plugins.trivy_settings import read_trivy
from greenroom.plugins.waiver_file import read_waivers
from greenroom.validators.errors import SettingsError
from greenroom.validators.image import DEFAULT_LIMITS, ImagePolicy, Scanner, judge_image
from greenroom.validators.static import METRICS

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.image import ImageFacts
    from greenroom.validators.threshold import Threshold

IMAGE_KEYS = (
    *(kind.value for kind in SubjectKind),
    "tag",
    "platforms",
    "scanners",
    "os",
    "waivers",
    "vex",
    "never",
    "licenses",
    "unproven",
    "unread",
    "since",
)
_IMAGES = (SubjectKind.REF, SubjectKind.ARCHIVE, SubjectKind.LAYOUT)
_INSIDE = "write it into the project: its path starts at the root"
_SEVERAL = (SubjectKind.REF, SubjectKind.LAYOUT)


@dataclass(frozen=True, slots=True)
class ImageWork:
    """One check of an image or bundle; ``waivers``, ``vex`` and ``sbom`` are paths of files."""

    subject: Subject
    scanners: tuple[Scanner, ...]
    limits: tuple[Threshold, ...]
    never: tuple[str, ...] = ()
    deny_licenses: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    without_os: bool = False
    waivers: str = ""
    vex: str = ""
    since: Subject | None = None
    sbom: tuple[SbomFormat, str] | None = None

    @property
    def alone(self) -> bool:
        """Scans may run side by side: each has its own cache in memory."""
        return False

    def run(self, place: Workplace) -> Finding:
        """Scan the subject, and what is deployed where it is compared with that; judge."""
        waivers = read_waivers(place.path(self.waivers, "waivers")) if self.waivers else ()
        vex = place.path(self.vex, "vex") if self.vex else None
        trivy = Trivy(read_trivy(place.tables.get("trivy"), "settings"), place)
        sbom = Sbom(self.sbom[0], _inside(place, self.sbom[1])) if self.sbom else None
        facts = trivy.scan(self.subject, self.scanners, sbom=sbom, without_os=self.without_os)
        statements = read_openvex(vex, self.subject.name, facts.digest) if vex else ()
        known, notes = self._known(trivy, facts.digest)
        policy = ImagePolicy(
            today=place.today,
            limits=self.limits,
            never=self.never,
            deny_licenses=self.deny_licenses,
            waivers=(*waivers, *statements),
            known=known,
            unproven=self.unproven,
            unread=self.unread,
        )
        finding = judge_image(facts, policy)
        return replace(finding, notes=(*finding.notes, *notes))

    def _known(self, trivy: Trivy, digest: str) -> tuple[frozenset[str], tuple[str, ...]]:
        """Return what the deployed image has; what is compared with itself has nothing known."""
        if self.since is None:
            return frozenset(), ()
        facts: ImageFacts = trivy.scan(self.since, self.scanners, without_os=True)
        if facts.digest == digest:
            return frozenset(), (f"since: {self.since} is this very image: nothing is known",)
        found = (result.fingerprint for scan in facts.scans for result in scan.results)
        return frozenset(found), ()


def _inside(place: Workplace, path: str) -> Path:
    """Return the path below the root; raises `SettingsError` where a link leads out of it."""
    whole = place.root / path
    if not whole.resolve().is_relative_to(place.root.resolve()):
        raise SettingsError(f"sbom: {path} leads out of the project", hint=_INSIDE)
    return whole


def read_image(fields: Fields, node: Node, expect: Node | None) -> ImageWork:
    """Read the value of ``image:``, and thresholds; without them none critical and none high."""
    found = fields.mapping(node, "image", IMAGE_KEYS)
    subject = _subject(fields, found, node)
    licenses = _licenses(fields, found)
    return ImageWork(
        subject=subject,
        scanners=_scanners(fields, found, subject.kind, licensed=bool(licenses)),
        limits=DEFAULT_LIMITS if expect is None else read_limits(fields, expect, METRICS),
        never=_texts(fields, found, "never"),
        deny_licenses=licenses,
        unproven=_texts(fields, found, "unproven"),
        unread=_texts(fields, found, "unread"),
        without_os=_without_os(fields, found),
        waivers=_optional(fields, found, "waivers"),
        vex=_optional(fields, found, "vex"),
        since=_since(fields, found, subject),
        sbom=_sbom(fields, found),
    )


def _subject(fields: Fields, found: dict[str, Entry], node: Node) -> Subject:
    given = [kind for kind in SubjectKind if kind in found and not _written(found[kind].value)]
    if len(given) != 1:
        names = ", ".join(SubjectKind)
        raise fields.error(node.place, "image needs one subject", f"give one of: {names}")
    kind = given[0]
    _only(fields, found, "tag", kind is SubjectKind.LAYOUT, "tag belongs to layout")
    _only(fields, found, "platforms", kind in _SEVERAL, "platforms belong to ref or layout")
    _only(fields, found, "os", kind in _IMAGES, "os belongs to images")
    return Subject(
        kind,
        _filled(fields, found[kind].value, kind.value),
        tag=_optional(fields, found, "tag"),
        platforms=_texts(fields, found, "platforms"),
    )


def _written(node: Node) -> bool:
    """Tell ``sbom: {format, path}``, which asks to write one, from ``sbom: path``, a subject."""
    return isinstance(node, Mapping)


def _only(fields: Fields, found: dict[str, Entry], key: str, good: bool, message: str) -> None:  # noqa: FBT001 - the condition itself
    if key in found and not good:
        raise fields.error(found[key].place, message, "leave it out")


def _since(fields: Fields, found: dict[str, Entry], subject: Subject) -> Subject | None:
    if "since" not in found:
        return None
    _only(fields, found, "since", subject.kind in _SEVERAL, "since belongs to ref or layout")
    text = _filled(fields, found["since"].value, "since")
    if subject.kind is SubjectKind.LAYOUT:
        return Subject(subject.kind, subject.name, tag=text, platforms=subject.platforms)
    return Subject(subject.kind, text, platforms=subject.platforms)


def _scanners(
    fields: Fields, found: dict[str, Entry], kind: SubjectKind, *, licensed: bool
) -> tuple[Scanner, ...]:
    chosen = [kind.scanners[0]]
    if "scanners" in found:
        items = fields.items(found["scanners"].value, "scanners")
        chosen = [fields.choice(Scanner, item, "a scanner") for item in items]
        for item, scanner in zip(items, chosen, strict=True):
            if scanner not in kind.scanners:
                hint = f"scanners of {kind.value}: {', '.join(kind.scanners)}"
                raise fields.error(item.place, f"{kind.value} has no scanner {scanner}", hint)
        if Scanner.LICENSE in chosen and not licensed:
            place = found["scanners"].value.place
            raise fields.error(place, "no licence is denied", "give licenses: {deny: [AGPL-*]}")
    if licensed:
        _only(fields, found, "licenses", Scanner.LICENSE in kind.scanners, "it has no licences")
        chosen.append(Scanner.LICENSE)
    return tuple(dict.fromkeys(chosen))


def _licenses(fields: Fields, found: dict[str, Entry]) -> tuple[str, ...]:
    if "licenses" not in found:
        return ()
    node = found["licenses"].value
    inner = fields.mapping(node, "licenses", ("deny",))
    fields.required(inner, "deny", node, "licenses")
    return _texts(fields, inner, "deny")


def _without_os(fields: Fields, found: dict[str, Entry]) -> bool:
    if "os" not in found:
        return False
    node = found["os"].value
    if not isinstance(node, Scalar) or node.value != "none":
        hint = "os: none, for an image built on scratch"
        raise fields.error(node.place, "os can only be none", hint)
    return True


def _sbom(fields: Fields, found: dict[str, Entry]) -> tuple[SbomFormat, str] | None:
    if "sbom" not in found or not _written(found["sbom"].value):
        return None
    node = found["sbom"].value
    inner = fields.mapping(node, "sbom", ("format", "path"))
    written = fields.required(inner, "path", node, "sbom")
    path = _filled(fields, written, "path")
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise fields.error(written.place, f"{path} leads out of the project", _INSIDE)
    form = SbomFormat.CYCLONEDX
    if "format" in inner:
        form = fields.choice(SbomFormat, inner["format"].value, "an SBOM's format")
    return form, path


def _filled(fields: Fields, node: Node, what: str) -> str:
    text = fields.filled(node, what)
    if not text.strip() or not text.isprintable() or text.startswith("-"):
        raise fields.error(node.place, f"{what} is {text!r}", "give a name or path")
    return text


def _optional(fields: Fields, found: dict[str, Entry], key: str) -> str:
    return _filled(fields, found[key].value, key) if key in found else ""


def _texts(fields: Fields, found: dict[str, Entry], key: str) -> tuple[str, ...]:
    if key not in found:
        return ()
    return tuple(_filled(fields, item, key) for item in fields.items(found[key].value, key))
