"""YAML 1.2 as a tree that knows its places, and errors that show them.

A document becomes `Node`s: each has its line and column, a mapping keeps its entries in order, and
a scalar keeps its raw text beside its value. Duplicate keys, custom tags, more than one document
and trees of absurd size (aliases of aliases) are refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from yaml import nodes

_NODES_MOST = 50_000
_DEPTH_MOST = 60
_OTHER_VERSION = re.compile(r"^%YAML[ \t]+(?!1\.2)", re.MULTILINE)
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both from 1, in a text."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One scalar; ``raw`` is its text as written, ``value`` what it means.

    ``given``: it is not written in the file, but comes from an answer.
    """

    place: Place
    raw: str
    value: str | int | float | bool | None
    given: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    place: Place
    key: str
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """The entries of a mapping, in the order of the file."""

    place: Place
    entries: tuple[Entry, ...]

    def get(self, key: str) -> Node | None:
        """Return a key's value, or None."""
        return next((entry.value for entry in self.entries if entry.key == key), None)


@dataclass(frozen=True, slots=True)
class Sequence:
    """The items of a sequence."""

    place: Place
    items: tuple[Node, ...]


Node = Scalar | Mapping | Sequence


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML text with the path that errors give; it makes the errors about its places."""

    path: Path
    text: str

    @classmethod
    def load(cls, path: Path, what: str, hint: str = "") -> Document:
        """Return the text of the file ``path``, which errors call ``what``; `SettingsError`."""
        try:
            return cls(path, path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SettingsError(f"cannot read {what} {path}: {why}", hint=hint) from error

    def keys(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return the keys that a reader can write where a mapping's are ``known``."""
        return known

    def error(self, place: Place, message: str, hint: str = "") -> SettingsError:
        """Return an error that shows the line with a caret below ``place``."""
        lines = self.text.splitlines() or [""]
        line = min(place.line, len(lines))
        shown = lines[line - 1]
        column = place.column if line == place.line else len(shown) + 1
        margin = " " * len(str(line))
        indent = re.sub(r"[^\t]", " ", shown[: column - 1])
        return SettingsError(
            f"{self.path}:{line}:{column}: {message}\n  {line} | {shown}\n  {margin} | {indent}^",
            hint=hint,
        )

    def read(self) -> Node:
        """Return the tree of the text's only document; raises `SettingsError`."""
        if found := _OTHER_VERSION.search(self.text):
            place = place_at(self.text, found.start())
            raise self.error(place, "suite files are YAML 1.2", "remove the %YAML line")
        root = self.compose()
        if root is None:
            raise self.error(Place(1, 1), "the file is empty", "give `version`, `name`, `checks`")
        return TreeReader(self).node(root)

    def compose(self, version: str = "1.2") -> nodes.Node | None:
        """Return the nodes of the text as YAML of ``version``; None if it is empty."""
        from greenroom.plugins import yaml_nodes  # noqa: PLC0415 - slow: this module's names are light

        try:
            return yaml_nodes.compose(self.text, version)
        except yaml_nodes.MARKED_ERROR as error:
            mark = error.problem_mark or error.context_mark
            place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
            what = " ".join(filter(None, (error.context, error.problem)))
            line = self.text.splitlines()[place.line - 1 : place.line]
            hint = _VARIABLE_HINT if "${" in "".join(line) else _YAML_HINT
            raise self.error(place, f"not valid YAML: {what}", hint) from error
        except yaml_nodes.CHARACTER_ERROR as error:
            place = place_at(self.text, yaml_nodes.position_of(error, self.text))
            raise self.error(place, "not valid YAML: a character that YAML forbids") from error
        except yaml_nodes.YAML_ERRORS as error:
            raise self.error(Place(1, 1), f"not valid YAML: {error}", _YAML_HINT) from error


_VARIABLE_HINT = 'within { } a text with a variable must be quoted: {get: "/${env.X}"}'
_YAML_HINT = "quote a text that holds any of : # { } [ ] , & * ! | > ' \" % @ `"


def plain(node: Node) -> Any:  # noqa: ANN401 - a JSON value
    """Return the tree as plain values."""
    match node:
        case Scalar():
            return node.value
        case Mapping():
            return {entry.key: plain(entry.value) for entry in node.entries}
        case Sequence():
            return [plain(item) for item in node.items]


HALF = re.compile("[\ud800-\udfff]")
"""Half of a character: an escape can write it (``"\\ud800"``), no file can hold it."""
HALVES = "a text that holds half a character (an escape from \\ud800 to \\udfff)"


class TreeReader:
    """Turns PyYAML's nodes into ours, at most so many and so deep; another dialect overrides."""

    def __init__(self, document: Document, most: int = _NODES_MOST) -> None:
        self._document = document
        self._left = most

    def node(self, node: nodes.Node, depth: int = 0) -> Node:
        """Return ``node``, which lies ``depth`` levels deep; raises `SettingsError`."""
        from yaml.nodes import MappingNode, ScalarNode, SequenceNode  # noqa: PLC0415 - as above

        place = _place(node)
        self._left -= 1
        if self._left < 0 or depth > _DEPTH_MOST:
            raise self._document.error(place, "the document is too large or too deep")
        if isinstance(node, ScalarNode):
            self._refuse_halves(node.value, place)
            return self.scalar(node, place)
        if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
            return Mapping(place, tuple(self.entries(node, depth)))
        if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
            return Sequence(place, tuple(self.node(item, depth + 1) for item in node.value))
        return self.tagged(node, place, depth)

    def scalar(self, node: nodes.ScalarNode, place: Place) -> Node:
        """Return a scalar with what its text means."""
        return Scalar(place, node.value, self._value(node, place))

    def tagged(self, node: nodes.Node, place: Place, depth: int) -> Node:  # noqa: ARG002 - for others
        """Refuse a list or mapping with a tag of its own."""
        raise self._document.error(place, f"unknown tag {node.tag}", "write the value without it")

    def entries(self, node: nodes.MappingNode, depth: int) -> Iterator[Entry]:
        """Yield the entries of a mapping; a key that stands twice is an error."""
        seen: dict[str, Place] = {}
        for key, value in node.value:
            place = _place(key)
            if not isinstance(key.value, str):
                raise self._document.error(place, "a key must be a text")
            if key.value in seen:
                raise self._document.error(
                    place,
                    f"duplicate key {key.value!r}",
                    f"it stands in line {seen[key.value].line} already: keep one of them",
                )
            self._refuse_halves(key.value, place)
            seen[key.value] = place
            yield Entry(place, key.value, self.node(value, depth + 1))

    def _refuse_halves(self, text: str, place: Place) -> None:
        if HALF.search(text):
            raise self._document.error(place, HALVES, "write the character itself")

    def _value(self, node: nodes.ScalarNode, place: Place) -> str | int | float | bool | None:
        raw: str = node.value
        match str(node.tag).removeprefix(_TAG):
            case "str" | "timestamp":
                return raw
            case "null" if raw.lower() in {"", "~", "null"}:
                return None
            case "bool" if raw.lower() in {"true", "false"}:
                return raw.lower() == "true"
            case "null" | "bool" as tag:
                raise self._document.error(
                    place, f"{raw[:40]!r} is no {tag}", "write the value without a tag"
                )
            case "int" if (whole := _integer(raw)) is not None:
                return whole
            case "int":
                raise self._document.error(place, f"{raw[:40]} is no number", "quote a text")
            case "float" if math.isfinite(number := _real(raw)):
                return number
            case "float":
                raise self._document.error(place, f"{raw} is not a finite number")
            case _:
                raise self._document.error(
                    place, f"unknown tag {node.tag}", "write the value without it"
                )


def _integer(raw: str) -> int | None:
    digits = raw.replace("_", "")
    try:
        return int(digits, 0) if digits.lstrip("+-").startswith(("0x", "0o")) else int(digits)
    except ValueError:  # more digits than Python reads, none, or binary ones
        return None


def _real(raw: str) -> float:
    try:
        return float(raw.replace("_", ""))
    except ValueError:
        return math.nan


def _place(node: nodes.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def place_at(text: str, position: int) -> Place:
    """Return the place of a position (from 0) in ``text``."""
    before = text[:position]
    return Place(before.count("\n") + 1, position - before.rfind("\n"))
