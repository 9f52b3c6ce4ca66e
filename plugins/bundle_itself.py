"""Greenroom's own part of a bundle, from wherever it is installed: a wheel or a checkout."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.bundle_requirements import ITSELF
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = ("plugins", "reports", "suites", "validators")  # no function rehearses a deployment
_SUFFIXES = frozenset({".py", ".typed", ".json", ".html", ".css", ".js", ".j2", ".yaml"})
_METADATA = ("METADATA", "entry_points.txt", "licenses/LICENSE")


def own_files() -> dict[str, Path]:
    """Return the files of Greenroom that a function needs, by name in the bundle."""
    top = _folder(ITSELF)
    files = {f"{ITSELF}/{path.name}": path for path in top.iterdir() if path.suffix in _SUFFIXES}
    for package in _PACKAGES:
        folder = _folder(f"{ITSELF}.{package}")
        for path in _below(folder):
            files[f"{ITSELF}/{package}/{path.relative_to(folder).as_posix()}"] = path
    return files


def own_metadata() -> dict[str, str]:
    """Return the texts of Greenroom's metadata, by name in the bundle: they make it a plugin."""
    distribution = metadata.distribution(ITSELF)
    texts = {name: distribution.read_text(name) for name in _METADATA}
    texts["METADATA"] = texts["METADATA"] or distribution.read_text("PKG-INFO")
    folder = f"{ITSELF}-{distribution.version}.dist-info"
    return {f"{folder}/{name}": text for name, text in texts.items() if text}


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (folder := Path(place)).is_dir():
            return folder
    raise ToolError(f"{package} is not installed as files", hint="install greenroom from its wheel")


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix in _SUFFIXES and "__pycache__" not in path.parts and path.is_file():
            yield path
