"""Readers of single fields of a suite file; each fails at the field's own place."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from greenroom.plugins.suite_variables import UnresolvedError
from greenroom.plugins.suite_yaml import Entry, Mapping, Node, Scalar, Sequence
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import choose

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

    from greenroom.plugins.suite_contract import Contracts
    from greenroom.plugins.suite_variables import Variables
    from greenroom.plugins.suite_yaml import Document, Place

Choice = TypeVar("Choice", bound="StrEnum")

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_SIZE = re.compile(r"([0-9]+)(B|KiB|MiB)")
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024 * 1024}


@dataclass(frozen=True, slots=True)
class Fields:
    """Reads nodes of one document, filling in variables where a field may hold them.

    ``contracts`` are the JSON Schemas that the document can name; settings name none.
    """

    document: Document
    variables: Variables
    contracts: Contracts | None = None

    def error(self, place: Place, message: str, hint: str = "") -> SettingsError:
        """Return an error at ``place``."""
        return self.document.error(place, message, hint)

    def mapping(self, node: Node, what: str, known: Iterable[str]) -> dict[str, Entry]:
        """Return the entries of a mapping that may hold the ``known`` keys only."""
        names = tuple(known)
        entries = self.entries(node, what)
        for entry in entries:
            if entry.key not in names:
                valid = self.document.keys(names)
                near = difflib.get_close_matches(entry.key, valid, n=1)
                meant = f"did you mean {near[0]!r}? " if near else ""
                raise self.error(
                    entry.place,
                    f"unknown key {entry.key!r} in {what}",
                    f"{meant}valid keys: {', '.join(valid)}",
                )
        return {entry.key: entry for entry in entries}

    def entries(self, node: Node, what: str) -> tuple[Entry, ...]:
        """Return the entries of a mapping that is not empty."""
        if not isinstance(node, Mapping):
            raise self.error(node.place, f"{what} must be a mapping of keys to values")
        if not node.entries:
            raise self.error(node.place, f"{what} is empty")
        return node.entries

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """Return the items of a list that is not empty."""
        if not isinstance(node, Sequence):
            raise self.error(node.place, f"{what} must be a list")
        if not node.items:
            raise self.error(node.place, f"{what} is empty")
        return node.items

    def required(self, fields: dict[str, Entry], key: str, node: Node, what: str) -> Node:
        """Return a key's value; it is an error at ``node`` not to have it."""
        if key not in fields:
            raise self.error(node.place, f"{what} has no {key!r}", f"give {key}: …")
        return fields[key].value

    def text(self, node: Node, what: str) -> str:
        """Return a text that holds no variable and no line break."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value:
            raise self.error(node.place, f"{what} must be a text", _quote(node))
        if "${" in node.value:
            raise self.error(node.place, f"{what} takes no variables", "write it out")
        if not node.value.isprintable():
            raise self.error(node.place, f"{what} must be one line of printable characters")
        return node.value

    def filled(self, node: Node, what: str) -> str:
        """Return a text, or a number as it is written, with its variables replaced."""
        if not isinstance(node, Scalar) or node.value is None:
            raise self.error(node.place, f"{what} must be a text", _quote(node))
        return self._fill(node, node.raw)

    def json(self, node: Node) -> Any:  # noqa: ANN401 - a JSON value
        """Return a node as a JSON value, the variables in its texts replaced."""
        match node:
            case Scalar():
                return self._fill(node, node.value) if isinstance(node.value, str) else node.value
            case Mapping():
                return {entry.key: self.json(entry.value) for entry in node.entries}
            case Sequence():
                return [self.json(item) for item in node.items]

    def choice(self, choices: type[Choice], node: Node, what: str) -> Choice:
        """Return one of a closed set of names."""
        value = node.value if isinstance(node, Scalar) else "a list or mapping"
        try:
            return choose(choices, value, what)
        except SettingsError as error:
            raise self.error(node.place, str(error), error.hint) from None

    def flag(self, node: Node, what: str) -> bool:
        """Return true or false."""
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            raise self.error(node.place, f"{what} must be true or false")
        return node.value

    def whole(self, node: Node, what: str, least: int, most: int) -> int:
        """Return a whole number between two limits."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            limits = f"from {least} to {most}" if least < most else f"{least}"
            raise self.error(node.place, f"{what} must be a whole number, {limits}")
        return value

    def seconds(self, node: Node, what: str) -> float:
        """Return a duration such as ``500ms``, ``5s`` or ``1m``, above zero."""
        number, unit = self._measure(node, what, _DURATION, "a duration such as 500ms, 5s or 1m")
        return float(number) * _SECONDS[unit]

    def octets(self, node: Node, what: str) -> int:
        """Return a size such as ``64KiB`` or ``1MiB``, above zero."""
        number, unit = self._measure(node, what, _SIZE, "a size such as 512B, 64KiB or 1MiB")
        return int(number) * _BYTES[unit]

    def _measure(
        self, node: Node, what: str, grammar: re.Pattern[str], form: str
    ) -> tuple[str, str]:
        found = grammar.fullmatch(node.raw) if isinstance(node, Scalar) else None
        if found is None or float(found[1]) == 0:
            raise self.error(node.place, f"{what} must be {form}")
        return found[1], found[2]

    def _fill(self, node: Scalar, text: str) -> str:
        try:
            return self.variables.fill(text)
        except UnresolvedError as error:
            raise self.error(node.place, str(error), error.hint) from None


def _quote(node: Node) -> str:
    quotable = isinstance(node, Scalar) and node.value is not None and node.raw
    return f'quote it: "{node.raw}"' if quotable and isinstance(node, Scalar) else ""
