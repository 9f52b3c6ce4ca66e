"""Canaries are images that real Trivy recognises, of every release and language that we know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.canary import canary_files, language_of, write_canary
from greenroom.plugins.image_subject import Subject, SubjectKind
from greenroom.validators.image import OperatingSystem, Scanner
from tests.support.scans import Scans

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGES = ("npm", "pip", "jar", "gobinary", "bundler", "cargo", "composer", "nuget")


@pytest.mark.parametrize(
    ("family", "version"),
    [
        ("debian", "12.5"),
        ("ubuntu", "24.04"),
        ("alpine", "3.22.1"),
        ("wolfi", "20230201"),
        ("amazon", "2023 (Amazon Linux)"),
        ("redhat", "9.4"),
        ("rocky", "9.4"),
        ("alma", "9.4"),
        ("oracle", "9.4"),
        ("azurelinux", "3.0"),
        ("photon", "5.0"),
    ],
)
def test_a_canary_is_of_the_subjects_own_release(tmp_path: Path, family: str, version: str) -> None:
    files = canary_files(OperatingSystem(family, version), ())
    write_canary(tmp_path / "canary", files)
    (scan,) = Scans(tmp_path).scan(Subject(SubjectKind.LAYOUT, "canary"), Scanner.SECRET).scans
    assert scan.os is not None
    assert (scan.os.family, scan.os.version) == (family, version)


def test_a_canary_has_packages_of_each_language(tmp_path: Path) -> None:
    write_canary(tmp_path / "canary", canary_files(None, LANGUAGES))
    facts = Scans(tmp_path).database().scan(Subject(SubjectKind.LAYOUT, "canary"), Scanner.VULN)
    found = {language_of(kind) for kind in facts.scans[0].ecosystems}
    assert found == {language_of(kind) for kind in LANGUAGES}


def test_there_is_no_canary_for_what_we_do_not_know() -> None:
    assert canary_files(OperatingSystem("plan9", "4"), ("conda-pkg",)) == {}
    assert language_of("conda-pkg") == ""
