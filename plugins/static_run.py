"""Runs a tool of static analysis and reads what it says: the facts that are judged."""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.fingerprints import with_fingerprints
from greenroom.plugins.programs import Ran, find_program, run_program, tool_environment
from greenroom.plugins.shared_cache import SharedCache
from greenroom.plugins.static_custom import OUTPUT
from greenroom.plugins.static_paths import given_paths
from greenroom.plugins.static_text import MOST, Rooted
from greenroom.plugins.static_tools import Tool, Work
from greenroom.validators.errors import ToolError
from greenroom.validators.static import Report, StaticFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from greenroom.plugins.static_custom import Output
    from greenroom.plugins.workplace import Workplace

_VERSION = re.compile(r"\d+(?:\.\d+)+[\w.+-]*")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a tool works: its working folder, the variables that it gets, the size of its output.

    Of the environment a tool gets what every tool needs and ``passed``: nothing else there can
    change what it finds. The project's own configuration files hold, as on a developer's desk.
    """

    folder: str = "."
    passed: tuple[str, ...] = ()
    most: int = MOST


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """A tool of the table, its paths (from the root; files, folders, patterns), its arguments."""

    tool: Tool
    paths: tuple[str, ...] = (".",)
    arguments: tuple[str, ...] = ()
    setting: Setting = Setting()


@dataclass(frozen=True, slots=True)
class CustomOrder:
    """A command; ``output`` is the file that it writes (from the root), or ``-``."""

    command: tuple[str, ...]
    reading: Output
    output: str = "-"
    ok: frozenset[int] = frozenset({0})
    found: frozenset[int] = frozenset({1})
    setting: Setting = Setting()


def observe_static(order: KnownOrder | CustomOrder, place: Workplace) -> StaticFacts:
    """Run the tool and return what it said; raises `ToolError` where that proves nothing."""
    desk = _Desk(place, order.setting)
    name, version, report = (
        _known(order, desk) if isinstance(order, KnownOrder) else _custom(order, desk)
    )
    return StaticFacts(
        tool=name,
        version=version,
        results=with_fingerprints(report.results, place.root),
        examined=report.examined or 0,
        what=report.what,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        problems=report.problems,
    )


class _Desk:
    """Where one tool works."""

    def __init__(self, place: Workplace, setting: Setting) -> None:
        self.place = place
        self.setting = setting
        self.folder = place.path(setting.folder, "folder")
        self.rooted = Rooted(self.folder.absolute(), place.root.absolute())

    def run(self, command: Sequence[str]) -> Ran:
        environ = tool_environment(self.place.environ, self.setting.passed)
        return run_program(
            command,
            folder=self.folder,
            environ=environ,
            until=self.place.until,
            output_most=self.setting.most,
            redactor=self.place.redactor,
        )


def _known(order: KnownOrder, desk: _Desk) -> tuple[str, str, Report]:
    tool = order.tool
    program = str(find_program(tool.name, tool.install, desk.place.environ))
    paths = given_paths(order.paths, tool.globs, desk.place, desk.folder)
    if not paths:
        return tool.name, "", Report((), examined=0)
    placed = tool.placed(desk.folder, paths)

    def run(more: Sequence[str]) -> Ran:
        return desk.run([program, *tool.arguments, *order.arguments, *more, *placed])

    with _asked(program, desk, needed=not tool.versioned) as version:
        ran = run(())
    report = _read(tool.name, ran, tool.ok, tool.found, lambda: tool.read(ran.output, desk.rooted))
    if tool.count is not None:
        report = replace(report, examined=tool.count(Work(ran, paths, run)))
    report = _without_faults(report, tool.faults)
    return tool.name, report.version or version(), report


def _custom(order: CustomOrder, desk: _Desk) -> tuple[str, str, Report]:
    name = Path(order.command[0]).name
    program = order.command[0]
    if "/" not in program:
        hint = "install it, or correct `command:`"
        program = str(find_program(program, hint, desk.place.environ))
    with tempfile.TemporaryDirectory(prefix="greenroom-") as folder:
        fresh = str(Path(folder, "output"))
        given = [word.replace(OUTPUT, fresh) for word in order.command[1:]]
        file = _output_file(order, given, desk, fresh)
        before = _stamp(file)
        ran = desk.run([program, *given])

        def read() -> Report:
            data = ran.output if file is None else _written(file, before, desk.setting.most)
            return order.reading.read(data, desk.rooted, name)

        report = _read(name, ran, order.ok, order.found, read)
    return report.tool, report.version, report


def _read(
    name: str, ran: Ran, ok: frozenset[int], found: frozenset[int], read: Callable[[], Report]
) -> Report:
    """Return the report of a tool that ended well; its exit status and results must agree."""
    if ran.status not in ok | found:
        raise ToolError(f"{name} failed: {ran.words}", hint="run the command by hand")
    try:
        report = read()
    except ToolError as error:
        words = f" ({ran.words})" if ran.status or ran.errors.strip() else ""
        hint = error.hint or "run the command by hand and look at what it writes"
        raise ToolError(f"{name}: {error}{words}", hint=hint) from error
    if ran.status not in ok and not report.results and not report.problems:
        raise ToolError(f"{name} reports no result, but {ran.words}", hint="run it by hand")
    return report


def _without_faults(report: Report, faults: frozenset[str]) -> Report:
    """Make problems of the results by which a tool says that it could not do its work."""
    faulty = [result for result in report.results if result.id in faults]
    return replace(
        report,
        results=tuple(result for result in report.results if result.id not in faults),
        problems=(*report.problems, *(f"{one.id}: {one.message} {one.where}" for one in faulty)),
    )


@contextmanager
def _asked(program: str, desk: _Desk, *, needed: bool) -> Iterator[Callable[[], str]]:
    """Ask for the tool's version meanwhile: some take as long for that as for their work.

    The answer is kept until the program's file changes.
    """
    if not needed:
        yield str
        return
    cache = SharedCache(desk.place.cache / "tool-versions")
    key = (program, *_stamp(Path(program)))
    if isinstance(known := cache.get(key), str):
        yield lambda: known
        return
    with ThreadPoolExecutor(1) as aside:
        # The context tells the thread, too, when the run is called off.
        asked = aside.submit(copy_context().run, desk.run, (program, "--version"))
        yield lambda: _version(asked.result())
        if version := _version(asked.result()):
            cache.put(key, version)


def _version(ran: Ran) -> str:
    found = _VERSION.search(ran.output.decode("utf-8", "replace") + ran.errors)
    return found[0] if found and ran.status == 0 else ""


def _output_file(order: CustomOrder, given: list[str], desk: _Desk, fresh: str) -> Path | None:
    if given != list(order.command[1:]):
        return Path(fresh)
    return None if order.output == "-" else desk.place.root / order.output


def _stamp(file: Path | None) -> tuple[int, ...]:
    """Return what changes when a file is written, empty where there is none."""
    try:
        facts = file.stat() if file is not None else None
    except OSError:
        return ()
    return () if facts is None else (facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)


def _written(file: Path, before: tuple[int, ...], most: int) -> bytes:
    if not file.is_file():
        raise ToolError("it did not write its output file", hint="correct `output:`")
    if _stamp(file) == before:
        raise ToolError(
            "its output file is from an earlier run: this one did not write it",
            hint=f"write {OUTPUT} in `command:` where its file goes",
        )
    if file.stat().st_size > most:
        raise ToolError(f"its output file has more than {most:,} bytes", hint="give `most:`")
    return file.read_bytes()
