"""Images as people have them: this machine's own Debian, and two checks of one image at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.validators.vocabulary import Outcome
from tests.support import oci
from tests.support.runs import TWO_WORKERS, run
from tests.support.scans import OLD, Scans, image
from tests.support.vulndb import Advisory

SYSTEM = ("etc/os-release", "etc/debian_version", "var/lib/dpkg/status")
SUITE = """
version: 1
name: app
stage: artifact
checks:
  - name: none is critical
    image: {layout: app}
    expect: ["critical == 0"]
  - name: none is high
    image: {layout: app}
    expect: ["high == 0"]
"""


def this_debian() -> dict[str, str]:
    """Return the files by which this machine says what it is; none where it is no Debian."""
    paths = {name: Path("/", name) for name in SYSTEM}
    if not all(path.is_file() for path in paths.values()):
        return {}
    return {name: path.read_text(errors="replace") for name, path in paths.items()}


@pytest.mark.skipif(not this_debian(), reason="this machine is no Debian")
def test_the_packages_of_a_real_debian_are_all_read(tmp_path: Path) -> None:
    files = this_debian()
    release = files["etc/debian_version"].partition(".")[0]
    installed = files["var/lib/dpkg/status"].count("Status: install ok installed")
    flaw = Advisory(f"debian {release}", "dpkg", "CVE-2026-1", "999", "CRITICAL", 9.8)
    proof = Advisory(flaw.platform, "openssl", "CVE-2026-2", "0.0.2")
    scans = Scans(tmp_path).database([flaw, proof])
    for name, text in files.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text)
    for subject in (scans.layout("app", image(files)), Subject(SubjectKind.ROOTFS, "root")):
        [scan] = scans.scan(subject).scans
        assert (scan.os_packages, scan.unread) == (installed, ())
        assert {result.id for result in scan.results} == {"CVE-2026-1"}
        assert scans.judged(subject).outcome is Outcome.FAILED


def test_two_workers_check_one_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Scans(tmp_path).database().layout("app", image(oci.debian(OLD)))
    (tmp_path / "a.suite.yaml").write_text(SUITE)
    (tmp_path / "greenroom.toml").write_text('[trivy]\ncache = "trivy"\noffline = true\n')
    monkeypatch.setenv("GREENROOM_CACHE", str(tmp_path / "cache"))
    ran = run(tmp_path, *TWO_WORKERS)
    outcomes = [ran.check(name)["outcome"] for name in ("none is critical", "none is high")]
    assert (outcomes, ran.code) == (["failed", "passed"], 1)
