"""Runs cfn-lint on CloudFormation templates and reads what it says.

Its exit status alone proves nothing (0 for a template without resources): it counts the templates
that its log says it scanned.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.programs import find_program, run_program, tool_environment
from greenroom.validators.errors import ToolError
from greenroom.validators.result import Level, Location, Result, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from greenroom.plugins.programs import Ran

NAME = "cfn-lint"
_INSTALL = 'pip install cfn-lint, or say "cfn_lint: false" (greenroom lint: --no-cfn-lint)'
_SCANNED = re.compile(r" - INFO - Run scan of template (.+)$", re.MULTILINE)
_STATUSES = frozenset(range(0, 16, 2))
_FAULTS = frozenset({"E0002", "E0003"})
"""Its own crash and its own configuration: no results of a template."""
_LEVELS = {"Error": Level.ERROR, "Warning": Level.WARNING, "Informational": Level.NOTE}


@dataclass(frozen=True, slots=True)
class CfnLinted:
    """What cfn-lint reported of how many templates; ``problems`` are what it could not do."""

    results: tuple[Result, ...]
    problems: tuple[str, ...]
    examined: int
    version: str


def run_cfn_lint(
    files: Sequence[str], root: Path, environ: Mapping[str, str], until: float
) -> CfnLinted:
    """Lint ``files`` (from ``root``) until ``until`` (monotonic seconds); raises `ToolError`."""
    program = str(find_program(NAME, _INSTALL, environ))
    ran = run_program(
        [program, "--info", "--format", "json", "--", *files],
        folder=root,
        environ=tool_environment(environ),
        until=until,
    )
    version = run_program(
        [program, "--version"], folder=root, environ=tool_environment(environ), until=until
    )
    return read_cfn_lint(ran, version.words.split()[-1])


def read_cfn_lint(ran: Ran, version: str) -> CfnLinted:
    """Read what a run of cfn-lint wrote; raises `ToolError` where that is no answer."""
    if ran.status not in _STATUSES:
        raise ToolError(f"cfn-lint failed: {ran.words}", hint="run cfn-lint by hand")
    try:
        matches = json.loads(ran.output)
        results = tuple(_result(match) for match in matches)
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(
            f"cfn-lint's output cannot be read: {error!r}", hint="run cfn-lint by hand"
        ) from error
    if ran.status and not results:
        raise ToolError(f"cfn-lint reports nothing, but {ran.words}", hint="run cfn-lint by hand")
    return CfnLinted(
        tuple(result for result in results if result.id not in _FAULTS),
        tuple(f"{one.id}: {one.message}" for one in results if one.id in _FAULTS),
        len(set(_SCANNED.findall(ran.errors)) - {"None"}),
        version,
    )


def _result(match: dict[str, Any]) -> Result:
    level = _LEVELS[match["Level"]]
    start, end = match["Location"]["Start"], match["Location"]["End"]
    file, rule, message = match["Filename"] or "", match["Rule"]["Id"], match["Message"]
    path = "/".join(map(str, match["Location"].get("Path") or ()))
    return Result(
        id=rule,
        message=message,
        level=level,
        severity=level.severity,
        tool=NAME,
        location=Location(file, start["LineNumber"], start["ColumnNumber"], end["LineNumber"]),
        link=match["Rule"]["Source"],
        fingerprint=fingerprint_of(rule, file, path, message),
    )
