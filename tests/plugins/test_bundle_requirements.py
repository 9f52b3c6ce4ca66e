from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.bundle_requirements import given, installed, own
from greenroom.plugins.bundle_target import target
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = target("3.11"), target("3.14")


def texts(path: Path, python: str = "3.12") -> list[str]:
    return [str(it) for it in given((), [path], target(python)).requirements]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "requirements.txt"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("requests==2.32.3 --hash=sha256:00", "leave the hashes out"),
        ("--index-url https://example.org/simple", "PIP_INDEX_URL"),
        ("-e .", "PIP_INDEX_URL"),
        ("./wheels/own.whl", "write it as NAME"),
    ],
    ids=["hash", "index", "editable", "path"],
)
def test_what_a_bundle_cannot_take_is_refused(file: Path, line: str, hint: str) -> None:
    file.write_text(f"six\n{line}\n")
    with pytest.raises(SettingsError, match="is not a requirement") as caught:
        texts(file)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"\xff", "cannot be read"), (b"-r requirements.txt", "itself")],
    ids=["absent", "no-text", "circle"],
)
def test_a_file_that_makes_no_sense_says_so(
    file: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        texts(file)


def test_a_file_is_read_as_pip_would(file: Path) -> None:
    file.write_text("# what we import\nsix >= 1 \\\n  # one\n\n-r more/other.txt\nattrs[tests]\n")
    (file.parent / "more").mkdir()
    (file.parent / "more" / "other.txt").write_text("-c limits.txt\nidna; python_version < '3.12'")
    assert texts(file) == ["six>=1", "attrs[tests]"]
    assert texts(file, "3.11") == ["six>=1", "idna", "attrs[tests]"]
    limits = given((), [file], OLD).constraints
    assert limits == (file.parent / "more" / "limits.txt",)


def test_markers_hold_for_the_function_not_for_this_machine() -> None:
    both = ["six; python_version < '3.12'", "idna; python_version >= '3.12'"]
    assert [str(it) for it in given(both, (), OLD).requirements] == ["six"]
    assert [str(it) for it in given(both, (), NEW).requirements] == ["idna"]


def test_greenrooms_own_needs_are_pinned_as_installed() -> None:
    pins = {str(it) for it in own(NEW)}
    assert {f"pytest=={version('pytest')}", f"pluggy=={version('pluggy')}"} <= pins
    assert not [pin for pin in pins if pin.startswith(("greenroom", "boto3", "locust"))]


def test_what_only_the_target_needs_is_left_to_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    known = "greenroom.plugins.bundle_requirements.installed"
    monkeypatch.setattr(known, lambda _: None)
    assert "pytest<10,>=9" in {str(it) for it in own(OLD)}


def test_an_extra_brings_its_own() -> None:
    assert f"boto3=={version('boto3')}" in {str(it) for it in own(NEW, ["aws"])}


def test_an_unknown_extra_lists_the_known() -> None:
    with pytest.raises(SettingsError, match="no extra 'lod'") as caught:
        own(NEW, ["lod"])
    assert "load" in caught.value.hint


def test_what_is_not_installed_is_none() -> None:
    assert installed("greenroom-has-no-such-dependency") is None
