from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from greenroom.plugins.http import Connections, Limits, client
from greenroom.plugins.redaction import REDACTED, Redactor
from greenroom.plugins.suite_run import run_check
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Outcome
from tests.support import servers
from tests.support.servers import Reply, hostile, json_reply, serving
from tests.support.suites import check, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greenroom.plugins.suite_model import HttpCheck
    from greenroom.validators.finding import Finding
    from tests.support.servers import Asked, Behaviour

CATEGORIES = [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d"}]


class Running:
    """Runs checks against a target and keeps what was recorded and slept."""

    def __init__(self) -> None:
        self.connections = Connections()
        self.exchanges: list[dict[str, Any]] = []
        self.slept: list[float] = []

    def __call__(self, one: HttpCheck, target: str, redactor: Redactor | None = None) -> Finding:
        known = redactor or Redactor()
        limits = Limits(one.timeout_s, one.max_body)
        with client(target, self.connections, known, self.exchanges.append, limits) as http:
            return run_check(one, target, http, known, self.slept.append)


@pytest.fixture
def run() -> Iterator[Running]:
    running = Running()
    yield running
    running.connections.close()


def answered(run: Running, one: HttpCheck, reply: Reply) -> Finding:
    with serving(lambda _: reply) as server:
        return run(one, server.url)


UNOBSERVED: dict[str, tuple[Behaviour, str]] = {
    "silent": (servers.silent, "timed out"),
    "drip": (servers.drip_body, "timed out"),
    "reset": (servers.reset_in_body, "connection broke"),
    "closes": (servers.closes, "answer is not valid HTTP"),
    "not-http": (servers.not_http, "answer is not valid HTTP"),
    "endless": (servers.endless_body, "answer too large"),
}


@pytest.mark.parametrize(("behave", "reason"), UNOBSERVED.values(), ids=UNOBSERVED.keys())
def test_no_complete_answer_is_an_error_and_no_failure(
    run: Running, behave: Behaviour, reason: str
) -> None:
    expect = "{status: 200, time: < 9s, headers: {a: b}, json: {$: 1}}"
    one = check(expect, more="timeout: 300ms\n    max_body: 64KiB")
    with hostile(behave) as url:
        finding = run(one, url)
    assert finding.outcome is Outcome.ERROR
    assert finding.seen.startswith(reason)
    assert finding.advice
    assert finding.evidence == ()
    assert [rule.met for rule in finding.rules] == [None] * 4


def test_nobody_listening_is_an_error_that_names_the_address(run: Running) -> None:
    finding = run(check(), url := servers.refused_url())
    assert finding.outcome is Outcome.ERROR
    assert finding.expected == f"an answer from GET {url}/"
    assert finding.seen.startswith("connection refused")


def test_an_address_that_is_none_is_an_error(run: Running) -> None:
    finding = run(check(http=f"{{get: /{'x' * 70_000}}}"), "http://127.0.0.1:9")
    assert finding.outcome is Outcome.ERROR
    assert finding.seen.startswith("request not sent")


def test_a_server_error_that_was_answered_is_a_failure(run: Running) -> None:
    finding = answered(run, check(), Reply(b"oops", 500))
    assert finding.outcome is Outcome.FAILED
    assert finding.seen == "status 500"
    assert "read its log" in finding.advice
    assert finding.evidence[0].amount == 1


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "credentials"), (404, "revision"), (302, "follow_redirects"), (204, "`expect`")],
    ids=["unauthorised", "not-found", "redirect", "other"],
)
def test_a_wrong_status_comes_with_advice(run: Running, status: int, advice: str) -> None:
    assert advice in answered(run, check(), Reply(b"", status)).advice


def test_without_a_status_only_success_passes(run: Running) -> None:
    one = check("{json: {$.a: 1}}")
    assert answered(run, one, json_reply({"a": 1}, 500)).outcome is Outcome.FAILED
    assert answered(run, one, json_reply({"a": 1}, 201)).outcome is Outcome.PASSED


HOSTILE_ANSWERS = {
    "nulls": json_reply([None, None, None, None]),
    "text": Reply(b"oops"),
    "object-with-length": json_reply({"length": 4}),
    "empty-list": json_reply([]),
    "empty-body": Reply(b""),
    "script": Reply(b"<script>alert(1)</script>", headers={"Content-Type": "text/html"}),
    "nan": Reply(b"[NaN]"),
    "duplicates": Reply(b'[{"name": 1, "name": "a"}]'),
    "three": json_reply(CATEGORIES[:3]),
    "deep": Reply(b"[" * 100_000),
}


@pytest.mark.parametrize("reply", HOSTILE_ANSWERS.values(), ids=HOSTILE_ANSWERS.keys())
def test_a_wrong_body_fails_whatever_it_is(run: Running, reply: Reply) -> None:
    one = check('{json: {"$": {length: 4}, "$[*].name": {type: string, count: 4}}}')
    assert answered(run, one, reply).outcome is Outcome.FAILED


def test_a_body_that_is_no_json_is_shown_as_far_as_it_helps(run: Running) -> None:
    finding = answered(run, check("{json: {$: 1}}"), Reply(b"<p>\x1b[31m" + b"x" * 500))
    rule = next(rule for rule in finding.rules if rule.rule == "body")
    assert "<p>\\x1b[31mxxx" in rule.observed
    assert rule.observed.isprintable()
    assert len(rule.observed) < 300


def test_an_empty_body_is_said_to_be_one(run: Running) -> None:
    assert "body an empty body" in answered(run, check("{json: {$: 1}}"), Reply(b" ")).seen


def test_a_document_too_deep_for_a_query_is_an_error_and_no_pass(run: Running) -> None:
    deep = Reply(b"[" * 300 + b"1" + b"]" * 300)
    finding = answered(run, check('{json: {"$..a": {count: 0}}}'), deep)
    assert finding.outcome is Outcome.ERROR
    assert "not observed" in finding.seen


def test_every_miss_is_in_one_finding_and_every_rule_is_kept(run: Running, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps({"items": {"required": ["id"]}}))
    expect = (
        "{status: 201, time: < 30s, headers: {content-type: text/plain, x-none: {exists: false}}, "
        'json: {"$": {length: 5, type: array}, "$[0].name": b}, schema: c.json}'
    )
    finding = answered(run, check(expect, folder=tmp_path), json_reply(CATEGORIES))
    assert [(rule.rule, rule.met) for rule in finding.rules] == [
        ("status", False),
        ("time", True),
        ("header content-type", False),
        ("header x-none", True),
        ("json $", False),
        ("json $", True),
        ("json $[0].name", False),
        ("schema", False),
    ]
    assert str(finding).count("\n  - ") == 5


def test_a_check_that_is_met_passes_on_evidence(run: Running) -> None:
    finding = answered(run, check('{json: {"$[*].name": {count: 4}}}'), json_reply(CATEGORIES))
    assert finding.outcome is Outcome.PASSED
    (proof,) = finding.evidence
    assert (proof.what, proof.amount) == ("response of 60 bytes", 1)
    assert (proof.tool, proof.version) == ("httpx", httpx.__version__)
    assert proof.at.endswith("+00:00")
    assert finding.advice == ""


def test_the_request_is_sent_as_written(run: Running) -> None:
    one = check(http="{post: /a?b=c, headers: {x-a: '1'}, json: {q: 1}}")
    with serving(lambda _: Reply()) as server:
        run(one, f"{server.url}/base")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/base/a?b=c", b'{"q": 1}')
    assert asked.headers["x-a"] == "1"
    assert asked.headers["content-type"] == "application/json"


def test_a_path_cannot_name_another_host(run: Running) -> None:
    with serving(lambda _: Reply()) as server:
        assert run(check(http="{get: //elsewhere.invalid/x}"), server.url).seen == "status 200"


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    left = list(replies)
    return lambda _: left.pop(0)


RETRY = "retry: {attempts: 3, delay: 20ms, on: [connect, 503]}"


def test_a_gateway_that_recovers_is_tried_again_and_the_evidence_says_so(run: Running) -> None:
    with serving(in_turn(Reply(b"", 503), Reply(b"", 503), Reply(b"ok"))) as server:
        finding = run(check(more=RETRY), server.url)
    assert finding.outcome is Outcome.PASSED
    assert finding.evidence[0].what == "response of 2 bytes after 3 attempts"
    assert run.slept == [0.02, 0.02]
    assert len(run.exchanges) == 3


def test_a_gateway_that_does_not_recover_fails(run: Running) -> None:
    with serving(lambda _: Reply(b"", 503)) as server:
        finding = run(check(more=RETRY), server.url)
    assert finding.outcome is Outcome.FAILED
    assert len(server.asked) == 3


NEVER_AGAIN = {
    "server-error": (Reply(b"", 500), "{status: 200}"),
    "another-gateway-error": (Reply(b"", 502), "{status: 200}"),
    "wrong-answer": (json_reply(1), "{json: {$: 2}}"),
    "expected-503": (Reply(b"", 503), "{status: 503}"),
}


@pytest.mark.parametrize(("reply", "expect"), NEVER_AGAIN.values(), ids=NEVER_AGAIN.keys())
def test_an_answer_of_the_service_is_never_asked_for_again(
    run: Running, reply: Reply, expect: str
) -> None:
    with serving(lambda _: reply) as server:
        run(check(expect, more=RETRY), server.url)
    assert len(server.asked) == 1


def test_no_connection_is_tried_again_only_if_the_suite_says_so(run: Running) -> None:
    url = servers.refused_url()
    assert "after 3 attempts" in run(check(more=RETRY), url).seen
    run(check(more="retry: {on: [503]}"), url)
    assert len(run.exchanges) == 4


def test_retries_end_with_the_checks_time(run: Running) -> None:
    one = check(more="timeout: 300ms\n    retry: {attempts: 9, delay: 10s}")
    with serving(lambda _: Reply(b"", 503)) as server:
        run(one, server.url)
    assert len(server.asked) == 1
    assert run.slept == []


def test_a_time_out_names_the_time_left_in_few_digits(run: Running) -> None:
    one = check(more="timeout: 300ms")
    with hostile(servers.silent) as url:
        finding = run(one, url)
    assert re.fullmatch(r"timed out: no complete answer within 0\.\d{1,4} s", finding.seen)


def test_an_echoed_secret_appears_in_no_output(run: Running) -> None:
    given = variables(KEY="s3cr3t-v4lue")
    one = check(
        '{json: {$.key: "${secret.KEY}x", $.other: 1}, headers: {x-echo: {one_of: [a]}}}',
        http=(
            '{post: "/${secret.KEY}", headers: {x-api-key: "${secret.KEY}"}, json: "${secret.KEY}"}'
        ),
        given=given,
    )

    def echo(asked: Asked) -> Reply:
        key = asked.headers["x-api-key"]
        return Reply(
            json.dumps({"key": key, "other": asked.path}).encode(), headers={"X-Echo": key}
        )

    with serving(echo) as server:
        finding = run(one, server.url, given.redactor)
    shown = f"{finding}{finding.to_json()}{run.exchanges}"
    assert finding.outcome is Outcome.FAILED
    assert "s3cr3t" not in shown
    assert shown.count(REDACTED) > 5


def test_a_secret_in_the_address_is_redacted_when_nobody_answers(run: Running) -> None:
    given = variables(KEY="s3cr3t-v4lue")
    one = check(http='{get: "/${secret.KEY}"}', given=given)
    finding = run(one, servers.refused_url(), given.redactor)
    assert finding.outcome is Outcome.ERROR
    assert "s3cr3t" not in f"{finding}{run.exchanges}"


def test_the_value_of_a_sensitive_header_is_judged_and_not_shown(run: Running) -> None:
    one = check("{headers: {set-cookie: {matches: 'id=[a-z]+'}}}")
    finding = answered(run, one, Reply(headers={"Set-Cookie": "id=private"}))
    assert finding.outcome is Outcome.PASSED
    assert "private" not in f"{finding.to_json()}{run.exchanges}"


WAITING = "wait: {for: 5s, every: 100ms}"


def test_a_check_that_waits_is_asked_until_it_passes(run: Running) -> None:
    statuses = iter([503, 200, 200])
    with serving(lambda _: Reply(status=next(statuses))) as server:
        finding = run(check(more=WAITING), server.url)
    assert finding.outcome is Outcome.PASSED
    assert run.slept == [0.1]
    assert "asked 2 times in" in finding.notes[0]


def test_the_last_answer_counts_when_the_time_of_a_wait_is_over(run: Running) -> None:
    with serving(lambda _: Reply(status=503)) as server:
        finding = run(check(more="wait: {for: 100ms, every: 100ms}"), server.url)
    assert finding.outcome is Outcome.FAILED
    assert "asked 1 times in" in finding.notes[0]


@pytest.mark.parametrize(
    "wait", ["{every: 1s}", "{for: 31m}", "{for: 1s, every: 10ms}", "{for: 0s}", "{}", "30s"]
)
def test_a_wait_without_bounds_is_refused(wait: str) -> None:
    with pytest.raises(SettingsError):
        check(more=f"wait: {wait}")
