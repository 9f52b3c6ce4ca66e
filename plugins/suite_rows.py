"""Values put into nodes: rows of ``each:``, and what earlier steps captured.

A text that is nothing but one variable becomes the value itself, with its type; within a longer
text it becomes its text. Captured values come from a server: a ``${`` in them is plain text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_yaml import Entry, Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Mapping_

    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node, Place

EACH = "each"
CAPTURE = "capture"
ROWS_MOST = 1000
VALUE = "value"
"""The name of a row's only value, where the rows are plain values."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_VARIABLE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_LABEL_MOST = 60


@dataclass(frozen=True, slots=True)
class Values:
    """What the variables ``${prefix.NAME}`` stand for; ``what`` names them in errors."""

    fields: Fields
    prefix: str
    known: Mapping_[str, Node]
    what: str

    def put(self, node: Node) -> Node:
        """Return ``node`` with every variable of the prefix replaced; one not known is an error."""
        match node:
            case Scalar(value=str()) if "${" in node.raw:
                return self._scalar(node)
            case Mapping():
                entries = (Entry(one.place, one.key, self.put(one.value)) for one in node.entries)
                return Mapping(node.place, tuple(entries))
            case Sequence():
                return Sequence(node.place, tuple(map(self.put, node.items)))
        return node

    def _scalar(self, node: Scalar) -> Node:
        given = self.prefix == CAPTURE
        whole = _VARIABLE.fullmatch(node.raw)
        if whole and self._named(whole):
            value = self._value(node, whole)
            return replace(value, given=given) if isinstance(value, Scalar) else value
        text = _VARIABLE.sub(lambda found: self._text(node, found), node.raw)
        return node if text == node.raw else Scalar(node.place, text, text, given)

    def _named(self, found: re.Match[str]) -> bool:
        return found[1] is not None and found[1].startswith(f"{self.prefix}.")

    def _value(self, node: Scalar, found: re.Match[str]) -> Node:
        name = found[1].removeprefix(f"{self.prefix}.")
        if name not in self.known:
            known = ", ".join(self.known) or "none"
            raise self.fields.error(
                node.place, f"{found[0]} is no {self.what}", f"those there are: {known}"
            )
        return self.known[name]

    def _text(self, node: Scalar, found: re.Match[str]) -> str:
        if not self._named(found):
            return found[0]
        value = self._value(node, found)
        if not isinstance(value, Scalar):
            raise self.fields.error(
                node.place, f"{found[0]} is no single value", "let it stand alone, or name a part"
            )
        return value.raw


def names_of(node: Node, prefix: str) -> Iterator[tuple[Place, str]]:
    """Yield the place and name of each variable of ``prefix`` in ``node``."""
    match node:
        case Scalar(value=str()):
            for found in _VARIABLE.finditer(node.raw):
                if found[1] is not None and found[1].startswith(f"{prefix}."):
                    yield node.place, found[1].removeprefix(f"{prefix}.")
        case Mapping():
            for entry in node.entries:
                yield from names_of(entry.value, prefix)
        case Sequence():
            for item in node.items:
                yield from names_of(item, prefix)


def expanded(fields: Fields, node: Node) -> Iterator[Node]:
    """Yield the check ``node``, or where it has ``each:`` the check of each row."""
    rows = node.get(EACH) if isinstance(node, Mapping) else None
    if rows is None or not isinstance(node, Mapping):
        yield node
        return
    entries = tuple(entry for entry in node.entries if entry.key != EACH)
    plain = Mapping(node.place, entries)
    listed = fields.items(rows, EACH)
    if len(listed) > ROWS_MOST:
        raise fields.error(rows.place, f"each has {len(listed)} rows", f"at most {ROWS_MOST}")
    used = {name for _, name in names_of(plain, EACH)}
    for row in listed:
        values = _row(fields, row)
        if unused := next((entry for entry in values if entry.key not in used), None):
            raise fields.error(
                unused.place, f"no ${{each.{unused.key}}} uses it", "use it, or leave it out"
            )
        known = {entry.key: entry.value for entry in values}
        yield _named(Values(fields, EACH, known, "column of each").put(plain), plain, known)


def _row(fields: Fields, row: Node) -> tuple[Entry, ...]:
    if isinstance(row, Scalar):
        return (Entry(row.place, VALUE, row),)
    entries = fields.entries(row, "a row of each")
    for entry in entries:
        if not _NAME.fullmatch(entry.key):
            raise fields.error(entry.place, f"{entry.key!r} cannot be a column's name")
    return entries


def _named(check: Node, before: Mapping, row: Mapping_[str, Node]) -> Node:
    """Return the check with a name of its own: the row is added where the name has none of it."""
    name = before.get("name")
    if not isinstance(check, Mapping) or not isinstance(name, Scalar):
        return check
    if any(names_of(name, EACH)):
        return check
    values = [one.raw for one in row.values() if isinstance(one, Scalar) and "${" not in one.raw]
    label = "-".join(values)[:_LABEL_MOST] or f"line {next(iter(row.values())).place.line}"
    text = f"{name.raw} [{label}]"
    entries = (
        Entry(one.place, one.key, Scalar(name.place, text, text)) if one.key == "name" else one
        for one in check.entries
    )
    return Mapping(check.place, tuple(entries))


def node_of(value: Any, place: Place) -> Node:  # noqa: ANN401 - a JSON value
    """Return a JSON value as a node at ``place``, in which ``${`` is plain text."""
    match value:
        case dict():
            entries = (Entry(place, key, node_of(one, place)) for key, one in value.items())
            return Mapping(place, tuple(entries))
        case list():
            return Sequence(place, tuple(node_of(one, place) for one in value))
        case str():
            text = value.replace("${", "$${")
            return Scalar(place, text, text)
    return Scalar(place, json.dumps(value), value)
