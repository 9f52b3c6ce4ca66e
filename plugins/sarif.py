"""Reads SARIF 2.1.0 (OASIS): every run of a log, as results.

What the standard says of missing things holds here: a run whose ``results`` are null or missing did
not run; a level missing on a result is its rule's default, else warning; ``kind`` pass,
notApplicable and informational are no results. A rating in ``security-severity`` (a CVSS score)
makes the severity. A suppressed result is waived.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.static_text import listing, mapping, read_json, required_list, text, whole
from greenroom.validators.errors import ToolError
from greenroom.validators.result import Level, Location, Result, Severity, State
from greenroom.validators.static import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.static_text import Rooted

_NO_RESULT = {"pass", "notApplicable", "informational"}
_UNDECIDED = {"open", "review"}
_PLACEHOLDER = re.compile(r"\{([0-9]{1,9})\}")
_BASES_MOST = 8


def read_sarif(data: bytes, rooted: Rooted) -> Report:
    """Return what a SARIF log holds; raises `ToolError` for anything that proves no run."""
    return report_of(mapping(read_json(data)), rooted)


def report_of(log: dict[str, Any], rooted: Rooted) -> Report:
    """Return what a SARIF log holds that was read already; raises as `read_sarif` does."""
    if not text(log.get("version")).startswith("2.1"):
        raise ToolError(
            "the tool's output is not SARIF 2.1.0", hint="give the option that makes it write it"
        )
    runs = [_Run(mapping(run), rooted) for run in required_list(log.get("runs"), "runs")]
    if not runs:
        raise ToolError("the SARIF log holds no run: the tool did not run")
    elsewhere = [*listing(log.get("inlineExternalProperties")), *(run.elsewhere for run in runs)]
    if any(mapping(one).get("results") for one in elsewhere):
        raise ToolError(
            "the SARIF log keeps results outside its runs", hint="have the tool write one whole log"
        )
    return Report(
        results=tuple(result for run in runs for result in run.results()),
        problems=tuple(problem for run in runs for problem in run.problems()),
        tool=runs[0].tool,
        version=runs[0].version,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    run: dict[str, Any]
    rooted: Rooted

    @property
    def _driver(self) -> dict[str, Any]:
        return mapping(mapping(self.run.get("tool")).get("driver"))

    @property
    def tool(self) -> str:
        return text(self._driver.get("name"))

    @property
    def version(self) -> str:
        return text(self._driver.get("version")) or text(self._driver.get("semanticVersion"))

    @property
    def elsewhere(self) -> object:
        """What this run keeps in other files (SARIF 2.1.0, 3.14.2)."""
        return self.run.get("externalPropertyFileReferences")

    def problems(self) -> Iterator[str]:
        for item in listing(self.run.get("invocations")):
            invocation = mapping(item)
            for kind in ("toolExecutionNotifications", "toolConfigurationNotifications"):
                yield from self._notified(listing(invocation.get(kind)))
            if invocation.get("executionSuccessful") is False:
                why = text(invocation.get("exitCodeDescription"))
                yield f"{self.tool} says that it did not succeed {why}".strip()

    def _notified(self, notifications: list[Any]) -> Iterator[str]:
        for item in map(mapping, notifications):
            if item.get("level") == "error":
                location = self._location(item)
                said = text(mapping(item.get("message")).get("text")) or "an error without words"
                yield f"{location}: {said}" if location else said

    def results(self) -> Iterator[Result]:
        for item in required_list(self.run.get("results"), "results"):
            if not isinstance(item, dict):
                raise ToolError("the SARIF log holds a result that is no object")
            if text(item.get("kind")) not in _NO_RESULT and item.get("baselineState") != "absent":
                yield self._result(item)

    def _result(self, item: dict[str, Any]) -> Result:
        rule = self._rule(item)
        level = _level(item, rule)
        score = _score(item, rule)
        why = _suppressed(item)
        fix = mapping(next(iter(listing(item.get("fixes"))), None))
        return Result(
            id=text(item.get("ruleId"))
            or text(mapping(item.get("rule")).get("id"))
            or text(rule.get("id"))
            or "unnamed",
            message=_message(item, rule),
            level=level,
            severity=level.severity if score is None else Severity.of_score(score),
            tool=self.tool,
            location=self._location(item),
            link=text(rule.get("helpUri")),
            score=score,
            advice=text(mapping(fix.get("description")).get("text")),
            state=State.OPEN if why is None else State.WAIVED,
            why=why or "",
        )

    def _rule(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the rule's descriptor: by index in its component, else by id in any of them."""
        reference = mapping(item.get("rule"))
        component = self._component(mapping(reference.get("toolComponent")))
        rules = listing(component.get("rules"))
        index = reference.get("index", item.get("ruleIndex"))
        if isinstance(index, int) and 0 <= index < len(rules):
            return mapping(rules[index])
        name = text(item.get("ruleId")) or text(reference.get("id"))
        extensions = listing(mapping(self.run.get("tool")).get("extensions"))
        every = [component, self._driver, *map(mapping, extensions)]
        known = [mapping(rule) for one in every for rule in listing(one.get("rules"))]
        named = (one for one in known if text(one.get("id")) in {name, name.rpartition("/")[0]})
        return next(named, {})

    def _component(self, reference: dict[str, Any]) -> dict[str, Any]:
        extensions = listing(mapping(self.run.get("tool")).get("extensions"))
        index, name = reference.get("index"), reference.get("name")
        if isinstance(index, int) and 0 <= index < len(extensions):
            return mapping(extensions[index])
        named = (one for one in map(mapping, extensions) if name and one.get("name") == name)
        return next(named, self._driver)

    def _location(self, item: dict[str, Any]) -> Location | None:
        first = mapping(next(iter(listing(item.get("locations"))), None))
        physical = mapping(first.get("physicalLocation"))
        artifact = self._artifact(mapping(physical.get("artifactLocation")))
        uri = text(artifact.get("uri"))
        if not uri:
            return None
        region = mapping(physical.get("region"))
        return Location(
            file=self.rooted.file(uri, self._base(text(artifact.get("uriBaseId")))),
            line=whole(region.get("startLine")),
            column=whole(region.get("startColumn")),
            end_line=whole(region.get("endLine")),
        )

    def _artifact(self, artifact: dict[str, Any]) -> dict[str, Any]:
        known, index = listing(self.run.get("artifacts")), artifact.get("index")
        if not artifact.get("uri") and isinstance(index, int) and 0 <= index < len(known):
            return mapping(mapping(known[index]).get("location"))
        return artifact

    def _base(self, name: str) -> str:
        """Return the address that ``uriBaseId`` stands for, empty where the log does not say."""
        bases = mapping(self.run.get("originalUriBaseIds"))
        found = ""
        for _ in range(_BASES_MOST):
            base = mapping(bases.get(name))
            found = text(base.get("uri")) + found
            name = text(base.get("uriBaseId"))
            if not name:
                break
        return found


def _level(item: dict[str, Any], rule: dict[str, Any]) -> Level:
    named = text(item.get("level"))
    if not named and text(item.get("kind")) in _UNDECIDED:
        return Level.NOTE
    named = named or text(mapping(rule.get("defaultConfiguration")).get("level")) or "warning"
    if named == "none":
        return Level.NOTE
    if named not in set(Level):
        raise ToolError(f"the SARIF log holds a level that SARIF does not know: {named!r}")
    return Level(named)


def _score(item: dict[str, Any], rule: dict[str, Any]) -> float | None:
    for holder in (item, rule):
        given = text(mapping(holder.get("properties")).get("security-severity"))
        try:
            score = float(given)
        except ValueError:
            continue
        if math.isfinite(score):
            return score
    return None


def _suppressed(item: dict[str, Any]) -> str | None:
    """Return why a result is suppressed, None where it is not (or not yet)."""
    given = [mapping(one) for one in listing(item.get("suppressions"))]
    if not given or any(text(one.get("status")) in {"underReview", "rejected"} for one in given):
        return None
    reasons = [text(one.get("justification")) for one in given]
    kinds = ", ".join(sorted({text(one.get("kind")) or "unknown" for one in given}))
    return next(filter(None, reasons), "") or f"suppressed ({kinds})"


def _message(item: dict[str, Any], rule: dict[str, Any]) -> str:
    message = mapping(item.get("message"))
    strings = mapping(rule.get("messageStrings"))
    said = text(message.get("text")) or text(
        mapping(strings.get(text(message.get("id")))).get("text")
    )
    arguments = [text(one) for one in listing(message.get("arguments"))]

    def filled(found: re.Match[str]) -> str:
        number = int(found[1])
        return arguments[number] if number < len(arguments) else found[0]

    said = _PLACEHOLDER.sub(filled, said) if arguments else said
    described = text(mapping(rule.get("shortDescription")).get("text"))
    return said or described or "no message"
