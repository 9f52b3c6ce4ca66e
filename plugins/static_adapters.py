"""Reads what tools write in words of their own: each function makes a `Report` of one output.

The shapes are those of bandit 1.9, cfn-lint 1.58, mypy 2.4, shellcheck 0.11, semgrep 1.182,
checkov 3.3 and cfn-guard 3.1, each looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from greenroom.plugins.sarif import report_of
from greenroom.plugins.static_text import (
    decode,
    listing,
    mapping,
    read_json,
    required_list,
    text,
    whole,
)
from greenroom.validators.errors import ToolError
from greenroom.validators.result import Level, Location, Result, State
from greenroom.validators.static import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.static_text import Rooted

LEVELS = {
    **dict.fromkeys(("error", "critical", "high", "blocker", "fatal"), Level.ERROR),
    **dict.fromkeys(("warning", "warn", "medium", "moderate", "major"), Level.WARNING),
    **dict.fromkeys(("note", "info", "informational", "style", "low", "minor"), Level.NOTE),
}
"""What tools call their levels, in small letters."""
_MYPY = re.compile(
    r"(?P<file>.+?):(?P<line>\d+):(?:(?P<column>\d+):)?(?:(?P<end>\d+):\d+:)? "
    r"(?P<level>error|warning|note): (?P<message>.*?)(?:  \[(?P<code>[a-z0-9-]+)\])?"
)
_CHECKED = re.compile(r"(?:no issues found in|\(checked) (\d+) source files?\)?\s*\Z")
_GUARD_PLACE = re.compile(r"\[L:(\d+),C:(\d+)\]")


def read_bandit(data: bytes, rooted: Rooted) -> Report:
    """Read bandit's SARIF; its metrics name each file, also those that it could not parse."""
    log = mapping(read_json(data))
    report = report_of(log, rooted)
    files: set[str] = set()
    for run in map(mapping, listing(log.get("runs"))):
        files |= set(mapping(mapping(run.get("properties")).get("metrics"))) - {"_totals"}
    examined = max(0, len(files) - len(report.problems))
    return Report(report.results, report.problems, report.tool, report.version, examined)


def read_cfn_lint(data: bytes, rooted: Rooted) -> Report:
    """Read cfn-lint's JSON (its SARIF needs an extra, and leaves the level of warnings out)."""
    matches = required_list(read_json(data), "list of matches")
    return Report(tuple(_cfn_result(mapping(one), rooted) for one in matches), tool="cfn-lint")


def _cfn_result(match: dict[str, Any], rooted: Rooted) -> Result:
    rule, place = mapping(match.get("Rule")), mapping(match.get("Location"))
    start, end = mapping(place.get("Start")), mapping(place.get("End"))
    location = Location(
        rooted.file(text(match.get("Filename"))),
        whole(start.get("LineNumber")),
        whole(start.get("ColumnNumber")),
        whole(end.get("LineNumber")),
    )
    level, message = text(match.get("Level")), text(match.get("Message"))
    link = text(rule.get("Source"))
    return _result(text(rule.get("Id")), message, level, "cfn-lint", location, link=link)


def read_mypy(data: bytes, rooted: Rooted) -> Report:
    """Read mypy's plain lines: only these end with a line that says how many files it checked."""
    said = decode(data)
    checked = _CHECKED.search(said)
    if checked is None:
        last = said.strip().splitlines()[-1]
        raise ToolError(f"mypy does not say that it checked any file: {last}")
    found = (_MYPY.fullmatch(line) for line in said.splitlines())
    results = tuple(_mypy_result(one, rooted) for one in found if one)
    return Report(results, tool="mypy", examined=int(checked[1]))


def _mypy_result(found: re.Match[str], rooted: Rooted) -> Result:
    code = found["code"] or "misc"
    location = Location(
        rooted.file(found["file"]),
        int(found["line"]),
        int(found["column"] or 0),
        int(found["end"] or 0),
    )
    link = f"https://mypy.readthedocs.io/en/stable/_refs.html#code-{code}" if found["code"] else ""
    return _result(code, found["message"], found["level"], "mypy", location, link=link)


def read_shellcheck(data: bytes, rooted: Rooted) -> Report:
    """Read shellcheck's ``json1``."""
    comments = required_list(mapping(read_json(data)).get("comments"), "comments")
    return Report(tuple(_shell_result(mapping(one), rooted) for one in comments), tool="shellcheck")


def _shell_result(comment: dict[str, Any], rooted: Rooted) -> Result:
    code = f"SC{text(comment.get('code'))}"
    location = Location(
        rooted.file(text(comment.get("file"))),
        whole(comment.get("line")),
        whole(comment.get("column")),
        whole(comment.get("endLine")),
    )
    link = f"https://www.shellcheck.net/wiki/{code}"
    level, message = text(comment.get("level")), text(comment.get("message"))
    return _result(code, message, level, "shellcheck", location, link=link)


def read_semgrep(data: bytes, rooted: Rooted) -> Report:
    """Read semgrep's JSON, which lists the files that it scanned; what it skipped is a problem."""
    log = mapping(read_json(data))
    results = required_list(log.get("results"), "results")
    errors = map(mapping, required_list(log.get("errors"), "errors"))
    scanned = required_list(mapping(log.get("paths")).get("scanned"), "paths.scanned")
    return Report(
        tuple(_semgrep_result(mapping(one), rooted) for one in results),
        tuple(f"{text(one.get('path'))}: {text(one.get('message'))}".strip(": ") for one in errors),
        "semgrep",
        text(log.get("version")),
        len(scanned),
    )


def _semgrep_result(found: dict[str, Any], rooted: Rooted) -> Result:
    extra, start = mapping(found.get("extra")), mapping(found.get("start"))
    location = Location(
        rooted.file(text(found.get("path"))),
        whole(start.get("line")),
        whole(start.get("col")),
        whole(mapping(found.get("end")).get("line")),
    )
    link = text(mapping(extra.get("metadata")).get("source"))
    identity, level = text(found.get("check_id")), text(extra.get("severity"))
    return _result(identity, text(extra.get("message")), level, "semgrep", location, link=link)


def read_checkov(data: bytes, rooted: Rooted) -> Report:
    """Read checkov's JSON: one object, or a list with one for each framework."""
    log = read_json(data)
    parts = [mapping(part) for part in (log if isinstance(log, list) else [log])]
    # Where it found nothing to do it writes the bare summary.
    summaries = [mapping(part.get("summary", part)) for part in parts]
    if not all("checkov_version" in summary for summary in summaries):
        raise ToolError("checkov's output has no summary: it did not run to its end")
    counted = ("passed", "failed", "skipped")
    return Report(
        tuple(result for part in parts for result in _checkov_results(part, rooted)),
        tuple(
            f"{file}: not parsed"
            for part in parts
            for file in map(text, listing(mapping(part.get("results")).get("parsing_errors")))
        ),
        "checkov",
        text(summaries[0].get("checkov_version")) if summaries else "",
        sum(whole(summary.get(name)) for summary in summaries for name in counted),
        "checks",
    )


def _checkov_results(part: dict[str, Any], rooted: Rooted) -> Iterator[Result]:
    results = mapping(part.get("results"))
    for check in map(mapping, listing(results.get("failed_checks"))):
        yield _checkov_result(check, rooted, State.OPEN)
    for check in map(mapping, listing(results.get("skipped_checks"))):
        yield _checkov_result(check, rooted, State.WAIVED)


def _checkov_result(check: dict[str, Any], rooted: Rooted, state: State) -> Result:
    lines = [whole(line) for line in listing(check.get("file_line_range"))]
    name = text(check.get("file_abs_path")) or text(check.get("file_path")).lstrip("/")
    location = Location(rooted.file(name), lines[0] if lines else 0, 0, lines[-1] if lines else 0)
    message = f"{text(check.get('check_name'))} ({text(check.get('resource'))})"
    level = text(check.get("severity")) or "error"
    identity, link = text(check.get("check_id")), text(check.get("guideline"))
    found = _result(identity, message, level, "checkov", location, link=link)
    if state is State.OPEN:
        return found
    why = text(mapping(check.get("check_result")).get("suppress_comment")) or "skipped in the file"
    return Result(
        found.id, message, found.level, found.severity, "checkov", location, state=state, why=why
    )


def read_cfn_guard(data: bytes, rooted: Rooted) -> Report:
    """Read cfn-guard's structured JSON; a template to which no rule applied was not examined."""
    files = [mapping(one) for one in required_list(read_json(data), "list of templates")]
    return Report(
        tuple(result for one in files for result in _guard_results(one, rooted)),
        tool="cfn-guard",
        examined=sum(text(one.get("status")) in {"PASS", "FAIL"} for one in files),
        what="templates",
    )


def _guard_results(template: dict[str, Any], rooted: Rooted) -> Iterator[Result]:
    file = rooted.file(text(template.get("name")))
    for item in listing(template.get("not_compliant")):
        rule = mapping(mapping(item).get("Rule"))
        said = [one for check in listing(rule.get("checks")) for one in _guard_messages(check)]
        for message in said or ["not compliant"]:
            place = _GUARD_PLACE.search(message)
            line, column = (int(place[1]), int(place[2])) if place else (0, 0)
            location = Location(file, line, column)
            yield _result(text(rule.get("name")), message, "error", "cfn-guard", location)


def _guard_messages(check: object) -> Iterator[str]:
    """Return the words of each clause, however deep its block lies."""
    for key, value in mapping(check).items():
        if key == "messages":
            said = mapping(value)
            words = (text(said.get("custom_message")), text(said.get("error_message")))
            if joined := ": ".join(filter(None, words)):
                yield joined
        elif isinstance(value, list):
            for one in value:
                yield from _guard_messages(one)
        else:
            yield from _guard_messages(value)


def level_of(name: str) -> Level:
    """Return the level that a tool's word stands for; one that nobody knows is a warning."""
    return LEVELS.get(name.lower(), Level.WARNING)


def _result(  # noqa: PLR0913 - the facts that every tool gives
    identity: str, message: str, level: str, tool: str, location: Location, *, link: str = ""
) -> Result:
    meant = level_of(level)
    return Result(identity, message, meant, meant.severity, tool, location, link=link)
