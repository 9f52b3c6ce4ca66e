"""Reads what schemathesis and wapiti write, as `Report`: how much of a service was really examined.

The shapes are those of schemathesis 4.32 (``--report json``) and wapiti 3.2 (``-f json -dr 2``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.plugins.scan_results import Rated, Spot, once, scan_result
from greenroom.plugins.static_text import listing, mapping, read_json, text, whole
from greenroom.validators.errors import ToolError
from greenroom.validators.static import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.programs import Ran
    from greenroom.validators.result import Result

_UNTESTED = {
    "missing_auth": "only refused for want of credentials",
    "missing_test_data": "only answered as not found",
    "rate_limited": "only refused for too many requests",
    "base_url_mismatch": "asked below another address than the document's",
}
"""Warnings of schemathesis by which nothing behind an operation was reached."""
_LEVELS = {"0": "info", "1": "low", "2": "medium", "3": "high", "4": "critical"}
_SERVED = range(200, 300)
_SHOWN = 5


def read_schemathesis(data: bytes, ran: Ran, target: str) -> Report:
    """Read schemathesis's summary: operations that it tested and got a real answer of."""
    said = mapping(read_json(data))
    operations = said.get("operations")
    errors = [text(mapping(one).get("title")) for one in listing(said.get("errors"))]
    if said.get("complete") is not True or not isinstance(operations, dict):
        raise ToolError(
            f"schemathesis did not come to its end: {', '.join(errors) or ran.words}",
            hint="is the service up, and `schema:` the path of its OpenAPI document?",
        )
    warnings = mapping(said.get("warnings"))
    unseen = {name: _labels(warnings.get(kind)) for kind, name in _UNTESTED.items()}
    unreached = {label for labels in unseen.values() for label in labels}
    problems = [f"{', '.join(labels[:_SHOWN])}: {why}" for why, labels in unseen.items() if labels]
    if (stopped := text(said.get("stop_reason"))) != "completed":
        problems.append(f"stopped: {stopped.replace('_', ' ')}")
    if errored := whole(operations.get("errored")):
        problems.append(f"{errored} operations ended in an error: {', '.join(errors)}")
    return Report(
        results=once(_failures(said, target)),
        problems=tuple(problems),
        tool="schemathesis",
        version=text(said.get("schemathesis_version")),
        examined=max(0, _tested(said) - len(unreached)),
        what="operations",
    )


def _tested(said: dict[str, Any]) -> int:
    """Count the operations that were tested by at least one request."""
    if not whole(mapping(said.get("test_cases")).get("generated")):
        return 0
    return whole(mapping(said.get("operations")).get("tested"))


def _labels(warned: object) -> list[str]:
    """Return the operations of a warning; some warnings hold texts, some objects."""
    return [text(one) or text(mapping(one).get("operation")) or str(one) for one in listing(warned)]


def _failures(said: dict[str, Any], target: str) -> Iterator[Result]:
    for failure in map(mapping, listing(said.get("failures"))):
        code, title = text(failure.get("code")), text(failure.get("title"))
        rated = Rated(text(failure.get("severity")), advice=f"st explain {code}")
        for label in listing(failure.get("operations")):
            method, _, path = text(label).partition(" ")
            spot = Spot(f"{target}{path}", method)
            yield scan_result("schemathesis", code, title, rated, spot)


def read_wapiti(data: bytes, _ran: Ran, target: str) -> Report:
    """Read wapiti's report: pages that it crawled and that were served, no errors or redirects."""
    said = mapping(read_json(data))
    infos = mapping(said.get("infos"))
    pages = [mapping(mapping(page).get("response")) for page in listing(infos.get("crawled_pages"))]
    if not whole(infos.get("crawled_pages_nbr")):
        raise ToolError("wapiti crawled 0 pages", hint="is the service up?")
    statuses = [whole(page.get("status_code")) for page in pages]
    examined = sum(status in _SERVED for status in statuses)
    if not examined:
        seen = ", ".join(sorted({str(status) for status in statuses})) or "no page"
        raise ToolError(
            f"no page that wapiti crawled was served: {seen}", hint="correct `at:` or the auth"
        )
    return Report(
        results=once(_weaknesses(said, target)),
        tool="wapiti",
        version=text(infos.get("version")).removeprefix("Wapiti "),
        examined=examined,
        what="pages",
    )


def _weaknesses(said: dict[str, Any], target: str) -> Iterator[Result]:
    classes = mapping(said.get("classifications"))
    for group in ("vulnerabilities", "anomalies", "additionals"):
        for name, found in mapping(said.get(group)).items():
            known = mapping(classes.get(name))
            link = next(map(text, mapping(known.get("ref")).values()), "")
            for item in map(mapping, listing(found)):
                severity = _LEVELS.get(text(item.get("level")), "")
                rated = Rated(severity, link=link, advice=text(known.get("sol")))
                spot = Spot(
                    f"{target}{text(item.get('path'))}",
                    text(item.get("method")),
                    text(item.get("parameter")),
                )
                words = f"{name}: {text(item.get('info'))}"
                yield scan_result("wapiti", _identity(name), words, rated, spot)


def _identity(name: str) -> str:
    return "-".join(name.lower().split())
