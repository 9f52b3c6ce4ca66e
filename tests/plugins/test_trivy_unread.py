"""What real Trivy passes over in silence is told, and is no pass."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.plugins.trivy_log import Told, last_words, read_log
from greenroom.plugins.trivy_sources import Sources, look_into
from greenroom.validators.image import Hidden, ImagePolicy, Scanner, Unread, judge_image
from greenroom.validators.result_waiver import ResultWaiver
from greenroom.validators.threshold import parse_threshold
from greenroom.validators.vocabulary import Outcome
from tests.support import oci
from tests.support.scans import NEW, TODAY, Scans, image

if TYPE_CHECKING:
    from pathlib import Path

TERRAFORM = 'resource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\n'
BROKEN = {"app/node_modules/a/package.json": '{"name":'}
GOOD = oci.debian(NEW) | oci.npm({"lodash": "4.17.21"})


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    return Scans(tmp_path_factory.mktemp("unread")).database()


def folder(scans: Scans, kind: SubjectKind, files: dict[str, str]) -> Subject:
    """Write ``files`` into a new folder."""
    name = f"folder{len(list(scans.folder.iterdir()))}"
    for path, text in files.items():
        (scans.folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (scans.folder / name / path).write_text(text)
    return Subject(kind, name)


@pytest.mark.parametrize(
    ("kind", "path", "text"),
    [
        (SubjectKind.FS, "web/package-lock.json", '{"packages": {'),
        (SubjectKind.FS, "poetry.lock", "[[["),
        (SubjectKind.FS, "uv.lock", "[[["),
        (SubjectKind.FS, "pom.xml", "<project><a>"),
        (SubjectKind.ROOTFS, "node_modules/a/package.json", '{"name":'),
        (SubjectKind.ROOTFS, "x-1.dist-info/METADATA", "Name: \n"),
        (SubjectKind.ROOTFS, "app.cdx.json", '{"bomFormat": "CycloneDX",'),
    ],
)
def test_a_broken_file_beside_a_good_one_is_an_error(
    scans: Scans, kind: SubjectKind, path: str, text: str
) -> None:
    good = {"requirements.txt": "jinja2==3.1.6\n"}
    good = good if kind is SubjectKind.FS else oci.pip({"jinja2": "3.1.6"})
    finding = scans.judged(folder(scans, kind, good | {path: text}))
    assert finding.outcome is Outcome.ERROR
    assert path in finding.seen or "SBOM decode error" in finding.seen


def test_what_need_not_be_read_is_a_note(scans: Scans) -> None:
    subject = folder(scans, SubjectKind.ROOTFS, BROKEN | oci.pip({"jinja2": "3.1.6"}))
    policy = ImagePolicy(TODAY, unread=("*/node_modules/a/*",))
    finding = judge_image(scans.scan(subject), policy)
    assert finding.outcome is Outcome.PASSED
    assert finding.notes[0].startswith("unread: app/node_modules/a/package.json (failed to parse")


def test_broken_templates_beside_a_good_one_are_an_error(scans: Scans) -> None:
    broken = {
        "main.tf": 'resource "x" "y" {\n',
        "Dockerfile": "RUNN x\n",
        "template.yaml": "Resources: [\n",
        "template.json": '{"Resources": {',
        "chart/templates/a.yaml": "a: {{ .Values.x \n",
    }
    good = {"good/a.tf": TERRAFORM, "chart/Chart.yaml": "{apiVersion: v2, name: c, version: '1'}"}
    facts = scans.scan(folder(scans, SubjectKind.CONFIG, good | broken), Scanner.MISCONFIG)
    named = {one.path.removesuffix("/templates/a.yaml") for one in facts.scans[0].unread}
    assert named == {"main.tf", "Dockerfile", "template.yaml", "template.json", "chart"}
    unread = [rule.met for rule in judge_image(facts, ImagePolicy(TODAY)).rules]
    assert None in unread


def test_a_comment_that_drops_results_fails_unless_waived(scans: Scans) -> None:
    dropping = {
        "a.tf": f"#trivy:ignore:AVD-AWS-0086\n{TERRAFORM}",
        "b.tf": 'resource "x" "y" {} //tfsec:ignore:*\n',
        "Dockerfile": "FROM debian:12\n#trivy:ignore:DS-0002\n",
        "t.yaml": "Resources:\n  # trivy:ignore:*\n  A: {}\n",
    }
    facts = scans.scan(folder(scans, SubjectKind.CONFIG, dropping), Scanner.MISCONFIG)
    policy = ImagePolicy(TODAY, limits=(parse_threshold("total < 99"),))
    finding = judge_image(facts, policy)
    said = "DS-0002 in Dockerfile:2, AVD-AWS-0086 in a.tf:1, * in b.tf:1, * in t.yaml:2"
    assert (finding.outcome, finding.misses[0].observed) == (Outcome.FAILED, said)
    waivers = tuple(ResultWaiver("*", "a test", TODAY, path=path) for path in dropping)
    assert judge_image(facts, replace(policy, waivers=waivers)).outcome is Outcome.PASSED


def test_a_comment_in_an_image_is_told_too(scans: Scans) -> None:
    dropping = {"srv/a.tf": f"#trivy:ignore:*\n{TERRAFORM}"}
    facts = scans.scan(scans.layout("dropping", image(GOOD | dropping)), Scanner.MISCONFIG)
    assert {(one.path, one.line) for one in facts.scans[0].hidden} == {("srv/a.tf", 2)}


def test_files_in_which_no_secret_is_looked_for_are_no_evidence(scans: Scans) -> None:
    unsearched = dict.fromkeys(("README.md", "tests/key.py", "go.sum", "a.zip"), TERRAFORM)
    subject = folder(scans, SubjectKind.FS, unsearched)
    assert scans.judged(subject, Scanner.SECRET).outcome is Outcome.INCONCLUSIVE
    subject = folder(scans, SubjectKind.FS, unsearched | {"main.py": TERRAFORM})
    finding = scans.judged(subject, Scanner.SECRET)
    assert finding.outcome is Outcome.PASSED
    assert (finding.evidence[0].what, finding.evidence[0].amount) == (
        "files searched for secrets",
        1,
    )


def test_a_package_of_an_sbom_within_that_has_no_url_is_noted(scans: Scans) -> None:
    parts = [{"type": "library", "name": "pip", "version": "1"}]
    sbom = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": parts})
    files = oci.pip({"jinja2": "3.1.6"}) | {"pip/pip.cdx.json": sbom}
    finding = scans.judged(folder(scans, SubjectKind.ROOTFS, files))
    assert finding.outcome is Outcome.PASSED
    assert finding.notes == ("compared with nothing: pip@1 (a component without PURL)",)


def test_a_requirement_without_an_exact_version_is_noted(scans: Scans) -> None:
    text = "jinja2==3.1.6 \\\n --hash=sha256:a\nflask>=2 # web\n# no\n-r b.txt\n-i x\nurl==2.*\n"
    finding = scans.judged(folder(scans, SubjectKind.FS, {"requirements.txt": text}))
    assert finding.outcome is Outcome.PASSED
    assert finding.notes[0].endswith("compared with nothing: flask>=2, -r b.txt, url==2.*")


def test_files_beyond_the_time_are_unread_and_large_ones_noted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("[" * 2**20 + "[")
    late = look_into(tmp_path, SubjectKind.CONFIG, (Scanner.MISCONFIG,), time.monotonic())
    assert late.unread[0].why.startswith("too many files")
    soon = time.monotonic() + 60
    noted = look_into(tmp_path, SubjectKind.CONFIG, (Scanner.MISCONFIG,), soon)
    assert noted == Sources(notes=("a.yaml: too large to see whether it can be parsed",))


def test_a_long_line_of_comments_costs_little_and_text_is_no_comment(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("#" * 2**20 + '\nx = "trivy:ignore:A"\n y // trivy:ignore:B')
    (tmp_path / "alone.json").write_text("{")
    soon = time.monotonic() + 60
    assert look_into(tmp_path, SubjectKind.FS, (Scanner.MISCONFIG,), soon).hidden == (
        Hidden("B", "a.tf", 3),
    )
    [one] = look_into(tmp_path / "alone.json", SubjectKind.CONFIG, tuple(Scanner), soon).unread
    assert one.path == "alone.json"
    assert time.monotonic() < soon - 50


def test_what_does_not_look_like_a_template_need_not_be_one(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("{// not for machines")
    (tmp_path / "pod.yaml").write_text("apiVersion: [")
    (tmp_path / "octets.yml").write_bytes(b"apiVersion: \x00\xff")
    soon = time.monotonic() + 60
    found = look_into(tmp_path, SubjectKind.FS, (Scanner.MISCONFIG,), soon)
    assert [one.path for one in found.unread] == ["octets.yml", "pod.yaml"]


def test_layers_that_are_known_still_tell_what_could_not_be_read(tmp_path: Path) -> None:
    scans = Scans(tmp_path).database()
    subject = scans.layout("app", image(GOOD | BROKEN))
    first = scans.scan(subject)
    again = scans.scan(subject)
    for report in (tmp_path / "cache" / "trivy-reports").iterdir():
        report.unlink()
    warm = scans.scan(subject)
    unread = [[one.path for one in facts.scans[0].unread] for facts in (first, again, warm)]
    assert unread == [list(BROKEN)] * 3


def test_layers_of_which_nothing_is_kept_are_read_anew(tmp_path: Path) -> None:
    scans = Scans(tmp_path).database()
    subject = scans.layout("app", image(GOOD | BROKEN))
    scans.scan(subject)
    for kept in (*tmp_path.glob("cache/trivy-reports/*"), *tmp_path.rglob("told.json")):
        kept.unlink()
    assert scans.judged(subject).outcome is Outcome.ERROR


def test_a_log_tells_what_is_unread_dropped_and_searched() -> None:
    lines = (
        b'2026-01-01T00:00:00Z\tDEBUG\tWalk error\tfile_path="a \\" b" err="bad: \\x1f"\n',
        b'2026-01-01T00:00:00Z\tDEBUG\t[analyzer] Analysis error\terr="unable to parse c d: x"\n',
        b'2026-01-01T00:00:00Z\tERROR\t[terraform parser] Error\tfile_path="e.tf" err="x"\n',
        b'2026-01-01T00:00:00Z\tINFO\t[x] Ignore finding\trule="r" range="f.tf:2-4"\n',
        b'2026-01-01T00:00:00Z\tDEBUG\t[secret] Skipped\tfile_path="g"\n',
        b'2026-01-01T00:00:00Z\tDEBUG\t[secret] Skipped\tfile_path="g"\n',
        b'2026-01-01T00:00:00Z\tERROR\t[misconfig] Falling back\terr="no cache"\n',
        b"\xff no line of a log\n",
    )
    told = read_log(lines)
    assert [one.path for one in told.unread] == ['a " b', "c d", "e.tf"]
    assert (told.hidden, told.secrets, told.lines) == ((Hidden("r", "f.tf", 2),), 1, 5)
    assert Told.from_plain(told.plain()) == told
    assert str(Unread("a", "b")) == "a (b)"


def test_of_a_failure_the_fatal_error_is_told_without_details() -> None:
    log = (
        "2026-01-01T00:00:00Z\tDEBUG\tdetail\n2026-01-01T00:00:00Z\tFATAL\tFatal error\n"
        "  - run error:\n    github.com/x.Run\n        /home/x.go:1\n  - no such file\n\n"
    )
    assert last_words(log) == "run error: no such file"
    assert last_words("2026-01-01T00:00:00Z\tWARN\tslow\n") == "slow"


def test_a_trivy_that_tells_of_no_unread_file_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenroom.plugins.trivy.UNREADABLE", {})
    finding = Scans(tmp_path).database().judged(Scans(tmp_path).layout("app", image(GOOD)))
    assert finding.outcome is Outcome.ERROR
    assert "it finds nothing for files that cannot be read" in finding.seen
