"""Trivy: what a scan of an image, a bundle or a folder saw, and whether that can be believed.

Outputs are read from fresh files, exit statuses must agree with them, advisories must be young, and
a known-vulnerable image of ours must be found vulnerable by the same database.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.canary import UNREADABLE, canary_files, language_of, write_canary
from greenroom.plugins.image_subject import Opened, Subject, SubjectKind, Target, open_subject
from greenroom.plugins.layer_cache import KEPT_S, layer_cache
from greenroom.plugins.sbom_components import unread_components
from greenroom.plugins.shared_cache import SharedCache
from greenroom.plugins.trivy_command import CLEAN, ENDED, FOUND, HINT, Runner, find_trivy
from greenroom.plugins.trivy_database import KnownDatabase, usable_database
from greenroom.plugins.trivy_log import Told, leave_told, take_told
from greenroom.plugins.trivy_report import findings_of, package_urls, read_report, scan_of
from greenroom.plugins.trivy_sources import Sources, look_into
from greenroom.validators.errors import ToolError
from greenroom.validators.image import Canary, ImageFacts, Scan, Scanner
from greenroom.validators.words import few

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from greenroom.plugins.trivy_command import Scanned
    from greenroom.plugins.trivy_settings import TrivySettings
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.image import OperatingSystem, Unread

_REPORT_MOST = 256 * 1024 * 1024
_NOTHING = Told()


class SbomFormat(StrEnum):
    """The forms in which a list of packages can be written."""

    CYCLONEDX = "cyclonedx"
    SPDX_JSON = "spdx-json"


@dataclass(frozen=True, slots=True)
class Sbom:
    """Where to write the subject's packages; of several platforms each gets a file of its own."""

    format: SbomFormat
    path: Path

    def path_of(self, platform: str, *, several: bool) -> Path:
        """Return the file for ``platform``."""
        if not several:
            return self.path
        return self.path.with_name(f"{platform.replace('/', '-')}-{self.path.name}")


@dataclass(frozen=True, slots=True)
class Report:
    """A report of Trivy's as JSON, what its log told beside it, and the text that keeps both."""

    content: dict[str, Any]
    told: Told
    written: bytes = b""

    @property
    def text(self) -> bytes:
        """The JSON text that `kept` reads."""
        told = json.dumps(self.told.plain()).encode()
        return b'{"told": %s, "report": %s}' % (told, self.written)

    @classmethod
    def kept(cls, value: object) -> Report | None:
        """Return the report that was kept as ``value``; None if it is none."""
        try:
            return cls(dict(value["report"]), Told.from_plain(value["told"]))  # type: ignore[index]
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Trivy:
    """Scans with the Trivy of this machine."""

    settings: TrivySettings
    place: Workplace

    def scan(
        self,
        subject: Subject,
        scanners: Sequence[Scanner] = (Scanner.VULN,),
        *,
        sbom: Sbom | None = None,
        without_os: bool = False,
    ) -> ImageFacts:
        """Return what ``scanners`` see of ``subject``, every platform of it.

        ``without_os``: an image need not say which operating system it is. Raises `ToolError`,
        `ServiceError` or `SettingsError` where it cannot be observed.
        """
        with self._runner() as runner:
            wanted = Scanner.VULN in scanners
            database = usable_database(runner, datetime.now(UTC)) if wanted else None
            session = _Session(runner, subject, tuple(scanners), database)
            with open_subject(subject, self.place, runner.folder.parent) as opened:
                return session.seen(opened, sbom, needs_os=not without_os)

    @contextmanager
    def _runner(self) -> Iterator[Runner]:
        program = find_trivy(self.place)
        with tempfile.TemporaryDirectory(prefix="greenroom-trivy-") as name:
            folder = Path(name, "empty")
            folder.mkdir()
            own = self.settings.cache_folder(self.place.environ)
            cache = (self.place.root / own).absolute()
            yield Runner(program, self.settings, self.place, folder, cache)


@dataclass(frozen=True, slots=True)
class _Session:
    """One scan of a subject with all its platforms."""

    runner: Runner
    subject: Subject
    scanners: tuple[Scanner, ...]
    database: KnownDatabase | None

    def seen(self, opened: Opened, sbom: Sbom | None, *, needs_os: bool) -> ImageFacts:
        """Return what is seen of every target; ``sbom`` is written first."""
        reports = [self.report(target) for target in opened.targets]
        scans = tuple(map(self.facts, opened.targets, reports))
        if sbom is not None:
            self.write(sbom, opened.targets, [report.content for report in reports])
        canary = self.canary(scans) if self.database else None
        image = self.subject.kind.command == "image"
        return ImageFacts(
            subject=str(self.subject),
            digest=opened.digest,
            digest_after=opened.digest_now(),
            scans=scans,
            image=image,
            needs_os=image and needs_os,
            version=self.runner.program.version,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            database=self.database.facts if self.database else None,
            canary=canary,
        )

    def report(self, target: Target) -> Report:
        """Return Trivy's report; that of the same content, database, flags and day is kept."""
        if not target.digest:
            return self._scanned(target)
        cache = SharedCache(self.runner.place.cache / "trivy-reports")
        key = (*self._known, target.digest, target.platform, self.runner.place.today)
        report = Report.kept(cache.get(key))
        if report is None:
            report = self._scanned(target)
            cache.put_text(key, report.text)
            cache.forget(KEPT_S)
        return report

    def facts(self, target: Target, report: Report) -> Scan:
        """Return the facts of a report; raises `ToolError` where layers are missing from it."""
        told = report.told
        scan = scan_of(
            report.content, self.scanners, platform=target.platform, searched=told.secrets
        )
        own = self.sources(target)
        hidden = own.hidden if self._in_folder else told.hidden  # Trivy does not tell of all
        notes = () if self.subject.kind is SubjectKind.SBOM else _compared(told.skipped)
        unread = (*self.unread(target, report), *own.unread)
        scan = replace(scan, unread=unread, hidden=hidden, notes=(*own.notes, *notes))
        if target.layers and scan.layers != target.layers:
            raise ToolError(
                f"Trivy read {scan.layers} of {target.layers} layers of {self.subject}",
                hint="build the image again",
            )
        return scan

    def unread(self, target: Target, report: Report) -> tuple[Unread, ...]:
        """Return what Trivy could not read, of an SBOM also what it does not tell."""
        if self.subject.kind is not SubjectKind.SBOM:
            return report.told.unread
        path = Path(target.arguments[0])
        told = (*report.told.unread, *report.told.skipped)
        return unread_components(path, told, package_urls(report.content))

    def sources(self, target: Target) -> Sources:
        """Return what Trivy leaves out of the subject's own files, where it has any."""
        if not self._in_folder:
            return Sources()
        path, until = Path(target.arguments[0]), self.runner.place.until
        return look_into(path, self.subject.kind, self.scanners, until)

    @property
    def _in_folder(self) -> bool:
        return self.subject.kind in {SubjectKind.FS, SubjectKind.ROOTFS, SubjectKind.CONFIG}

    def canary(self, scans: Sequence[Scan]) -> Canary:
        """Return what the database is proven to find of the systems and languages of ``scans``."""
        systems = list(dict.fromkeys(scan.os for scan in scans))
        kinds = {kind for scan in scans for kind in scan.ecosystems}
        proofs = [self._canary(system, kinds) for system in systems]
        blind = dict.fromkeys(name for proof in proofs for name in proof.blind)
        return Canary(sum(proof.found for proof in proofs), tuple(blind))

    def write(self, sbom: Sbom, targets: Sequence[Target], reports: Sequence[Any]) -> None:
        """Write the packages of every report in the form of ``sbom``."""
        for target, report in zip(targets, reports, strict=True):
            out = sbom.path_of(target.platform, several=len(targets) > 1)
            _convert(self.runner, report, sbom.format, out)

    @property
    def _known(self) -> tuple[object, ...]:
        runner = self.runner
        identity = self.database.identity if self.database else ""
        flags = (self.subject.kind.command, self.scanners, runner.settings.offline)
        return (runner.program.version, runner.program.path, runner.cache, identity, *flags)

    def _scanned(self, target: Target) -> Report:
        """Return the report of a scan; it may use what is known of the layers.

        Where that is spoilt, everything is read anew.
        """
        runner = self.runner
        if self.subject.kind.command == "image" and target.digest and not runner.settings.server:
            root = runner.place.cache / "trivy-layers"
            key = (target.digest, target.platform, runner.program.version, self.scanners)
            with layer_cache(root, runner.cache, key, runner.place.until) as layers:
                before = take_told(layers)
                scanned, out = self._run(target, layers)
                if scanned.ran.status in ENDED:
                    report = _read(scanned, out, str(self.subject), before)
                    leave_told(layers, report.told)
                    return report
                shutil.rmtree(layers, ignore_errors=True)
        scanned, out = self._run(target)
        return _read(scanned, out, str(self.subject))

    def _run(self, target: Target, layers: Path | None = None) -> tuple[Scanned, Path]:
        out = _fresh(self.runner)
        scanners = [scanner.value for scanner in self.scanners]
        kind = self.subject.kind.command
        return self.runner.scan(kind, target.arguments, scanners, out, layers=layers), out

    def _canary(self, system: OperatingSystem | None, kinds: Collection[str]) -> Canary:
        files = canary_files(system, kinds)
        cache = SharedCache(self.runner.place.cache / "trivy-canaries")
        key = (*self._known[:4], system, sorted(kinds))
        kept = cache.get(key)
        if isinstance(kept, dict):
            return Canary(int(kept["found"]), tuple(kept["blind"]))
        proof = _prove(self.runner, files, system, kinds)
        cache.put(key, {"found": proof.found, "blind": proof.blind})
        return proof


def _prove(
    runner: Runner,
    files: dict[str, str],
    system: OperatingSystem | None,
    kinds: Collection[str],
) -> Canary:
    """Scan a canary of ``files``; tell in what nothing was found."""
    found: list[str] = []
    silent = False
    if files:
        folder = _fresh(runner)
        write_canary(folder, files | UNREADABLE)
        out = _fresh(runner)
        scanned = runner.scan("image", ("--input", str(folder)), ("vuln",), out)
        report = _read(scanned, out, "the canary")
        results = scan_of(report.content, (Scanner.VULN,), platform="", searched=0).results
        found = [result.package.ecosystem for result in results if result.package is not None]
        silent = not any(one.path in UNREADABLE for one in report.told.unread)
    languages = {language_of(kind) or kind for kind in kinds}
    proven = {language_of(kind) or kind for kind in found}
    blind = sorted(languages - proven)
    if system is not None and system.family not in found:
        blind.insert(0, str(system))
    blind += ["files that cannot be read"] if silent else []
    return Canary(len(found), tuple(blind))


def _read(scanned: Scanned, out: Path, what: str, before: Told = _NOTHING) -> Report:
    """Return the report that a scan wrote; its exit status must say the same.

    ``before`` is what was told of layers that need not be read again.
    """
    ran, told = scanned
    if ran.status not in ENDED:
        raise ToolError(f"Trivy could not scan {what}: {ran.words}", hint="see its message above")
    if not out.is_file():  # nor anything else that was put there: reading could wait for ever
        raise ToolError(f"Trivy ended with {ran.status} and wrote no report of {what}", hint=HINT)
    if (size := out.stat().st_size) > _REPORT_MOST:
        raise ToolError(
            f"Trivy's report of {what} has {size:,} bytes: too many to read",
            hint="scan less at once, or with fewer scanners",
        )
    text = out.read_bytes()
    report = read_report(text)
    found = findings_of(report)
    if not told.lines:
        raise ToolError(f"Trivy does not tell in its log what it read of {what}", hint=HINT)
    if (ran.status == CLEAN and found) or (ran.status == FOUND and not found):
        raise ToolError(
            f"Trivy contradicts itself on {what}: exit status {ran.status}, {found} findings",
            hint=HINT,
        )
    return Report(report, before | told, text)


def _convert(runner: Runner, report: dict[str, Any], form: SbomFormat, out: Path) -> None:
    source, written = _fresh(runner), _fresh(runner)
    source.write_text(json.dumps(report), encoding="utf-8")
    command = ["convert", "--config=", "--quiet", f"--format={form.value}", f"--output={written}"]
    ran = runner.run([*command, str(source)])
    if ran.status != 0 or not written.is_file() or not written.stat().st_size:
        raise ToolError(f"the SBOM {out} could not be made: {ran.words}", hint=HINT)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(written.read_bytes())
    except OSError as error:
        raise ToolError(
            f"the SBOM {out} cannot be written: {error.strerror}", hint="correct `sbom.path`"
        ) from error


def _compared(skipped: Sequence[Unread]) -> tuple[str, ...]:
    if not skipped:
        return ()
    return (f"compared with nothing: {few([str(one) for one in skipped])}",)


def _fresh(runner: Runner) -> Path:
    """Return a path that does not exist: an older file must never be taken for an answer."""
    return runner.folder.parent / secrets.token_hex(8)
