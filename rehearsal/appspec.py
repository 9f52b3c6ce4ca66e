"""Reads an AppSpec file for ECS: YAML or JSON, in the spellings that CodeDeploy accepts.

``version`` is 0.0 or 1.0, as a number or as text. ``Resources`` and ``Hooks`` (in any case) are
lists of one-key maps, or maps. There is one resource, of type ``AWS::ECS::Service``. A hook is a
Lambda function's name or ARN. Placeholders such as ``<TASK_DEFINITION>`` stay as they are.
Every error is a `SettingsError` that begins with ``file:line:col`` as far as the text tells it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from greenroom.rehearsal.lifecycle import Lifecycle
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SECTIONS = ("version", "resources", "hooks")
_VERSIONS = {"0.0": "0.0", "0": "0.0", "1.0": "1.0", "1": "1.0"}
_PORTS = range(1, 65536)
_ECS = "AWS::ECS::Service"


@dataclass(frozen=True, slots=True)
class Service:
    """The ECS service that is deployed; ``None`` where the AppSpec is silent."""

    name: str
    task_definition: str
    container_name: str | None = None
    container_port: int | None = None
    platform_version: str | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """A Lambda function that runs at a lifecycle event.

    ``target`` is what the AppSpec says, ``function`` the function's bare name.
    """

    event: Lifecycle
    target: str
    function: str


@dataclass(frozen=True, slots=True)
class AppSpec:
    """One AppSpec: ``text`` is the file as it was read, hooks stand in lifecycle order."""

    version: str
    service: Service
    hooks: tuple[Hook, ...]
    text: str

    @property
    def sha256(self) -> str:
        """The digest of the text, as a revision carries it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def hook(self, event: Lifecycle) -> Hook | None:
        """Return the hook of ``event``, if it has one."""
        return next((hook for hook in self.hooks if hook.event is event), None)


def read_appspec(path: Path) -> AppSpec:
    """Read the AppSpec file at ``path``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: cannot be read: {error}", hint="name an AppSpec file in YAML or JSON"
        ) from error
    return parse_appspec(text, str(path))


def parse_appspec(text: str, source: str = "AppSpec") -> AppSpec:
    """Parse an AppSpec's ``text``; ``source`` names it in errors."""
    return _Reader(source).read(text)


def function_name(target: str) -> str:
    """Return the bare function name of a Lambda function's name or ARN, without qualifier."""
    parts = target.split(":")
    if len(parts) > len(("name", "qualifier")):
        parts = parts[parts.index("function") + 1 :] if "function" in parts else [""]
    return parts[0] if parts else ""


class _Reader:
    """Turns one document into facts and says where a wrong thing stands."""

    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, text: str) -> AppSpec:
        document = self._json(text) if text.lstrip().startswith("{") else self._yaml(text)
        sections = self._sections(document)
        return AppSpec(
            version=self._version(document, sections["version"]),
            service=self._service(sections.get("resources")),
            hooks=self._hooks(sections.get("hooks")),
            text=text,
        )

    def _json(self, text: str) -> Any:  # noqa: ANN401 - a parsed document has no narrower type
        try:
            return json.loads(text, object_pairs_hook=self._unique)
        except json.JSONDecodeError as error:
            self._refuse(error.msg, "repair the JSON", at=(error.lineno, error.colno))

    def _unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        unique: dict[str, Any] = {}
        for key, value in pairs:
            if key in unique:
                self._refuse(f"key {key!r} stands twice in one map", "keep one of the two")
            unique[key] = value
        return unique

    def _yaml(self, text: str) -> Any:  # noqa: ANN401 - a parsed document has no narrower type
        try:
            return YAML(typ="rt", pure=True).load(text)
        except DuplicateKeyError as error:
            self._refuse(_first_line(error.problem), "keep one of the two", at=_mark(error))
        except MarkedYAMLError as error:
            self._refuse(_first_line(error.problem), "repair the YAML", at=_mark(error))
        except YAMLError as error:
            self._refuse(_first_line(str(error)), "repair the YAML")

    def _sections(self, document: object) -> dict[str, Any]:
        """Return the document's sections by their lower-case names."""
        sections: dict[str, Any] = {}
        for key, value, at in self._entries(document, "an AppSpec"):
            name = key.lower()
            if name not in _SECTIONS:
                self._refuse(f"unknown section {key!r}", "use version, Resources, Hooks", at=at)
            if name in sections:
                self._refuse(f"section {key!r} stands twice", "keep one of the two", at=at)
            sections[name] = value
        if "version" not in sections:
            self._refuse("no version", "begin the file with: version: 0.0")
        return sections

    def _version(self, document: object, value: object) -> str:
        version = _VERSIONS.get(str(value))
        if version is None or isinstance(value, bool):
            at = _place(document, "version")
            self._refuse(f"unknown version {value!r}", "use 0.0 or 1.0", at=at)
        return version

    def _service(self, section: object) -> Service:
        resources = list(self._one_key_maps(section, "Resources"))
        if len(resources) != 1:
            self._refuse(f"{len(resources)} resources in Resources", f"name exactly one {_ECS}")
        name, body, at = resources[0]
        facts = {key: value for key, value, _ in self._entries(body, f"resource {name!r}", at)}
        kind = facts.get("Type")
        if kind != _ECS:
            self._refuse(f"resource {name!r} is of type {kind!r}", f"use {_ECS}", at=at)
        return self._described(name, facts.get("Properties"), at)

    def _described(self, name: str, section: object, at: _Place) -> Service:
        where = f"Properties of {name!r}"
        facts = {key: value for key, value, _ in self._entries(section, where, at)}
        if not isinstance(facts.get("TaskDefinition"), str):
            self._refuse(
                f"{where} name no TaskDefinition", "give its ARN, or <TASK_DEFINITION>", at=at
            )
        balancer: dict[str, Any] = {}
        if "LoadBalancerInfo" in facts:
            entries = self._entries(facts["LoadBalancerInfo"], f"LoadBalancerInfo of {name!r}", at)
            balancer = {key: value for key, value, _ in entries}
        return Service(
            name=name,
            task_definition=str(facts["TaskDefinition"]),
            container_name=_text(balancer.get("ContainerName")),
            container_port=self._port(balancer.get("ContainerPort"), at),
            platform_version=_text(facts.get("PlatformVersion")),
        )

    def _port(self, value: object, at: _Place) -> int | None:
        if value is None:
            return None
        if not str(value).isdecimal() or int(str(value)) not in _PORTS:
            self._refuse(f"ContainerPort {value!r} is no port", "use 1 to 65535", at=at)
        return int(str(value))

    def _hooks(self, section: object) -> tuple[Hook, ...]:
        found: dict[Lifecycle, Hook] = {}
        for key, value, at in self._one_key_maps(section, "Hooks"):
            hook = self._hook(key, value, at)
            if hook.event in found:
                self._refuse(f"{key} has two hooks", "an event runs one function", at=at)
            found[hook.event] = hook
        return tuple(found[event] for event in Lifecycle if event in found)

    def _hook(self, key: str, value: object, at: _Place) -> Hook:
        hookable = ", ".join(event for event in Lifecycle if event.hookable)
        if key not in tuple(Lifecycle):
            self._refuse(f"unknown lifecycle event {key!r}", f"use one of: {hookable}", at=at)
        event = Lifecycle(key)
        if not event.hookable:
            self._refuse(f"no hook can run at {key}", f"use one of: {hookable}", at=at)
        if not isinstance(value, str) or not function_name(value):
            self._refuse(
                f"the hook of {key} is {value!r}", "give a Lambda function's name or ARN", at=at
            )
        return Hook(event, str(value), function_name(value))

    def _one_key_maps(self, section: object, name: str) -> Iterator[_Entry]:
        """Yield the entries of a list of one-key maps, or of one map; none for nothing."""
        if section is None:
            return
        if not isinstance(section, list):
            yield from self._entries(section, name)
            return
        for index, item in enumerate(section):
            at = _place(section, index)
            entries = list(self._entries(item, f"an item of {name}", at))
            if len(entries) != 1:
                self._refuse(f"an item of {name} has {len(entries)} keys", "give it one", at=at)
            yield entries[0]

    def _entries(self, value: object, what: str, at: _Place = None) -> Iterator[_Entry]:
        if not isinstance(value, dict):
            kind = "nothing" if value is None else type(value).__name__
            self._refuse(f"{what} is {kind}, not a map", "write it as key: value", at=at)
        for key, item in value.items():
            yield str(key), item, _place(value, key)

    def _refuse(self, problem: str, hint: str, *, at: _Place = None) -> NoReturn:
        where = f"{self._source}:{at[0]}:{at[1]}" if at else self._source
        raise SettingsError(f"{where}: {problem}", hint=hint)


_Place = tuple[int, int] | None
_Entry = tuple[str, Any, _Place]


def _place(container: object, key: object) -> _Place:
    """Return line and column (from 1) of ``key`` in what YAML loaded; JSON keeps no places."""
    marks = getattr(container, "lc", None)
    if marks is None or marks.data is None or key not in marks.data:
        return None
    line, column = marks.data[key][:2]
    return line + 1, column + 1


def _mark(error: Any) -> _Place:  # noqa: ANN401 - ruamel's errors are untyped here
    mark = error.problem_mark or error.context_mark
    return (mark.line + 1, mark.column + 1) if mark else None


def _first_line(text: str | None) -> str:
    return (text or "not readable").strip().splitlines()[0]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
