"""Greenroom's own part of a bundle, from wherever it is installed: a wheel or a checkout.

It goes as a wheel, like every other package: one of the user's that needs ``greenroom`` gets this
one, and not what an index has under that name.
"""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.bundle_requirements import ITSELF, itself
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = ("plugins", "reports", "suites", "validators")  # no function rehearses a deployment
_SUFFIXES = frozenset({".py", ".typed", ".json", ".html", ".css", ".js", ".j2", ".yaml"})
_TAG = "py3-none-any"
_WHEEL = f"Wheel-Version: 1.0\nGenerator: greenroom\nRoot-Is-Purelib: true\nTag: {_TAG}\n"
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


def own_wheel(folder: Path) -> Path:
    """Write `own_files` as a wheel into ``folder``: pip then looks for no other ``greenroom``."""
    distribution = itself()
    stem = f"{ITSELF}-{distribution.version}"
    texts = {name: distribution.read_text(name) for name in _METADATA}
    texts["METADATA"] = texts["METADATA"] or distribution.read_text("PKG-INFO")  # egg-info's name
    about = {f"{stem}.dist-info/{name}": text for name, text in texts.items() if text}
    about[f"{stem}.dist-info/WHEEL"] = _WHEEL
    files = own_files()
    record = f"{stem}.dist-info/RECORD"
    with zipfile.ZipFile(folder / f"{stem}-{_TAG}.whl", "w") as wheel:
        for name, path in files.items():
            wheel.writestr(name, path.read_bytes())
        for name, text in about.items():
            wheel.writestr(name, text)
        wheel.writestr(record, "".join(f"{name},,\n" for name in [*files, *about, record]))
    return folder / f"{stem}-{_TAG}.whl"


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
