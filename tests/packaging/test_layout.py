from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import greenroom
from greenroom.validators import errors
from tests.support.project import FOLDERS, ROOT, pyproject


@pytest.mark.parametrize("name", FOLDERS)
def test_each_link_leads_to_its_folder(name: str) -> None:
    link = ROOT / "src" / "greenroom" / name
    assert link.is_symlink()
    assert link.readlink() == Path("../..") / name
    assert (link / "__init__.py").samefile(ROOT / name / "__init__.py")


@pytest.mark.parametrize("name", FOLDERS)
def test_each_folder_is_imported_under_the_one_package(name: str) -> None:
    module = importlib.import_module(f"greenroom.{name}")
    assert module.__file__ is not None
    assert Path(module.__file__).samefile(ROOT / name / "__init__.py")


def test_every_package_is_listed_for_the_wheel() -> None:
    packages = {
        "greenroom." + ".".join(path.parent.relative_to(ROOT).parts)
        for name in FOLDERS
        for path in (ROOT / name).rglob("__init__.py")
    }
    table = pyproject()["tool"]["setuptools"]
    assert set(table["packages"]) == {"greenroom", *packages}
    assert set(table["package-dir"]) == set(table["packages"])


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert greenroom.__all__ == sorted(greenroom.__all__)
    assert len(set(greenroom.__all__)) == len(greenroom.__all__)
    assert all(getattr(greenroom, name) is not None for name in greenroom.__all__)
    assert set(greenroom.__all__) <= set(dir(greenroom))


def test_every_error_is_a_public_name() -> None:
    raised = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.GreenroomError)
    }
    assert raised <= set(greenroom.__all__)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'greenroom' has no attribute 'shipp'"):
        _ = greenroom.shipp


def test_the_package_imports_nothing_before_it_is_used() -> None:
    code = "import sys, greenroom; print(*[m for m in sys.modules if m.startswith('greenroom.')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "src" / "greenroom" / "py.typed").is_file()
