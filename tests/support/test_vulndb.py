"""The vulnerability database that our tests write, as the real Trivy reads it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.programs import find_program
from tests.support import oci
from tests.support.vulndb import Advisory, bolt, write_database

if TYPE_CHECKING:
    from pathlib import Path

FOUND = [
    Advisory("debian 12", "openssl", "CVE-2099-0001", "3.0.20-1", "CRITICAL", 9.8, "Debian's"),
    Advisory("alpine 3.22", "musl", "CVE-2099-0002", "1.2.6-r0", "HIGH", 7.1),
    Advisory("pip", "requests", "CVE-2099-0003", "2.99.0", "MEDIUM", 5.0),
    Advisory("npm", "left-pad", "CVE-2099-0004", severity="LOW", score=2.0),
]
OTHERS = [Advisory("debian 12", f"package-{number}", "CVE-2099-9999") for number in range(400)]


def scan(cache: Path, layout: Path) -> dict[str, Any]:
    """Return what Trivy found, by the flaw's id."""
    done = subprocess.run(
        [
            *(find_program("trivy", ""), "image", "--quiet", "--config", "", "--format", "json"),
            *("--cache-dir", cache, "--cache-backend", "memory", "--scanners", "vuln"),
            *("--skip-db-update", "--offline-scan", "--skip-version-check", "--disable-telemetry"),
            *("--input", layout),
        ],
        check=True,
        capture_output=True,
    )
    results = json.loads(done.stdout).get("Results", [])
    flaws = [flaw for part in results for flaw in part.get("Vulnerabilities", [])]
    return {flaw["VulnerabilityID"]: flaw for flaw in flaws}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    write_database(folder, [*FOUND, *OTHERS])
    return folder


def test_trivy_finds_the_flaws_of_a_debian_image(cache: Path, tmp_path: Path) -> None:
    layers = (
        oci.layer(oci.debian({"openssl": "3.0.1-1", "package-399": "1.0"})),
        oci.layer(oci.pip({"requests": "2.0.0"}) | oci.npm({"left-pad": "1.0.0"})),
    )

    found = scan(cache, oci.write_layout(tmp_path / "image", {"1": oci.image(*layers)}))

    assert sorted(found) == ["CVE-2099-0001", "CVE-2099-0003", "CVE-2099-0004", "CVE-2099-9999"]
    flaw = found["CVE-2099-0001"]
    assert (flaw["Severity"], flaw["FixedVersion"]) == ("CRITICAL", "3.0.20-1")
    assert (flaw["Title"], flaw["CVSS"]["nvd"]["V3Score"]) == ("Debian's", 9.8)


def test_trivy_finds_the_flaws_of_an_alpine_archive(cache: Path, tmp_path: Path) -> None:
    content = oci.image(oci.layer(oci.alpine({"musl": "1.2.5-r0", "zlib": "1.3.1-r0"})))

    found = scan(cache, oci.write_archive(tmp_path / "image.tar", content))

    assert [(flaw, found[flaw]["Severity"]) for flaw in found] == [("CVE-2099-0002", "HIGH")]


def test_a_fixed_version_is_not_found(cache: Path, tmp_path: Path) -> None:
    content = oci.image(oci.layer(oci.debian({"openssl": "3.0.20-1"})))

    assert not scan(cache, oci.write_layout(tmp_path / "image", {"1": content}))


def test_the_file_is_made_of_whole_pages() -> None:
    assert len(bolt({})) == 4 * 4096
    assert len(bolt({b"large": b"x" * 10_000})) % 4096 == 0
