"""Reads the checks of static analysis in suite files, and does them.

Grammar (``?`` optional)::

    static     = TOOL | {tool: TOOL, paths?, arguments?, SHARED} | {command, CUSTOM, SHARED}
    TOOL       = ruff | bandit | … (`greenroom.plugins.static_tools.KNOWN`)
    paths      = [PATH or pattern, …]             ? the folder
    arguments  = [TEXT, …]
    SHARED     = folder?, environment?: [NAME, …], most?: SIZE, baseline?: PATH, waivers?: PATH
    command    = [TEXT, …]
    CUSTOM     = format: sarif | json | json-lines, evidence, output?: PATH | -, ok?: [STATUS, …],
                 findings?: [STATUS, …], results?: JSONPATH, fields?: {id | message | …: KEY}
    evidence   = {json: JSONPATH or files: [PATTERN, …], least?, what?, skipped?: JSONPATH}
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from greenroom.plugins.baseline import read_baseline
from greenroom.plugins.static_custom import Format
from greenroom.plugins.static_run import CustomOrder, KnownOrder, Setting, observe_static
from greenroom.plugins.static_text import MOST
from greenroom.plugins.static_tools import KNOWN, Tool
from greenroom.plugins.suite_limits import read_limits
from greenroom.plugins.suite_proof import (
    read_filled,
    read_output,
    read_statuses,
    read_texts,
)
from greenroom.plugins.suite_yaml import Mapping, Scalar
from greenroom.plugins.waiver_file import read_waivers
from greenroom.validators.result_waiver import waive
from greenroom.validators.static import METRICS, STRICT, judge_static, with_known

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.static import StaticFacts
    from greenroom.validators.threshold import Threshold

SHARED_KEYS = ("folder", "environment", "most", "baseline", "waivers")
TOOL_KEYS = ("tool", "paths", "arguments", *SHARED_KEYS)
CUSTOM_KEYS = (
    *("command", "format", "evidence", "output", "ok", "findings", "results", "fields"),
    *SHARED_KEYS,
)
_MOST_MOST = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StaticWork:
    """One run of a tool, what is expected of it, and the files of results that do not count."""

    order: KnownOrder | CustomOrder
    limits: tuple[Threshold, ...] = STRICT
    baseline: str = ""
    waivers: str = ""

    @property
    def alone(self) -> bool:
        """Tools of static analysis run side by side."""
        return False

    def observe(self, place: Workplace) -> StaticFacts:
        """Run the tool, and leave the baseline alone."""
        return observe_static(self.order, place)

    def run(self, place: Workplace) -> Finding:
        """Run the tool and judge what it reported."""
        waivers = read_waivers(place.path(self.waivers, "waivers")) if self.waivers else ()
        known = read_baseline(place.root / self.baseline, self.baseline) if self.baseline else {}
        facts = self.observe(place)
        waived = waive(facts.results, waivers, place.today)
        results, fixed = with_known(waived.results, known)
        facts = replace(facts, results=results, notes=(*facts.notes, *waived.notes, *fixed))
        return judge_static(facts, self.limits)


def read_static(fields: Fields, node: Node, expect: Node | None) -> StaticWork:
    """Read one check; raises `SettingsError` at the place of whatever is wrong."""
    limits = STRICT if expect is None else read_limits(fields, expect, METRICS)
    if isinstance(node, Scalar):
        return StaticWork(KnownOrder(_tool(fields, node)), limits)
    custom = isinstance(node, Mapping) and node.get("command") is not None
    found = fields.mapping(node, "static", CUSTOM_KEYS if custom else TOOL_KEYS)
    order = _custom(fields, found, node) if custom else _known(fields, found, node)
    accepted = (read_filled(fields, found, key, "") for key in ("baseline", "waivers"))
    return StaticWork(order, limits, *accepted)


def _known(fields: Fields, found: dict[str, Entry], node: Node) -> KnownOrder:
    if "tool" not in found:
        raise fields.error(node.place, "static names no tool", "give tool: ruff, or command: […]")
    paths = read_texts(fields, found, "paths", (".",))
    for path in paths:
        if path.startswith("/"):
            place = found["paths"].value.place
            raise fields.error(place, f"{path} is absolute", "paths start at the root folder")
    return KnownOrder(
        _tool(fields, found["tool"].value),
        paths,
        read_texts(fields, found, "arguments", ()),
        _setting(fields, found),
    )


def _custom(fields: Fields, found: dict[str, Entry], node: Node) -> CustomOrder:
    style = fields.choice(Format, fields.required(found, "format", node, "static"), "format")
    reading = read_output(fields, found, node, style)
    return CustomOrder(
        command=read_texts(fields, found, "command", ()),
        reading=reading,
        output=read_filled(fields, found, "output", "-"),
        ok=read_statuses(fields, found.get("ok"), 0),
        found=read_statuses(fields, found.get("findings"), 1),
        setting=_setting(fields, found),
    )


def _tool(fields: Fields, node: Node) -> Tool:
    name = fields.text(node, "tool")
    if name not in KNOWN:
        raise fields.error(
            node.place,
            f"unknown tool {name!r}",
            f"known: {', '.join(KNOWN)}; for others give command, format and evidence",
        )
    return KNOWN[name]


def _setting(fields: Fields, found: dict[str, Entry]) -> Setting:
    most = fields.octets(found["most"].value, "most") if "most" in found else MOST
    if most > _MOST_MOST:
        raise fields.error(found["most"].value.place, "most is at most 1024MiB")
    return Setting(
        read_filled(fields, found, "folder", "."),
        read_texts(fields, found, "environment", ()),
        most,
    )
