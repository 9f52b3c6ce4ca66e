"""A JSON Schema compiled: jsonschema judges it, and a faster validator says yes where it can.

Drafts 4, 6, 7, 2019-09 and 2020-12, told by ``$schema``; 2020-12 without one. Formats are held,
where something is installed that checks them; those that nobody checks are named in notes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    FormatChecker,
    SchemaError,
)

from greenroom.plugins.schema_fast import fast_validator
from greenroom.plugins.schema_files import SchemaFiles, load_schema
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from jsonschema.protocols import Validator

_DRAFTS: dict[str, type[Validator]] = {
    str(kind.META_SCHEMA["$schema"]).rstrip("#"): kind
    for kind in (
        *(Draft4Validator, Draft6Validator, Draft7Validator),
        *(Draft201909Validator, Draft202012Validator),
    )
}
_NAMES = "4, 6, 7, 2019-09 and 2020-12"
_OPTIONAL = frozenset(
    {"color", "date-time", "duration", "hostname", "idn-hostname"}
    | {"json-pointer", "relative-json-pointer", "time", "uri", "uri-reference", "uri-template"}
)
"""Formats of the drafts that a package beside jsonschema checks."""
_SLOW = frozenset({"iri", "iri-reference"})
"""Likewise, but that package takes 0.8 s to import: no extra of ours has it."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schema ready to validate; ``fast`` says yes only where ``validator`` finds no error."""

    validator: Validator
    fast: Callable[[Any], bool] | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A schema that is right in itself, and where its references may lead."""

    schema: dict[str, Any]
    kind: type[Validator]
    files: SchemaFiles


def source(
    path: Path, root: Path, hosts: tuple[str, ...], fetch: Callable[[str], bytes] | None
) -> Source:
    """Read the schema in ``path``; raises `SettingsError` for one that cannot serve."""
    schema = load_schema(path)
    if not isinstance(schema, dict) or not schema:
        raise SettingsError(
            f"{path}: a contract must be a JSON object with keywords",
            hint="a schema that accepts everything proves nothing; see json-schema.org",
        )
    kind = _kind(path, schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise SettingsError(
            f"{path}: not a valid JSON Schema at {error.json_path}: {error.message}"
        ) from error
    if not set(schema) & set(kind.VALIDATORS):
        raise SettingsError(
            f"{path}: none of its keywords constrains anything: {', '.join(schema)}",
            hint="a schema that accepts everything proves nothing; is a keyword misspelt?",
        )
    if hosts and fetch is None:
        from greenroom.plugins.schema_remote import fetched  # noqa: PLC0415 - few ask any host

        fetch = fetched
    dialect = str(kind.META_SCHEMA.get("$schema", ""))
    return Source(schema, kind, SchemaFiles(path, root, schema, dialect, hosts, fetch))


def compiled(source: Source, *, ask: bool) -> Compiled | None:
    """Return the schema compiled; None if that needs to ``ask`` a host, and it may not now.

    Raises `SettingsError` for a reference that has no definition, and what the fetcher raises.
    """
    resolved = source.files.resolved(ask=ask)
    if resolved is None:
        return None
    _refuse_patterns(source.files.path, resolved.contents)
    schema = {"$ref": resolved.uri} if resolved.leaves else source.schema
    checker = source.kind.FORMAT_CHECKER
    validator = source.kind(schema, registry=resolved.registry, format_checker=checker)
    fast = None
    if not resolved.leaves:
        fast = fast_validator(source.schema, resolved.contents, source.kind)
    return Compiled(validator, fast, tuple(_notes(resolved.formats, checker)))


def _kind(path: Path, schema: dict[str, Any]) -> type[Validator]:
    named = schema.get("$schema", Draft202012Validator.META_SCHEMA["$id"])
    kind = _DRAFTS.get(named.rstrip("#")) if isinstance(named, str) else None
    if kind is None:
        raise SettingsError(
            f"{path}: $schema is {named!r}, which is no draft that is known",
            hint=f"the drafts {_NAMES} are: {', '.join(_DRAFTS)}",
        )
    return kind


def _refuse_patterns(path: Path, contents: Iterable[dict[str, Any]]) -> None:
    """Fail now, not in the middle of a run, at a regular expression that is none in Python."""
    for schema in contents:
        named = schema.get("patternProperties")
        for pattern in (schema.get("pattern"), *(named if isinstance(named, dict) else ())):
            try:
                re.compile(pattern if isinstance(pattern, str) else "")
            except re.error as error:
                raise SettingsError(
                    f"{path}: {pattern!r} is not a regular expression: {error}",
                    hint="write it as Python's re module reads it",
                ) from error


def _notes(formats: Iterable[str], checker: FormatChecker) -> Iterable[str]:
    open_ = sorted(set(formats) - set(checker.checkers))
    if absent := [name for name in open_ if name in _OPTIONAL]:
        yield f"formats not checked: {', '.join(absent)}; pip install 'greenroom[formats]'"
    if slow := [name for name in open_ if name in _SLOW]:
        yield f"formats not checked: {', '.join(slow)}; pip install rfc3987-syntax"
    if unknown := [name for name in open_ if name not in _OPTIONAL | _SLOW]:
        yield f"formats not checked: {', '.join(unknown)}; this draft of JSON Schema has none such"
