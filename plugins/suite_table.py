"""Checks that stand in the settings: ``[artifact.KIND.NAME]`` as the tree of a suite's checks.

Each key of the table is a key of the kind, but for those that every check has (``expect``,
``gate``, ``tags``, ``timeout``, ``kind``). A static check is of the tool it is named after, unless
it names one or a command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_kinds import ARTIFACT_KINDS
from greenroom.plugins.suite_yaml import Document, Entry, Mapping, Place, Scalar, Sequence
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.suite_yaml import Node

_OF_EVERY_CHECK = ("expect", "gate", "kind", "tags", "timeout")


@dataclass(frozen=True, slots=True)
class KeyPlace(Place):
    """A place in a table: the dotted name of its key."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class TableDocument(Document):
    """The table ``name`` of the settings; ``path`` is where it stands, as errors show it."""

    name: str = ""
    table: dict[str, Any] = field(default_factory=dict)

    def error(self, place: Place, message: str, hint: str = "") -> SettingsError:
        """Return an error that names the key."""
        key = place.key if isinstance(place, KeyPlace) else self.name
        return SettingsError(f"{self.path}: {key}: {message}", hint=hint)

    def read(self) -> Node:
        """Return the list of checks; raises `SettingsError`."""
        return Sequence(_place(self.name), tuple(self._checks()))

    def _checks(self) -> Iterator[Node]:
        for kind, checks in self.table.items():
            key = f"{self.name}.{kind}"
            if kind not in ARTIFACT_KINDS:
                known = ", ".join(ARTIFACT_KINDS)
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
        own = {word: value for word, value in check.items() if word not in _OF_EVERY_CHECK}
        if kind == "static" and not {"tool", "command"} & set(own):
            own["tool"] = name
        shared = {word: check[word] for word in _OF_EVERY_CHECK if word in check}
        entries = [
            Entry(place, "name", Scalar(place, f"{kind} {name}", f"{kind} {name}")),
            Entry(place, kind, _node(own, key)),
            *(_entry(word, value, key) for word, value in shared.items()),
        ]
        return Mapping(place, tuple(entries))


def line_of(text: str, name: str) -> int:
    """Return the line of ``text``, from 1, where the check ``name`` (KIND NAME) has its table."""
    kind, _, own = name.partition(" ")
    head = rf"\[.*\bartifact\.{re.escape(kind)}\.[\"']?{re.escape(own)}[\"']?\]"
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
        case int() | float() | str():
            return Scalar(place, str(value), value)
        case _:
            return Scalar(place, str(value), str(value))


def _entry(name: str, value: object, key: str) -> Entry:
    return Entry(_place(f"{key}.{name}"), name, _node(value, f"{key}.{name}"))
