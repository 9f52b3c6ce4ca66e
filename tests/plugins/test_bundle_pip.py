"""Real pip, with wheels made here and no network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.bundle_pip import fetch
from greenroom.plugins.bundle_requirements import Needs, given
from greenroom.plugins.bundle_target import target
from greenroom.plugins.bundle_trim import trim
from greenroom.validators.errors import ToolError
from tests.support.wheels import offline, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

HERE = "{}.{}".format(*sys.version_info)
OTHER = target("3.14" if HERE != "3.14" else "3.13")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, value in offline(folder).items():
        monkeypatch.setenv(name, value)
    return folder


def needs(*texts: str) -> Needs:
    return given(texts, (), OTHER)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.py"))


def test_a_package_that_nobody_has_names_itself(wheels: Path, tmp_path: Path) -> None:
    assert not list(wheels.iterdir())
    with pytest.raises(ToolError, match="No matching distribution found for absent") as caught:
        fetch(needs("absent"), OTHER, tmp_path / "task")
    assert f"a wheel for Python {OTHER.python} on Linux x86_64" in caught.value.hint


def test_a_wheel_of_another_python_does_not_serve(wheels: Path, tmp_path: Path) -> None:
    tag = f"cp{HERE.replace('.', '')}"
    write_wheel(wheels, "fast", tag=f"{tag}-{tag}-manylinux2014_x86_64")
    with pytest.raises(ToolError, match="No matching distribution found for fast"):
        fetch(needs("fast"), OTHER, tmp_path / "task")


def test_needs_that_contradict_say_who_wants_what(wheels: Path, tmp_path: Path) -> None:
    write_wheel(wheels, "base", "1.0")
    write_wheel(wheels, "base", "2.0")
    write_wheel(wheels, "theirs", requires=["base>=2"])
    with pytest.raises(ToolError, match=r"base==1\.0") as caught:
        fetch(needs("base==1.0", "theirs"), OTHER, tmp_path / "task")
    assert "theirs 1.0 depends on base>=2" in str(caught.value)


def test_a_package_index_that_does_not_answer_is_given_up(wheels: Path, tmp_path: Path) -> None:
    write_wheel(wheels, "base")
    with pytest.raises(ToolError, match=r"did not end within 0\.01 s"):
        fetch(needs("base"), OTHER, tmp_path / "task", limit_s=0.01)


def test_pips_own_complaints_are_passed_on(wheels: Path, tmp_path: Path) -> None:
    write_wheel(wheels, "base")
    limited = Needs(needs("base").requirements, (tmp_path / "limits.txt",))
    with pytest.raises(ToolError, match=r"Could not open .*limits\.txt") as caught:
        fetch(limited, OTHER, tmp_path / "task")
    assert "pip config list" in caught.value.hint


def test_a_search_without_an_end_is_given_up(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(wheels, "top", requires=[f"there; python_version == '{OTHER.python}'"])
    monkeypatch.setattr("greenroom.plugins.bundle_pip._ROUNDS", 1)
    with pytest.raises(ToolError, match="pip found no set of packages that satisfies top, there"):
        fetch(needs("top"), OTHER, tmp_path / "task")


def test_an_environment_without_pip_says_how_to_get_it(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(wheels, "base")
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(ToolError, match="No module named pip") as caught:
        fetch(needs("base"), OTHER, tmp_path / "task")
    assert "ensurepip" in caught.value.hint


def test_what_the_function_needs_is_there_and_what_it_does_not_is_not(
    wheels: Path, tmp_path: Path
) -> None:
    this, that = f"python_version == '{HERE}'", f"python_version == '{OTHER.python}'"
    write_wheel(wheels, "top", requires=[f"here; {this}", f"there; {that}"])
    write_wheel(wheels, "here", requires=["below-here"])
    write_wheel(wheels, "there", requires=["below-there[more]"])
    write_wheel(wheels, "below-here")
    write_wheel(wheels, "below-there", requires=["extra-one; extra == 'more'"])
    write_wheel(wheels, "extra-one")
    found = fetch(needs("top"), OTHER, tmp_path / "task")
    assert sorted(found) == ["below-there", "extra-one", "there", "top"]
    assert names(tmp_path / "task") == ["below_there.py", "extra_one.py", "there.py", "top.py"]


def test_the_users_pip_variables_do_not_lead_it_elsewhere(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(wheels, "base")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    fetch(needs("base"), OTHER, tmp_path / "task")
    assert names(tmp_path / "task") == ["base.py"]


def test_a_trimmed_folder_tells_nothing_of_this_machine(wheels: Path, tmp_path: Path) -> None:
    wheel = write_wheel(wheels, "base", files={"base/__init__.py": "", "base/tests/it.py": ""})
    task = tmp_path / "task"
    found = fetch(needs(f"base @ {wheel.as_uri()}"), OTHER, task)
    (task / "bin").mkdir()
    trim(task, found, {"base"})
    files = {path.relative_to(task).as_posix() for path in task.rglob("*") if path.is_file()}
    info = "base-1.0.dist-info"
    assert files == {
        "base/__init__.py",
        *(f"{info}/{it}" for it in ("METADATA", "RECORD", "WHEEL")),
    }
    listed = (task / info / "RECORD").read_text().splitlines()
    assert {line.partition(",")[0] for line in listed} == files


@pytest.mark.parametrize(
    ("requires", "kept"),
    [([], ["python.py"]), (["pygments"], ["java.py", "python.py"])],
    ids=["only-pytest", "another-package-too"],
)
def test_pygments_stays_whole_where_others_need_it(
    wheels: Path, tmp_path: Path, requires: list[str], kept: list[str]
) -> None:
    lexers = {f"pygments/lexers/{name}.py": "" for name in ("java", "python")}
    write_wheel(wheels, "pygments", files=lexers)
    write_wheel(wheels, "pytest", requires=["pygments"])
    write_wheel(wheels, "theirs", requires=requires)
    found = fetch(needs("pytest", "theirs"), OTHER, tmp_path / "task")
    trim(tmp_path / "task", found, {"pytest", "pygments"})
    assert names(tmp_path / "task" / "pygments" / "lexers") == kept
