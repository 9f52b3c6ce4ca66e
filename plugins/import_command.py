"""``greenroom import FILE``: a starting suite from a HAR file, OpenAPI or a Postman collection."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greenroom.plugins.documents import ReportFolderError
from greenroom.plugins.import_file import Format, read_source, read_values
from greenroom.plugins.import_tell import report
from greenroom.plugins.import_writer import schema_files, suite_text
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_contract import Contracts, load_contract
from greenroom.plugins.suite_parser import parse_suite
from greenroom.plugins.suite_variables import Variables
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.import_file import Source
    from greenroom.plugins.import_model import Imported

_SUFFIXES = (".suite.yaml", ".suite.yml")
_ANY_TARGET = "http://127.0.0.1"


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "wanted",
    type=click.Choice([one.value for one in Format]),
    help="Refuse a file of another format; default: whatever it is.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="NAME.suite.yaml",
    help="The suite to write; default: FILE's name in this folder.",
)
@click.option("--target", default="", metavar="URL", help="Write this as the suite's target.")
@click.option(
    "--origin",
    default="",
    metavar="URL",
    help="HAR: take the calls of this origin; default: the most called one.",
)
@click.option(
    "--environment",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Postman: the exported environment with the collection's variables.",
)
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def command(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    file: Path,
    wanted: str | None,
    out: Path | None,
    target: str,
    origin: str,
    environment: Path | None,
    force: bool,
) -> None:
    """Write a starting suite from FILE: a HAR file, an OpenAPI document, a Postman collection.

    Credentials are never written: they become variables, and you are told which ones to set. So is
    everything that could not be carried over. Nothing is asked of any network.
    """
    source = read_source(file, Format(wanted) if wanted else None)
    imported = _imported(source, origin, environment)
    suite = out or Path(f"{_stem(file)}{_SUFFIXES[0]}")
    if not suite.name.endswith(_SUFFIXES):
        raise SettingsError(
            f"{suite} is no name of a suite", hint=f"pytest collects {' and '.join(_SUFFIXES)}"
        )
    texts = _texts(imported, suite, target, file.name)
    _write(texts, force=force)
    for line in report(imported, suite, len(texts) - 1, target):
        click.echo(line)


def _imported(source: Source, origin: str, environment: Path | None) -> Imported:
    """Return what the source's own reader makes of it; only that one is loaded."""
    if origin and source.format is not Format.HAR:
        raise SettingsError("--origin is for HAR files", hint="leave it out")
    if environment is not None and source.format is not Format.POSTMAN:
        raise SettingsError("--environment is for Postman collections", hint="leave it out")
    match source.format:
        case Format.HAR:
            from greenroom.plugins.import_har import import_har  # noqa: PLC0415 - see above

            return import_har(source, origin)
        case Format.OPENAPI:
            from greenroom.plugins.import_openapi import import_openapi  # noqa: PLC0415 - see above

            return import_openapi(source)
        case Format.POSTMAN:
            from greenroom.plugins.import_postman import import_postman  # noqa: PLC0415 - see above

            return import_postman(source, read_values(environment) if environment else None)


def _stem(file: Path) -> str:
    stem = file.name
    for suffix in (".json", ".yaml", ".yml", ".har", ".postman_collection"):
        stem = stem.removesuffix(suffix)
    return stem or "imported"


def _texts(imported: Imported, suite: Path, target: str, source: str) -> dict[Path, str]:
    """Return the text of each file to write, the suite's last, all of them read as a run would.

    A schema that Greenroom would refuse is left out and told.
    """
    folder = suite.name
    for suffix in _SUFFIXES:
        folder = folder.removesuffix(suffix)
    folder = f"{folder}.schemas"
    with tempfile.TemporaryDirectory() as held:
        place = Path(held)
        (place / folder).mkdir()
        files = _kept_schemas(imported, place / folder)
        named = {name: f"{folder}/{file}" for name, (file, _) in files.items()}
        text = suite_text(imported, target, source, named)
        # A target with variables is an address only when they are set.
        read = suite_text(imported, "" if "${" in target else target, source, named)
        parse_suite(read, suite, Contracts(place, place), _variables(imported), _ANY_TARGET)
    beside = {suite.parent / folder / file: schema for file, schema in files.values()}
    return {**beside, suite: text}


def _variables(imported: Imported) -> Variables:
    secrets = {need.name: "1" for need in imported.secrets}
    return Variables(secrets, {need.name: "1" for need in imported.settings}, {}, Redactor())


def _kept_schemas(imported: Imported, folder: Path) -> dict[str, tuple[str, str]]:
    kept = {}
    for name, (file, text) in schema_files(imported.drafts).items():
        (folder / file).write_text(text, encoding="utf-8")
        try:
            load_contract(folder / file, file)
        except SettingsError as error:
            why = str(error).removeprefix(f"{folder / file}: ")
            imported.tally.note(f"{name}: the schema of its answer is left out: {why}")
        else:
            kept[name] = file, text
    return kept


def _write(texts: Mapping[Path, str], *, force: bool) -> None:
    there = [path for path in texts if path.exists() or path.is_symlink()]
    if there and not force:
        raise SettingsError(f"{there[-1]} is there already", hint="give another --out, or --force")
    path = next(iter(texts))
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
    except OSError as error:
        raise ReportFolderError(
            f"{path} could not be written: {error.strerror or error}", hint="give another --out"
        ) from error


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
