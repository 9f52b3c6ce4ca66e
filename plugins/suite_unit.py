"""The check ``unit``: a project's own tests, run by its own runner, in any language.

Grammar::

    unit:
      command: TEXT | [TEXT, …]          no shell: a text is split as a shell would
      junit: PATTERN | [PATTERN, …]      each must be written by this run
      folder: PATH                       where the command runs; the root
      min_tests: NUMBER                  tests that ran; 1
      ok: [NUMBER, …]                    exit statuses of a run that came to its end; 0
      pass: [NAME, …]                    environment variables that the command gets
      coverage:
        file: PATTERN | [PATTERN, …]
        format: auto | cobertura | jacoco | clover | lcov
        base: REVISION                   of git, for changed_coverage
        unmeasured: [PATTERN, …]         files that may change without being in the report
    expect: THRESHOLD | [THRESHOLD, …]   beside failed == 0 and errors == 0
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from greenroom.plugins.coverage_read import CoverageForm
from greenroom.plugins.suite_limits import read_limits
from greenroom.plugins.suite_yaml import Scalar
from greenroom.plugins.unit_run import CoveragePlan, UnitPlan, observe_unit
from greenroom.validators.coverage import CHANGED, COVERAGE_METRICS
from greenroom.validators.threshold import Dimension
from greenroom.validators.unit import UNIT_METRICS, judge_unit

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.threshold import Threshold

UNIT_KEYS = ("command", "junit", "folder", "min_tests", "ok", "pass", "coverage")
COVERAGE_KEYS = ("file", "format", "base", "unmeasured")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TESTS_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class UnitWork:
    """Runs ``plan`` and judges it; nothing else works meanwhile: runners use every core."""

    plan: UnitPlan
    limits: tuple[Threshold, ...] = ()
    min_tests: int = 1
    alone: bool = True

    def run(self, place: Workplace) -> Finding:
        """Run the tests and judge what they reported."""
        return judge_unit(observe_unit(self.plan, place), self.limits, self.min_tests)


def read_unit(fields: Fields, node: Node, expect: Node | None) -> UnitWork:
    """Read ``unit`` and ``expect``; raises `SettingsError`."""
    entries = fields.mapping(node, "unit", UNIT_KEYS)
    found = {key: entry.value for key, entry in entries.items()}
    limits = () if expect is None else read_limits(fields, expect, UNIT_METRICS)
    coverage = _coverage(fields, found["coverage"]) if "coverage" in found else None
    if expect is not None:
        _refuse_unmeasurable(fields, expect, limits, coverage)
    plan = UnitPlan(
        command=_command(fields, fields.required(entries, "command", node, "unit")),
        junit=_patterns(fields, fields.required(entries, "junit", node, "unit"), "junit"),
        folder=_path(fields, found["folder"], "folder") if "folder" in found else ".",
        coverage=coverage if _asks_changes(limits) or coverage is None else _without_base(coverage),
        ok=_statuses(fields, found["ok"]) if "ok" in found else (0,),
        passed=_names(fields, found["pass"]) if "pass" in found else (),
    )
    least = found.get("min_tests")
    return UnitWork(
        plan, limits, 1 if least is None else fields.whole(least, "min_tests", 1, _TESTS_MOST)
    )


def _coverage(fields: Fields, node: Node) -> CoveragePlan:
    entries = fields.mapping(node, "coverage", COVERAGE_KEYS)
    found = {key: entry.value for key, entry in entries.items()}
    return CoveragePlan(
        files=_patterns(
            fields, fields.required(entries, "file", node, "coverage"), "coverage.file"
        ),
        form=(
            fields.choice(CoverageForm, found["format"], "format")
            if "format" in found
            else CoverageForm.AUTO
        ),
        base=_revision(fields, found["base"]) if "base" in found else "",
        unmeasured=(
            _patterns(fields, found["unmeasured"], "unmeasured") if "unmeasured" in found else ()
        ),
    )


def _refuse_unmeasurable(
    fields: Fields, node: Node, limits: tuple[Threshold, ...], coverage: CoveragePlan | None
) -> None:
    """Refuse limits of what this check does not observe, or in a wrong unit."""
    for limit in limits:
        ratio = limit.metric in COVERAGE_METRICS
        if limit.dimension is not (Dimension.RATIO if ratio else Dimension.COUNT):
            unit = "a limit in %" if ratio else "a plain number"
            raise fields.error(node.place, f"{limit.metric} takes {unit}", f"it is {str(limit)!r}")
        if ratio and coverage is None:
            raise fields.error(node.place, f"{limit.metric} needs coverage: {{file: …}}")
        if limit.metric == CHANGED and coverage is not None and not coverage.base:
            hint = "give the revision to compare with, for example base: origin/main"
            raise fields.error(node.place, f"{CHANGED} needs coverage.base", hint)


def _asks_changes(limits: tuple[Threshold, ...]) -> bool:
    return any(limit.metric == CHANGED for limit in limits)


def _without_base(plan: CoveragePlan) -> CoveragePlan:
    return CoveragePlan(plan.files, plan.form)


def _command(fields: Fields, node: Node) -> tuple[str, ...]:
    if not isinstance(node, Scalar):
        return tuple(fields.filled(item, "command") for item in fields.items(node, "command"))
    try:
        words = shlex.split(fields.filled(node, "command"))
    except ValueError as error:
        raise fields.error(node.place, f"command: {error}", "give it as a list") from None
    if not words:
        raise fields.error(node.place, "command is empty")
    return tuple(words)


def _patterns(fields: Fields, node: Node, what: str) -> tuple[str, ...]:
    listed = (node,) if isinstance(node, Scalar) else fields.items(node, what)
    return tuple(_path(fields, item, what) for item in listed)


def _path(fields: Fields, node: Node, what: str) -> str:
    text = fields.filled(node, what)
    path = PurePosixPath(text)
    if not text or "\0" in text or path.is_absolute() or ".." in path.parts:
        raise fields.error(
            node.place, f"{what} must lie below the root", "write a path without a leading / or .."
        )
    if any("**" in part and part != "**" for part in path.parts):
        raise fields.error(node.place, f"{what}: ** stands for whole folders alone", "a/**/b.xml")
    return text


def _revision(fields: Fields, node: Node) -> str:
    text = fields.filled(node, "base")
    if not text or text.startswith("-") or not text.isprintable():
        raise fields.error(node.place, "base must be a revision of git, such as origin/main")
    return text


def _statuses(fields: Fields, node: Node) -> tuple[int, ...]:
    return tuple(fields.whole(item, "an exit status", 0, 255) for item in fields.items(node, "ok"))


def _names(fields: Fields, node: Node) -> tuple[str, ...]:
    names = []
    for item in fields.items(node, "pass"):
        name = fields.text(item, "a variable's name")
        if not _NAME.fullmatch(name):
            raise fields.error(item.place, f"{name!r} is not an environment variable's name")
        names.append(name)
    return tuple(names)
