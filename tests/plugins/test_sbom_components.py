"""What of an SBOM was not examined is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins import sbom_components
from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.plugins.sbom_components import unread_components
from greenroom.validators.errors import ToolError
from greenroom.validators.image import ImagePolicy, Unread, judge_image
from greenroom.validators.vocabulary import Outcome
from tests.support.scans import TODAY, Scans

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {"name": "jinja2", "version": "3.1.6", "purl": "pkg:pypi/jinja2@3.1.6"}
LEFT_OUT: dict[str, dict[str, Any]] = {
    "no-url@1": {"name": "no-url", "version": "1"},
    "no-version": {"name": "no-version", "purl": "pkg:pypi/no-version"},
    "strange@1": {"name": "strange", "version": "1", "purl": "pkg:generic/strange@1"},
}
INNER = {"name": "inner", "version": "1", "purl": "pkg:npm/inner@1"}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    return Scans(tmp_path_factory.mktemp("sboms")).database()


def cyclonedx(scans: Scans, *components: dict[str, Any]) -> Subject:
    whole = [{"type": "library"} | one for one in components]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": whole}
    (scans.folder / "app.cdx.json").write_text(json.dumps(document))
    return Subject(SubjectKind.SBOM, "app.cdx.json")


def test_components_that_are_left_out_are_an_error_unless_accepted(scans: Scans) -> None:
    outer = GOOD | {"components": [INNER | {"components": [{"name": "deep"}]}]}
    facts = scans.scan(cyclonedx(scans, outer, *LEFT_OUT.values()))
    unread = {one.path for one in facts.scans[0].unread}
    assert unread == {*LEFT_OUT, "inner@1", "deep"}
    assert judge_image(facts, ImagePolicy(TODAY)).outcome is Outcome.ERROR
    finding = judge_image(facts, ImagePolicy(TODAY, unread=("*",)))
    assert (finding.outcome, len(finding.notes)) == (Outcome.PASSED, 5)


def test_an_sbom_of_which_nothing_can_be_compared_is_inconclusive(scans: Scans) -> None:
    assert scans.judged(cyclonedx(scans, *LEFT_OUT.values())).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("named", ["relationships", "documentDescribes"])
def test_what_a_document_is_of_is_none_of_its_components(tmp_path: Path, named: str) -> None:
    packages = [{"SPDXID": "a", "name": "app", "versionInfo": "1"}, {"SPDXID": "b", "name": "b"}]
    relation = {"relationshipType": "DESCRIBES", "relatedSpdxElement": "a"}
    value: list[Any] = [relation] if named == "relationships" else ["a"]
    (tmp_path / "x.json").write_text(json.dumps({"packages": packages, named: value}))
    told = (Unread("app@1", "no URL"), Unread("b", "no URL"))
    assert unread_components(tmp_path / "x.json", told, ()) == told[1:]


def test_another_form_says_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "x.spdx").write_text("PackageName: a")
    told = (Unread("a", "no URL"),)
    assert unread_components(tmp_path / "x.spdx", told, ()) == told


def test_an_sbom_that_is_too_large_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.json").write_text("{}")
    monkeypatch.setattr(sbom_components, "_MOST", 1)
    with pytest.raises(ToolError, match="more than 1 bytes"):
        unread_components(tmp_path / "x.json", (), ())
