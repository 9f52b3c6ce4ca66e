"""Checks of several requests: what fails, what it captures, and what is cleaned up."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.http import Connections, client
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_flow import run_steps
from greenroom.plugins.suite_model import StepsCheck
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Outcome
from tests.support.runs import run
from tests.support.servers import Reply, json_reply, refused_url, serving
from tests.support.suites import HEAD, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.validators.finding import Finding
    from tests.support.servers import Asked

CREATE = "{http: {post: /orders}, expect: {status: 201}, capture: {id: $.id}}"
READ = '{http: {get: "/orders/${capture.id}"}, expect: {json: {$.id: "${capture.id}"}}}'
REMOVE = '{http: {delete: "/orders/${capture.id}"}, expect: {status: 204}}'


def parsed(text: str) -> StepsCheck:
    [check] = read(f"{HEAD}  - {{name: c, {text}}}\n").checks
    assert isinstance(check, StepsCheck)
    return check


class Orders:
    """A service that keeps orders, with what it answers instead for some paths."""

    def __init__(self, **instead: Reply) -> None:
        self.kept: set[str] = set()
        self._instead = instead

    def __call__(self, asked: Asked) -> Reply:
        if (given := self._instead.get(asked.method.lower())) is not None:
            return given
        number = asked.path.rpartition("/")[2]
        match asked.method:
            case "POST":
                self.kept.add("7")
                cookie = {"Set-Cookie": "session=abc", "Content-Type": "application/json"}
                return Reply(json.dumps({"id": 7}).encode(), 201, cookie)
            case "DELETE":
                self.kept.discard(number)
                return Reply(status=204)
        found = number in self.kept and asked.headers.get("cookie") == "session=abc"
        return json_reply({"id": 7}) if found else Reply(status=404)


@contextmanager
def ran(text: str, service: Orders) -> Iterator[tuple[Finding, list[str]]]:
    exchanges: list[dict[str, Any]] = []
    connections = Connections()
    with serving(service) as server:
        with client(server.url, connections, Redactor(), exchanges.append) as http:
            finding = run_steps(parsed(text), server.url, http, Redactor(), lambda _: None)
        yield finding, [f"{one.method} {one.path}" for one in server.asked]
    connections.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: []", "steps is empty"),
        ("steps: [{http: {get: /}}]", "the check expects nothing"),
        (f"steps: [{READ}]", "is no value that an earlier step captures"),
        (f"steps: [{CREATE}, {CREATE}]", "'id' is captured already"),
        (
            f'steps: [{CREATE}, {{http: {{get: /}}, expect: {{time: "${{capture.id}}"}}}}]',
            "a captured value is not a limit for time",
        ),
        (f"steps: [{CREATE}], http: {{get: /}}", "several kinds: steps, http"),
        ("steps: [{http: {get: /, at: each-target}, expect: {status: 200}}]", "at each target"),
        ("steps: [{http: {get: /}, expect: {status: 200}, capture: {a: x}}]", "not a JSONPath"),
        (
            "steps: [{http: {get: /}, expect: {status: 200}, capture: {a: {text: a}}}]",
            "a pattern with one group",
        ),
        (
            "steps: [{http: {get: /}, expect: {status: 200}, capture: {a: {secret: true}}}]",
            "a capture needs one source",
        ),
        (
            "steps: [{http: {get: /}, expect: {status: 200}, capture: {a: {header: a b}}}]",
            "is not a header's name",
        ),
    ],
)
def test_steps_that_cannot_be_run_are_refused(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parsed(text)
    assert said in str(caught.value)


def test_the_first_step_that_fails_ends_the_check_and_what_was_made_is_removed() -> None:
    text = f"steps: [{CREATE}, {READ}, {READ}], teardown: [{REMOVE}]"
    with ran(text, Orders(get=Reply(status=500))) as (finding, asked):
        assert finding.outcome is Outcome.FAILED
        assert asked == ["POST /orders", "GET /orders/7", "DELETE /orders/7"]
    assert "2 (GET /orders/${capture.id}): status 500" in finding.seen
    assert any("not run: one before did not pass" in rule.observed for rule in finding.rules)


def test_a_setup_that_misses_is_an_error_and_nothing_else_runs() -> None:
    text = f"setup: [{CREATE}], steps: [{READ}], teardown: [{REMOVE}]"
    with ran(text, Orders(post=Reply(status=500))) as (finding, asked):
        assert finding.outcome is Outcome.ERROR
        assert asked == ["POST /orders"]
    assert "setup 1 (POST /orders): status 500" in finding.seen


def test_a_teardown_that_misses_is_an_error() -> None:
    text = f"steps: [{CREATE}, {READ}], teardown: [{REMOVE}]"
    with ran(text, Orders(delete=Reply(status=500))) as (finding, _):
        assert finding.outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("capture", "said"),
    [
        ("$.name", "capture a nothing"),
        ("'$.items[*]'", "capture a 2 values"),
        ("{header: x-none}", "capture a nothing"),
        ("{cookie: none}", "capture a nothing"),
        ("{text: 'order=([0-9]+)'}", "capture a nothing"),
    ],
)
def test_a_value_that_is_not_there_once_fails_the_step(capture: str, said: str) -> None:
    text = f"steps: [{{http: {{get: /}}, expect: {{status: 200}}, capture: {{a: {capture}}}}}]"
    with ran(text, Orders(get=json_reply({"items": [1, 2]}))) as (finding, _):
        assert finding.outcome is Outcome.FAILED
    assert said in finding.seen


def test_steps_share_cookies_and_what_they_capture() -> None:
    text = f"steps: [{CREATE}, {READ}], teardown: [{REMOVE}]"
    service = Orders()
    with ran(text, service) as (finding, asked):
        assert finding.outcome is Outcome.PASSED
        assert asked == ["POST /orders", "GET /orders/7", "DELETE /orders/7"]
    assert service.kept == set()
    assert len(finding.evidence) == 3


@pytest.mark.parametrize(
    "capture", ["{header: x-next}", "{text: 'next: (\\S+)'}", "{cookie: next}", "$.next"]
)
def test_a_value_can_be_captured_from_every_part_of_an_answer(capture: str) -> None:
    body = b'{"next": "/b", "shown": "next: /b "}'
    reply = Reply(body, headers={"X-Next": "/b", "Set-Cookie": "next=/b"})
    text = (
        f"steps: [{{http: {{get: /a}}, expect: {{status: 200}}, capture: {{n: {capture}}}}}, "
        '{http: {get: "${capture.n}"}, expect: {status: 200}}]'
    )
    with ran(text, Orders(get=reply)) as (finding, asked):
        assert finding.outcome is Outcome.PASSED
        assert asked == ["GET /a", "GET /b"]


def test_what_a_server_says_is_never_taken_for_a_variable() -> None:
    text = (
        "steps: [{http: {get: /a}, expect: {status: 200}, capture: {n: $.n}}, "
        '{http: {post: /b, json: {n: "${capture.n}", m: "-${capture.n}"}}, expect: {status: 201}}]'
    )
    service = Orders(get=json_reply({"n": "${env.HOME}"}))
    with serving(service) as server:
        connections = Connections()
        with client(server.url, connections, Redactor(), lambda _: None) as http:
            run_steps(parsed(text), server.url, http, Redactor())
        connections.close()
        assert json.loads(server.asked[1].body) == {"n": "${env.HOME}", "m": "-${env.HOME}"}


def test_a_target_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.suite.yaml").write_text(f"{HEAD}  - {{name: c, steps: [{CREATE}]}}\n")
    checked = run(tmp_path, "--greenroom-target", refused_url()).check("c")
    assert checked["outcome"] == "error"


def test_a_captured_secret_stands_in_no_output(tmp_path: Path) -> None:
    capture = "capture: {t: {json: $.value, secret: true}}"
    (tmp_path / "a.suite.yaml").write_text(
        f"{HEAD}  - name: c\n    steps:\n"
        f"      - {{http: {{get: /t}}, expect: {{status: 200}}, {capture}}}\n"
        '      - {http: {get: "/x?q=${capture.t}"}, expect: {json: {$.value: other}}}\n'
    )
    with serving(lambda _: json_reply({"value": "pl4nted-s3cret"})) as server:
        checked = run(tmp_path, "--greenroom-target", server.url)
    assert checked.check("c")["outcome"] == "failed"
    outputs = [checked.out, *(path.read_text() for path in checked.folder.iterdir())]
    assert not [text for text in outputs if "pl4nted-s3cret" in text]
