"""Runs a project's tests with its own runner, and reads what the runner reported."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from greenroom.plugins.changed_lines import changed_lines
from greenroom.plugins.coverage_read import CoverageForm, read_coverage
from greenroom.plugins.junit_read import read_junit
from greenroom.plugins.programs import run_program, tool_environment
from greenroom.plugins.report_files import ReportFiles
from greenroom.plugins.source_tree import SourceTree
from greenroom.validators.coverage import measure_changes
from greenroom.validators.unit import Ending, UnitRun

if TYPE_CHECKING:
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.coverage import ChangedCoverage, Changes, Coverage
    from greenroom.validators.unit import TestRun

_TEST_FILE = re.compile(
    r"(^|[/._-])(tests?|specs?|__tests__|conftest|e2e)([/._-]|$)|(Tests?|Spec|IT)\.[A-Za-z]+$"
)
_WORDS_MOST = 600


@dataclass(frozen=True, slots=True)
class CoveragePlan:
    """Which coverage reports the run writes, and against what its changed lines are found.

    ``base`` is a revision of git, empty where no changed lines are asked for; ``unmeasured`` are
    patterns of files that may change without being in the report.
    """

    files: tuple[str, ...]
    form: CoverageForm = CoverageForm.AUTO
    base: str = ""
    unmeasured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """A runner's command and where it reports; ``folder`` and all patterns start at the root.

    ``passed`` are names of environment variables that the runner gets beside the usual ones; ``ok``
    are the exit statuses of a runner that came to its end.
    """

    command: tuple[str, ...]
    junit: tuple[str, ...]
    folder: str = "."
    coverage: CoveragePlan | None = None
    ok: tuple[int, ...] = (0,)
    passed: tuple[str, ...] = ()


def observe_unit(plan: UnitPlan, place: Workplace) -> UnitRun:
    """Run the tests and read their reports.

    Raises `ToolError` where the runner cannot start or does not end in time, `SettingsError` where
    the folder does not exist.
    """
    folder = place.path(plan.folder, "unit.folder")
    reports = ReportFiles.before_start(place.root, plan.junit)
    measured = None if plan.coverage is None else plan.coverage.files
    measures = None if measured is None else ReportFiles.before_start(place.root, measured)
    ran = run_program(
        plan.command,
        folder=folder,
        environ=tool_environment(place.environ, plan.passed),
        until=place.until,
        redactor=place.redactor,
    )
    tree = SourceTree(place.root, folder)
    observed = UnitRun(
        tool=PurePosixPath(plan.command[0]).name,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        tests=_tests(reports, tree, place),
        ending=Ending(ran.status, place.redactor.excerpt(ran.words, _WORDS_MOST), plan.ok),
    )
    if plan.coverage is None or measures is None:
        return observed
    return _with_coverage(observed, plan.coverage, _coverage(plan.coverage, measures, tree), place)


def _tests(reports: ReportFiles, tree: SourceTree, place: Workplace) -> TestRun:
    written = reports.written()
    run = read_junit(written.paths, tree, place.redactor)
    return replace(run, problems=(*written.problems, *run.problems))


def _coverage(plan: CoveragePlan, measures: ReportFiles, tree: SourceTree) -> Coverage:
    written = measures.written()
    coverage = read_coverage(written.paths, tree, plan.form)
    return replace(coverage, problems=(*written.problems, *coverage.problems))


def _with_coverage(
    observed: UnitRun, plan: CoveragePlan, coverage: Coverage, place: Workplace
) -> UnitRun:
    if not plan.base:
        return replace(observed, coverage=coverage)
    changes = changed_lines(plan.base, place)
    changed = _changed(coverage, changes, plan.unmeasured)
    return replace(observed, coverage=coverage, changes=changes, changed=changed)


def _changed(coverage: Coverage, changes: Changes, may_be: tuple[str, ...]) -> ChangedCoverage:
    """Match the changes; a changed file of a measured language that is in no report is missing."""
    known = {file.file for file in coverage.files}
    endings = {PurePosixPath(name).suffix for name in known} - {""}
    missing = tuple(
        name
        for name in sorted(changes.lines)
        if name not in known
        and PurePosixPath(name).suffix in endings
        and not _TEST_FILE.search(name)
        and not any(fnmatchcase(name, pattern) for pattern in may_be)
    )
    return measure_changes(coverage, changes, missing)
