"""Facts of an AppSpec file: ECS, Lambda, or EC2 and on-premises.

Source: CodeDeploy User Guide, "AppSpec file reference". Sections are found in any case;
``Resources`` and ``Hooks`` are lists of one-key maps, or maps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import Entry, Mapping, Scalar, Sequence
from greenroom.plugins.template_nodes import get, located
from greenroom.validators.template import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.suite_yaml import Node, Place
    from greenroom.validators.result import Location

_SECTIONS = ("version", "resources", "hooks", "os", "files", "permissions", "file_exists_behavior")
_VERSIONS = {"0.0", "0", "1.0", "1"}
_PLATFORMS = {"AWS::ECS::Service": "ECS", "AWS::Lambda::Function": "Lambda"}
_LAMBDA = ("Name", "Alias", "CurrentVersion", "TargetVersion")
_PLACEHOLDER = re.compile(r"<.*>")
_FILLED = "<TASK_DEFINITION>"
"""What CodePipeline's action CodeDeployToECS fills in."""


def read_spec(file: str, root: Node) -> Spec:
    """Return the facts of the AppSpec ``root``."""
    return _Spec(file, root).facts()


class _Spec:
    def __init__(self, file: str, root: Node) -> None:
        self._file = file
        self._root = root
        self._sections = {
            entry.key.lower(): entry
            for entry in (root.entries if isinstance(root, Mapping) else ())
        }

    def facts(self) -> Spec:
        resources = tuple(self._one_key_maps("resources"))
        platform = self._platform(resources)
        return Spec(
            at=self._at(self._root.place),
            platform=platform,
            problems=tuple(self._problems(resources)),
            resource_problems=tuple(self._lacks(platform, resources[0])) if resources else (),
            hooks=tuple((self._at(one.place), one.key) for one in self._one_key_maps("hooks")),
        )

    def _at(self, place: Place) -> Location:
        return located(self._file, place)

    def _platform(self, resources: tuple[Entry, ...]) -> str:
        if resources:
            return _PLATFORMS.get(_raw(get(resources[0].value, "Type")), "")
        return "Server" if {"os", "files"} & set(self._sections) else ""

    def _problems(self, resources: tuple[Entry, ...]) -> Iterator[tuple[Location, str]]:
        begin = self._at(self._root.place)
        version = self._sections.get("version")
        if version is None:
            yield begin, "the AppSpec has no version"
        elif (raw := _raw(version.value)) not in _VERSIONS:
            yield self._at(version.place), f"the AppSpec's version is {raw or 'no number'}, not 0.0"
        for key, entry in self._sections.items():
            if key not in _SECTIONS:
                yield self._at(entry.place), f"an AppSpec has no section {entry.key}"
        if {"os", "files"} & set(self._sections):
            yield from self._server()
        elif len(resources) != 1:
            yield begin, f"the AppSpec names {len(resources)} resources, not one"
        elif (kind := _raw(get(resources[0].value, "Type"))) not in _PLATFORMS:
            known = " or ".join(_PLATFORMS)
            yield self._at(resources[0].place), f"its resource's Type is {kind or 'none'}: {known}"

    def _server(self) -> Iterator[tuple[Location, str]]:
        system = self._sections.get("os")
        if system is None:
            yield self._at(self._root.place), "the AppSpec has no os: linux or windows"
        elif _raw(system.value) not in {"linux", "windows"}:
            yield self._at(system.place), f"os is {_raw(system.value)}: linux or windows"

    def _lacks(self, platform: str, resource: Entry) -> Iterator[tuple[Location, str]]:
        at = self._at(resource.place)
        properties = get(resource.value, "Properties")
        if platform == "ECS":
            yield from self._service(resource.key, at, properties)
            return
        for name in _LAMBDA:
            if not _raw(get(properties, name)):
                yield at, f"{resource.key} has no {name}"
        current, target = (_raw(get(properties, name)) for name in _LAMBDA[2:])
        if current and current == target:
            yield at, f"{resource.key}: CurrentVersion and TargetVersion are both {current}"

    def _service(
        self, name: str, at: Location, properties: Node | None
    ) -> Iterator[tuple[Location, str]]:
        definition = get(properties, "TaskDefinition")
        if not (raw := _raw(definition)):
            yield at, f"{name} has no TaskDefinition"
        elif _PLACEHOLDER.search(raw) and raw != _FILLED and definition is not None:
            said = f"nobody fills in TaskDefinition {raw}: CodePipeline knows {_FILLED} alone"
            yield self._at(definition.place), said
        for key in ("ContainerName", "ContainerPort"):
            if not _raw(get(properties, "LoadBalancerInfo", key)):
                yield at, f"{name} has no LoadBalancerInfo.{key}"

    def _one_key_maps(self, section: str) -> Iterator[Entry]:
        entry = self._sections.get(section)
        value = None if entry is None else entry.value
        for one in value.items if isinstance(value, Sequence) else (value,):
            if isinstance(one, Mapping):
                yield from one.entries


def _raw(node: Node | None) -> str:
    return node.raw if isinstance(node, Scalar) and node.value is not None else ""
