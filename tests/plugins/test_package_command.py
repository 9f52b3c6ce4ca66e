"""The whole command, with real pip and stand-ins for Greenroom's dependencies."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins import bundle, cli
from greenroom.plugins.bundle_itself import own_files
from greenroom.validators.errors import ToolError
from tests.support.bundles import stand_ins
from tests.support.project import modules_and_data
from tests.support.wheels import offline, write_wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stand_ins(tmp_path_factory.mktemp("wheels"))


@pytest.fixture
def project(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in offline(wheels).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_it.py").write_text("def test_it():\n    pass\n")
    return tmp_path


def test_a_bundle_is_built_and_described(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "suites" / ".env").write_text("TOKEN=1")
    assert cli.main(["package", "dist/out.zip"]) == 0
    out, err = capsys.readouterr()
    archive = project / "dist" / "out.zip"
    names = zipfile.ZipFile(archive).namelist()
    assert f"{len(names)} files" in out.splitlines()[0]
    assert "left out: suites/.env" in out
    assert "handler: greenroom.plugins.hook.handler" in out
    assert f"sha256: {hashlib.sha256(archive.read_bytes()).hexdigest()}" in out
    assert not err
    assert {"suites/test_it.py", "httpx.py", "greenroom/plugins/hook.py"} <= set(names)
    assert not [name for name in names if name.startswith(("boto", "greenroom/rehearsal"))]


def test_the_same_inputs_give_the_same_bytes(project: Path) -> None:
    assert cli.main(["package", "1.zip"]) == 0
    assert cli.main(["package", "2.zip"]) == 0
    assert (project / "1.zip").read_bytes() == (project / "2.zip").read_bytes()


def test_a_bundle_without_bytecode_warns(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bundle, "interpreter_for", lambda _: None)
    (project / "checks").mkdir()
    assert cli.main(["package", "out.zip", "checks"]) == 0
    out, err = capsys.readouterr()
    assert "no bytecode" in out
    warnings = err.splitlines()
    assert [line.partition(",")[0] for line in warnings[:2]] == [
        "warning: without bytecode",
        "warning: none of your files is a test_*.py or a *.suite.yaml: what is the hook to run?",
    ]
    assert "GREENROOM_HOOK_ARGS" in warnings[2]
    assert not [name for name in zipfile.ZipFile("out.zip").namelist() if name.endswith(".pyc")]


def test_what_the_suites_import_goes_along(wheels: Path, project: Path) -> None:
    write_wheel(wheels, "theirs", requires=["below"])
    write_wheel(wheels, "below")
    write_wheel(wheels, "more")
    (project / "requirements.txt").write_text("more==1.0\n")
    assert (
        cli.main(["package", "out.zip", "--with", "theirs", "--requirements=requirements.txt"]) == 0
    )
    assert {"theirs.py", "below.py", "more.py"} <= set(zipfile.ZipFile("out.zip").namelist())


def test_a_suite_that_does_not_compile_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "suites" / "test_it.py").write_text("def\n")
    assert cli.main(["package", "out.zip"]) == 0
    assert "warning: suites/test_it.py does not compile" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["out.tar"], 4, "out.tar is no name of a bundle"),
        (["out.zip", "nowhere"], 4, "nowhere is not there"),
        (["out.zip", "--extra", "lod"], 4, "greenroom has no extra 'lod'"),
        (["out.zip", "--python", "3.10"], 4, "'3.10' is not one of"),
        (["out.zip", "--with", "absent"], 2, "No matching distribution found for absent"),
    ],
    ids=["name", "path", "extra", "python", "requirement"],
)
def test_what_goes_wrong_leaves_an_old_bundle(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    (project / "out.zip").write_text("before")
    assert cli.main(["package", *arguments]) == status
    assert message in capsys.readouterr().err
    assert (project / "out.zip").read_text() == "before"


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("UNZIPPED_MOST", "bytes unzipped, and Lambda takes 1000, layers included"),
        ("ZIPPED_MOST", "bytes zipped, and Lambda takes 1000 in a direct upload"),
    ],
)
def test_more_than_lambda_takes_is_refused(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    limit: str,
    message: str,
) -> None:
    monkeypatch.setattr(bundle, limit, 1000)
    assert cli.main(["package", "out.zip"]) == 2
    assert message in capsys.readouterr().err
    assert not (project / "out.zip").exists()


def test_near_a_limit_it_warns_and_through_s3_it_may_be_larger(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bundle, "ZIPPED_MOST", 1000)
    monkeypatch.setattr(bundle, "_NEAR", 0.001)
    assert cli.main(["package", "out.zip", "--via-s3"]) == 0
    assert (project / "out.zip").is_file()
    err = capsys.readouterr().err
    assert "zipped in a direct upload, more only from S3" in err
    assert "warning: Lambda takes 250 MB unzipped, layers included" in err


def test_greenrooms_own_files_are_all_there_but_the_rehearsal() -> None:
    expected = {name for name in modules_and_data() if "/rehearsal/" not in name}
    assert set(own_files()) == {*expected, "greenroom/__init__.py", "greenroom/py.typed"}


def test_greenrooms_metadata_makes_it_a_plugin_and_lists_its_files(project: Path) -> None:
    assert cli.main(["package", "out.zip"]) == 0
    archive = zipfile.ZipFile(project / "out.zip")
    about = {
        name.rpartition("/")[2]: archive.read(name).decode()
        for name in archive.namelist()
        if name.startswith("greenroom-")
    }
    assert sorted(about) == ["LICENSE", "METADATA", "RECORD", "WHEEL", "entry_points.txt"]
    assert "[pytest11]" in about["entry_points.txt"]
    assert set(own_files()) <= {line.partition(",")[0] for line in about["RECORD"].splitlines()}


def test_whoever_needs_greenroom_gets_this_one(wheels: Path, project: Path) -> None:
    write_wheel(wheels, "greenroom", "9.0", files={"greenroom/stranger.py": ""})
    write_wheel(wheels, "checks-of-theirs", requires=["greenroom>=0.1"])
    assert cli.main(["package", "out.zip", "--with", "checks-of-theirs"]) == 0
    names = zipfile.ZipFile(project / "out.zip").namelist()
    assert "checks_of_theirs.py" in names
    assert "greenroom/stranger.py" not in names


def test_a_package_without_files_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ToolError, match="greenroom is not installed as files"):
        own_files()
