"""``greenroom lint FILE…``: templates, AppSpecs and ECS definitions judged outside of pytest."""

from __future__ import annotations

import contextlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greenroom.plugins.documents import ReportFolderError
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.template_lint import Order, look
from greenroom.plugins.workplace import Workplace
from greenroom.reports.sarif import to_sarif
from greenroom.validators.evidence import proves
from greenroom.validators.result import Level, Location
from greenroom.validators.template_rules import choose_rules

if TYPE_CHECKING:
    from greenroom.plugins.template_lint import Look
    from greenroom.validators.result import Result
    from greenroom.validators.template import TemplateRule

_SECONDS = 300.0


@click.command("lint")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--sarif", metavar="PATH", help="Write the results as SARIF 2.1.0 as well.")
@click.option("--select", multiple=True, metavar="ID", help="This rule alone; may be repeated.")
@click.option("--ignore", multiple=True, metavar="ID", help="Not this rule; may be repeated.")
@click.option("--cfn-lint/--no-cfn-lint", default=True, help="Run cfn-lint on CloudFormation too.")
def command(
    files: tuple[str, ...],
    sarif: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    *,
    cfn_lint: bool,
) -> int:
    """Judge templates, AppSpecs, ECS definitions and compose files, or folders such as cdk.out.

    Exit status: 0 clean, 1 results of level error or warning, 2 something could not be read or
    nothing was judged, 4 wrong usage.
    """
    rules = choose_rules(select, ignore)
    place = Workplace.of_process(Path.cwd(), _SECONDS, Redactor())
    seen = look(Order(files, rules, cfn_lint), place)
    results = tuple(sorted((*seen.problems, *seen.results), key=_place))
    if sarif is not None:
        _write(Path(sarif), results, rules, [_line(problem) for problem in seen.problems])
    _tell(results, seen)
    if seen.problems or not proves(seen.evidence):
        return 2
    return 1 if any(result.level is not Level.NOTE for result in results) else 0


def _tell(results: tuple[Result, ...], seen: Look) -> None:
    for result in results:
        click.echo(_line(result))
        if result.advice:
            click.echo(f"  fix: {result.advice}")
    for note in seen.notes:
        click.echo(f"note: {note}")
    for evidence in seen.evidence:
        click.echo(f"examined: {evidence}")
    if not proves(seen.evidence):
        click.echo("nothing was judged: no rule applies to what these files hold", err=True)


def _place(result: Result) -> tuple[str, int, int, str]:
    at = result.location or Location("")
    return at.file, at.line, at.column, result.id


def _line(result: Result) -> str:
    return f"{result.location}: {result.id} {result.level.value} {result.message}"


def _write(
    path: Path, results: tuple[Result, ...], rules: tuple[TemplateRule, ...], problems: list[str]
) -> None:
    log = to_sarif(results, version("greenroom"), rules, problems)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(log, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ReportFolderError(
            f"{path} could not be written: {error.strerror or error}", hint="name another path"
        ) from error
