"""The words in which a hook's decision goes to an SNS topic or an EventBridge bus.

People get a text, machines JSON: a topic's message is given for each protocol (e-mail reads the
text; SQS, Lambda, HTTP and Firehose get the JSON), and its attributes serve filter policies.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from greenroom.plugins.hook_result import bounded, clip
from greenroom.reports import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.hook_result import HookResult

SOURCE = "greenroom"
DETAIL_TYPE = "Greenroom Verdict"
MAX_SUBJECT = 99
"""SNS takes less than 100 characters."""

_REASONS_BYTES = 4 * 1024
_FACT_BYTES = 1024
_TEXT_BYTES = 16 * 1024
_SHOWN_REASONS = 10
_ATTRIBUTES = ("verdict", "status", "event", "application", "deployment")
_MACHINES = ("sqs", "lambda", "http", "https", "firehose")
_LONGEST_ATTRIBUTE = 256


def subject(result: HookResult) -> str:
    """Return one line of at most `MAX_SUBJECT` printable ASCII characters."""
    about = result.application or result.deployment or "a deployment"
    words = f"[Greenroom] {_headline(result)}: {about} {result.event}"
    return _ascii(words).strip()[:MAX_SUBJECT]


def body(result: HookResult, notes: tuple[str, ...] = ()) -> str:
    """Return the text for people: the answer first; ``notes`` say what is missing in the report."""
    return clip(text.visible("\n".join(_lines(result, notes))), _TEXT_BYTES)


def detail(result: HookResult, notes: tuple[str, ...] = ()) -> str:
    """Return the JSON for machines: the fields of the log line, cut, and what the report lacks."""
    facts = {**result.to_json(), **({"report_problems": list(notes)} if notes else {})}
    facts.pop("notes", None)
    return json.dumps(bounded(facts, _REASONS_BYTES, _FACT_BYTES))


def to_topic(arn: str, result: HookResult, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the members of ``sns.publish``."""
    machine, line = detail(result, notes), subject(result)
    forms = {"default": body(result, notes), "sms": line, **dict.fromkeys(_MACHINES, machine)}
    members: dict[str, Any] = {
        "TopicArn": arn,
        "Subject": line,
        "MessageStructure": "json",
        "Message": json.dumps(forms),
        "MessageAttributes": dict(_attributes(result)),
    }
    if arn.endswith(".fifo"):
        known = f"{result.deployment} {result.event} {result.execution_id} {line}"
        digest = hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()
        members |= {"MessageGroupId": SOURCE, "MessageDeduplicationId": digest}
    return members


def to_bus(arn: str, result: HookResult, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the members of ``events.put_events``."""
    deployment = result.deployment
    entry = {
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Detail": detail(result, notes),
        "EventBusName": arn,
        "Resources": [deployment] if deployment.startswith("arn:") else [],
    }
    return {"Entries": [entry]}


def _headline(result: HookResult) -> str:
    words = result.answer.verdict.words.upper()
    return f"BYPASSED, {words}" if result.bypass else words


def _lines(result: HookResult, notes: tuple[str, ...]) -> Iterator[str]:
    answer, told = result.answer, result.told
    if result.bypass:
        yield f"BYPASSED by {result.bypass.by} until {text.moment(result.bypass.expires)}"
        yield f"({result.bypass.arn}): {text.clip(result.bypass.reason, 500)}"
    yield f"{answer.verdict.words.upper()}: {result.application or result.deployment}"
    yield f"{told.to} was told: {told.status} ({told.result})" if told else "Nobody could be told."
    yield from (f"Error: {error}" for error in result.errors)
    yield ""
    for number, reason in enumerate(answer.reasons[:_SHOWN_REASONS], 1):
        yield f"{number:>2}. {text.clip(reason, 500)}"
    if (more := len(answer.reasons) - _SHOWN_REASONS) > 0:
        yield f"    and {more:,} more in the report"
    yield f"\nReport: {answer.link or 'not uploaded'}"
    yield from (f"  {text.first_line(note)}" for note in notes)
    yield from _facts(result)


def _facts(result: HookResult) -> Iterator[str]:
    checks = None if result.checks is None else text.count(result.checks, "check")
    suite = result.seconds.suite
    facts = {
        "Application": result.application,
        "Deployment": result.deployment,
        "Lifecycle event": result.event,
        "Checks": f"{checks}, {result.failed or 0:,} failed" if checks else "",
        "Suite": text.duration(suite) if suite is not None else "",
        "Bypass refused": result.bypass_refused,
        "Build": result.build,
    }
    yield ""
    yield from (f"{name}: {value}" for name, value in facts.items() if value)


def _attributes(result: HookResult) -> Iterator[tuple[str, dict[str, str]]]:
    facts = result.to_json()
    known = {name: _ascii(str(facts.get(name, "")))[:_LONGEST_ATTRIBUTE] for name in _ATTRIBUTES}
    known["bypassed"] = "true" if result.bypass else "false"
    for name, value in known.items():
        if value.strip():
            yield name, {"DataType": "String", "StringValue": value}


def _ascii(words: str) -> str:
    """Return ``words`` in printable ASCII, for fields that take no more."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in words)
