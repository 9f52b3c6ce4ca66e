"""Settings: command line > environment > greenroom.toml or [tool.greenroom] > default.

Read once at start; whatever is wrong is a `SettingsError` that names the key and lists the valid
ones. Their JSON Schema for editors is ``greenroom schema settings``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

from greenroom.plugins.allowed import Allowed, read_allowed
from greenroom.plugins.function_address import is_function, parse_function
from greenroom.plugins.redaction import Redactor, is_sensitive
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Kind, Stage
from greenroom.validators.waiver import Waiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from greenroom.plugins.client_tls import Tls
    from greenroom.plugins.revision import AnsweredBy
    from greenroom.plugins.suite_variables import Variables
    from greenroom.plugins.target_settings import Ready, Targets

KEYS = (
    *("allow", "artifact", "environment", "expect", "hook", "in_flight", "ready", "release"),
    *("report", "revision", "secrets", "target", "targets", "tls", "trivy", "variables", "waivers"),
)
IN_FLIGHT = 32
IN_FLIGHT_MOST = 64
_ADDRESS = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)
_CREDENTIALS = re.compile(r"[@?]")
_RELEASE_PREFIX = "GREENROOM_RELEASE_"
_SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
_REDACTOR: pytest.StashKey[Redactor] = pytest.StashKey()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user set.

    ``expected_kinds`` and ``expected_stages`` are the least numbers of checks that must run;
    ``secrets`` are names of environment variables whose values are redacted from every output;
    ``allow`` are the origins that may be loaded or attacked, ``in_flight`` is how many checks may
    ask the same host at once; ``tls`` is how targets are asked by TLS, its paths absolute;
    ``artifact`` and ``environment`` hold checks as tables, ``tool_tables`` what tools are told,
    ``where`` names the file.
    """

    report: Path | None = None
    target: str | None = None
    expected_kinds: dict[Kind, int] = field(default_factory=dict)
    expected_stages: dict[Stage, int] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    release: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    ready: Ready | None = None
    revision: AnsweredBy | None = None
    targets: Targets | None = None
    allow: Allowed = field(default_factory=Allowed)
    in_flight: int = IN_FLIGHT
    artifact: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    tool_tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    tls: Tls | None = None
    where: str = ""


class CommandLine(NamedTuple):
    """The options as given; None or empty means not given."""

    report: str | None = None
    target: str | None = None
    file: str | None = None
    release: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    expect: tuple[str, ...] = ()
    ready: str | None = None


def keep(config: pytest.Config, settings: Settings) -> None:
    """Make ``settings`` the run's."""
    config.stash[_SETTINGS] = settings
    config.stash[_REDACTOR] = Redactor(secret_values(settings))


def is_kept(config: pytest.Config) -> bool:
    """Tell whether the run's settings have been read."""
    return _SETTINGS in config.stash


def settings_of(config: pytest.Config) -> Settings:
    """Return the run's settings."""
    return config.stash.setdefault(_SETTINGS, Settings())


def redactor_of(config: pytest.Config) -> Redactor:
    """Return what keeps secrets out of the run's outputs."""
    return config.stash.setdefault(_REDACTOR, Redactor())


def variables_of(config: pytest.Config) -> Variables:
    """Return what ``${…}`` stands for in this run."""
    from greenroom.plugins.suite_variables import Variables  # noqa: PLC0415 - only where used

    settings = settings_of(config)
    return Variables(os.environ, settings.variables, settings.release, redactor_of(config))


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that environment variables give (GREENROOM_TARGET and its like)."""
    found: dict[str, Any] = {}
    for key in ("in_flight", "ready", "report", "target", "targets"):
        if value := environ.get(f"GREENROOM_{key.upper()}"):
            found[key] = value
    release = {
        name.removeprefix(_RELEASE_PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(_RELEASE_PREFIX)
    }
    return found | ({"release": release} if release else {})


def resolve(
    table: Mapping[str, Any], where: str, environment: Mapping[str, Any], line: CommandLine
) -> Settings:
    """Merge the sources in their order and check every value."""
    if unknown := sorted(set(table) - set(KEYS)):
        raise SettingsError(f"{where}: unknown key {', '.join(unknown)}", hint=_hint())
    _refuse_empty(line)
    if "hook" in table:  # the hook's own: it reads it again
        from greenroom.plugins.hook_settings import parse_hook_table  # noqa: PLC0415 - as below

        parse_hook_table(_subtable(table, "hook", where), where)
    report = line.report or environment.get("report") or _text(table, "report", where)
    kinds, stages = _expected(_subtable(table, "expect", where), where)
    for option in line.expect:
        _add_expected(kinds, stages, *_pair(option, "--greenroom-expect"), "--greenroom-expect")
    target = _target(line.target or environment.get("target") or _text(table, "target", where))
    if line.ready is not None and target is None:
        raise SettingsError("--greenroom-ready without a target", hint="give --greenroom-target")
    return Settings(
        report=Path(report).absolute() if report else None,
        target=target,
        expected_kinds=kinds,
        expected_stages=stages,
        waivers=_waivers(table.get("waivers", []), where),
        release=_texts(table, "release", where)
        | environment.get("release", {})
        | dict(_pair(option, "--greenroom-release") for option in line.release),
        variables=_texts(table, "variables", where)
        | dict(_pair(option, "--greenroom-set") for option in line.variables),
        secrets=_names(table.get("secrets", []), where),
        allow=read_allowed(_subtable(table, "allow", where), where),
        in_flight=_in_flight(environment.get("in_flight") or table.get("in_flight"), where),
        artifact=_subtable(table, "artifact", where),
        environment=_subtable(table, "environment", where),
        tool_tables=_tool_tables(table, where),
        tls=_tls(table, target, where),
        where=where,
        **_places(table, line.ready or environment.get("ready"), environment.get("targets"), where),
    )


def _places(
    table: Mapping[str, Any], ready: str | None, targets: str | None, where: str
) -> dict[str, Any]:
    """Return what is said of the target: when it is ready, which revision it is, where it is."""
    tables = {
        key: _subtable(table, key, where)
        for key in ("ready", "revision", "targets")
        if key in table
    }
    if not (tables or ready is not None or targets is not None):
        return {}
    from greenroom.plugins import target_settings  # noqa: PLC0415 - most runs start without it

    return {
        "ready": target_settings.read_ready(tables.get("ready"), ready, where),
        "revision": target_settings.read_revision(tables.get("revision"), where),
        "targets": target_settings.read_targets(tables.get("targets"), targets, where),
    }


def _tls(table: Mapping[str, Any], target: str | None, where: str) -> Tls | None:
    if "tls" not in table:
        return None
    from greenroom.plugins.client_tls import read_tls  # noqa: PLC0415 - few runs have any

    tls = read_tls(_subtable(table, "tls", where), where)
    if target is not None:
        tls.require_fit(target)
    return tls


def _tool_tables(table: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
    """Return what tools are told, checked: whoever uses a tool reads its table again."""
    if "trivy" not in table:
        return {}
    from greenroom.plugins.trivy_settings import read_trivy  # noqa: PLC0415 - few runs scan

    own = _subtable(table, "trivy", where)
    read_trivy(own, where)
    return {"trivy": own}


def secret_values(settings: Settings, environ: Mapping[str, str] = os.environ) -> Iterable[str]:
    """Return the values that no output may show: named variables, credentials of the target."""
    yield from (environ[name] for name in settings.secrets if environ.get(name))
    if settings.target and _CREDENTIALS.search(settings.target):
        address = urlsplit(settings.target)
        yield from (value for value in (address.password,) if value)
        yield from (value for name, value in parse_qsl(address.query) if is_sensitive(name))


def _hint() -> str:
    return f"known keys: {', '.join(KEYS)}"


def _text(table: Mapping[str, Any], key: str, where: str) -> str | None:
    value = table.get(key)
    if value is None or (isinstance(value, str) and value):
        return value
    raise SettingsError(f"{where}: {key} is {value!r}, not a text", hint=f'write {key} = "…"')


def _refuse_empty(line: CommandLine) -> None:
    for name, given in (
        *(("ready", line.ready), ("report", line.report)),
        *(("target", line.target), ("settings", line.file)),
    ):
        if given == "":
            raise SettingsError(f"--greenroom-{name} is empty", hint="is a variable unset?")


def _target(address: str | None) -> str | None:
    if address is not None and is_function(address):
        parse_function(address)
    elif address is not None and not _ADDRESS.match(address):
        raise SettingsError(
            "target: it is not an address",
            hint="give http://HOST or https://HOST, with a path or not, or lambda://NAME:VERSION",
        )
    return address


def _subtable(table: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise SettingsError(f"{where}: {key} is not a table", hint=f"write [{key}] with its keys")
    return value


def _in_flight(value: object, where: str) -> int:
    if value is None:
        return IN_FLIGHT
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= IN_FLIGHT_MOST:
        return number
    raise SettingsError(
        f"{where}: in_flight is {value!r}",
        hint=f"how many checks may ask a host at once, 1 to {IN_FLIGHT_MOST}; 1: one by one",
    )


def _texts(table: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    values = _subtable(table, key, where)
    for name, value in values.items():
        if not isinstance(value, str):
            raise SettingsError(f"{where}: {key}.{name} is {value!r}, not a text", hint="quote it")
    return values


def _names(value: object, where: str) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise SettingsError(
        f"{where}: secrets is not a list of names", hint='write secrets = ["API_KEY"]'
    )


def _waivers(value: object, where: str) -> tuple[Waiver, ...]:
    if not isinstance(value, list):
        raise SettingsError(f"{where}: waivers is not a list", hint="write [[waivers]] tables")
    return tuple(
        Waiver.from_json(item, f"{where}: waivers[{index}]") for index, item in enumerate(value)
    )


def _expected(table: Mapping[str, Any], where: str) -> tuple[dict[Kind, int], dict[Stage, int]]:
    kinds: dict[Kind, int] = {}
    stages: dict[Stage, int] = {}
    for name, least in table.items():
        _add_expected(kinds, stages, name, least, f"{where}: expect")
    return kinds, stages


def _add_expected(
    kinds: dict[Kind, int], stages: dict[Stage, int], name: str, least: object, where: str
) -> None:
    try:
        number = int(least) if isinstance(least, (str, int)) and least is not True else 0
    except ValueError:
        number = 0
    if number < 1:
        raise SettingsError(
            f"{where}: {name} is {least!r}", hint="give the least number of checks, 1 or more"
        )
    if name in {kind.value for kind in Kind}:
        kinds[Kind(name)] = number
    elif name in {stage.value for stage in Stage}:
        stages[Stage(name)] = number
    else:
        known = ", ".join([*Kind, *Stage])
        raise SettingsError(f"{where}: unknown kind or stage {name!r}", hint=f"use: {known}")


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SettingsError(f"{option} {text!r}: expected NAME=VALUE", hint=f"{option} NAME=VALUE")
    return name, value
