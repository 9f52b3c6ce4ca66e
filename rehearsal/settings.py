"""``rehearsal.toml``, read into frozen facts.

The file's shape is `rehearsal.schema.json`; a `SettingsError` names the key that is wrong, and for
an unknown key the valid ones. Paths are relative to the file's folder.
"""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from greenroom.rehearsal.alarms import AlarmRule, Watched, parse_condition
from greenroom.rehearsal.load import LoadPlan
from greenroom.rehearsal.traffic import Shift, TimeBasedCanary, TimeBasedLinear, shift_named
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jsonschema import Draft202012Validator, ValidationError

FILE = "rehearsal.toml"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision: its process's environment, and what suites are told of it."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    release: Mapping[str, str] = field(default_factory=dict)

    def release_variables(self) -> dict[str, str]:
        """Return the environment variables that tell a suite of this release."""
        told = {**self.release, "revision": self.name}
        return {f"GREENROOM_RELEASE_{key.upper()}": value for key, value in told.items()}


@dataclass(frozen=True, slots=True)
class Service:
    """How a revision runs as a process, and when it counts as started."""

    command: tuple[str, ...]
    ready: str = "/healthz"
    start_timeout_s: float = 10.0
    request_timeout_s: float = 5.0

    def filled(self, *, port: int, revision: str) -> tuple[str, ...]:
        """Return the command with its placeholders replaced."""
        values = {"{python}": sys.executable, "{port}": str(port), "{revision}": revision}
        return tuple(_filled(word, values) for word in self.command)


@dataclass(frozen=True, slots=True)
class Artifact:
    """The artifact stage: pytest's arguments and a bound on its time."""

    arguments: tuple[str, ...]
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Function:
    """One hook function's configuration; ``arguments`` are pytest's."""

    name: str
    arguments: tuple[str, ...] = ("suites",)
    handler: str = "greenroom.plugins.hook.handler"
    timeout_s: float = 60.0
    memory_mb: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deployment:
    """How the deployment goes; minutes are deployment time, ``limit_s`` is real time."""

    configuration: str = "CodeDeployDefault.ECSCanary10Percent5Minutes"
    bake_min: float = 5.0
    hook_timeout_min: float = 60.0
    time_scale: float = 60.0
    limit_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalSettings:
    """A whole ``rehearsal.toml``; ``root`` is its folder."""

    root: Path
    name: str
    appspec: Path
    original: Revision
    replacement: Revision
    revisions: Mapping[str, Revision]
    service: Service
    artifact: Artifact
    functions: Mapping[str, Function]
    deployment: Deployment
    configurations: Mapping[str, Shift]
    load: LoadPlan
    alarms: tuple[AlarmRule, ...]

    def revision(self, name: str) -> Revision:
        """Return the named revision; a `SettingsError` lists the known ones."""
        return _named(self.revisions, name, f"{self.root / FILE}: unknown revision")

    @classmethod
    def load_from(cls, folder: Path) -> RehearsalSettings:
        """Read the folder's ``rehearsal.toml``."""
        path = folder / FILE
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise SettingsError(
                f"{path} does not exist", hint="name the folder that holds rehearsal.toml"
            ) from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(
                f"{path}: {error}", hint="it must be a TOML file in UTF-8"
            ) from error
        check(data, str(path))
        return cls._from_checked(folder.resolve(), data)

    @classmethod
    def _from_checked(cls, root: Path, data: dict[str, Any]) -> RehearsalSettings:
        where = str(root / FILE)
        revisions = {
            name: _revision(name, table, data["name"]) for name, table in data["revisions"].items()
        }
        deployment = Deployment(**data.get("deployment", {}))
        configurations = {
            name: _shift(**table) for name, table in data.get("configurations", {}).items()
        }
        shift_named(deployment.configuration, configurations)
        replacement = data.get("replacement", data["original"])
        return cls(
            root=root,
            name=data["name"],
            appspec=root / data["appspec"],
            original=_named(revisions, data["original"], f"{where}: original: unknown revision"),
            replacement=_named(revisions, replacement, f"{where}: replacement: unknown revision"),
            revisions=revisions,
            service=Service(**_tuples(data["service"])),
            artifact=Artifact(**_tuples(data["artifact"])),
            functions={
                name: Function(name, **_tuples(table)) for name, table in data["functions"].items()
            },
            deployment=deployment,
            configurations=configurations,
            load=LoadPlan(**_tuples(data["load"])),
            alarms=tuple(_alarm(**table) for table in data.get("alarms", ())),
        )


def check(data: object, where: str) -> None:
    """Hold ``data`` to the schema; the `SettingsError` names the first wrong key."""
    errors = sorted(_validator().iter_errors(data), key=lambda error: list(map(str, error.path)))
    if not errors:
        return
    error = errors[0]
    key = ".".join(map(str, error.absolute_path))
    raise SettingsError(f"{where}: {key + ': ' if key else ''}{error.message}", hint=_hint(error))


def _hint(error: ValidationError) -> str:
    if error.validator in {"additionalProperties", "required"} and isinstance(error.schema, dict):
        return f"valid keys: {', '.join(error.schema.get('properties', {}))}"
    return "compare it with `greenroom schema rehearsal`"


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - costs 150 ms

    text = resources.files("greenroom.rehearsal").joinpath("rehearsal.schema.json").read_text()
    return Draft202012Validator(json.loads(text))


def _named(revisions: Mapping[str, Revision], name: str, what: str) -> Revision:
    if name not in revisions:
        raise SettingsError(f"{what} {name!r}", hint=f"use one of: {', '.join(revisions)}")
    return revisions[name]


def _revision(name: str, table: dict[str, Any], application: str) -> Revision:
    """Return a revision; its release names the application, unless the file does."""
    release = {"application": application, **table.get("release", {})}
    return Revision(name, **{**table, "release": release})


def _shift(*, type: str, percent: int, interval_min: float) -> Shift:  # noqa: A002 - CodeDeploy's key
    kind = TimeBasedCanary if type == "TimeBasedCanary" else TimeBasedLinear
    return kind(percent, interval_min)


def _alarm(*, condition: str, of: str = Watched.REPLACEMENT, **rest: Any) -> AlarmRule:  # noqa: ANN401 - checked by the schema
    return AlarmRule(condition=parse_condition(condition), of=Watched(of), **rest)


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table with its lists as tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}


def _filled(word: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word
