"""Checks that stand in the settings: ``[STAGE.KIND.NAME]`` as the tree of a suite's checks.

Each key of a table is a key of the kind, but for those that every check has (``expect``, ``gate``,
``tags``, ``timeout``, ``kind``, ``when``, ``each``). Checks that are of the tool they are named
after, unless they say otherwise: static ones, and scans.

A check of a request (``smoke``, ``integration``, ``contract``) has the keys of a suite's check;
what it expects may stand beside them, and ``path`` is short for ``http = {get = PATH}``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.settings import settings_of
from greenroom.plugins.settings_file import IN_PYPROJECT, Written
from greenroom.plugins.suite_expect import EXPECT_KEYS
from greenroom.plugins.suite_kinds import ARTIFACT_KINDS, ENVIRONMENT_KINDS
from greenroom.plugins.suite_yaml import Document, Entry, Mapping, Place, Scalar, Sequence
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from greenroom.plugins.settings import Settings
    from greenroom.plugins.suite_contract import Contracts
    from greenroom.plugins.suite_yaml import Node

REQUEST_KINDS = ("smoke", "integration", "contract")
"""Kinds of check that send a request."""
KINDS: dict[str, tuple[str, ...]] = {
    "artifact": tuple(ARTIFACT_KINDS),
    "environment": (*REQUEST_KINDS, *ENVIRONMENT_KINDS),
}
"""The kinds that a table may hold, by its name."""
_OF_EVERY_CHECK = ("each", "expect", "gate", "kind", "tags", "timeout", "when")
_NAMED_AFTER = {"static": ("tool", "command"), "scan": ("tool", "report")}
"""Kinds whose checks are of the tool of that name, unless they have one of these keys."""
_EMPTY_MEANS = {"security": "all", "tls": "target"}


@dataclass(frozen=True, slots=True)
class KeyPlace(Place):
    """A place in a table: the dotted name of its key."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class TableDocument(Document):
    """The table ``name`` of the settings; ``path`` is where it stands, as errors show it.

    ``contracts`` are the files that its checks can name, from pytest's root folder.
    """

    name: str = ""
    table: dict[str, Any] = field(default_factory=dict)
    contracts: Contracts | None = None

    def error(self, place: Place, message: str, hint: str = "") -> SettingsError:
        """Return an error that names the key."""
        key = place.key if isinstance(place, KeyPlace) else self.name
        return SettingsError(f"{self.path}: {key}: {message}", hint=hint)

    def keys(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return the keys of a request's table where ``known`` are those of its check."""
        if self.name != "environment" or not {"tags", "http"} <= set(known):
            return known
        return ("path", *(key for key in known if key != "name"), *EXPECT_KEYS)

    def read(self) -> Node:
        """Return the list of checks; raises `SettingsError`."""
        return Sequence(_place(self.name), tuple(self._checks()))

    def _checks(self) -> Iterator[Node]:
        for kind, checks in self.table.items():
            key = f"{self.name}.{kind}"
            if kind not in KINDS[self.name]:
                known = ", ".join(KINDS[self.name])
                raise self.error(_place(key), f"unknown kind {kind!r}", f"kinds: {known}")
            if not isinstance(checks, dict) or not checks:
                raise self.error(_place(key), "it holds no check", f"write [{key}.NAME]")
            for name, check in checks.items():
                yield self._check(kind, name, check)

    def _check(self, kind: str, name: str, check: object) -> Node:
        key = f"{self.name}.{kind}.{name}"
        place = _place(key)
        if not isinstance(check, dict):
            raise self.error(place, "it is not a table", f"write [{key}] with its keys")
        named = Entry(place, "name", Scalar(place, f"{kind} {name}", f"{kind} {name}"))
        if self.name == "environment" and kind in REQUEST_KINDS:
            return Mapping(place, (named, *self._request(kind, check, key)))
        own = {word: value for word, value in check.items() if word not in _OF_EVERY_CHECK}
        if kind in _NAMED_AFTER and not set(_NAMED_AFTER[kind]) & set(own):
            own["tool"] = name
        shared = {word: check[word] for word in _OF_EVERY_CHECK if word in check}
        value = _node(own or _EMPTY_MEANS.get(kind, own), key)
        entries = (_entry(word, value, key) for word, value in shared.items())
        return Mapping(place, (named, Entry(place, kind, value), *entries))

    def _request(self, kind: str, check: dict[str, Any], key: str) -> Iterator[Entry]:
        place = _place(key)
        expected = {word: value for word, value in check.items() if word in EXPECT_KEYS}
        others = {word: value for word, value in check.items() if word not in expected}
        asks = others.keys() & {"path", "http", "steps"}
        if len(asks) != 1:
            several = f"it has {' and '.join(sorted(asks))}" if asks else "it asks nothing"
            raise self.error(place, several, 'write path = "/health", or http, or steps')
        if expected and "expect" in others:
            beside = ", ".join(expected)
            raise self.error(place, f"it has expect, and {beside} beside it", "write all in one")
        if "path" in others:
            others["http"] = {"get": others.pop("path")}
        if expected:
            entries = tuple(_entry(word, value, key) for word, value in expected.items())
            yield Entry(place, "expect", Mapping(place, entries))
        for word, value in ({"kind": kind} | others).items():
            yield _entry(word, value, key)


def tables_of(settings: Settings, contracts: Contracts) -> dict[str, TableDocument]:
    """Return the tables of the settings that hold checks; ``contracts`` are the root folder's."""
    found = {"artifact": settings.artifact, "environment": settings.environment}
    shown = Path(settings.where)
    return {
        name: TableDocument(shown, "", name=name, table=table, contracts=contracts)
        for name, table in found.items()
        if table
    }


def place_in_settings(config: pytest.Config, name: str) -> tuple[Path, int]:
    """Return the file of the run's settings and the line where ``name`` has its table."""
    given = config.getoption("greenroom_settings")
    folder = config.invocation_params.dir if given else config.rootpath
    path = folder / settings_of(config).where.removesuffix(f" {IN_PYPROJECT}")
    return path, line_of(path.read_text(encoding="utf-8"), name)


def line_of(text: str, name: str) -> int:
    """Return the line of ``text``, from 1, where the check ``name`` (KIND NAME) has its table.

    A row's own ending of the name (`` [ROW]``) stands in no table's.
    """
    kind, _, own = name.partition(" [")[0].partition(" ")
    stages = "|".join(KINDS)
    head = rf"\[.*\b({stages})\.{re.escape(kind)}\.[\"']?{re.escape(own)}[\"']?\]"
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if re.match(head, line.strip())), 1)


def _place(key: str) -> KeyPlace:
    return KeyPlace(0, 0, key)


def _node(value: object, key: str) -> Node:
    place = _place(key)
    match value:
        case dict():
            return Mapping(place, tuple(_entry(name, one, key) for name, one in value.items()))
        case list():
            return Sequence(
                place, tuple(_node(item, f"{key}[{n}]") for n, item in enumerate(value))
            )
        case bool():
            return Scalar(place, str(value).lower(), value)
        case float() if not math.isfinite(value):
            raise SettingsError(f"{key}: {value} is not a finite number")
        case Written():
            return Scalar(place, value.raw, float(value))
        case int() | float() | str():
            return Scalar(place, str(value), value)
        case _:
            return Scalar(place, str(value), str(value))


def _entry(name: str, value: object, key: str) -> Entry:
    return Entry(_place(f"{key}.{name}"), name, _node(value, f"{key}.{name}"))
