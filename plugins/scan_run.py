"""Runs scanners against the target: the facts that are judged."""

from __future__ import annotations

import socket
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.allowed import Traffic
from greenroom.plugins.programs import Ran, find_program, run_program, tool_environment
from greenroom.plugins.scan_tools import SCHEMA, Aim, Scanner
from greenroom.plugins.static_text import MOST
from greenroom.validators.errors import ServiceError, ToolError
from greenroom.validators.static import StaticFacts

if TYPE_CHECKING:
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.static import Report

ROOT = "{root}"
"""In an argument of a scanner it stands for the root folder: the tool works in an empty one."""
_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class ToolOrder:
    """A scanner of the table, the path below the target, its document and further arguments."""

    scanner: Scanner
    at: str = ""
    schema: str = SCHEMA
    arguments: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    most: int = MOST


def observe_tool(order: ToolOrder, place: Workplace) -> StaticFacts:
    """Run a scanner against the target, which must answer before and after it."""
    place.site.allow.require(Traffic.SECURITY, place.site.base)
    with tempfile.TemporaryDirectory(prefix="greenroom-") as folder:
        report = Path(folder, "report")
        work = Path(folder, "work")
        work.mkdir()
        aim = Aim(place.site.base, order.at, _schema(order, place), str(report))
        _answers(aim, place, "before the scan")
        ran = _scan(order, aim, place, work)
        _answers(aim, place, "after the scan: it may have died of it")
        read = _read_scan(order, ran, report, aim)
    return facts_of(read, order.scanner.name)


def _schema(order: ToolOrder, place: Workplace) -> str:
    if order.schema.startswith("/"):
        return f"{place.site.base}{order.schema}"
    return str(place.path(order.schema, "schema").absolute())


def _scan(order: ToolOrder, aim: Aim, place: Workplace, folder: Path) -> Ran:
    scanner = order.scanner
    arguments = [word.replace(ROOT, str(place.root.absolute())) for word in order.arguments]
    command = [*scanner.before(aim), *arguments, *scanner.after(aim)]
    return run_program(
        [_program(scanner, place), *command],
        folder=folder,
        environ=tool_environment(place.environ, order.passed, HOME=str(folder)),
        until=place.until,
        output_most=order.most,
        redactor=place.redactor,
    )


def _program(scanner: Scanner, place: Workplace) -> str:
    for name in scanner.programs[:-1]:
        try:
            return str(find_program(name, scanner.install, place.environ))
        except ToolError:
            continue
    return str(find_program(scanner.programs[-1], scanner.install, place.environ))


def _read_scan(order: ToolOrder, ran: Ran, file: Path, aim: Aim) -> Report:
    name = order.scanner.name
    if ran.status not in order.scanner.statuses:
        raise ToolError(f"{name} failed: {ran.words}", hint="run the command by hand")
    if not file.is_file():
        raise ToolError(f"{name} wrote no report: {ran.words}", hint="run the command by hand")
    data = content_of(file, order.most)
    try:
        report = order.scanner.read(data, ran, aim.target)
    except ToolError as error:
        hint = error.hint or "run the command by hand and look at what it writes"
        why = str(error) if name in str(error) else f"{name}: {error}"
        raise ToolError(why, hint=hint) from error
    if ran.status and not report.results and not report.problems and report.examined:
        raise ToolError(f"{name} reports no result, but {ran.words}", hint="run it by hand")
    return report


def _answers(aim: Aim, place: Workplace, when: str) -> None:
    host, port = aim.place
    seconds = min(_CONNECT_S, max(place.until - time.monotonic(), 0.001))
    try:
        socket.create_connection((host, port), seconds).close()
    except OSError as error:
        raise ServiceError(
            f"{host}:{port} accepts no connection {when}: {error.strerror or error}",
            hint="is it started, and may it be reached from here?",
        ) from error


def content_of(file: Path, most: int) -> bytes:
    """Return what a file holds; raises `ToolError` for more than ``most`` bytes."""
    try:
        if file.stat().st_size > most:
            raise ToolError(f"{file.name} has more than {most:,} bytes", hint="give `most:`")
        return file.read_bytes()
    except OSError as error:
        raise ToolError(
            f"{file.name} cannot be read: {error.strerror}", hint="correct it"
        ) from error


def facts_of(report: Report, tool: str) -> StaticFacts:
    """Return the facts of a report that was read now."""
    return StaticFacts(
        tool=tool,
        version=report.version,
        results=report.results,
        examined=report.examined or 0,
        what=report.what,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        problems=report.problems,
        notes=report.notes,
    )
