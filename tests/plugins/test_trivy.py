"""Real Trivy on images that the tests write, against a database that they write."""

from __future__ import annotations

import json
import socket
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.plugins.trivy import Sbom, SbomFormat, Trivy
from greenroom.plugins.trivy_command import find_trivy
from greenroom.plugins.trivy_settings import TrivySettings
from greenroom.validators.errors import SettingsError, ToolError
from greenroom.validators.image import ImagePolicy, Scanner, judge_image
from greenroom.validators.result import State
from greenroom.validators.vocabulary import Outcome
from tests.support import oci
from tests.support.registry import local_registry
from tests.support.scans import NEW, OLD, TODAY, Scans, image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.registry import Registry


STATUS = "var/lib/dpkg/status"
RELEASE = {path: text for path, text in oci.debian(NEW).items() if path != STATUS}
SPOILT = RELEASE | {STATUS: "this is no list of packages"}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    return Scans(tmp_path_factory.mktemp("scans")).database()


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with local_registry() as running:
        yield running


def script(folder: Path, text: str) -> dict[str, str]:
    """Put a program called trivy on the PATH, which says that it is 0.76.0."""
    program = folder / "bin" / "trivy"
    program.parent.mkdir()
    version = '[ "$1" = version ] && echo \'{"Version": "0.76.0"}\' && exit 0\n'
    program.write_text(f"#!/bin/sh\n{version}{text}\n")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:/usr/bin:/bin"}


@contextmanager
def trivy_server(scans: Scans) -> Iterator[str]:
    """Run Trivy's server with the database of ``scans``; give its address."""
    program = find_trivy(scans.place).path
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    database = ["--cache-dir", str(scans.folder / "trivy"), "--skip-db-update"]
    command = [str(program), "server", "--listen", host, *database, "--quiet", "--config="]
    running = subprocess.Popen(command)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get(f"http://{host}/healthz").raise_for_status()
        yield f"http://{host}"
    finally:
        running.terminate()
        running.wait(10)


def test_a_flaw_is_told_with_its_package_layer_and_link(scans: Scans) -> None:
    content = image(oci.debian(OLD))
    (result,) = scans.judged(scans.layout("flaw", content)).results
    assert (result.id, result.score, result.fixable) == ("CVE-2023-0001", 9.8, True)
    assert result.package is not None
    assert (result.package.installed, result.package.fixed) == ("3.0.1-1", "3.0.9")
    assert result.package.layer == oci.digest(content.layers[0])


def test_a_relative_folder_of_databases_starts_at_the_root(scans: Scans) -> None:
    subject = scans.layout("relative", image(oci.debian(NEW)))
    settings = replace(scans.settings, cache=Path("trivy"))
    assert Trivy(settings, scans.place).scan(subject).database is not None


def test_a_server_scans_with_its_own_database(scans: Scans, tmp_path: Path) -> None:
    subject = scans.layout("served", image(oci.debian(OLD)))
    with trivy_server(scans) as address:
        settings = TrivySettings(cache=tmp_path, server=address)
        facts = Trivy(settings, scans.place).scan(subject)
    assert (facts.database and facts.database.source) == address
    assert [result.id for result in facts.scans[0].results] == ["CVE-2023-0001"]


@pytest.mark.parametrize(
    ("name", "files", "outcome"),
    [
        ("unknown-release", oci.debian(NEW, "99"), Outcome.ERROR),
        ("end-of-life", oci.alpine(NEW, "3.9"), Outcome.FAILED),
        ("no-os", oci.npm({"lodash": "4.17.21"}), Outcome.ERROR),
        ("no-packages", {"etc/motd": "hello"}, Outcome.INCONCLUSIVE),
        ("no-os-packages", {**RELEASE, **oci.pip({"jinja2": "3.1.6"})}, Outcome.ERROR),
        ("spoilt-os-packages", {**SPOILT, **oci.pip({"jinja2": "3.1.6"})}, Outcome.ERROR),
    ],
)
def test_an_image_that_cannot_be_judged_never_passes(
    scans: Scans, name: str, files: dict[str, str], outcome: Outcome
) -> None:
    assert scans.judged(scans.layout(name, image(files))).outcome is outcome


def test_a_truncated_layer_is_an_error(scans: Scans) -> None:
    cut = oci.image(oci.truncated(oci.layer(oci.debian(NEW))))
    with pytest.raises(ToolError, match="could not scan cut"):
        scans.scan(scans.layout("cut", cut))


def test_a_layer_spoilt_after_a_scan_is_an_error_though_all_is_cached(scans: Scans) -> None:
    content = image(oci.debian(NEW))
    subject = scans.layout("spoilt", content)
    assert scans.judged(subject).outcome is Outcome.PASSED
    digest = oci.digest(content.layers[0]).removeprefix("sha256:")
    (scans.folder / "spoilt" / "blobs" / "sha256" / digest).write_bytes(b"spoilt")
    with pytest.raises(ToolError, match="has other content"):
        scans.scan(subject)


def test_the_same_digest_and_database_need_no_second_scan(scans: Scans) -> None:
    subject = scans.layout("twice", image(oci.debian(OLD)))
    first = scans.scan(subject)
    for entry in (scans.folder / "cache" / "trivy-reports").iterdir():
        assert json.loads(entry.read_bytes())["value"]["report"]["SchemaVersion"] == 2
    again = scans.scan(subject)
    assert replace(again, at=first.at) == first


def test_each_platform_of_an_index_is_scanned(scans: Scans) -> None:
    both = oci.Index((image(oci.debian(NEW)), image(oci.debian(OLD), "linux/arm64")))
    subject = scans.layout("both", both)
    finding = scans.judged(subject)
    assert "[linux/arm64]" in finding.results[0].message
    amd64 = replace(subject, platforms=("linux/amd64",))
    assert scans.judged(amd64).outcome is Outcome.PASSED
    with pytest.raises(SettingsError, match="no image for linux/s390x"):
        scans.scan(replace(subject, platforms=("linux/s390x",)))


def test_an_index_with_two_images_for_one_platform_is_refused(
    scans: Scans, registry: Registry
) -> None:
    twins = (image(oci.debian(OLD)), image(oci.debian(NEW)))
    registry.push(oci.Index((*twins, image(oci.debian(NEW), "linux/arm64"))), "twins:1")
    subject = Subject(SubjectKind.REF, f"{registry.host}/twins:1")
    with pytest.raises(ToolError, match="two images for the same platform, linux/amd64"):
        scans.scan(subject)
    arm64 = replace(subject, platforms=("linux/arm64",))
    assert scans.judged(arm64).outcome is Outcome.PASSED


def test_a_link_to_a_folder_is_followed(scans: Scans) -> None:
    (scans.folder / "src").mkdir()
    (scans.folder / "src" / "key.py").write_text('KEY = "AKIAIOSFODNN7ABCDEFG"\n')
    (scans.folder / "link").symlink_to("src", target_is_directory=True)
    finding = scans.judged(Subject(SubjectKind.FS, "link"), Scanner.SECRET)
    assert finding.outcome is Outcome.FAILED


def test_an_archive_is_scanned_and_a_cut_one_refused(scans: Scans) -> None:
    path = oci.write_archive(scans.folder / "whole.tar", image(oci.debian(OLD)))
    cut = scans.folder / "cut.tar"
    cut.write_bytes(path.read_bytes()[:-10000])
    assert len(scans.scan(Subject(SubjectKind.ARCHIVE, "whole.tar")).scans[0].results) == 1
    with pytest.raises(ToolError, match=r"cut short|no whole archive"):
        scans.scan(Subject(SubjectKind.ARCHIVE, "cut.tar"))


def test_a_bundle_is_unpacked_and_its_sbom_written_and_read(scans: Scans) -> None:
    with zipfile.ZipFile(scans.folder / "bundle.zip", "w") as bundle:
        for name, text in oci.pip({"jinja2": "3.1.0"}).items():
            bundle.writestr(name, text)
    sbom = Sbom(SbomFormat.CYCLONEDX, scans.folder / "out" / "sbom.json")
    trivy = Trivy(scans.settings, scans.place)
    facts = trivy.scan(Subject(SubjectKind.ROOTFS, "bundle.zip"), sbom=sbom)
    read = scans.scan(Subject(SubjectKind.SBOM, "out/sbom.json"))
    assert [result.id for result in facts.scans[0].results] == ["CVE-2024-0002"]
    assert [result.id for result in read.scans[0].results] == ["CVE-2024-0002"]


def test_a_secret_a_bad_setting_and_a_licence_are_results(scans: Scans) -> None:
    sources = scans.folder / "sources"
    sources.mkdir()
    (sources / "Dockerfile").write_text("FROM debian:12\nUSER root\n")
    (sources / "key.txt").write_text("ghp_" + "a1B2" * 9 + "\n")
    found = scans.judged(Subject(SubjectKind.FS, "sources"), Scanner.SECRET, Scanner.MISCONFIG)
    assert {"github-pat", "DS-0002"} <= {result.id for result in found.results}
    text = oci.debian(NEW) | {"usr/share/doc/openssl/copyright": "Files: *\nLicense: GPL-3+\n"}
    facts = scans.scan(scans.layout("licence", image(text)), Scanner.LICENSE)
    denied = judge_image(facts, ImagePolicy(TODAY, deny_licenses=("GPL-*",)))
    assert denied.outcome is Outcome.FAILED


def test_a_second_secret_in_a_file_is_new(scans: Scans) -> None:
    first, second = (f'K = "AKIAIOSFODNN7{end}"\n' for end in ("ABCDEFG", "ZZZZZZZ"))
    (scans.folder / "deployed").mkdir()
    (scans.folder / "new").mkdir()
    (scans.folder / "deployed" / "key.py").write_text(first)
    (scans.folder / "new" / "key.py").write_text(first + second)
    deployed = scans.scan(Subject(SubjectKind.FS, "deployed"), Scanner.SECRET)
    known = frozenset(one.fingerprint for one in deployed.scans[0].results)
    facts = scans.scan(Subject(SubjectKind.FS, "new"), Scanner.SECRET)
    states = [one.state for one in judge_image(facts, ImagePolicy(TODAY, known=known)).results]
    assert states == [State.OPEN, State.KNOWN]


def test_a_tag_that_moves_meanwhile_fails(
    scans: Scans, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = registry.push(image(oci.debian(NEW)), "app:1")
    subject = Subject(SubjectKind.REF, f"{registry.host}/app:1")
    assert scans.judged(subject).outcome is Outcome.PASSED
    told = Trivy(scans.settings, scans.place)
    write = Sbom.path_of

    def moving(sbom: Sbom, platform: str, *, several: bool) -> Path:
        registry.push(image(oci.debian(OLD)), "app:1")
        return write(sbom, platform, several=several)

    monkeypatch.setattr(Sbom, "path_of", moving)
    facts = told.scan(subject, sbom=Sbom(SbomFormat.SPDX_JSON, scans.folder / "moved.json"))
    assert (facts.digest, judge_image(facts, ImagePolicy(TODAY)).outcome) == (first, Outcome.FAILED)


def test_nothing_in_the_folder_or_environment_changes_the_verdict(
    scans: Scans, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = scans.layout("ignored", image(oci.debian(OLD) | {"etc/a": "b"}))
    (scans.folder / ".trivyignore").write_text("CVE-2023-0001\n")
    (scans.folder / "trivy.yaml").write_text("severity: [LOW]\n")
    monkeypatch.chdir(scans.folder)
    monkeypatch.setitem(scans.environ, "TRIVY_SEVERITY", "LOW")
    assert scans.judged(subject).outcome is Outcome.FAILED


def writing(report: str, status: int) -> str:
    """Return a script that writes ``report`` where it is told to."""
    loop = 'for a; do case $a in --output) o=1;; *) [ "$o" ] && echo "$r" > "$a"; o=;; esac; done'
    log = "printf '2026-06-01T00:00:00Z\\tINFO\\tit read all\\n' >&2"
    return f"r='{report}'\n{loop}\n{log}\nexit {status}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exit 0", "wrote no report"),
        ("exit 2", "could not scan"),
        (writing("{", 0), "cut short or no JSON"),
        (writing("[]", 0), "a form that is not known"),
        (writing('{"SchemaVersion": 2}', 10), "contradicts itself"),
        (writing('{"SchemaVersion": 2, "Results": ["x"]}', 0), "cannot be under"),
        (writing('{"SchemaVersion": 2, "Results": [{"Secrets": [{}]}]}', 0), "contradicts itself"),
        (writing('{"SchemaVersion": 2, "Results": [{"Secrets": [{}]}]}', 10), "cannot be under"),
        (writing('{"SchemaVersion": 2}', 0), "read 0 of 1 layers"),
        (writing('{"SchemaVersion": 2}', 0).replace("printf", ":"), "not tell in its log"),
        (writing("{}", 0).replace('echo "$r" >', "mkfifo"), "wrote no report"),
    ],
    ids=[
        "no-output",
        "crashed",
        "truncated",
        "another-form",
        "nothing-found",
        "results-no-objects",
        "found",
        "without-fields",
        "no-layers",
        "no-log",
        "a-pipe",
    ],
)
def test_a_tool_that_lies_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    scans = Scans(tmp_path).database()
    scans.environ = script(tmp_path, text)
    with pytest.raises(ToolError, match=said):
        scans.scan(scans.layout("app", image(oci.debian(NEW))))


@pytest.mark.parametrize("text", ["exit 1", "echo no version"], ids=["fails", "says-nothing"])
def test_a_program_without_a_version_is_refused(tmp_path: Path, text: str) -> None:
    scans = Scans(tmp_path).database()
    scans.environ = script(tmp_path, "exit 0")
    (tmp_path / "bin" / "trivy").write_text(f"#!/bin/sh\n{text}\n")
    with pytest.raises(ToolError, match="does not say its version"):
        scans.scan(scans.layout("app", image(oci.debian(NEW))))


def test_a_spoilt_cache_is_none(tmp_path: Path) -> None:
    scans = Scans(tmp_path).database()
    subject = scans.layout("app", image(oci.debian(NEW)))
    scans.scan(subject)
    for entry in (tmp_path / "cache" / "trivy-canaries").iterdir():
        entry.write_text(json.dumps(json.loads(entry.read_text()) | {"value": [1]}))
    assert scans.judged(subject).outcome is Outcome.PASSED


def test_scans_side_by_side_do_not_lock_each_other(scans: Scans) -> None:
    subjects = [scans.layout(f"side{n}", image(oci.debian(OLD) | {"n": f"{n}"})) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = [finding.outcome for finding in pool.map(scans.judged, subjects)]
    assert outcomes == [Outcome.FAILED] * 4


@pytest.mark.parametrize("version", ["0.69.4", "0.69.5", "0.69.6"])
def test_a_compromised_release_is_refused(tmp_path: Path, version: str) -> None:
    scans = Scans(tmp_path).database()
    scans.environ = script(tmp_path, "exit 0")
    program = tmp_path / "bin" / "trivy"
    program.write_text(program.read_text().replace("0.76.0", version))
    with pytest.raises(ToolError, match="compromised"):
        scans.scan(scans.layout("app", image(oci.debian(NEW))))
