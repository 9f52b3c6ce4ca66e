"""What a coverage report measured, and of which changed lines, as metrics for thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANGED = "changed_coverage"
COVERAGE_METRICS = ("coverage", "branch_coverage", CHANGED)


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """One file, by its path from the project's root, and its measurable lines, from 1.

    Of ``branches`` ``branches_covered`` were taken.
    """

    file: str
    covered: frozenset[int]
    missed: frozenset[int]
    branches: int = 0
    branches_covered: int = 0

    @property
    def lines(self) -> int:
        """How many lines can be measured."""
        return len(self.covered) + len(self.missed)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A whole report; ``problems`` are why it proves nothing, ``form`` is its format's name."""

    form: str
    files: tuple[FileCoverage, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        """How many lines of all files can be measured."""
        return sum(file.lines for file in self.files)

    def metrics(self) -> dict[str, Metric]:
        """Return coverage and branch_coverage; without lines or branches they have no samples."""
        covered = sum(len(file.covered) for file in self.files)
        taken = sum(file.branches_covered for file in self.files)
        return {
            "coverage": _share(covered, self.lines),
            "branch_coverage": _share(taken, sum(file.branches for file in self.files)),
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """The lines that differ from ``base``, by file, blank ones left out.

    ``problem`` is why they could not be found; then nothing is known of them.
    """

    base: str
    lines: Mapping[str, frozenset[int]]
    problem: str = ""

    @property
    def amount(self) -> int:
        """How many lines differ."""
        return sum(map(len, self.lines.values()))


@dataclass(frozen=True, slots=True)
class ChangedCoverage:
    """The changed lines that can be measured, and how many of them ran.

    ``unmeasured`` are changed files that the report should hold and does not, with their changed
    lines: they count as lines that did not run.
    """

    covered: int
    lines: int
    unmeasured: tuple[tuple[str, int], ...] = ()

    @property
    def metric(self) -> Metric:
        """The share of the changed lines that ran."""
        return _share(self.covered, self.lines)


def measure_changes(
    coverage: Coverage, changes: Changes, unmeasured: tuple[str, ...]
) -> ChangedCoverage:
    """Match ``changes`` with what was measured.

    ``unmeasured`` are the changed files that the report should hold and does not.
    """
    measured = {file.file: file for file in coverage.files}
    covered = lines = 0
    for name, changed in changes.lines.items():
        if file := measured.get(name):
            covered += len(changed & file.covered)
            lines += len(changed & (file.covered | file.missed))
    absent = tuple((name, len(changes.lines[name])) for name in unmeasured if changes.lines[name])
    return ChangedCoverage(covered, lines + sum(count for _, count in absent), absent)


def _share(part: int, whole: int) -> Metric:
    return Metric(part / whole if whole else 0.0, Dimension.RATIO, whole)
