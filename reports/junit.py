"""The run as JUnit XML, for CodeBuild report groups, Jenkins, GitLab and their like.

A reader of this file alone must not take a run for green that is not: its first case,
``greenroom.verdict``, fails on *do not ship* and errs on *could not decide*, with the reasons.
Checks keep their own outcome, whatever their gate: a failed check that only warns is a failure
whose type says so. CodeBuild takes names of 1,000 characters, messages of 5,000 and 500 cases a
report; the verdict and whatever did not pass come first.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, assert_never

from greenroom.reports import text
from greenroom.reports.states import ORDER, State, stage_rows, state_of
from greenroom.validators.vocabulary import Gate, Outcome, Verdict

if TYPE_CHECKING:
    from greenroom.validators.record import Check, RunRecord

MAX_NAME, MAX_MESSAGE, MAX_OUTPUT = 1_000, 5_000, 20_000
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def render(record: RunRecord) -> str:
    """Return the JUnit XML document of ``record``."""
    root = ET.Element("testsuites", name="greenroom", time=_seconds(record.duration_s))
    root.append(_suite("greenroom", [_verdict(record)], record, 0.0))
    checks = sorted(record.checks, key=lambda check: (ORDER[state_of(check)], check.id))
    for row in stage_rows(record):
        cases = [_case(c) for c in checks if (c.stage, c.kind) == (row.stage, row.kind)]
        if cases:
            root.append(_suite(f"{row.stage}.{row.kind}", cases, record, row.seconds))
    for key in ("tests", *_COUNTED.values()):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root, " ")
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(name: str, cases: list[ET.Element], record: RunRecord, seconds: float) -> ET.Element:
    suite = ET.Element("testsuite", name=name, tests=str(len(cases)), time=_seconds(seconds))
    for tag, key in _COUNTED.items():
        suite.set(key, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("timestamp", text.xml(record.started))
    suite.extend(cases)
    return suite


def _verdict(record: RunRecord) -> ET.Element:
    decision = record.decision()
    case = ET.Element("testcase", classname="greenroom", name="greenroom.verdict", time="0.000")
    message = "; ".join(reason.text for reason in decision.reasons)
    lines = "\n".join(f"- {reason.text}" for reason in decision.reasons)
    match decision.verdict:
        case Verdict.SHIP:
            return case
        case Verdict.DO_NOT_SHIP:
            _add(case, "failure", decision.verdict.words, (message, lines))
        case Verdict.COULD_NOT_DECIDE:
            kind = f"{decision.verdict.words}{' (bypassed)' if record.bypass else ''}"
            _add(case, "error", kind, (message, lines))
        case _:
            assert_never(decision.verdict)
    return case


def _case(check: Check) -> ET.Element:
    path, _, _ = check.id.rpartition("::")
    case = ET.Element(
        "testcase",
        classname=_cut((path or check.source.file).replace("/", "."), MAX_NAME),
        name=_cut(check.name, MAX_NAME),
        time=_seconds(check.duration_s),
    )
    _outcome(case, check)
    output = ET.SubElement(case, "system-out")
    output.text = _cut(f"{check.id}\n{check.source}\n{check.finding}", MAX_OUTPUT)
    return case


def _outcome(case: ET.Element, check: Check) -> None:
    finding, state = check.finding, state_of(check)
    if state is State.SKIPPED:
        ET.SubElement(case, "skipped", message=_cut(check.skipped or "", MAX_MESSAGE))
    elif state is not State.PASSED:
        tag = "failure" if check.outcome is Outcome.FAILED else "error"
        kind = f"{check.outcome}{_not_blocking(check)}"
        _add(case, tag, kind, (finding.seen, str(finding)))


def _not_blocking(check: Check) -> str:
    if check.waiver is not None:
        return f" (waived until {check.waiver.expires})"
    return "" if check.gate is Gate.BLOCK else f" (gate {check.gate}: does not block)"


def _add(case: ET.Element, tag: str, kind: str, said: tuple[str, str]) -> None:
    message, body = said
    element = ET.SubElement(case, tag, type=kind, message=_cut(message, MAX_MESSAGE))
    element.text = _cut(body, MAX_MESSAGE)


def _cut(value: str, limit: int) -> str:
    return text.clip(text.xml(value), limit)


def _seconds(value: float) -> str:
    return f"{value:.3f}"
