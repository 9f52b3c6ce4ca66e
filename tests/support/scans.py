"""A project with a vulnerability database, where real Trivy scans images that tests write."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.trivy import Trivy
from greenroom.plugins.trivy_settings import TrivySettings
from greenroom.plugins.workplace import Workplace
from greenroom.validators.image import ImagePolicy, Scanner, judge_image
from tests.support import oci
from tests.support.vulndb import Advisory, write_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from greenroom.validators.finding import Finding
    from greenroom.validators.image import ImageFacts

TODAY = date(2026, 6, 1)
ADVISORIES = (
    Advisory("debian 12", "openssl", "CVE-2023-0001", "3.0.9", "CRITICAL", 9.8),
    Advisory("alpine 3.22", "openssl", "CVE-2023-0004", "3.0.9-r0"),
    Advisory("pip", "jinja2", "CVE-2024-0002", "3.1.6"),
    Advisory("npm", "lodash", "CVE-2020-0003", "4.17.5"),
)
OLD, NEW = {"openssl": "3.0.1-1"}, {"openssl": "3.0.9-1"}


@dataclass
class Scans:
    """The project in ``folder``; its database is in ``folder/trivy``."""

    folder: Path
    settings: TrivySettings = field(init=False)
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def __post_init__(self) -> None:
        self.settings = TrivySettings(cache=self.folder / "trivy", offline=True)

    @property
    def place(self) -> Workplace:
        """Where a check works for at most a minute."""
        until, cache = time.monotonic() + 60, self.folder / "cache"
        tables = {"trivy": {"cache": str(self.folder / "trivy"), "offline": True}}
        return Workplace(self.folder, self.environ, until, cache, Redactor(), TODAY, tables)

    def database(self, advisories: Sequence[Advisory] = ADVISORIES) -> Scans:
        """Write the database anew."""
        write_database(self.folder / "trivy", advisories)
        return self

    def layout(self, name: str, content: oci.Image | oci.Index) -> Subject:
        """Write an image as a layout of its own."""
        oci.write_layout(self.folder / name, {"latest": content})
        return Subject(SubjectKind.LAYOUT, name)

    def scan(self, subject: Subject, *scanners: Scanner) -> ImageFacts:
        """Scan with real Trivy."""
        return Trivy(self.settings, self.place).scan(subject, scanners or (Scanner.VULN,))

    def judged(self, subject: Subject, *scanners: Scanner) -> Finding:
        """Scan, and judge by default thresholds."""
        return judge_image(self.scan(subject, *scanners), ImagePolicy(TODAY))


def image(files: dict[str, str], platform: str = "linux/amd64") -> oci.Image:
    """Return an image of one layer."""
    return oci.image(oci.layer(files), platform=platform)
