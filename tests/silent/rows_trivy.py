"""Trivy's silent passes: real Trivy, images that the rows write, databases that they write."""

from __future__ import annotations

import json
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.plugins.programs import find_program
from tests.support import oci
from tests.support.scans import ADVISORIES, NEW, OLD, Scans, image
from tests.support.silent import SilentPass
from tests.support.vulndb import write_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greenroom.validators.finding import Finding

_TOOL = "Trivy 0.76"
_COMMON = ("--skip-db-update", "--skip-check-update", "--offline-scan", "--skip-version-check")
_QUIET = ("--disable-telemetry", "--quiet", "--format=json", "--exit-code=1", "--scanners=vuln")


def _trivy(folder: Path, *arguments: str, codes: bool = True) -> str:
    """Run Trivy as people do, its findings to be exit status 1; say what it said."""
    program = find_program("trivy", "install greenroom[image]")
    fixed = [*_COMMON, *(flag for flag in _QUIET if codes or "exit-code" not in flag)]
    fixed = [flag for flag in fixed if arguments[0] != "sbom" or "check-update" not in flag]
    command = [str(program), *arguments, *fixed, f"--cache-dir={folder / 'trivy'}"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60)
    results = json.loads(ran.stdout or b"{}").get("Results") or []
    found = sum(len(part.get("Vulnerabilities") or ()) for part in results)
    return f"exit {ran.returncode}, {found} vulnerabilities"


def _layout(scans: Scans, content: oci.Image | oci.Index) -> Subject:
    return scans.layout("image", content)


def _row(
    name: str,
    case: str,
    content: Callable[[], oci.Image],
    prepare: Callable[[Path], object] | None = None,
    *,
    codes: bool = True,
) -> SilentPass:
    """Return a row of an image in a layout; ``prepare`` makes the database or other files."""

    def made(folder: Path) -> tuple[Scans, Subject]:
        scans = Scans(folder)
        (prepare or _database)(folder)
        return scans, _layout(scans, content())

    def bare(folder: Path) -> str:
        made(folder)
        return _trivy(folder, "image", "--input", "image", codes=codes)

    def ours(folder: Path) -> Finding:
        scans, subject = made(folder)
        return scans.judged(subject)

    return SilentPass(f"trivy-{name}", _TOOL, case, bare, ours)


def _database(folder: Path) -> None:
    write_database(folder / "trivy", ADVISORIES)


def _empty_database(folder: Path) -> None:
    write_database(folder / "trivy", ())


def _old_database(folder: Path) -> None:
    others = [one for one in ADVISORIES if one.platform != "debian 12"]
    updated = datetime.now(UTC) - timedelta(days=400)
    write_database(folder / "trivy", [*others, ADVISORIES[0]], updated=updated)


def _other_releases(folder: Path) -> None:
    write_database(folder / "trivy", [one for one in ADVISORIES if one.platform != "debian 12"])


def _ignoring(folder: Path) -> None:
    _database(folder)
    (folder / ".trivyignore").write_text("CVE-2023-0001\n")


def _configured(folder: Path) -> None:
    _database(folder)
    (folder / "trivy.yaml").write_text("severity: [LOW]\n")


def _two_tags(folder: Path) -> None:
    tags = {"new": image(oci.debian(NEW)), "old": image(oci.debian(OLD))}
    oci.write_layout(folder / "image", tags)
    _database(folder)


def _bare_two_tags(folder: Path) -> str:
    _two_tags(folder)
    return _trivy(folder, "image", "--input", "image")


def _our_two_tags(folder: Path) -> Finding:
    _two_tags(folder)
    return Scans(folder).judged(Subject(SubjectKind.LAYOUT, "image"))


def _bundle(folder: Path) -> Scans:
    with zipfile.ZipFile(folder / "bundle.zip", "w") as bundle:
        for name, text in oci.pip({"jinja2": "3.1.0"}).items():
            bundle.writestr(name, text)
            (folder / "bundle" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "bundle" / name).write_text(text)
    return Scans(folder).database()


def _bare_bundle(folder: Path) -> str:
    _bundle(folder)
    return _trivy(folder, "fs", "bundle")


def _bare_zip(folder: Path) -> str:
    _bundle(folder)
    return _trivy(folder, "rootfs", "bundle.zip")


def _our_unpacked(folder: Path) -> Finding:
    return _bundle(folder).judged(Subject(SubjectKind.FS, "bundle"))


def _our_zip(folder: Path) -> Finding:
    return _bundle(folder).judged(Subject(SubjectKind.ROOTFS, "bundle.zip"))


def _spoil(folder: Path, content: oci.Image) -> None:
    name = oci.digest(content.layers[0]).removeprefix("sha256:")
    (folder / "image" / "blobs" / "sha256" / name).write_bytes(b"spoilt")


def _bare_spoilt(folder: Path) -> str:
    content = image(oci.debian(NEW))
    _layout(Scans(folder).database(), content)
    _trivy(folder, "image", "--input", "image")
    _spoil(folder, content)
    return _trivy(folder, "image", "--input", "image")


def _our_spoilt(folder: Path) -> Finding:
    content, scans = image(oci.debian(NEW)), Scans(folder).database()
    subject = _layout(scans, content)
    scans.judged(subject)
    _spoil(folder, content)
    return scans.judged(subject)


def _broken(folder: Path) -> Scans:
    (folder / "app").mkdir()
    (folder / "app" / "requirements.txt").write_text("jinja2==3.1.6\n")
    (folder / "app" / "package-lock.json").write_text('{"packages": {')
    return Scans(folder).database()


def _bare_broken(folder: Path) -> str:
    _broken(folder)
    return _trivy(folder, "fs", "app")


def _our_broken(folder: Path) -> Finding:
    return _broken(folder).judged(Subject(SubjectKind.FS, "app"))


def _loose(folder: Path) -> Scans:
    parts = [{"type": "library", "name": "jinja2", "version": "3.1.0"}]
    parts.append({"type": "library", "name": "django", "version": "5", "purl": "pkg:pypi/django@5"})
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": parts}
    (folder / "app.cdx.json").write_text(json.dumps(document))
    return Scans(folder).database()


def _bare_loose(folder: Path) -> str:
    _loose(folder)
    return _trivy(folder, "sbom", "app.cdx.json")


def _our_loose(folder: Path) -> Finding:
    return _loose(folder).judged(Subject(SubjectKind.SBOM, "app.cdx.json"))


ROWS: tuple[SilentPass, ...] = (
    _row("no-exit-code", "without --exit-code", lambda: image(oci.debian(OLD)), codes=False),
    _row("empty-database", "an empty but valid database", lambda: image(oci.debian(OLD)),
         _empty_database),
    _row("old-database", "a database of last year", lambda: image(oci.debian(NEW)), _old_database),
    _row("other-releases", "a database without the image's release",
         lambda: image(oci.debian(OLD)), _other_releases),
    _row("unknown-version", "an unknown version of the operating system",
         lambda: image(oci.debian(OLD, "99"))),
    _row("end-of-life", "an operating system past its end of life",
         lambda: image(oci.alpine(OLD, "3.9"))),
    _row("no-os-release", "an image whose os-release was deleted", lambda: image(
        {name: text for name, text in oci.debian(OLD).items() if "dpkg" in name})),
    _row("scratch", "an image without layers", oci.image),
    _row("no-packages", "an image without packages", lambda: image({"etc/motd": "hello"})),
    _row("ignore-file", "a .trivyignore in the working directory", lambda: image(oci.debian(OLD)),
         _ignoring),
    _row("settings-file", "a trivy.yaml in the working directory", lambda: image(oci.debian(OLD)),
         _configured),
    SilentPass("trivy-two-tags", _TOOL, "an OCI layout with several tags", _bare_two_tags,
               _our_two_tags),
    SilentPass("trivy-fs-of-a-bundle", _TOOL, "`trivy fs` of an unpacked bundle", _bare_bundle,
               _our_unpacked),
    SilentPass("trivy-zip", _TOOL, "a Lambda function's .zip", _bare_zip, _our_zip),
    SilentPass("trivy-spoilt-layer", _TOOL, "a spoilt layer and a warm cache", _bare_spoilt,
               _our_spoilt),
    SilentPass("trivy-broken-lock", _TOOL, "a broken lock file beside a good one", _bare_broken,
               _our_broken),
    SilentPass("trivy-sbom", _TOOL, "an SBOM's component without package URL", _bare_loose,
               _our_loose),
)  # fmt: skip
