"""Runs one check of a suite: asks (with retries of the transport alone), then judges purely."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from jsonpath_rfc9535 import JSONPathError

from greenroom.plugins.http import answer_of, below
from greenroom.plugins.http_failures import failure_of
from greenroom.plugins.redaction import REDACTED, is_sensitive
from greenroom.plugins.revision import ADVICE, RULE, seen_revision
from greenroom.plugins.suite_contract import read_json
from greenroom.plugins.suite_model import CONNECT
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.http import (
    Answer,
    Failure,
    judge_header,
    judge_protocol,
    judge_schema,
    judge_status,
    judge_time,
)
from greenroom.validators.json_values import cut, judge_values, printable
from greenroom.validators.threshold import show
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.suite_model import Expect, HeaderRule, HttpCheck, JsonRule

HTTP2 = "HTTP/2"
_UNSEEN = "not observed"


@dataclass(frozen=True, slots=True)
class Observation:
    """What the last of ``attempts`` brought, at ``at`` (ISO 8601, UTC)."""

    outcome: Answer | Failure
    attempts: int
    at: str


def run_check(
    check: HttpCheck,
    target: str,
    client: httpx.Client,
    redactor: Redactor,
    sleep: Callable[[float], None] = time.sleep,
) -> Finding:
    """Return the check's finding, without any secret."""
    return redacted(asked(check, target, client, sleep)[0], redactor)


def asked(
    check: HttpCheck, target: str, client: httpx.Client, sleep: Callable[[float], None]
) -> tuple[Finding, Answer | Failure]:
    """Return the check's finding and what it is about.

    A check that waits is asked again until it passes or its time is over; the last try counts.
    """
    if check.wait is None:
        observation = observe(check, client, sleep)
        return judge(check, target, observation), observation.outcome
    begun, tries = time.monotonic(), 0
    while True:
        tries += 1
        observation = observe(check, client, sleep)
        finding = judge(check, target, observation)
        waited = time.monotonic() - begun
        if finding.outcome is Outcome.PASSED or waited + check.wait.every_s > check.wait.for_s:
            note = f"asked {tries} times in {show(waited, 's')}"
            return replace(finding, notes=(*finding.notes, note)), observation.outcome
        sleep(check.wait.every_s)


def observe(check: HttpCheck, client: httpx.Client, sleep: Callable[[float], None]) -> Observation:
    """Send the check's request until it is answered or its attempts or its time run out."""
    deadline = time.monotonic() + check.timeout_s
    attempts = 0
    while True:
        attempts += 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        seen = _ask(check, client, max(deadline - time.monotonic(), 0.001))
        over = time.monotonic() + check.retry.delay_s >= deadline
        if attempts == check.retry.attempts or over or not _again(check, seen):
            return Observation(seen, attempts, at)
        sleep(check.retry.delay_s)


def judge(check: HttpCheck, target: str, observation: Observation) -> Finding:
    """Judge everything the check expects of what was observed."""
    tries = f" after {observation.attempts} attempts" if observation.attempts > 1 else ""
    if isinstance(observation.outcome, Failure):
        return Finding(
            Outcome.ERROR,
            expected=f"an answer from {check.request.method} {target}{check.request.path}",
            seen=f"{observation.outcome.reason}{tries}",
            advice=observation.outcome.advice,
            rules=tuple(Rule(name, limit, _UNSEEN, None) for name, limit in _planned(check)),
        )
    answer = observation.outcome
    evidence = Evidence(
        what=f"response of {len(answer.body):,} bytes{_source(check, answer)}{tries}",
        amount=1,
        tool="httpx",
        version=httpx.__version__,
        at=observation.at,
    )
    rules = tuple(_all_rules(check, answer))
    finding = Finding.judged(rules, (evidence,))
    if finding.outcome is Outcome.PASSED:
        return finding
    return replace(finding, advice=_advice(check, answer))


def redacted(finding: Finding, redactor: Redactor) -> Finding:
    """Return the finding with every text of it redacted."""
    clean = redactor.shown
    return replace(
        finding,
        expected=clean(finding.expected),
        seen=clean(finding.seen),
        advice=clean(finding.advice),
        notes=tuple(map(clean, finding.notes)),
        rules=tuple(
            replace(
                rule,
                rule=clean(rule.rule),
                limit=clean(rule.limit),
                observed=clean(rule.observed),
            )
            for rule in finding.rules
        ),
    )


def revisions(check: HttpCheck, answer: Answer) -> str:
    """Return the revision that answered, as far as the check asks and the answer says."""
    return "" if check.answered_by is None else seen_revision(check.answered_by.named(answer))


def _source(check: HttpCheck, answer: Answer) -> str:
    return f" from {named}" if (named := revisions(check, answer)) else ""


def _ask(check: HttpCheck, client: httpx.Client, left_s: float) -> Answer | Failure:
    try:
        response = client.request(
            check.request.method,
            below(client, check.request.path),
            headers=list(check.request.headers),
            content=check.request.content,
            timeout=left_s,
            follow_redirects=check.request.follow_redirects,
            extensions=check.request.extensions,
        )
    except (httpx.RequestError, httpx.InvalidURL) as error:
        return failure_of(error)
    return answer_of(response)


def _again(check: HttpCheck, seen: Answer | Failure) -> bool:
    """Tell whether another try is about the transport; an answer that is expected never is."""
    if isinstance(seen, Failure):
        return seen.retry and CONNECT in check.retry.on
    return str(seen.status) in check.retry.on and not check.expect.status.accepts(seen.status)


def _planned(check: HttpCheck) -> Iterator[tuple[str, str]]:
    """Return the name and limit of each rule."""
    if check.answered_by is not None:
        yield RULE, check.answered_by.limit
    if check.request.http2:
        yield "protocol", HTTP2
    expect = check.expect
    yield "status", str(expect.status)
    if expect.time is not None:
        yield "time", expect.time.shown_limit
    for header in expect.headers:
        yield f"header {header.name.lower()}", header.expectation.limit
    yield from _planned_json(expect)


def _planned_json(expect: Expect) -> Iterator[tuple[str, str]]:
    for rule in expect.json:
        yield f"json {rule.path}", rule.expectation.limit
    if expect.contract is not None:
        yield "schema", expect.contract.name


def _all_rules(check: HttpCheck, answer: Answer) -> Iterator[Rule]:
    if check.answered_by is not None:
        yield check.answered_by.judge(answer)
    if check.request.http2:
        yield judge_protocol(HTTP2, answer)
    yield from _rules(check.expect, answer)


def _rules(expect: Expect, answer: Answer) -> Iterator[Rule]:
    yield judge_status(expect.status, answer)
    yield from answer_rules(expect, answer)


def answer_rules(expect: Expect, answer: Answer) -> Iterator[Rule]:
    """Judge time, headers and body of an answer, whatever its status."""
    if expect.time is not None:
        yield judge_time(expect.time, answer)
    for header in expect.headers:
        yield _header(header, answer)
    if not expect.json and expect.contract is None:
        return
    try:
        value = read_json(answer.body)
    except ValueError as error:
        yield Rule("body", "JSON", _not_json(answer, error), met=False)
        for name, limit in _planned_json(expect):
            yield Rule(name, limit, _UNSEEN, None)
    else:
        yield from _json_rules(expect, value)


def _header(header: HeaderRule, answer: Answer) -> Rule:
    rule = judge_header(header.name, header.expectation, answer)
    if is_sensitive(header.name) and answer.header(header.name) is not None:
        return replace(rule, observed=REDACTED)
    return rule


def _not_json(answer: Answer, error: ValueError) -> str:
    if not answer.body.strip():
        return "an empty body"
    text = answer.body[:1000].decode("utf-8", "replace")
    return f"{cut(printable(str(error)))}: {cut(printable(text))}"


def _json_rules(expect: Expect, value: object) -> Iterator[Rule]:
    for rule in expect.json:
        yield _walked(f"json {rule.path}", rule.expectation.limit, lambda: _selected(rule, value))  # noqa: B023 - called at once
    if (contract := expect.contract) is not None:
        yield _walked(
            "schema",
            contract.name,
            lambda: judge_schema(contract.name, contract.violations(value)),
        )


def _selected(rule: JsonRule, value: Any) -> Rule:  # noqa: ANN401 - a JSON value
    values = tuple(rule.query.find(value).values())
    return judge_values(f"json {rule.path}", rule.expectation, values)


def _walked(name: str, limit: str, judged: Callable[[], Rule]) -> Rule:
    """Return a rule; one that cannot be evaluated on so deep a document was not observed."""
    try:
        return judged()
    except (RecursionError, JSONPathError) as error:
        return Rule(name, limit, f"{_UNSEEN}: {str(error) or 'nested too deeply'}", None)


def _advice(check: HttpCheck, answer: Answer) -> str:
    if check.answered_by is not None and not check.answered_by.judge(answer).met:
        return ADVICE
    if not check.expect.status.accepts(answer.status):
        match answer.status:
            case 401 | 403:
                return "check the credentials that the suite sends"
            case 404 | 405:
                return "check the path, and that the target runs the revision you mean"
            case status if status >= 500:  # noqa: PLR2004 - HTTP's server errors
                return "the service failed: read its log for this request"
            case status if 300 <= status < 400:  # noqa: PLR2004 - HTTP's redirects
                return "request the final address, or set follow_redirects: true"
    return "read the recorded answer; if it is right, correct the suite's `expect`"
