"""Results as SARIF 2.1.0 (OASIS), as code scanning and editors read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from greenroom.validators.result import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from greenroom.validators.result import Location, Result
    from greenroom.validators.template import TemplateRule

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def to_sarif(
    results: Iterable[Result],
    tool_version: str,
    rules: Collection[TemplateRule],
    problems: Iterable[str] = (),
) -> dict[str, Any]:
    """Return a SARIF log of one run.

    ``problems`` are what the run could not do: with any, the log says that it did not succeed. A
    result of another tool gets a rule of its id alone; one that is waived or known is suppressed.
    """
    given = tuple(results)
    described = [_described(rule) for rule in rules]
    names = [rule["id"] for rule in described]
    for result in given:
        if result.id not in names:
            names.append(result.id)
            described.append({"id": result.id})
    notes = [{"level": "error", "message": {"text": problem}} for problem in problems]
    driver = {"name": "greenroom", "version": tool_version, "rules": described}
    invocation: dict[str, Any] = {"executionSuccessful": not notes}
    if notes:
        invocation["toolExecutionNotifications"] = notes
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(result, names.index(result.id)) for result in given],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _described(rule: TemplateRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {"text": rule.fix},
        "helpUri": rule.source,
        "defaultConfiguration": {"level": rule.level.value},
    }


def _result(result: Result, index: int) -> dict[str, Any]:
    fix = f" Fix: {result.advice}." if result.advice else ""
    data: dict[str, Any] = {
        "ruleId": result.id,
        "ruleIndex": index,
        "level": result.level.value,
        "message": {"text": f"{result.message}.{fix}" if fix else result.message},
    }
    if result.location is not None:
        data["locations"] = [{"physicalLocation": _place(result.location)}]
    if result.fingerprint:
        data["partialFingerprints"] = {"greenroom/v1": result.fingerprint}
    if result.state is not State.OPEN:
        data["suppressions"] = [{"kind": "external", "justification": result.why}]
    return data


def _place(location: Location) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(location.file)}}
    numbers = {
        "startLine": location.line,
        "startColumn": location.column,
        "endLine": location.end_line,
    }
    region = {name: number for name, number in numbers.items() if number}
    return place | ({"region": region} if location.line else {})
