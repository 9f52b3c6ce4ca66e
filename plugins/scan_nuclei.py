"""Reads what Nuclei writes: its JSON Lines, and its log, without which no result proves nothing.

Nuclei writes a line for each match, so that an empty file may be a clean service or no scan at all.
Two things tell: the log of a run with ``-stats-json`` (standard error: how many requests, how many
of them failed, and that the scan was completed), or a file written with ``-matcher-status``, which
has a line for each template that did not match, too. The counts of the log need not reach 100 % in
a scan that is complete (a known fault of Nuclei); so its last words decide.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.scan_results import (
    Rated,
    Spot,
    cwe_of,
    number_of,
    once,
    scan_result,
    split,
)
from greenroom.plugins.static_text import listing, mapping, read_json_lines, text
from greenroom.validators.errors import ToolError
from greenroom.validators.static import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.result import Result

_COMPLETED = re.compile(r"Scan completed in \S+ (\d+) match")
_SKIPPED = re.compile(r"Skipped (\S+) .*unresponsive")
_VERSION = re.compile(r"[Nn]uclei (?:[Ee]ngine )?(?:[Vv]ersion:? )?v?(\d+\.\d+\.\d+)")
_SHOWN = 3
_SCORE_MOST = 10


@dataclass(frozen=True, slots=True)
class _Log:
    """What a log tells; ``answered`` and ``matches`` are None where it does not say."""

    answered: int | None = None
    requests: int = 0
    matches: int | None = None
    started: str = ""
    version: str = ""
    skipped: tuple[str, ...] = ()

    @property
    def problems(self) -> Iterator[str]:
        """What was not done."""
        if self.matches is None:
            yield "the log does not say that the scan was completed"
        if self.skipped:
            yield f"gave up {', '.join(self.skipped)}: unresponsive"


def read_nuclei(data: bytes, log: str, target: str) -> tuple[Report, str]:
    """Return what a scan found, and when it says that it began (ISO 8601)."""
    lines = [mapping(line) for line in read_json_lines(data)] if data.strip() else []
    if any(not text(line.get("template-id")) for line in lines):
        raise ToolError("a line of the report is no result of Nuclei", hint="write it with -jsonl")
    told = _read_log(log)
    decided = [line for line in lines if not text(line.get("error"))]
    matched = [line for line in decided if line.get("matcher-status") is not False]
    if told.answered is None and len(matched) == len(lines):
        raise ToolError(
            "the report does not tell whether Nuclei examined anything",
            hint="run it with -stats -stats-json and give its standard error as `log:`",
        )
    if told.requests and not told.answered:
        raise ToolError(
            f"none of Nuclei's {told.requests:,} requests was answered", hint="is the target up?"
        )
    report = Report(
        results=once(map(_result, matched)),
        problems=tuple(_problems(lines, matched, told, target)),
        tool="nuclei",
        version=told.version,
        examined=len(decided) if told.answered is None else told.answered,
        what="templates" if told.answered is None else "requests",
    )
    return report, told.started or text(lines[-1].get("timestamp") if lines else "")


def _problems(
    lines: list[dict[str, Any]], matched: list[dict[str, Any]], told: _Log, target: str
) -> Iterator[str]:
    others = {host for line in lines if (host := _host(line)) and host != split(target).hostname}
    if others:
        yield f"results of another host: {', '.join(sorted(others)[:_SHOWN])}"
    errors = [text(line.get("error")) for line in lines if text(line.get("error"))]
    if errors:
        yield f"{len(errors):,} templates were not decided: {errors[0]}"
    if told.answered is None:
        return
    yield from told.problems
    if told.matches is not None and told.matches != len(matched):
        yield f"the log tells of {told.matches:,} matches, the report holds {len(matched):,}"


def _read_log(log: str) -> _Log:
    stats = [one for line in log.splitlines() if (one := _stats(line))]
    completed, version = _COMPLETED.search(log), _VERSION.search(log)
    last = stats[-1] if stats else {}
    requests = number_of(text(last.get("requests")))
    return _Log(
        answered=max(0, requests - number_of(text(last.get("errors")))) if stats else None,
        requests=requests,
        matches=number_of(completed[1]) if completed else None,
        started=text(last.get("startedAt")),
        version=version[1] if version else "",
        skipped=tuple(_SKIPPED.findall(log)),
    )


def _stats(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        found = mapping(json.loads(line))
    except (ValueError, RecursionError):
        return {}
    return found if {"requests", "templates"} <= set(found) else {}


def _host(line: dict[str, Any]) -> str:
    host = text(line.get("host")) or text(line.get("url"))
    return split(host if "://" in host else f"//{host}").hostname or ""


def _result(line: dict[str, Any]) -> Result:
    info = mapping(line.get("info"))
    known = mapping(info.get("classification"))
    identity, matcher = text(line.get("template-id")), text(line.get("matcher-name"))
    rated = Rated(
        text(info.get("severity")),
        cwe_of(_first(known.get("cwe-id"))),
        _first(info.get("reference")),
        text(info.get("remediation")),
        _score(known.get("cvss-score")),
    )
    name = text(info.get("name"))
    spot = Spot(text(line.get("matched-at")) or text(line.get("url")), key=matcher)
    return scan_result("nuclei", identity, f"{name}: {matcher}" if matcher else name, rated, spot)


def _score(value: object) -> float | None:
    """Return a CVSS base score, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _SCORE_MOST else None


def _first(value: object) -> str:
    """Return the first of a list of texts, or a text."""
    return text(next(iter(listing(value)), "")) if isinstance(value, list) else text(value)
