"""The hook's log line: one line of JSON that is a CloudWatch embedded-metric document as well.

Lambda's standard output is CloudWatch Logs, and CloudWatch makes metrics of every line that follows
its embedded metric format, so no call and no permission is needed. Metrics in namespace
``Greenroom``, by ``Event`` and by ``Application`` and ``Event``, as far as these are known:

    Ship, Bypassed, Errors              Count, 0 or 1
    Checks, ChecksFailed                Count
    SuiteSeconds, ReportSeconds, HookSeconds

What is not known is left out: it is no zero. Source: "Specification: Embedded metric format" in the
CloudWatch user guide.
"""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from greenroom.plugins.hook_result import bounded
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.hook_result import HookResult

NAMESPACE = "Greenroom"
MAX_BYTES = 64 * 1024
"""A line's limit: a quarter of what one CloudWatch log event may hold."""

_REASONS_BYTES = 12 * 1024
_LONGEST_DIMENSION = 255
_UNITS = {
    "Ship": "Count",
    "Bypassed": "Count",
    "Errors": "Count",
    "Checks": "Count",
    "ChecksFailed": "Count",
    "SuiteSeconds": "Seconds",
    "ReportSeconds": "Seconds",
    "HookSeconds": "Seconds",
}


def write(result: HookResult, *, now: float) -> None:
    """Print the line of ``result`` to standard output in one piece; ``now`` is Unix time."""
    _print(line(result, now=now))


def note(kind: str, facts: Mapping[str, Any]) -> None:
    """Print one more line of JSON, of at most `MAX_BYTES`: something that is no decision."""
    _print(_dumped({"greenroom": kind, **bounded(dict(facts), _REASONS_BYTES)}))


def line(result: HookResult, *, now: float) -> str:
    """Return one line of ASCII JSON of at most `MAX_BYTES` bytes."""
    facts = bounded(result.to_json(), _REASONS_BYTES)
    told = {"greenroom": "hook", "level": result.level, **facts}
    return _dumped({**told, **_metrics(result, facts, now)})


def _dumped(document: dict[str, Any]) -> str:
    text = json.dumps(document, default=str)
    if len(text) <= MAX_BYTES:
        return text
    # What is cut one by one is too much together: what is no text of its own goes.
    kept = {name: value for name, value in document.items() if name != "notes"}
    return json.dumps({**kept, "left_out": "notes"}, default=str)


def _print(text: str) -> None:
    print(f"{text}\n", end="", flush=True, file=sys.stdout)  # noqa: T201 - Lambda's log


def _metrics(result: HookResult, facts: dict[str, Any], now: float) -> dict[str, Any]:
    """Return the metrics' values, their dimensions, and what tells CloudWatch to take them."""
    values = {name: value for name, value in _values(result).items() if _known(value)}
    named = {
        "Event": _dimension(facts.get("event")),
        "Application": _dimension(facts.get("application")),
    }
    dimensions = {name: value for name, value in named.items() if value}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": _sets(dimensions),
        "Metrics": [{"Name": name, "Unit": _UNITS[name]} for name in values],
    }
    return {
        **values,
        **dimensions,
        "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
    }


def _values(result: HookResult) -> dict[str, float | None]:
    ship = result.answer.verdict is Verdict.SHIP and result.bypass is None
    return {
        "Ship": int(ship),
        "Bypassed": int(result.bypass is not None),
        "Errors": int(result.level == "ERROR"),
        "Checks": result.checks,
        "ChecksFailed": result.failed,
        "SuiteSeconds": result.seconds.suite,
        "ReportSeconds": result.seconds.report,
        "HookSeconds": result.seconds.hook,
    }


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _sets(dimensions: dict[str, str]) -> list[list[str]]:
    """Return the sets of dimensions: what is the same event of any application comes first."""
    sets = [["Event"]] if "Event" in dimensions else []
    if "Application" in dimensions:
        sets.append([name for name in ("Application", "Event") if name in dimensions])
    return sets or [[]]


def _dimension(value: object) -> str:
    """Return ``value`` as CloudWatch takes it: printable ASCII that does not begin with a colon."""
    text = "".join(c if c.isascii() and c.isprintable() else "?" for c in str(value or ""))
    return text.strip().lstrip(":")[:_LONGEST_DIMENSION]
