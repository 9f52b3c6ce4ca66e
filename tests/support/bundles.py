"""Bundles for tests: built without a network, unpacked, and run as Lambda would."""

from __future__ import annotations

import fcntl
import platform
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from greenroom.plugins.bundle import Order, build
from greenroom.plugins.bundle_requirements import installed, own, walk
from greenroom.plugins.bundle_target import target
from tests.support.wheels import offline, repack, write_wheel

ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
HERE = target(architecture=ARCHITECTURE)
"""This machine as a target: what runs here."""

_RUNTIME = ("awslambdaric", "boto3")
_SITE = """
import sys
sys.path[:] = [path for path in sys.path if "site-packages" not in path]
sys.meta_path[:] = [it for it in sys.meta_path if "__editable__" not in str(it)]
"""
"""Takes this environment's packages away from an interpreter: Lambda's has none."""


def stand_ins(folder: Path) -> Path:
    """Write a tiny wheel in the name and version of each of Greenroom's dependencies."""
    for pin in own(HERE):
        (version,) = (specifier.version for specifier in pin.specifier)
        write_wheel(folder, pin.name, version)
    return folder


def real_wheels(folder: Path) -> Path:
    """Write the wheels of Greenroom's dependencies as they are installed here."""
    for pin in own(HERE):
        repack(pin.name, folder)
    return folder


def shared_bundle(shared: Path, files: dict[str, str]) -> Path:
    """Return the folder of an unpacked bundle for this machine, built once for all workers."""
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        task = shared / "task"
        if not task.exists():
            _build(shared, files)
            with zipfile.ZipFile(shared / "bundle.zip") as archive:
                archive.extractall(shared / "unpacked")
            (shared / "unpacked").rename(task)
    return task


def _build(shared: Path, files: dict[str, str]) -> None:
    project = shared / "project"
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in offline(real_wheels(shared / "wheels")).items():
            patch.setenv(name, value)
        paths = tuple(entry.name for entry in project.iterdir() if entry.is_dir())
        build(Order(shared / "bundle.zip", project, HERE, paths=paths))


def runtime(folder: Path) -> Path:
    """Fill ``folder`` with what Lambda's own runtime offers, and hide this environment's rest."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITE)
    offered = walk(map(Requirement, _RUNTIME), installed, HERE).found.values()
    for file in (file for it in offered for file in it.files or ()):
        top = file.parts[0]
        if not top.endswith(("..", ".dist-info")) and not (folder / top).is_symlink():
            (folder / top).symlink_to(Path(str(file.locate())).parents[len(file.parts) - 1] / top)
    return folder
