from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from greenroom.plugins.bundle_files import Project, check_names, collect
from greenroom.validators.errors import SettingsError

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMII\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "project", "suites/test_it.py")
    return tmp_path / "project"


def write(root: Path, *names: str, text: str = "") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def names(root: Path, *paths: str) -> list[str]:
    return sorted(collect(Project(root, root / "out.zip"), paths).files)


def refused(root: Path, *paths: str) -> str:
    with pytest.raises(SettingsError) as caught:
        collect(Project(root, root / "out.zip"), paths)
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize("path", ["..", "../other", "/etc/hostname", "suites/../../other"])
def test_nothing_outside_the_project_goes_along(root: Path, path: str) -> None:
    assert f"{path} lies outside the project" in refused(root, path)


def test_a_path_that_is_not_there_is_named(root: Path) -> None:
    assert "checks is not there" in refused(root, "checks")


def test_without_suites_it_asks_for_paths(tmp_path: Path) -> None:
    assert "there is no folder suites/ here" in refused(tmp_path)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("../outside.txt", "is a link out of the project"),
        ("nowhere", "is a link to nothing"),
        (".", "is a link to a folder that holds it"),
        ("it", "is a link to nothing"),
    ],
    ids=["outside", "dangling", "circle", "itself"],
)
def test_a_link_that_leads_astray_is_refused(root: Path, target: str, message: str) -> None:
    write(root.parent, "outside.txt")
    (root / "suites" / "it").symlink_to(root / target if ".." in target else target)
    assert f"suites/it {message}" in refused(root)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("service.key", ""),
        ("id_ed25519", ""),
        ("prod.env", ""),
        ("credentials.json", ""),
        ("certificate.pem", KEY),
        ("data.txt", KEY),
    ],
)
def test_a_secret_goes_along_only_by_its_own_path(root: Path, name: str, text: str) -> None:
    write(root, f"suites/{name}", text=text)
    assert f"suites/{name} looks like a secret" in refused(root)
    assert f"suites/{name}" in names(root, "suites", f"suites/{name}")


def test_a_link_does_not_hide_a_secret(root: Path) -> None:
    write(root, ".env")
    (root / "suites" / "settings.txt").symlink_to("../.env")
    assert "suites/settings.txt looks like a secret" in refused(root)


def test_what_is_no_file_is_refused(root: Path) -> None:
    os.mkfifo(root / "suites" / "pipe")
    assert "suites/pipe is neither a file nor a folder" in refused(root)


@pytest.mark.parametrize("name", ["a\nb.py", "a\\b.py", os.fsdecode(b"a\xff.py")])
def test_an_odd_name_is_refused(root: Path, name: str) -> None:
    write(root, f"suites/{name}")
    assert "is no name for a bundle" in refused(root)


def test_a_folder_that_cannot_be_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(folder: Path) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    # By hand, because nothing is unreadable to root, who runs tests in containers.
    monkeypatch.setattr(Path, "iterdir", closed)
    assert "suites cannot be read: Permission denied" in refused(root)


def test_certificates_are_no_secret(root: Path) -> None:
    write(root, "suites/ca.pem", text="-----BEGIN CERTIFICATE-----\n")
    assert "suites/ca.pem" in names(root)


def test_a_link_within_the_project_goes_along_as_its_content(root: Path) -> None:
    write(root, "shared/data.json")
    (root / "suites" / "shared").symlink_to("../shared")
    assert names(root) == ["suites/shared/data.json", "suites/test_it.py"]


def test_hidden_files_and_virtual_environments_stay_and_are_told(root: Path) -> None:
    write(root, "suites/.env", "suites/.git/config", "suites/venv/pyvenv.cfg")
    write(root, "suites/__pycache__/x.pyc", "suites/old.pyc", "suites/it.egg-info/x", "out.zip")
    collected = collect(Project(root, root / "out.zip"), (".",))
    assert list(collected.files) == ["suites/test_it.py"]
    assert collected.left_out == ["suites/.env", "suites/.git", "suites/venv"]


def test_the_settings_always_go_along(root: Path) -> None:
    write(root, "greenroom.toml", "pytest.toml", "conftest.py", "README.md", "lib/__init__.py")
    expected = ["conftest.py", "greenroom.toml", "lib/__init__.py", "pytest.toml"]
    assert names(root, "lib") == expected
    assert names(root) == [*expected[:2], "pytest.toml", "suites/test_it.py"]


@pytest.mark.parametrize(
    ("name", "text", "matters"),
    [
        ("pyproject.toml", "[project]\n", False),
        ("pyproject.toml", "[tool.greenroom.expect]\n", True),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", True),
        ("setup.cfg", "[metadata]\n", False),
        ("setup.cfg", "[tool:pytest]\n", True),
        ("tox.ini", "[pytest]\n", True),
    ],
)
def test_a_shared_file_goes_along_if_it_has_our_settings(
    root: Path, name: str, text: str, *, matters: bool
) -> None:
    write(root, name, text=text)
    assert (name in names(root)) is matters


def test_the_suites_that_the_settings_name_go_along(tmp_path: Path) -> None:
    write(tmp_path, "checks/smoke/test_it.py", "checks/other/test_it.py")
    table = '[hook.events.BeforeAllowTraffic]\nsuites = ["checks/smoke"]\n'
    write(tmp_path, "greenroom.toml", text=table)
    assert names(tmp_path) == ["checks/smoke/test_it.py", "greenroom.toml"]
    assert "name checks/smoke, which is not in the bundle" in refused(tmp_path, "checks/other")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("httpx/__init__.py", "has the name of a package in the bundle"),
        ("httpx.py", "has the name of a package in the bundle"),
        ("secrets.py", "would hide Python's own module secrets"),
        ("json/__init__.py", "would hide Python's own module json"),
    ],
)
def test_no_file_hides_a_package(root: Path, name: str, message: str) -> None:
    write(root, name)
    collected = collect(Project(root, root / "out.zip"), (name.partition("/")[0],))
    with pytest.raises(SettingsError, match=message):
        check_names(collected, {"httpx"})


def test_a_folder_that_is_no_package_hides_nothing(root: Path) -> None:
    write(root, "platform/data.json")
    check_names(collect(Project(root, root / "out.zip"), ("platform",)), {"httpx"})
