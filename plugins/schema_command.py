"""``greenroom schema [NAME]``: print a JSON Schema of what Greenroom reads or writes."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import click

from greenroom.plugins.suite_kinds import KINDS
from greenroom.validators.errors import GreenroomError, SettingsError

SCHEMAS = {
    "rehearsal": ("greenroom.rehearsal", "rehearsal.schema.json"),
    "run": ("greenroom.reports", "run.schema.json"),
    "settings": ("greenroom.plugins", "settings.schema.json"),
    "suite": ("greenroom.plugins", "suite.schema.json"),
    "timeline": ("greenroom.rehearsal", "timeline.schema.json"),
}
"""Each schema's package and file."""

_VARIABLE = {"type": "string", "pattern": r"\$\{(each|capture)\."}
_SCALARS = ("integer", "number", "boolean")
_CLOSED = frozenset({"enum", "const", "pattern"})
_NAMED = frozenset({"properties", "$defs", "dependentSchemas"})
_LISTED = frozenset({"anyOf", "oneOf", "allOf"})
_NESTED = frozenset({"items", "additionalProperties", "then", "else"})
"""Keywords that hold schemas: by name, in a list, or one."""


def schema_text(name: str) -> str:
    """Return the text of the schema ``name``; a `SettingsError` lists the names there are."""
    if name not in SCHEMAS:
        raise SettingsError(
            f"there is no schema {name!r}", hint=f"use one of: {', '.join(sorted(SCHEMAS))}"
        )
    text = _text(*SCHEMAS[name])
    return _with_kinds(text) if name == "suite" else text


def _with_kinds(text: str) -> str:
    """Add the kinds of check, the schema of each of which is a file of its own."""
    schema = json.loads(text)
    check = schema["$defs"]["work_check"]
    for key, kind in KINDS.items():
        schema["$defs"][key] = json.loads(_text("greenroom.plugins", kind.schema))
        check["properties"][key] = {"$ref": f"#/$defs/{key}"}
        expect = {"$ref": f"#/$defs/{kind.expects}"}
        check["oneOf"].append({"required": [key], "properties": {"expect": expect}})
    schema["$defs"] = {name: _or_variable(one) for name, one in schema["$defs"].items()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _or_variable(schema: Any) -> Any:  # noqa: ANN401 - a JSON Schema
    """Return ``schema`` with variables of rows and steps wherever a single value may stand."""
    if not isinstance(schema, dict):
        return schema
    inner = {key: _inner(key, value) for key, value in schema.items()}
    if schema.get("type") not in _SCALARS and not _CLOSED & set(schema):
        return inner
    told = {"description": inner.pop("description")} if "description" in inner else {}
    return told | {"anyOf": [inner, _VARIABLE]}


def _inner(key: str, value: Any) -> Any:  # noqa: ANN401 - as above
    if key in _NAMED:
        return {name: _or_variable(one) for name, one in value.items()}
    if key in _LISTED:
        return [_or_variable(one) for one in value]
    return _or_variable(value) if key in _NESTED else value


def _text(package: str, file: str) -> str:
    try:
        return files(package).joinpath(file).read_text(encoding="utf-8")
    except OSError as error:
        raise GreenroomError(
            f"the schema {file!r} is not installed: {error}", hint="install greenroom anew"
        ) from error


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema NAME, or without it the names there are."""
    if name is None:
        for known in sorted(SCHEMAS):
            click.echo(known)
    else:
        click.echo(schema_text(name), nl=False)
