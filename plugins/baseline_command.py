"""``greenroom baseline``: write the baselines of static checks, of a suite file or the settings."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from greenroom.plugins.baseline import write_baseline
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.settings import CommandLine, Settings, from_environment, resolve
from greenroom.plugins.settings_file import table_of
from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_model import WorkCheck
from greenroom.plugins.suite_parser import parse_suite
from greenroom.plugins.suite_static import StaticWork
from greenroom.plugins.suite_table import tables_of
from greenroom.plugins.suite_variables import Variables
from greenroom.plugins.suite_yaml import Document
from greenroom.plugins.workplace import Workplace
from greenroom.validators.errors import SettingsError, ToolError

_NO_TARGET = "http://127.0.0.1"
"""A suite's HTTP checks are read, never done: any address will do."""

_READY_MADE = Path(str(files("greenroom.suites.artifact") / "artifact.suite.yaml"))
"""The suite of the settings' checks."""


@click.command("baseline")
@click.argument("suite_file", type=click.Path(path_type=Path), required=False)
@click.option("--check", "name", help="Only the check of this name.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="pytest's root folder, where paths start; default: this folder.",
)
@click.option("--greenroom-release", "release", multiple=True, metavar="NAME=VALUE")
@click.option("--greenroom-set", "variables", multiple=True, metavar="NAME=VALUE")
def command(
    suite_file: Path | None,
    name: str | None,
    root: Path,
    release: tuple[str, ...],
    variables: tuple[str, ...],
) -> None:
    """Run the static checks of SUITE_FILE that have a baseline, and write it.

    Without SUITE_FILE: the checks that stand in the settings, in [artifact.static.NAME].
    What is in a baseline counts no longer: look at it before you commit it.
    """
    root = root.absolute()
    line = CommandLine(release=release, variables=variables)
    table, where = table_of(root, None)
    settings = resolve(table or {}, where, from_environment(os.environ), line)
    redactor = Redactor()
    for check, work in _chosen(suite_file or _READY_MADE, root, name, settings, redactor):
        facts = work.observe(Workplace.of_process(root, check.timeout_s, redactor))
        if facts.problems or not (facts.examined or facts.results):
            why = "; ".join(facts.problems) or f"{facts.tool} examined 0 {facts.what}"
            raise ToolError(
                redactor.text(f"{check.name}: no baseline is written: {why}"),
                hint="correct the check until it examines everything: its results are wanted whole",
            )
        count = write_baseline(root / work.baseline, facts.results)
        click.echo(f"{work.baseline}: {count:,} results of {facts.examined:,} {facts.what}")


def _chosen(
    suite_file: Path, root: Path, name: str | None, settings: Settings, redactor: Redactor
) -> list[tuple[WorkCheck, StaticWork]]:
    text = Document.load(suite_file, "the suite", "name a file *.suite.yaml").text
    variables = Variables(os.environ, settings.variables, settings.release, redactor)
    contracts = Contracts(suite_file.parent.absolute(), root)
    tables = tables_of(settings, Contracts(root, root))
    suite = parse_suite(text, suite_file, contracts, variables, _NO_TARGET, tables=tables)
    chosen = [
        (check, check.work)
        for check in suite.checks
        if isinstance(check, WorkCheck)
        and isinstance(check.work, StaticWork)
        and check.work.baseline
        and name in {None, check.name}
    ]
    if not chosen:
        what = f"check {name!r}" if name else "check"
        where = settings.where if suite_file == _READY_MADE else suite_file
        raise SettingsError(
            f"{where} has no static {what} with a baseline",
            hint="give it one: static: {tool: ruff, baseline: ruff-baseline.json}",
        )
    return chosen
