"""Tools that the table does not know: what a suite file says of their output."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from greenroom.plugins.sarif import report_of
from greenroom.plugins.static_adapters import level_of
from greenroom.plugins.static_text import mapping, read_json, read_json_lines, text, whole
from greenroom.plugins.workplace import matching
from greenroom.validators.errors import ToolError
from greenroom.validators.result import Level, Location, Result
from greenroom.validators.static import Report

if TYPE_CHECKING:
    from pathlib import Path

    from jsonpath_rfc9535 import JSONPathQuery

    from greenroom.plugins.static_text import Rooted

_NUMBER = re.compile(r"[0-9]{1,9}")
OUTPUT = "{output}"
"""In a command it stands for a file of its own, which the tool is to write."""


class Format(StrEnum):
    """What a tool writes."""

    SARIF = "sarif"
    """SARIF 2.1.0."""
    JSON = "json"
    """One JSON value."""
    JSON_LINES = "json-lines"
    """A JSON value on each line; together they are a list."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How much was examined: files that exist, or what a query finds in the output.

    ``json`` counts what it selects; one whole number counts as itself, one list as its members.
    Fewer than ``least`` proves nothing. What ``skipped`` selects was not examined: a problem.
    """

    what: str
    least: int = 1
    files: tuple[str, ...] = ()
    json: JSONPathQuery | None = None
    skipped: JSONPathQuery | None = None

    def count(self, value: object, root: Path) -> int:
        """Return how much was examined, 0 for less than the least."""
        amount = _counted(self.json, value) if self.json is not None else self._files(root)
        return amount if amount >= self.least else 0

    def problems(self, value: object) -> tuple[str, ...]:
        """Return a text for each thing that was skipped."""
        if self.skipped is None:
            return ()
        return tuple(f"skipped: {str(one)[:200]}" for one in _selected(self.skipped, value))

    def _files(self, root: Path) -> int:
        return len({path for glob in self.files for path in matching(root, glob) if path.is_file()})


@dataclass(frozen=True, slots=True)
class Output:
    """How an output is read; ``results`` and ``fields`` are for JSON that is not SARIF.

    ``fields`` map id, message, file, line and level to the keys of a result.
    """

    format: Format
    proof: Proof
    results: JSONPathQuery | None
    fields: tuple[tuple[str, str], ...]

    def read(self, data: bytes, rooted: Rooted, tool: str) -> Report:
        """Return what the output holds; raises `ToolError` where it cannot be read."""
        value = list(read_json_lines(data)) if self.format is Format.JSON_LINES else read_json(data)
        if self.format is Format.SARIF:
            report = report_of(mapping(value), rooted)
        else:
            report = Report(self._results(value, rooted, tool))
        examined = self.proof.count(value, rooted.root)
        if examined and self.results is not None and not report.results:
            _refuse_missing(self.results, value)
        return Report(
            report.results,
            (*report.problems, *self.proof.problems(value)),
            report.tool or tool,
            report.version,
            examined,
            self.proof.what,
        )

    def _results(self, value: object, rooted: Rooted, tool: str) -> tuple[Result, ...]:
        if self.results is None:
            return ()
        return tuple(self._result(one, rooted, tool) for one in _selected(self.results, value))

    def _result(self, value: object, rooted: Rooted, tool: str) -> Result:
        if not isinstance(value, dict):
            raise ToolError(
                f"a result of {tool} is no object: {str(value)[:80]!r}",
                hint="correct the query `results:`",
            )
        keys = dict(self.fields)
        said = {name: text(value.get(keys.get(name, name))) for name in FIELDS}
        level = level_of(said["level"]) if said["level"] else Level.ERROR
        line = whole(value.get(keys.get("line", "line")))
        location = Location(rooted.file(said["file"]), line) if said["file"] else None
        identity, message = said["id"] or "unnamed", said["message"] or "no message"
        return Result(identity, message, level, level.severity, tool, location)


FIELDS = ("id", "message", "file", "line", "level")
"""What is read of a result; a key of the same name, unless `fields:` says otherwise."""


def _selected(query: JSONPathQuery, value: Any) -> list[object]:  # noqa: ANN401 - a JSON value
    if not isinstance(value, dict | list):
        raise ToolError("the tool's output is neither a JSON object nor a list")
    return list(query.find(value).values())


def _refuse_missing(query: JSONPathQuery, value: object) -> None:
    """Refuse an output that has nowhere the key that ``query`` names: not the same as no result."""
    from jsonpath_rfc9535 import JSONPathQuery  # noqa: PLC0415 - slow to load, and few need it
    from jsonpath_rfc9535.segments import JSONPathChildSegment  # noqa: PLC0415 - as above
    from jsonpath_rfc9535.selectors import NameSelector  # noqa: PLC0415 - as above

    for length, segment in enumerate(query.segments):
        before = JSONPathQuery(env=query.env, segments=query.segments[:length])
        here = JSONPathQuery(env=query.env, segments=query.segments[: length + 1])
        if not _selected(before, value):
            return
        if not _selected(here, value) and isinstance(segment, JSONPathChildSegment):
            names = [one.name for one in segment.selectors if isinstance(one, NameSelector)]
            if names and len(names) == len(segment.selectors):
                raise ToolError(
                    f"the tool's output has no {' or '.join(map(repr, names))}, "
                    f"where the query {query} looks for results",
                    hint=f"correct `results:`; if it may be left out: $..{names[0]}[*]",
                )


def _counted(query: JSONPathQuery, value: object) -> int:
    found = _selected(query, value)
    if query.singular_query() or (len(found) == 1 and isinstance(found[0], int)):
        return sum(map(_amount, found))
    return len(found)


def _amount(value: object) -> int:
    """Return the amount that one value means: a number itself, a list or an object its members."""
    match value:
        case None:
            return 0
        case int():
            return max(0, int(value))
        case list() | dict():
            return len(value)
        case str() if _NUMBER.fullmatch(value):
            return int(value)
    return 1 if str(value).strip() else 0
