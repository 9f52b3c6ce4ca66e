"""Reads the reports of ZAP: the traditional JSON (with or without requests) and its SARIF JSON.

What was examined are the endpoints that ZAP's insights count (2.17 and later), else the addresses
that its alerts name: even a service without a fault has some of information. A report that names no
site is that of a ZAP that reached nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.allowed import origin_of
from greenroom.plugins.sarif import report_of
from greenroom.plugins.scan_results import (
    Rated,
    Spot,
    cwe_of,
    first_link,
    number_of,
    once,
    plain,
    scan_result,
    split,
)
from greenroom.plugins.static_text import listing, mapping, read_json, required_list, text, whole
from greenroom.validators.errors import ToolError
from greenroom.validators.result import State, fingerprint_of
from greenroom.validators.static import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.static_text import Rooted
    from greenroom.validators.result import Result

_RISKS = {"3": "high", "2": "medium", "1": "low", "0": "informational"}
_INFORMATION = "0"
_FALSE_POSITIVE = "0"
_ENDPOINTS = "insight.endpoint.total"
_BAD_LEVELS = {"medium", "high"}


def read_zap(data: bytes, rooted: Rooted, target: str) -> tuple[Report, str]:
    """Return what a report says of ``target``, and when it says that it was made (ISO 8601)."""
    said = mapping(read_json(data))
    if "runs" in said:
        return _sarif(said, rooted, target), ""
    sites = [mapping(one) for one in required_list(said.get("site"), "site")]
    names = [text(site.get("@name")) for site in sites]
    of_target = [site for site in sites if _same(text(site.get("@name")), target)]
    if not of_target:
        seen = ", ".join(names) or "no site: it reached nothing"
        raise ToolError(
            f"the report is not of {origin_of(target)}, but of {seen}",
            hint="scan the target of the suite, and see that it is up",
        )
    insights = [mapping(one) for one in listing(said.get("insights"))]
    results = [result for site in of_target for result in _alerts(site)]
    report = Report(
        results=once(results),
        problems=(*_plan_errors(said), *_problems(insights)),
        tool="ZAP",
        version=text(said.get("@version")),
        examined=_endpoints(insights, target) or _addresses(of_target, target),
        what="addresses",
        notes=tuple(_elsewhere(site) for site in sites if site not in of_target and _rated(site)),
    )
    return report, text(said.get("created"))


def _same(one: str, target: str) -> bool:
    return bool(split(one).netloc) and origin_of(one) == origin_of(target)


def _endpoints(insights: list[dict[str, Any]], target: str) -> int:
    counted = [
        text(one.get("statistic"))
        for one in insights
        if one.get("key") == _ENDPOINTS and _same(text(one.get("site")), target)
    ]
    return sum(map(number_of, counted))


def _rated(site: dict[str, Any]) -> list[object]:
    """Return the alerts of a site that are not for information alone."""
    alerts = listing(site.get("alerts"))
    return [one for one in alerts if text(mapping(one).get("riskcode")) != _INFORMATION]


def _elsewhere(site: dict[str, Any]) -> str:
    found = len(_rated(site))
    return f"not judged: {found} alert{'s' * (found > 1)} of {text(site.get('@name'))}"


def _addresses(sites: list[dict[str, Any]], target: str) -> int:
    """Count the addresses of ``target`` that were attacked or seen, whatever their query."""
    spots = (
        spot for site in sites for alert in listing(site.get("alerts")) for spot in _spots(alert)
    )
    return len({(spot.method, spot.address) for spot in spots if _same(spot.url, target)})


def _problems(insights: list[dict[str, Any]]) -> Iterator[str]:
    for one in insights:
        if text(one.get("level")).lower() in _BAD_LEVELS:
            yield f"{text(one.get('description'))}: {text(one.get('statistic'))}"


def _plan_errors(said: dict[str, Any]) -> Iterator[str]:
    """Return what went wrong in a plan of ZAP's automation, where the report holds its state."""
    return filter(None, map(text, listing(said.get("afPlanErrors"))))


def _spots(alert: object) -> Iterator[Spot]:
    for item in map(mapping, listing(mapping(alert).get("instances"))):
        words = (text(item.get(name)) for name in ("uri", "method", "param"))
        yield Spot(*words)


def _alerts(site: dict[str, Any]) -> Iterator[Result]:
    for alert in map(mapping, listing(site.get("alerts"))):
        identity = text(alert.get("alertRef")) or text(alert.get("pluginid"))
        rated = Rated(
            _RISKS.get(text(alert.get("riskcode")), ""),
            cwe_of(text(alert.get("cweid")).removeprefix("-")),
            first_link(text(alert.get("reference"))),
            text(alert.get("solution")),
        )
        name = text(alert.get("name")) or text(alert.get("alert"))
        for spot in [*_spots(alert)] or [Spot(text(site.get("@name")))]:
            result = scan_result("ZAP", identity, name, rated, spot)
            if text(alert.get("confidence")) == _FALSE_POSITIVE:
                why = "marked as a false positive in ZAP"
                result = replace(result, state=State.WAIVED, why=why)
            yield result


def _sarif(log: dict[str, Any], rooted: Rooted, target: str) -> Report:
    """Read the SARIF report; only the requests of its results tell what was examined."""
    report = report_of(log, rooted)
    runs = [mapping(run) for run in listing(log.get("runs"))]
    asked = {
        (text(request.get("method")), split(text(request.get("target"))).path)
        for run in runs
        for item in map(mapping, listing(run.get("results")))
        if _answered(item) and _same(text((request := _request(item)).get("target")), target)
    }
    rules = {
        text(rule.get("id")): rule
        for run in runs
        for rule in map(
            mapping, listing(mapping(mapping(run.get("tool")).get("driver")).get("rules"))
        )
    }
    return replace(
        report,
        results=once(_enriched(one, rules.get(one.id, {})) for one in report.results),
        examined=len(asked),
        what="addresses",
    )


def _request(item: dict[str, Any]) -> dict[str, Any]:
    return mapping(item.get("webRequest"))


def _answered(item: dict[str, Any]) -> bool:
    answer = mapping(item.get("webResponse"))
    return answer.get("noResponseReceived") is not True and whole(answer.get("statusCode")) > 0


def _enriched(result: Result, rule: dict[str, Any]) -> Result:
    """Add what ZAP's rules say in places of their own: weakness, solution, references."""
    properties = mapping(rule.get("properties"))
    targets = [mapping(mapping(one).get("target")) for one in listing(rule.get("relationships"))]
    cwe = next(
        (
            cwe_of(text(one.get("id")))
            for one in targets
            if mapping(one.get("toolComponent")).get("name") == "CWE"
        ),
        "",
    )
    spot = Spot(result.location.file if result.location else "")
    return replace(
        result,
        message=plain(result.message) + (f" ({cwe})" if cwe else ""),
        location=replace(result.location, file=spot.address) if result.location else None,
        link=result.link or next(map(text, listing(properties.get("references"))), ""),
        advice=result.advice or plain(text(mapping(properties.get("solution")).get("text"))),
        fingerprint=fingerprint_of("ZAP", result.id, spot.path),
    )
