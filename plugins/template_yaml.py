"""Reads templates, JSON and YAML 1.1 or 1.2, as trees that know their places.

CloudFormation's short forms become the long ones: ``!Sub a`` is ``{"Fn::Sub": "a"}`` and
``!GetAtt a.b`` is ``{"Fn::GetAtt": ["a", "b"]}``. Duplicate keys are refused; merge keys (``<<``)
are merged. Size, number of values and depth are bounded.

Sources: CloudFormation User Guide, "Template formats" (YAML 1.1, 1 MB at most) and "Intrinsic
function reference".
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import (
    Document,
    Entry,
    Mapping,
    Place,
    Scalar,
    Sequence,
    TreeReader,
    place_at,
)
from greenroom.plugins.template_json import read_json
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml import nodes

    from greenroom.plugins.suite_yaml import Node

BYTES_MOST = 1024 * 1024
"""CloudFormation takes no larger template."""
_VALUES_MOST = 200_000
_FUNCTIONS = frozenset(
    (
        *("And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals"),
        *("FindInMap", "ForEach", "GetAtt", "GetAZs", "If", "ImportValue", "Join", "Length"),
        *("Not", "Or", "RefAll", "Select", "Split", "Sub", "ToJsonString", "Transform"),
        *("ValueOf", "ValueOfAll"),
    )
)
_BARE = frozenset({"Ref", "Condition"})
_TRUE = frozenset({"true", "yes", "on"})
_DIGITS = re.compile(r"[-+]?[0-9]+")
_YAML = "tag:yaml.org,2002:"


def read_template(path: Path, shown: str) -> Node:
    """Return the tree of the file at ``path``, which errors call ``shown``.

    Raises `SettingsError` with ``shown:line:col`` for what is not UTF-8, not valid, empty, larger
    than CloudFormation takes, or cannot be read at all.
    """
    return parse_template(read_text(path, shown), shown)


def read_text(path: Path, shown: str) -> str:
    """Return the text of a file of bounded size, a byte order mark left out."""
    if path.exists() and not path.is_file():
        raise SettingsError(f"{shown}: cannot be read: it is not a file")
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MOST + 1)
    except OSError as error:
        raise SettingsError(f"{shown}: cannot be read: {error.strerror or error}") from error
    if len(data) > BYTES_MOST:
        raise SettingsError(
            f"{shown}:1:1: larger than {BYTES_MOST:,} bytes",
            hint="CloudFormation takes no larger template: name another file, or split this one",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        place = place_at(before, len(before))
        raise SettingsError(
            f"{shown}:{place.line}:{place.column}: not UTF-8: {error.reason}",
            hint="save the file as UTF-8",
        ) from error


def parse_template(text: str, shown: str) -> Node:
    """Return the tree of ``text``; see `read_template`."""
    document = Document(Path(shown), text)
    if not text.strip():
        raise document.error(Place(1, 1), "the file is empty")
    if text.lstrip().startswith(("{", "[")) and document.path.suffix.lower() not in {
        ".yaml",
        ".yml",
    }:
        return read_json(document, _VALUES_MOST)
    root = document.compose("1.1")
    if root is None:
        raise document.error(Place(1, 1), "the file is empty")
    return _Templates(document, _VALUES_MOST).node(root)


class _Templates(TreeReader):
    """YAML with CloudFormation's tags and YAML 1.1's spellings."""

    def scalar(self, node: nodes.ScalarNode, place: Place) -> Node:
        tag = str(node.tag)
        if tag.startswith("!"):
            return self.tagged(node, place, 0)
        raw: str = node.value
        match tag.removeprefix(_YAML):
            case "bool":
                return Scalar(place, raw, raw.lower() in _TRUE)
            case "int" if not _DIGITS.fullmatch(raw):
                return Scalar(place, raw, raw)
            case "float":
                return Scalar(place, raw, _real(raw))
            case "binary" | "merge" | "value":
                return Scalar(place, raw, raw)
        return super().scalar(node, place)

    def tagged(self, node: nodes.Node, place: Place, depth: int) -> Node:
        name = str(node.tag).removeprefix("!")
        if name not in _FUNCTIONS | _BARE:
            raise self._document.error(
                place, f"unknown tag {node.tag}", "use one of CloudFormation's functions"
            )
        key = name if name in _BARE else f"Fn::{name}"
        return Mapping(place, (Entry(place, key, self._argument(node, place, key, depth)),))

    def _argument(self, node: nodes.Node, place: Place, key: str, depth: int) -> Node:
        from yaml.nodes import MappingNode, ScalarNode  # noqa: PLC0415 - slow to import

        if isinstance(node, MappingNode):
            return Mapping(place, tuple(self.entries(node, depth)))
        if not isinstance(node, ScalarNode):
            return Sequence(place, tuple(self.node(item, depth + 1) for item in node.value))
        if key == "Fn::GetAtt" and "." in node.value:
            parts = node.value.split(".", 1)
            return Sequence(place, tuple(Scalar(place, part, part) for part in parts))
        return Scalar(place, node.value, node.value)

    def entries(self, node: nodes.MappingNode, depth: int) -> Iterator[Entry]:
        own = tuple(super().entries(node, depth))
        names = {entry.key for entry in own}
        for entry in own:
            if entry.key != "<<":
                yield entry
                continue
            for merged in _merged(entry.value):
                if merged.key not in names:
                    names.add(merged.key)
                    yield merged


def _merged(node: Node) -> Iterator[Entry]:
    for one in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(one, Mapping):
            yield from one.entries


def _real(raw: str) -> float | str:
    try:
        number = float(raw.replace("_", ""))
    except ValueError:
        return raw
    return number if math.isfinite(number) else raw
