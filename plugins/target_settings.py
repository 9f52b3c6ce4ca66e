"""What the settings say of the target: [ready], [revision] and [targets].

::

    [ready]     path, status, within, every; header or field, equals
    [revision]  header or field, equals
    [targets]   addresses or target_group
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.hook_settings import seconds_of
from greenroom.plugins.revision import RELEASED, AnsweredBy, answered_by
from greenroom.validators.errors import SettingsError
from greenroom.validators.http import StatusSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.suite_variables import Variables

READY_KEYS = ("path", "status", "within", "every", "header", "field", "equals")
REVISION_KEYS = ("header", "field", "equals")
TARGETS_KEYS = ("addresses", "target_group")
BELOW_500 = StatusSet(classes=frozenset({1, 2, 3, 4}))
"""Something of the service's own answered: a gateway without a healthy target says 502 to 504."""
_STATUS_CLASS = re.compile(r"[1-5]xx")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/?#@,]+):(?P<port>[0-9]{1,5})/?"
)
_TARGET_GROUP = re.compile(r"arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:\d+:targetgroup/\S+")
_PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True)
class Ready:
    """When the target is ready: an answer to ``path`` with a ``status``, by the right revision."""

    path: str = "/"
    status: StatusSet = BELOW_500
    within_s: float = 60.0
    every_s: float = 0.5
    revision: AnsweredBy | None = None

    @property
    def limit(self) -> str:
        """What is waited for, in words."""
        status = "below 500" if self.status == BELOW_500 else str(self.status)
        return f"status {status}" + (f" from {self.revision.limit}" if self.revision else "")

    def filled(self, variables: Variables) -> Ready:
        """Return this with the revision's variables replaced; raises `SettingsError`."""
        if self.revision is None:
            return self
        return replace(self, revision=self.revision.filled(variables))


@dataclass(frozen=True, slots=True)
class Address:
    """One place behind a load balancer; ``scheme`` is empty where it is the target's."""

    host: str
    port: int
    scheme: str = ""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Targets:
    """What stands behind the target: addresses, or the target group that knows them."""

    addresses: tuple[Address, ...] = ()
    target_group: str = ""


def read_ready(table: Mapping[str, Any] | None, path: str | None, where: str) -> Ready | None:
    """Return when the target is ready; ``path``, from the command line, comes first.

    None where nothing asks to wait. Raises `SettingsError`, as all readers here.
    """
    if table is None:
        return None if path is None else Ready(path=_path(path, "--greenroom-ready"))
    where = f"{where}: ready"
    _known(table, READY_KEYS, where)
    ready = Ready(path=_path(path or table.get("path", "/"), f"{where}.path"))
    if "status" in table:
        ready = replace(ready, status=_status(table["status"], f"{where}.status"))
    if "within" in table:
        ready = replace(ready, within_s=seconds_of(table["within"], f"{where}.within"))
    if "every" in table:
        ready = replace(ready, every_s=seconds_of(table["every"], f"{where}.every"))
    if any(key in table for key in REVISION_KEYS):
        ready = replace(ready, revision=_revision(table, where))
    return ready


def read_revision(table: Mapping[str, Any] | None, where: str) -> AnsweredBy | None:
    """Return how each answer of the target must prove its revision, or None."""
    if table is None:
        return None
    _known(table, REVISION_KEYS, f"{where}: revision")
    return _revision(table, f"{where}: revision")


def read_targets(table: Mapping[str, Any] | None, given: str | None, where: str) -> Targets:
    """Return what stands behind the target; ``given``, from the environment, comes first."""
    if given is not None:
        if given.startswith("arn:"):
            return Targets(target_group=_target_group(given, "GREENROOM_TARGETS"))
        return Targets(_addresses(given.replace(",", " ").split(), "GREENROOM_TARGETS"))
    if table is None:
        return Targets()
    where = f"{where}: targets"
    _known(table, TARGETS_KEYS, where)
    if len(table) != 1:
        raise SettingsError(
            f"{where} has both or neither of its keys", hint="give addresses or target_group"
        )
    if "target_group" in table:
        group = _target_group(table["target_group"], f"{where}.target_group")
        return Targets(target_group=group)
    return Targets(_addresses(table["addresses"], f"{where}.addresses"))


def _revision(table: Mapping[str, Any], where: str) -> AnsweredBy:
    texts = {key: table.get(key, "") for key in REVISION_KEYS}
    for key, value in texts.items():
        if not isinstance(value, str) or (key in table and not value.strip()):
            raise SettingsError(f"{where}.{key} is {value!r}, not a text", hint="quote it")
    if texts["header"] and not _HEADER.fullmatch(texts["header"]):
        raise SettingsError(f"{where}.header is no header's name", hint='header = "x-revision"')
    equals = texts["equals"] or RELEASED
    try:
        return answered_by(equals=equals, header=texts["header"], path=texts["field"])
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}", hint=error.hint) from None


def _path(value: object, where: str) -> str:
    good = isinstance(value, str) and value.startswith("/") and value.isprintable()
    if good and isinstance(value, str) and "#" not in value and " " not in value:
        return value
    raise SettingsError(f"{where} is {value!r}, not a path", hint='give "/" or "/health"')


def _status(value: object, where: str) -> StatusSet:
    listed = value if isinstance(value, list) and value else [value]
    classes = [item for item in listed if isinstance(item, str) and _STATUS_CLASS.fullmatch(item)]
    codes = [item for item in listed if type(item) is int and item in range(100, 600)]
    if len(classes) + len(codes) != len(listed):
        raise SettingsError(
            f"{where} is {value!r}, not a status", hint='give 200, "2xx" or [200, "3xx"]'
        )
    return StatusSet(frozenset(codes), frozenset(int(name[0]) for name in classes))


def _addresses(value: object, where: str) -> tuple[Address, ...]:
    listed = value if isinstance(value, list) else []
    found = [_ADDRESS.fullmatch(item) if isinstance(item, str) else None for item in listed]
    addresses = tuple(
        Address(match["host"].strip("[]"), int(match["port"]), match["scheme"] or "")
        for match in found
        if match is not None and int(match["port"]) in _PORTS
    )
    if not listed or len(addresses) != len(listed) or len(set(addresses)) != len(addresses):
        raise SettingsError(
            f"{where} is {value!r}, not a list of different addresses",
            hint='give HOST:PORT, or http://HOST:PORT: ["10.0.0.1:8080", "10.0.0.2:8080"]',
        )
    return addresses


def _target_group(value: object, where: str) -> str:
    if isinstance(value, str) and _TARGET_GROUP.fullmatch(value):
        return value
    raise SettingsError(
        f"{where} is {value!r}, not a target group",
        hint="give its ARN: arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID",
    )


def _known(table: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    if unknown := sorted(set(table) - set(keys)):
        raise SettingsError(
            f"{where}: unknown key {', '.join(unknown)}", hint=f"known keys: {', '.join(keys)}"
        )
