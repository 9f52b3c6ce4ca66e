"""A command of the command line that ends in each way a command can end."""

from __future__ import annotations

import click

from greenroom.validators.errors import GreenroomError, RecordError, SettingsError

_ENDINGS: dict[str, Exception] = {
    "settings": SettingsError("suites/a.yaml:3: unknown key", hint="use one of: name, http"),
    "record": RecordError("the run record was cut short"),
    "error": GreenroomError("no envoy on PATH", hint="install greenroom[rehearsal]"),
    "abort": click.Abort(),
    "bug": KeyError("unforeseen"),
}


@click.command()
@click.argument("ending")
def command(ending: str) -> int | None:
    """End as told."""
    if ending in _ENDINGS:
        raise _ENDINGS[ending]
    return int(ending) if ending.isdigit() else None
