"""What `image:` may hold, and what a check of it does."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_image import IMAGE_KEYS, ImageWork, read_image
from greenroom.plugins.suite_variables import Variables
from greenroom.plugins.suite_yaml import Document, plain
from greenroom.validators.errors import SettingsError
from greenroom.validators.image import Scanner
from greenroom.validators.vocabulary import Outcome
from tests.support import oci
from tests.support.scans import NEW, OLD, Scans, image

if TYPE_CHECKING:
    from greenroom.plugins.suite_yaml import Node

SCHEMA = json.loads(files("greenroom.plugins").joinpath("check_image.schema.json").read_text())
WRONG = {
    "no-subject": ("{scanners: [vuln]}", "image needs one subject"),
    "two-subjects": ("{ref: a, archive: b}", "image needs one subject"),
    "unknown-key": ("{ref: a, waiver: w.yaml}", "did you mean 'waivers'?"),
    "tag-of-a-ref": ("{ref: a, tag: b}", "tag belongs to layout"),
    "platforms-of-an-archive": ("{archive: a, platforms: [x/y]}", "platforms belong to"),
    "os-of-a-folder": ("{fs: a, os: none}", "os belongs to images"),
    "other-os": ("{ref: a, os: debian}", "os can only be none"),
    "since-of-a-folder": ("{fs: a, since: b}", "since belongs to"),
    "unknown-scanner": ("{ref: a, scanners: [virus]}", "virus"),
    "scanner-of-config": ("{config: a, scanners: [vuln]}", "config has no scanner vuln"),
    "licence-without-deny": ("{ref: a, scanners: [license]}", "no licence is denied"),
    "licence-of-config": ("{config: a, licenses: {deny: [x]}}", "it has no licences"),
    "an-option": ("{ref: --server=x}", "ref is '--server=x'"),
    "sbom-format": ("{ref: a, sbom: {path: b, format: xml}}", "xml"),
    "sbom-elsewhere": ("{ref: a, sbom: {path: ../b}}", "leads out of the project"),
    "sbom-absolute": ("{ref: a, sbom: {path: /b}}", "leads out of the project"),
    "sbom-without-path": ("{ref: a, sbom: {format: cyclonedx}}", "sbom has no 'path'"),
}


def parts(text: str) -> tuple[Fields, Node]:
    document = Document(Path("a.suite.yaml"), text)
    return Fields(document, Variables({}, {}, {}, Redactor())), document.read()


def read(text: str, expect: str = "") -> ImageWork:
    fields, node = parts(text)
    return read_image(fields, node, parts(expect)[1] if expect else None)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    scans = Scans(tmp_path_factory.mktemp("suite-image")).database()
    oci.write_layout(
        scans.folder / "app",
        {"old": image(oci.debian(OLD)), "new": image(oci.debian(OLD | {"curl": "8"}))},
    )
    return scans


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_check_is_refused_at_its_place(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text)
    assert said in caught.value.explain()
    assert "a.suite.yaml:1:" in str(caught.value)


def test_a_metric_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown metric 'criticals'"):
        read("{ref: a}", '["criticals == 0"]')


def test_without_more_said_there_may_be_none_critical_and_none_high() -> None:
    work = read("{ref: app}")
    assert ([str(limit) for limit in work.limits], work.scanners, work.alone) == (
        ["critical == 0", "high == 0"],
        (Scanner.VULN,),
        False,
    )
    assert read("{config: templates}").scanners == (Scanner.MISCONFIG,)


def test_the_schema_for_editors_knows_the_same_keys() -> None:
    assert set(SCHEMA["properties"]) == set(IMAGE_KEYS)
    full = """{layout: a, tag: b, platforms: [linux/amd64], scanners: [vuln, secret], os: none,
        waivers: w.yaml, vex: v.json, never: [CVE-1], licenses: {deny: [AGPL-*]}, since: old,
        unproven: [conda-pkg], unread: ["*/test/*"], sbom: {format: spdx-json, path: out.json}}"""
    jsonschema.validate(plain(parts(full)[1]), SCHEMA)
    assert read(full).scanners == (Scanner.VULN, Scanner.SECRET, Scanner.LICENSE)


def test_a_layout_with_several_tags_needs_one_named(scans: Scans) -> None:
    with pytest.raises(SettingsError, match="holds 2 images") as caught:
        read("{layout: app}").run(scans.place)
    assert "its tags: new, old" in caught.value.hint


def test_what_the_deployed_image_has_too_is_known(scans: Scans) -> None:
    assert read("{layout: app, tag: new}").run(scans.place).outcome is Outcome.FAILED
    finding = read("{layout: app, tag: new, since: old}").run(scans.place)
    assert finding.outcome is Outcome.PASSED
    assert finding.results[0].why == "the deployed image has it too"


def test_an_image_compared_with_itself_has_nothing_known(scans: Scans) -> None:
    finding = read("{layout: app, tag: old, since: old}").run(scans.place)
    assert finding.outcome is Outcome.FAILED
    assert finding.notes == ("since: app:old is this very image: nothing is known",)


def test_a_link_out_of_the_project_is_not_followed(scans: Scans, tmp_path: Path) -> None:
    (scans.folder / "link").symlink_to(tmp_path)
    with pytest.raises(SettingsError, match="leads out of the project"):
        read("{layout: app, tag: old, sbom: {path: link/b}}").run(scans.place)
    assert list(tmp_path.iterdir()) == []


def test_waivers_and_vex_waive_and_tell_who_is_not_needed(scans: Scans) -> None:
    (scans.folder / "waivers.yaml").write_text(
        "version: 1\nwaivers: [{id: CVE-1, reason: gone, expires: 2027-01-01}]\n"
    )
    said = {"vulnerability": "CVE-2023-0001", "products": ["app"], "status": "not_affected"}
    vex = {"@context": "https://openvex.dev/ns/v0.2.0", "statements": [said]}
    (scans.folder / "app.vex.json").write_text(json.dumps(vex))
    text = "{layout: app, tag: old, waivers: waivers.yaml, vex: app.vex.json}"
    finding = read(text).run(scans.place)
    assert finding.outcome is Outcome.PASSED
    assert "unused waiver: CVE-1 until 2027-01-01 (waivers.yaml:2)" in finding.notes[0]


def test_an_sbom_is_written_on_request(scans: Scans) -> None:
    oci.write_layout(scans.folder / "clean", {"x": image(oci.debian(NEW))})
    finding = read("{layout: clean, sbom: {path: out/sbom.json}}").run(scans.place)
    assert finding.outcome is Outcome.PASSED
    written = json.loads((scans.folder / "out" / "sbom.json").read_text())
    assert written["bomFormat"] == "CycloneDX"
