from __future__ import annotations

from collections import defaultdict
from importlib.metadata import PackageNotFoundError, requires
from itertools import product

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.project import ROOT, pyproject

LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
MACHINES = [
    {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": platform}
    for version, platform in product(["3.11", "3.12", "3.13", "3.14"], ["linux", "darwin"])
]


def pins() -> dict[str, list[Requirement]]:
    found: defaultdict[str, list[Requirement]] = defaultdict(list)
    for line in LINES:
        pin = Requirement(line)
        found[canonicalize_name(pin.name)].append(pin)
    return found


def declared() -> list[str]:
    data = pyproject()
    project = data["project"]
    groups = [item for group in data["dependency-groups"].values() for item in group]
    every = [
        *data["build-system"]["requires"],
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
        *(item for item in groups if isinstance(item, str)),
    ]
    return sorted({item for item in every if Requirement(item).name != "greenroom"})


def needed_by(name: str) -> set[str]:
    """Name every installed distribution that ``name`` needs, itself included."""
    seen: set[str] = set()
    left = [canonicalize_name(name)]
    while left:
        if (one := left.pop()) in seen:
            continue
        try:
            needs = [Requirement(text) for text in requires(one) or ()]
        except PackageNotFoundError:
            continue
        seen.add(one)
        left += [
            canonicalize_name(need.name)
            for need in needs
            if need.marker is None or need.marker.evaluate({"extra": ""})
        ]
    return seen


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_one_exact_version_without_an_address(line: str) -> None:
    pin = Requirement(line)
    assert pin.url is None
    assert "://" not in line
    assert "--hash" not in line
    assert [specifier.operator for specifier in pin.specifier] == ["=="]


@pytest.mark.parametrize("text", declared())
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: "-".join(machine.values()))
def test_every_dependency_is_pinned_once_for_every_python(
    text: str, machine: dict[str, str]
) -> None:
    need = Requirement(text)
    (pin,) = (
        pin
        for pin in pins()[canonicalize_name(need.name)]
        if pin.marker is None or pin.marker.evaluate(machine)
    )
    (version,) = (specifier.version for specifier in pin.specifier)
    assert version in need.specifier


def test_what_the_dependencies_need_is_pinned_too() -> None:
    needed = {name for text in declared() for name in needed_by(Requirement(text).name)}
    assert needed - set(pins()) == set()
