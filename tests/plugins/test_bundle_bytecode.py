from __future__ import annotations

import importlib.util
import marshal
import sys
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.bundle_bytecode import compile_all, interpreter_for
from greenroom.plugins.bundle_target import target
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path
    from types import CodeType

CHOICE = "def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e', 1, 2, 3, None}\n"
OTHER = target("3.14" if sys.version_info[:2] != (3, 14) else "3.13")


def compiled(folder: Path) -> bytes:
    folder.mkdir(parents=True)
    (folder / "it.py").write_text(CHOICE)
    assert compile_all(folder, sys.executable) == []
    (cached,) = folder.rglob("*.pyc")
    return cached.read_bytes()


def test_no_interpreter_of_another_version_writes_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / f"python{OTHER.python}"
    named.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    named.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreter_for(OTHER) is None


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 1\n", "no program"])
def test_a_program_that_only_has_the_name_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / f"python{OTHER.python}").write_text(content)
    (tmp_path / f"python{OTHER.python}").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreter_for(OTHER) is None


def test_this_interpreter_serves_its_own_version() -> None:
    assert interpreter_for(target()) == sys.executable


def test_an_interpreter_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="could not compile the bundle"):
        compile_all(tmp_path, str(tmp_path / "python"))


def test_the_bytes_are_the_same_in_whatever_folder(tmp_path: Path) -> None:
    assert compiled(tmp_path / "a") == compiled(tmp_path / "other" / "folder")


def test_bytecode_is_unchecked_and_knows_the_functions_paths_alone(tmp_path: Path) -> None:
    data = compiled(tmp_path / "task")
    assert data[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(data[4:8], "little") == 0b01  # by hash, and not checked
    code: CodeType = marshal.loads(data[16:])  # noqa: S302 - our own bytes
    assert code.co_filename == "/var/task/it.py"
    assert str(tmp_path).encode() not in data


def test_what_does_not_compile_is_named(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "broken.py").write_text("def\n")
    assert compile_all(tmp_path, sys.executable) == ["suites/broken.py"]
