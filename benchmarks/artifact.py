"""What Greenroom adds to the tools of the artifact stage.

``python -m benchmarks.artifact [--quick] [--json PATH]``. Images: our check beside bare Trivy on
the same image of a real registry and the same database, in turn. First: nothing is known, so that
the database is proven by a canary, once for each database. Cold: an image that nobody has scanned.
Warm: an image that was scanned before, with another database. Again: the same digest, database and
flags, beside a warm scan of bare Trivy. The ratio is the median over the rounds.
Static analysis: six tools by one pytest run beside a run of the slowest of them alone.
Exits 1 above the limits.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks._table import Row, options, table, write
from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.plugins.programs import find_program
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_image import ImageWork
from greenroom.plugins.trivy_command import HINT
from greenroom.plugins.workplace import Workplace
from greenroom.validators.errors import ToolError
from greenroom.validators.image import DEFAULT_LIMITS, Scanner
from greenroom.validators.vocabulary import Outcome
from tests.support import oci
from tests.support.registry import local_registry
from tests.support.vulndb import Advisory, write_database

if TYPE_CHECKING:
    from collections.abc import Callable

BARE = "bare Trivy"
OURS = "greenroom"
LIMITS = {"image, cold": 1.10, "image, warm": 1.10, "image, again": 0.20, "six static tools": 1.2}
"""The most that a case may cost of what it is compared with; a case without one is told only."""
LIMIT_S = 300
PACKAGES = 400
ADVISORIES = 25
"""For each package; one of them tells of a vulnerability, a low one."""
_FILLING = 96 * 1024 * 1024
_TOOLS = ("bandit", "cfn-lint", "hadolint", "mypy", "ruff", "zizmor")


def main() -> int:
    """Measure, print one table, and write the rows."""
    given = options("What Greenroom adds to the tools of the artifact stage.")
    rounds = 3 if given.quick else 9
    with tempfile.TemporaryDirectory() as folder:
        rows = [*_images(Path(folder, "images"), rounds), *_static(Path(folder, "static"), rounds)]
    lines = [
        (row.case, row.subject, str(row.value), f"{row.ratio:.2f} x" if row.ratio else "")
        for row in rows
    ]
    print(table(("case", "subject", "median ms", "ratio"), lines))
    write(rows, given.json)
    above = [row.case for row in rows if row.ratio and row.ratio > LIMITS.get(row.case, row.ratio)]
    print(f"\nABOVE THE LIMIT: {', '.join(above)}" if above else "\nwithin the limits")
    return 1 if above else 0


def _images(folder: Path, rounds: int) -> list[Row]:
    """Measure the check of one image; every round has databases and caches of its own."""
    folder.mkdir()
    times: dict[tuple[str, str], list[float]] = {}
    with local_registry() as registry:
        small, large = _image(1), _image(_FILLING)
        registry.push(small, "small:1")
        registry.push(large, "large:1")
        for number in range(rounds):
            work = folder / str(number)
            one, other = _database(work / "one"), _database(work / "other")
            image, known = f"{registry.host}/large:1", work / "known"
            for database in (one, other):
                _check(f"{registry.host}/small:1", database, known)
            bare = partial(_bare_trivy, image, one, work)
            subjects: dict[tuple[str, str], Callable[[], object]] = {
                ("image, cold", BARE): bare,
                ("image, cold", OURS): partial(_check, image, one, known),
                ("image, warm", BARE): bare,
                ("image, warm", OURS): partial(_check, image, other, known),
                ("image, again", BARE): bare,
                ("image, again", OURS): partial(_check, image, one, known),
                ("image, first of a database", BARE): bare,
                ("image, first of a database", OURS): partial(_check, image, one, work / "new"),
            }
            for key, subject in subjects.items():
                times.setdefault(key, []).append(_seconds(subject))
    return _rows(times)


def _rows(times: dict[tuple[str, str], list[float]]) -> list[Row]:
    rows = []
    for (case, subject), seconds in times.items():
        first = next(key for key in times if key[0] == case)
        versus = None if first == (case, subject) else first[1]
        pairs = zip(seconds, times[first], strict=True)
        ratio = None if versus is None else median(one / other for one, other in pairs)
        value = round(median(seconds) * 1000, 1)
        rows.append(Row(case, subject, "ms", value, versus, ratio))
    return rows


def _image(filling: int) -> oci.Image:
    """Return an image of 400 packages, with ``filling`` bytes of files that say nothing."""
    packages = {f"package-{number}": "1.0-1" for number in range(PACKAGES)}
    system = oci.layer(oci.debian({**packages, "openssl": "3.0.9-1"}))
    noise = random.Random(0)  # noqa: S311 - no secret: bytes that do not compress
    files = {f"opt/app/{n}.bin": noise.randbytes(filling // 12) for n in range(12)}
    return oci.image(system, oci.layer(files))


def _database(cache: Path) -> Path:
    write_database(cache, _advisories(), updated=datetime.now(UTC))
    return cache


def _advisories() -> list[Advisory]:
    """Return what a distribution's database knows: of most advisories, that they are fixed."""
    return [
        Advisory("debian 12", "openssl", "CVE-2023-5363", "3.0.11-1", severity="LOW"),
        *(
            Advisory(
                "debian 12",
                f"package-{package}",
                f"CVE-2024-{package:03}{number:02}",
                "0.9-1" if number else "1.1-1",
                severity="LOW",
            )
            for package in range(PACKAGES)
            for number in range(ADVISORIES)
        ),
    ]


def _bare_trivy(image: str, database: Path, folder: Path) -> None:
    """Scan as people do in CI; layers are kept in the cache folder, as Trivy does by itself."""
    command = [
        *(str(find_program("trivy", HINT)), "image", "--image-src", "remote"),
        *("--cache-dir", str(database), "--skip-db-update", "--offline-scan"),
        *("--scanners", "vuln", "--list-all-pkgs", "--format", "json", "--quiet"),
        *("--output", str(folder / "bare.json"), image),
    ]
    _started(command, folder)


def _check(image: str, database: Path, cache: Path) -> None:
    place = Workplace(
        root=database.parent,
        environ=os.environ,
        until=time.monotonic() + LIMIT_S,
        cache=cache,
        redactor=Redactor(),
        today=datetime.now(UTC).date(),
        tables={"trivy": {"cache": str(database), "offline": True}},
    )
    subject = Subject(SubjectKind.REF, image)
    finding = ImageWork(subject, (Scanner.VULN,), DEFAULT_LIMITS).run(place)
    if finding.outcome is not Outcome.PASSED:
        raise ToolError(f"the benchmark's image did not pass: {finding}")


_PROJECT = {
    "app/__init__.py": "",
    "app/api.py": "def answer(number: int) -> str:\n    return str(number)\n",
    "Dockerfile": "FROM python@sha256:"
    + "0" * 64
    + '\nWORKDIR /app\nCMD ["python", "-m", "app"]\n',
    ".github/workflows/ci.yml": (
        "name: ci\non: push\npermissions: {}\njobs:\n  test:\n    runs-on: ubuntu-24.04\n"
        "    steps:\n      - run: make test\n"
    ),
    "template.yaml": (
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
        "    UpdateReplacePolicy: Delete\n    DeletionPolicy: Delete\n"
    ),
}
_PATHS = {
    "bandit": "app",
    "cfn-lint": "template.yaml",
    "hadolint": "Dockerfile",
    "mypy": "app",
    "ruff": "app",
    "zizmor": ".github/workflows/ci.yml",
}


def _static(folder: Path, rounds: int) -> list[Row]:
    """Measure six tools in one run of pytest beside a run with the slowest of them."""
    for name, text in _PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    checks = {
        tool: f"  - name: {tool}\n    static: {{tool: {tool}, paths: [{_PATHS[tool]}]}}\n"
        for tool in _TOOLS
    }
    for name, listed in {**{t: [t] for t in _TOOLS}, "all": list(_TOOLS)}.items():
        text = "version: 1\nname: s\nstage: artifact\nchecks:\n"
        text += "".join(checks[tool] for tool in listed)
        (folder / f"{name}.suite.yaml").write_text(text)
    alone = {tool: _seconds(partial(_pytest, folder, tool)) for tool in _TOOLS}
    slowest = max(alone, key=lambda tool: alone[tool])
    case = "six static tools"
    times: dict[tuple[str, str], list[float]] = {(case, f"{slowest} alone"): [], (case, OURS): []}
    for _ in range(rounds):
        times[case, f"{slowest} alone"].append(_seconds(lambda: _pytest(folder, slowest)))
        times[case, OURS].append(_seconds(lambda: _pytest(folder, "all")))
    return _rows(times)


def _pytest(folder: Path, name: str) -> None:
    plugin = ("-p", "greenroom.plugins.pytest_plugin")
    shutil.rmtree(folder / ".mypy_cache", ignore_errors=True)
    _started(
        [sys.executable, "-m", "pytest", "-q", *plugin, "--rootdir=.", f"{name}.suite.yaml"],
        folder,
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
        PYTHONDONTWRITEBYTECODE="",
    )


def _started(command: list[str], folder: Path, **environment: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        tail = done.stdout[-2000:].decode("utf-8", "replace")
        raise ToolError(f"{command[0]} ended with exit status {done.returncode}: {tail}")


def _seconds(subject: Callable[[], object]) -> float:
    begun = time.perf_counter()
    subject()
    return time.perf_counter() - begun


if __name__ == "__main__":
    raise SystemExit(main())
