"""Reads ``scan:`` of a suite: a scanner is run against the target, or a scanner's report is judged.

Grammar (``?`` optional)::

    scan       = TOOL | {tool: TOOL, at?: PATH, schema?: PATH, arguments?, SHARED}
               | {report: PATH, format: FORMAT, WHEN, log?: PATH, SHARED}
    TOOL       = schemathesis | sslyze | testssl | wapiti
    FORMAT     = zap | nuclei, or sarif | json | json-lines with evidence, results?, fields?
    WHEN       = within: DURATION | command: [TEXT, …], ok?: [STATUS, …]
    SHARED     = environment?: [NAME, …], most?: SIZE, waivers?: PATH
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from greenroom.plugins.scan_report import ReportOrder, Written, observe_report
from greenroom.plugins.scan_run import ToolOrder, observe_tool
from greenroom.plugins.scan_tools import SCANNERS, SCHEMA, Scanner
from greenroom.plugins.static_custom import Format
from greenroom.plugins.static_text import MOST
from greenroom.plugins.suite_limits import read_limits
from greenroom.plugins.suite_proof import read_filled, read_output, read_statuses, read_texts
from greenroom.plugins.suite_yaml import Mapping, Scalar
from greenroom.plugins.waiver_file import read_waivers
from greenroom.validators.result_waiver import waive
from greenroom.validators.static import METRICS, STRICT, judge_static
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from greenroom.plugins.static_custom import Output
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.static import StaticFacts
    from greenroom.validators.threshold import Threshold

SHARED_KEYS = ("environment", "most", "waivers")
TOOL_KEYS = ("tool", "at", "schema", "arguments", *SHARED_KEYS)
OUTPUT_KEYS = ("evidence", "results", "fields")
REPORT_KEYS = (*("report", "format", "within", "command", "ok", "log"), *OUTPUT_KEYS, *SHARED_KEYS)
FORMATS = tuple(one.value for one in (*Written, *Format))


@dataclass(frozen=True, slots=True)
class ScanWork:
    """One scan, what is expected of it, and the file of waivers."""

    order: ToolOrder | ReportOrder
    limits: tuple[Threshold, ...] = STRICT
    waivers: str = ""

    @property
    def alone(self) -> bool:
        """A scanner's traffic would disturb other checks; a report is only read."""
        return isinstance(self.order, ToolOrder) or bool(self.order.command)

    def run(self, place: Workplace) -> Finding:
        """Scan, or read the report, and judge what was found."""
        waivers = read_waivers(place.path(self.waivers, "waivers")) if self.waivers else ()
        facts = self._observe(place)
        waived = waive(facts.results, waivers, place.today)
        facts = replace(facts, results=waived.results, notes=(*facts.notes, *waived.notes))
        finding = judge_static(facts, self.limits)
        if finding.outcome is Outcome.INCONCLUSIVE:
            return replace(finding, advice="look at what the scanner says that it was sent to")
        return finding

    def _observe(self, place: Workplace) -> StaticFacts:
        if isinstance(self.order, ToolOrder):
            return observe_tool(self.order, place)
        return observe_report(self.order, place)


def read_scan(fields: Fields, node: Node, expect: Node | None) -> ScanWork:
    """Read one check; raises `SettingsError` at the place of whatever is wrong."""
    limits = STRICT if expect is None else read_limits(fields, expect, METRICS)
    if isinstance(node, Scalar):
        return ScanWork(ToolOrder(_scanner(fields, node)), limits)
    is_report = isinstance(node, Mapping) and node.get("report") is not None
    found = fields.mapping(node, "scan", REPORT_KEYS if is_report else TOOL_KEYS)
    order = _report(fields, found, node) if is_report else _tool(fields, found, node)
    return ScanWork(order, limits, read_filled(fields, found, "waivers", ""))


def _tool(fields: Fields, found: dict[str, Entry], node: Node) -> ToolOrder:
    if "tool" not in found:
        raise fields.error(node.place, "scan names no tool", "give tool: wapiti, or report: PATH")
    at = read_filled(fields, found, "at", "")
    if at and not at.startswith("/"):
        raise fields.error(found["at"].value.place, "at is no path below the target: /…")
    return ToolOrder(
        _scanner(fields, found["tool"].value),
        at,
        read_filled(fields, found, "schema", SCHEMA),
        read_texts(fields, found, "arguments", ()),
        read_texts(fields, found, "environment", ()),
        _most(fields, found),
    )


def _scanner(fields: Fields, node: Node) -> Scanner:
    name = fields.text(node, "tool")
    if name not in SCANNERS:
        known = ", ".join(SCANNERS)
        hint = f"known: {known}; of others give report and format"
        raise fields.error(node.place, f"unknown scanner {name!r}", hint)
    return SCANNERS[name]


def _report(fields: Fields, found: dict[str, Entry], node: Node) -> ReportOrder:
    if ("within" in found) == ("command" in found):
        raise fields.error(
            node.place,
            "a report needs one of within and command",
            "within: 60m is how old it may be; a command writes it",
        )
    within = found.get("within")
    return ReportOrder(
        report=_below(fields, found, "report"),
        reading=_reading(fields, found, node),
        within_s=0.0 if within is None else fields.seconds(within.value, "within"),
        command=read_texts(fields, found, "command", ()),
        ok=read_statuses(fields, found.get("ok"), 0),
        passed=read_texts(fields, found, "environment", ()),
        log=_below(fields, found, "log"),
        most=_most(fields, found),
    )


def _below(fields: Fields, found: dict[str, Entry], key: str) -> str:
    path = read_filled(fields, found, key, "")
    if path.startswith("/"):
        place = found[key].value.place
        raise fields.error(place, f"{key} is absolute", "paths start at the root folder")
    return path


def _reading(fields: Fields, found: dict[str, Entry], node: Node) -> Written | Output:
    value = fields.required(found, "format", node, "scan")
    name = fields.text(value, "format")
    if name not in FORMATS:
        raise fields.error(value.place, f"unknown format {name!r}", f"known: {', '.join(FORMATS)}")
    if name in set(Format):
        return read_output(fields, found, node, Format(name))
    for key in OUTPUT_KEYS:
        if key in found:
            place = found[key].place
            raise fields.error(place, f"format {name} takes no {key}", "it holds its own proof")
    return Written(name)


def _most(fields: Fields, found: dict[str, Entry]) -> int:
    return fields.octets(found["most"].value, "most") if "most" in found else MOST
