"""Reads values of templates: what is absent has a default, what an intrinsic gives is unknown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import Entry, Mapping, Scalar, Sequence
from greenroom.validators.result import Location
from greenroom.validators.template import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.suite_yaml import Node, Place

_HOLE = re.compile(r"\$\{([^}]*)\}")
_NO_VALUE = "AWS::NoValue"
_FLAGS = {"true": True, "false": False}


def located(file: str, place: Place) -> Location:
    """Return a place of ``file`` as a result shows it."""
    return Location(file, place.line, place.column)


def intrinsic(node: Node | None) -> str:
    """Return the name of the function that ``node`` calls (Ref, Fn::Sub); empty for none."""
    if isinstance(node, Mapping) and len(node.entries) == 1:
        key = node.entries[0].key
        return key if key in {"Ref", "Condition"} or key.startswith("Fn::") else ""
    return ""


def get(node: Node | None, *path: str) -> Node | None:
    """Return what lies at ``path``, in PascalCase or camelCase; None for nothing or NoValue."""
    for name in path:
        if not isinstance(node, Mapping):
            return None
        other = name[:1].lower() + name[1:]
        node = node.get(name) or node.get(other)
    return None if node is None or _argument(node, "Ref") == _NO_VALUE else node


def entries(node: Node | None) -> tuple[Entry, ...]:
    """Return the entries of a mapping; none for anything else."""
    return node.entries if isinstance(node, Mapping) and not intrinsic(node) else ()


def items(node: Node | None) -> tuple[Node, ...] | None:
    """Return the items of a list (none for nothing); None where it is not known as a whole."""
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        return None
    known = tuple(item for item in node.items if _argument(item, "Ref") != _NO_VALUE)
    return None if any(intrinsic(item) == "Fn::If" for item in known) else known


def flag(node: Node | None, *, default: bool | None) -> bool | None:
    """Return true or false, ``default`` for nothing, None where it is not known."""
    if node is None:
        return default
    if not isinstance(node, Scalar):
        return None
    return node.value if isinstance(node.value, bool) else _FLAGS.get(node.raw.lower())


def number(node: Node | None, default: float) -> float | None:
    """Return a number, ``default`` for nothing, None where it is not known."""
    if node is None:
        return default
    try:
        return float(node.raw) if isinstance(node, Scalar) else None
    except ValueError:
        return None


def text(node: Node | None) -> Text | None:
    """Return a text with its holes; None for nothing."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return None
    return Text(tuple(_parts(node)))


def word(node: Node | None, default: str = "") -> str | None:
    """Return a text without holes, ``default`` for nothing, None where it is not known."""
    found = text(node)
    return default if found is None else found.whole


def mentions(node: Node | None) -> Iterator[str]:
    """Yield every name that the tree below ``node`` refers to: ``Bot``, ``Bot.Alias``."""
    match node:
        case Sequence():
            for item in node.items:
                yield from mentions(item)
        case Mapping():
            yield from _named(node)
            for entry in node.entries:
                yield from mentions(entry.value)


def logical(node: Node | None) -> str:
    """Return the resource that a Ref, a GetAtt or a Sub of one name means; empty for none."""
    if isinstance(node, Mapping) and (names := tuple(_named(node))) and len(set(names)) == 1:
        return names[0].partition(".")[0]
    return ""


def merged(own: Node | None, general: Node | None) -> Node | None:
    """Return ``own`` with what SAM's Globals add: maps are merged, lists joined."""
    if own is None or general is None:
        return own if general is None else general
    if isinstance(own, Sequence) and isinstance(general, Sequence):
        return Sequence(own.place, (*general.items, *own.items))
    if not isinstance(own, Mapping) or not isinstance(general, Mapping):
        return own
    if intrinsic(own) or intrinsic(general):
        return own
    added = (entry for entry in general.entries if own.get(entry.key) is None)
    joined = (
        Entry(entry.place, entry.key, merged(entry.value, general.get(entry.key)) or entry.value)
        for entry in own.entries
    )
    return Mapping(own.place, (*joined, *added))


def _argument(node: Node, function: str) -> str:
    value = node.entries[0].value if isinstance(node, Mapping) and intrinsic(node) else None
    return value.raw if isinstance(value, Scalar) and intrinsic(node) == function else ""


def _named(node: Mapping) -> Iterator[str]:
    function = intrinsic(node)
    if not function:
        return
    value = node.entries[0].value
    match function, value:
        case "Ref", Scalar():
            yield value.raw
        case "Fn::GetAtt", Scalar():
            yield value.raw
        case "Fn::GetAtt", Sequence() if all(isinstance(item, Scalar) for item in value.items):
            yield ".".join(item.raw for item in value.items if isinstance(item, Scalar))
        case "Fn::Sub", Scalar():
            yield from _holes(value.raw)
        case "Fn::Sub", Sequence() if value.items and isinstance(value.items[0], Scalar):
            yield from _holes(value.items[0].raw)


def _holes(template: str) -> Iterator[str]:
    for name in _HOLE.findall(template):
        if not name.startswith(("!", "AWS::")):
            yield name.strip()


def _parts(node: Node) -> Iterator[str | None]:
    if isinstance(node, Scalar):
        yield node.raw
        return
    value = node.entries[0].value if isinstance(node, Mapping) and node.entries else None
    match intrinsic(node), value:
        case "Fn::Sub", Scalar():
            yield from _filled(value.raw)
        case "Fn::Sub", Sequence() if value.items and isinstance(value.items[0], Scalar):
            yield from _filled(value.items[0].raw)
        case "Fn::Join", Sequence(items=(Scalar() as between, Sequence() as joined)):
            for index, item in enumerate(joined.items):
                yield between.raw if index else ""
                yield from _parts(item)
        case _:
            yield None


def _filled(template: str) -> Iterator[str | None]:
    last = 0
    for hole in _HOLE.finditer(template):
        yield template[last : hole.start()]
        yield "${" + hole[1][1:] + "}" if hole[1].startswith("!") else None
        last = hole.end()
    yield template[last:]
