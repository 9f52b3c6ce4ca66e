"""Wheels for pip without a network: small ones by hand, real ones from this environment."""

from __future__ import annotations

import zipfile
from email.parser import HeaderParser
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_LEFTOVERS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json"})


def offline(wheels: Path) -> dict[str, str]:
    """Return the environment in which pip knows the wheels in ``wheels`` and nothing else."""
    return {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


def write_wheel(  # noqa: PLR0913 - what a wheel says of itself, all but two by name
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: Iterable[str] = (),
    files: Mapping[str, str] | None = None,
    tag: str = "py3-none-any",
) -> Path:
    """Write a wheel whose only module has its name, unless ``files`` says otherwise."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {it}" for it in requires)]
    contents = {
        **(files if files is not None else {f"{module}.py": f"VERSION = {version!r}\n"}),
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", *lines, ""]),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    wheel = folder / f"{module}-{version}-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**contents, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel


def repack(name: str, folder: Path) -> None:
    """Write the wheel that the installed distribution ``name`` came from, near enough."""
    distribution = metadata.distribution(name)
    kept = [
        file
        for file in distribution.files or ()
        if ".." not in file.parts and file.suffix != ".pyc" and file.name not in _LEFTOVERS
    ]
    (wheel,) = (file for file in kept if file.name == "WHEEL" and len(file.parts) == 2)
    tags = HeaderParser().parsestr(wheel.read_text()).get_all("Tag", [])
    columns = zip(*(tag.split("-") for tag in tags), strict=True)
    tag = "-".join(".".join(dict.fromkeys(column)) for column in columns)
    folder.mkdir(parents=True, exist_ok=True)
    stem = wheel.parts[0].removesuffix(".dist-info")
    with zipfile.ZipFile(folder / f"{stem}-{tag}.whl", "w") as archive:
        for file in kept:
            archive.write(file.locate(), str(file))
