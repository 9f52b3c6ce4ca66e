"""The rules of a check: what each expectation says of an answer, or would have said of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jsonpath_rfc9535 import JSONPathError

from greenroom.plugins.redaction import REDACTED, is_sensitive
from greenroom.plugins.revision import RULE
from greenroom.plugins.suite_contract import read_json
from greenroom.validators.errors import ServiceError
from greenroom.validators.finding import Rule
from greenroom.validators.http import (
    judge_body_text,
    judge_cookie,
    judge_header,
    judge_protocol,
    judge_schema,
    judge_size,
    judge_status,
    judge_time,
)
from greenroom.validators.json_values import cut, judge_values, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenroom.plugins.suite_model import Expect, HeaderRule, HttpCheck, JsonRule
    from greenroom.validators.http import Answer

HTTP2 = "HTTP/2"
UNSEEN = "not observed"


@dataclass(frozen=True, slots=True)
class Judged:
    """All rules of an answer; ``doubt`` tells that a document leaves open what one of them asks."""

    rules: tuple[Rule, ...]
    notes: tuple[str, ...] = ()
    doubt: bool = False


def judged(check: HttpCheck, target: str, answer: Answer) -> Judged:
    """Judge all that ``check`` expects of its answer; ``target`` is the address it lies below."""
    expect = check.expect
    rules = list(_first_rules(check, answer))
    notes = expect.contract.notes if expect.contract else ()
    doubt = False
    if expect.openapi is not None:
        told = expect.openapi.judge(check.request, target, answer)
        rules += told.rules
        notes, doubt = (*notes, *told.notes), told.doubt
    if expect.snapshot is not None:
        # Last: a snapshot is only ever written of an answer that meets all the rest.
        met = all(rule.met for rule in rules)
        rules.append(expect.snapshot.judge(answer, met=met))
    return Judged(tuple(rules), notes, doubt)


def planned(check: HttpCheck) -> Iterator[tuple[str, str]]:
    """Yield the name and limit of each rule."""
    if check.answered_by is not None:
        yield RULE, check.answered_by.limit
    if check.request.http2:
        yield "protocol", HTTP2
    expect = check.expect
    yield "status", str(expect.status)
    for limit in (expect.time, expect.size):
        if limit is not None:
            yield limit.metric, limit.shown_limit
    for header in expect.headers:
        yield f"header {header.name.lower()}", header.expectation.limit
    for cookie in expect.cookies:
        yield f"cookie {cookie.name}", cookie.expectation.limit
    for text in expect.text:
        yield "text", text.limit
    yield from _planned_json(expect)
    if expect.openapi is not None:
        yield "openapi", expect.openapi.name
    if expect.snapshot is not None:
        yield "snapshot", expect.snapshot.name


def answer_rules(expect: Expect, answer: Answer) -> Iterator[Rule]:
    """Judge time, size, headers, cookies and body of an answer, whatever its status."""
    if expect.time is not None:
        yield judge_time(expect.time, answer)
    if expect.size is not None:
        yield judge_size(expect.size, answer)
    for header in expect.headers:
        yield _header(header, answer)
    for cookie in expect.cookies:
        yield judge_cookie(cookie.name, cookie.expectation, answer)
    for text in expect.text:
        yield judge_body_text(text, answer)
    if not expect.json and expect.contract is None:
        return
    try:
        value = read_json(answer.body)
    except ValueError as error:
        yield Rule("body", "JSON", not_json(answer, error), met=False)
        for name, limit in _planned_json(expect):
            yield Rule(name, limit, UNSEEN, None)
    else:
        yield from _json_rules(expect, value)


def not_json(answer: Answer, error: ValueError) -> str:
    """Say of a body that is no JSON what it is instead."""
    if not answer.body.strip():
        return "an empty body"
    text = answer.body[:1000].decode("utf-8", "replace")
    return f"{cut(printable(str(error)))}: {cut(printable(text))}"


def _first_rules(check: HttpCheck, answer: Answer) -> Iterator[Rule]:
    if check.answered_by is not None:
        yield check.answered_by.judge(answer)
    if check.request.http2:
        yield judge_protocol(HTTP2, answer)
    yield judge_status(check.expect.status, answer)
    yield from answer_rules(check.expect, answer)


def _planned_json(expect: Expect) -> Iterator[tuple[str, str]]:
    for rule in expect.json:
        yield f"json {rule.path}", rule.expectation.limit
    if expect.contract is not None:
        yield "schema", expect.contract.name


def _header(header: HeaderRule, answer: Answer) -> Rule:
    rule = judge_header(header.name, header.expectation, answer)
    if is_sensitive(header.name) and answer.header(header.name) is not None:
        return replace(rule, observed=REDACTED)
    return rule


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


def _walked(name: str, limit: str, judge: Callable[[], Rule]) -> Rule:
    """Return a rule; one that cannot be evaluated on so deep a document was not observed."""
    try:
        return judge()
    except (RecursionError, JSONPathError, ServiceError) as error:
        return Rule(name, limit, f"{UNSEEN}: {str(error) or 'nested too deeply'}", None)
