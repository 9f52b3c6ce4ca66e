"""YAML 1.1 and 1.2 as PyYAML's nodes, read by libyaml where it is there: 16 times as fast.

PyYAML resolves plain scalars as YAML 1.1 does; for 1.2 it is given the core schema's rules instead
(YAML 1.2.2, chapter 10.3.2), with the ``_`` between digits that people write in limits.
Nodes are composed in Python from libyaml's events: its own composer has no limit for depth.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.composer import Composer
from yaml.resolver import BaseResolver, Resolver

if TYPE_CHECKING:
    from yaml.nodes import Node

YAML_ERRORS = (yaml.YAMLError, RecursionError, ValueError)
"""What `compose` raises of a text that is no YAML; most are `MarkedYAMLError`."""
MARKED_ERROR = yaml.MarkedYAMLError
CHARACTER_ERROR = yaml.reader.ReaderError
_TAG = "tag:yaml.org,2002:"
_REAL = r"[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)"
_NAMED = re.compile(r"^%YAML[ \t]+(1\.[12])\b", re.MULTILINE)
_CORE = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    ("int", r"[-+]?[0-9][0-9_]*|0o[0-7_]+|0x[0-9a-fA-F_]+", tuple("-+0123456789")),
    (
        "float",
        rf"{_REAL}([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        tuple("-+.0123456789"),
    ),
)


def compose(text: str, version: str) -> Node | None:
    """Return the only document of ``text``, None if it is empty.

    It is YAML of ``version``, 1.1 or 1.2, unless it names its own.
    """
    named = _NAMED.search(text)
    loader = _loader(named[1] if named else version)(text)
    try:
        node: Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def position_of(error: Any, text: str) -> int:  # noqa: ANN401 - PyYAML's errors are untyped
    """Return the index in ``text`` of a character that YAML forbids; libyaml counts bytes."""
    if not yaml.__with_libyaml__:
        return int(error.position)
    return len(text.encode()[: error.position].decode(errors="ignore"))


@functools.cache
def _loader(version: str) -> Any:  # noqa: ANN401 - PyYAML's loaders are untyped
    resolver = Resolver if version == "1.1" else _core()
    if yaml.__with_libyaml__:
        from yaml.cyaml import CParser as parser  # type: ignore[attr-defined] # noqa: N813, PLC0415 - a base here

        class Fast(Composer, parser, resolver):  # type: ignore[valid-type, misc]
            def __init__(self, text: str) -> None:
                parser.__init__(self, text)
                Composer.__init__(self)
                resolver.__init__(self)

        return Fast
    return _plain(resolver)


def _plain(resolver: Any) -> Any:  # noqa: ANN401 - as above
    from yaml.parser import Parser  # noqa: PLC0415 - only where there is no libyaml
    from yaml.reader import Reader  # noqa: PLC0415 - as above
    from yaml.scanner import Scanner  # noqa: PLC0415 - as above

    class Plain(Reader, Scanner, Parser, Composer, resolver):  # type: ignore[misc]
        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)
            resolver.__init__(self)

    return Plain


def _core() -> Any:  # noqa: ANN401 - as above
    class Core(BaseResolver):
        pass

    for name, pattern, first in _CORE:
        Core.add_implicit_resolver(_TAG + name, re.compile(rf"(?:{pattern})\Z"), list(first))
    return Core
