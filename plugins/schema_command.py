"""``greenroom schema [NAME]``: print a JSON Schema of what Greenroom reads or writes."""

from __future__ import annotations

import json
from importlib.resources import files

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
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


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
