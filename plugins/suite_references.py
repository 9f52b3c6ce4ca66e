"""Reads ``references:`` of a suite file: the check that every image reference is immutable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greenroom.plugins.references import ReferencesWork
from greenroom.plugins.suite_yaml import Mapping
from greenroom.validators.errors import SettingsError
from greenroom.validators.image_reference import parse_reference
from greenroom.validators.references import Policy

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node

_KNOWN = ("files", "immutable", "resolve", "digests", "parameters", "plain_http")
_UNRELATED = ("registry.example/any/image:Moved_1.x", "zz:00")
"""Two references with nothing in common: what covers both covers everything."""


def read_references(fields: Fields, node: Node, expect: Node | None) -> ReferencesWork:
    """Read the check; raises `SettingsError` at the place of what is wrong."""
    if expect is not None:
        raise fields.error(
            expect.place,
            "references takes no expect: every image must be immutable",
            "declare the tags that are never moved under `immutable`",
        )
    found = fields.mapping(node, "references", _KNOWN)
    files = fields.required(found, "files", node, "references")
    return ReferencesWork(
        files=tuple(fields.filled(item, "a file") for item in fields.items(files, "files")),
        policy=Policy(_patterns(fields, found), _digests(fields, found)),
        resolve=fields.flag(found["resolve"].value, "resolve") if "resolve" in found else True,
        parameters=_parameters(fields, found),
        plain_http=tuple(
            fields.filled(item, "a registry") for item in _list(fields, found, "plain_http")
        ),
    )


def _list(fields: Fields, found: dict[str, Entry], key: str) -> tuple[Node, ...]:
    return fields.items(found[key].value, key) if key in found else ()


def _parameters(fields: Fields, found: dict[str, Entry]) -> dict[str, str]:
    if "parameters" not in found:
        return {}
    entries = fields.entries(found["parameters"].value, "parameters")
    return {entry.key: fields.filled(entry.value, f"parameter {entry.key}") for entry in entries}


def _patterns(fields: Fields, found: dict[str, Entry]) -> tuple[str, ...]:
    return tuple(_pattern(fields, item) for item in _list(fields, found, "immutable"))


def _pattern(fields: Fields, node: Node) -> str:
    pattern = fields.text(node, "a pattern")
    if pattern.startswith("/") and pattern.endswith("/") and len(pattern) > 1:
        try:
            re.compile(pattern[1:-1])
        except re.error as error:
            raise fields.error(node.place, f"{pattern} is no regular expression: {error}") from None
    elif ":" not in pattern.rpartition("/")[2]:
        raise fields.error(
            node.place, f"{pattern!r} says nothing of the tag", f'write "{pattern}:build-*"'
        )
    everything = Policy((pattern,))
    if all(everything.trusts(name, parse_reference(name)) for name in _UNRELATED):
        raise fields.error(
            node.place, f"{pattern!r} covers every tag", 'name the build ids: "*:build-*"'
        )
    return pattern


def _digests(fields: Fields, found: dict[str, Entry]) -> dict[str, str]:
    """Return the recorded digest of each tag: from a mapping, or a list of name:tag@digest."""
    if "digests" not in found:
        return {}
    node = found["digests"].value
    if isinstance(node, Mapping):
        given = [
            (f"{entry.key}@{fields.filled(entry.value, 'a digest')}", entry.value)
            for entry in fields.entries(node, "digests")
        ]
    else:
        items = fields.items(node, "digests")
        given = [(fields.filled(item, "a digest"), item) for item in items]
    return dict(_recorded(fields, text, at) for text, at in given)


def _recorded(fields: Fields, text: str, node: Node) -> tuple[str, str]:
    try:
        reference = parse_reference(text)
    except SettingsError as error:
        raise fields.error(node.place, str(error), error.hint) from None
    if not reference.tag or not reference.digest:
        raise fields.error(
            node.place, f"{text} must have a tag and a digest", "write name:tag@sha256:…"
        )
    return f"{reference.name}:{reference.tag}", reference.digest
