"""Takes in the reports of scanners that others ran: the facts that are judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.allowed import Traffic
from greenroom.plugins.fingerprints import with_fingerprints
from greenroom.plugins.programs import Ran, find_program, run_program, tool_environment
from greenroom.plugins.report_files import ReportFiles
from greenroom.plugins.scan_nuclei import read_nuclei
from greenroom.plugins.scan_run import content_of, facts_of
from greenroom.plugins.scan_zap import read_zap
from greenroom.plugins.static_text import MOST, Rooted
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from greenroom.plugins.static_custom import Output
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.static import Report, StaticFacts

_AHEAD = timedelta(minutes=5)
"""How far another machine's clock may be ahead of ours."""


class Written(StrEnum):
    """Formats of reports that hold their own proof."""

    ZAP = "zap"
    """ZAP's traditional JSON, or its SARIF JSON."""
    NUCLEI = "nuclei"
    """Nuclei's JSON Lines, with its log."""


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """A report (a file, from the root), how it is read, and why it is believed to be of this run.

    Either ``command`` writes it, or it is at most ``within_s`` seconds old. ``log`` is the file of
    what the tool said on standard error.
    """

    report: str
    reading: Written | Output
    within_s: float = 0.0
    command: tuple[str, ...] = ()
    ok: frozenset[int] = frozenset({0})
    passed: tuple[str, ...] = ()
    log: str = ""
    most: int = MOST


def observe_report(order: ReportOrder, place: Workplace) -> StaticFacts:
    """Read a report that others wrote, or that the check's command writes, if it is of this run."""
    now = datetime.now(UTC)
    if order.command:
        file, ran = _commanded(order, place)
        oldest = now - _AHEAD
        said = ran.errors
    else:
        file = place.path(order.report, "report")
        oldest = now - timedelta(seconds=order.within_s)
        _young(file, oldest, order.report)
        said = ""
    log = said
    if order.log:
        path = place.path(order.log, "log")
        _young(path, oldest, order.log)
        log = content_of(path, order.most).decode("utf-8", "replace")
    report, made = _read_report(order, content_of(file, order.most), log, place)
    _made(made, oldest, order.report)
    return facts_of(_known(report, place), report.tool or Path(order.report).stem)


def _commanded(order: ReportOrder, place: Workplace) -> tuple[Path, Ran]:
    place.site.allow.require(Traffic.SECURITY, place.site.base)
    reports = ReportFiles.before_start(place.root, (order.report,))
    program = order.command[0]
    if "/" not in program:
        hint = "install it, or correct `command:`"
        program = str(find_program(program, hint, place.environ))
    ran = run_program(
        [program, *order.command[1:]],
        folder=place.root,
        environ=tool_environment(place.environ, order.passed),
        until=place.until,
        output_most=order.most,
        redactor=place.redactor,
    )
    if ran.status not in order.ok:
        name = Path(program).name
        raise ToolError(
            f"{name} failed: {ran.words}", hint="an exit status that is fine goes to `ok:`"
        )
    written = reports.written()
    if written.problems or len(written.paths) != 1:
        why = "; ".join(written.problems) or f"{len(written.paths)} files are {order.report}"
        raise ToolError(why, hint="`report:` is the one file that the command writes")
    return written.paths[0], ran


def _read_report(order: ReportOrder, data: bytes, log: str, place: Workplace) -> tuple[Report, str]:
    root = place.root.absolute()
    rooted = Rooted(root, root)
    try:
        match order.reading:
            case Written.ZAP:
                return read_zap(data, rooted, place.site.base)
            case Written.NUCLEI:
                return read_nuclei(data, log, place.site.base)
            case reading:
                return reading.read(data, rooted, Path(order.report).stem), ""
    except ToolError as error:
        hint = error.hint or "write it anew, and look at what is written"
        raise ToolError(f"{order.report}: {error}", hint=hint) from error


def _young(file: Path, oldest: datetime, name: str) -> None:
    """Refuse a file that was last written before ``oldest``."""
    _made(datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(), oldest, name)


def _made(told: str, oldest: datetime, name: str) -> None:
    """Refuse a report that says that it was made before ``oldest``; it need not say when."""
    if not told:
        return
    try:
        made = datetime.fromisoformat(told)
    except ValueError as error:
        raise ToolError(
            f"{name} says that it was made at {told!r}, which is no time", hint="write it anew"
        ) from error
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    if made > datetime.now(UTC) + _AHEAD:
        raise ToolError(
            f"{name} is of {made.isoformat()}: ahead of this machine's clock", hint="set the clocks"
        )
    if made < oldest:
        raise ToolError(
            f"{name} is of {made.isoformat(timespec='seconds')}: not of this run",
            hint="write it anew, or give more time in `within:`",
        )


def _known(report: Report, place: Workplace) -> Report:
    """Give a fingerprint to the results that have none: those of formats of no scanner's own."""
    if all(result.fingerprint for result in report.results):
        return report
    return replace(report, results=with_fingerprints(report.results, place.root))
