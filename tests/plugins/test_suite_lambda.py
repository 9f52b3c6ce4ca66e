"""Versions of functions that are invoked with an event, by unmodified boto3."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.redaction import REDACTED, Redactor
from greenroom.validators.errors import ServiceError, SettingsError
from greenroom.validators.vocabulary import Kind, Outcome, Stage
from tests.support import servers
from tests.support.functions import Told, environment, functions, refusing, returning
from tests.support.runs import run
from tests.support.servers import Reply, hostile, refused_url, serving
from tests.support.sites import place_at
from tests.support.suites import variables
from tests.support.works import with_work, work_check, work_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding

    Version = Callable[[dict[str, Any]], Told]


class Calling:
    """Leads boto3 to a server of functions, and keeps what was recorded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.exchanges: list[dict[str, Any]] = []

    @contextmanager
    def at(
        self, url: str, target: str = "", *, seconds: float = 10.0, hidden: str = ""
    ) -> Iterator[Workplace]:
        for name, value in environment(url, "eu-west-1").items():
            self._monkeypatch.setenv(name, value)
        redactor = Redactor([hidden])
        with place_at(
            target, seconds=seconds, redactor=redactor, exchanges=self.exchanges
        ) as place:
            yield place

    def finding(self, version: Version, expect: str = "", event: str = "{}") -> Finding:
        """Run the check of a suite on version 8 of a function."""
        with functions({"Trivia:8": version}) as server, self.at(server.url) as place:
            line = f'lambda: {{function: "Trivia:8", event: {event}}}'
            return work_of(line, expect).run(place)


@pytest.fixture
def calling(monkeypatch: pytest.MonkeyPatch) -> Calling:
    return Calling(monkeypatch)


def raised(_: dict[str, Any]) -> Told:
    told = {"errorType": "KeyError", "errorMessage": "'name'"}
    return Told(json.dumps(told).encode(), error="Unhandled")


def doubled(event: dict[str, Any]) -> Told:
    return Told(json.dumps({"sum": 2 * event["number"]}).encode())


@pytest.mark.parametrize(
    ("version", "said", "hint"),
    [
        (raised, "the function failed: KeyError: 'name'", "read the log of lambda://Trivia:8"),
        (refusing("TooManyRequestsException"), "TooManyRequests", "throttling"),
        (refusing("AccessDeniedException"), "AccessDenied", "allow lambda:InvokeFunction"),
        (refusing("ResourceNotFoundException"), "NotFound", "lambda://Trivia:8 exists"),
        (lambda _: Told(b" " * 9_000_000), "larger than 8,388,608 bytes", "log"),
    ],
    ids=["raised", "throttled", "forbidden", "unknown", "too-large"],
)
def test_a_version_that_gives_no_answer_is_an_error(
    calling: Calling, version: Version, said: str, hint: str
) -> None:
    with pytest.raises(ServiceError, match=said) as caught:
        calling.finding(version, "{json: {$.sum: 4}}")
    assert hint in caught.value.hint
    assert len(calling.exchanges) == 1


@pytest.mark.parametrize(
    ("version", "expect", "missed"),
    [
        (raised, "{error: none}", "error KeyError: 'name'"),
        (raised, "{error: ValueError}", "error KeyError: 'name'"),
        (doubled, "{error: ValueError}", "error none"),
        (doubled, "{json: {$.sum: 5}}", "json $.sum 4"),
        (doubled, "{time: < 1us}", "time"),
        (doubled, '{version: "9"}', "version 8"),
        (lambda _: Told(b"no JSON"), "{json: {$: {exists: true}}}", "body"),
    ],
    ids=["raised", "other-error", "no-error", "json", "time", "version", "no-json"],
)
def test_an_answer_that_is_not_the_expected_one_fails(
    calling: Calling, version: Version, expect: str, missed: str
) -> None:
    finding = calling.finding(version, expect, "{number: 2}")
    assert finding.outcome is Outcome.FAILED
    assert missed in finding.seen
    assert "the function's log" in finding.advice


@pytest.mark.parametrize(
    ("version", "expect"),
    [
        (doubled, ""),
        (doubled, "{json: {$.sum: 4}, time: < 5s, error: none}"),
        (raised, "{error: KeyError, json: {$.errorMessage: {contains: name}}}"),
        (returning(None), "{json: {$: null}}"),
    ],
    ids=["runs", "whole", "expected-error", "nothing"],
)
def test_an_answer_that_is_expected_passes(calling: Calling, version: Version, expect: str) -> None:
    finding = calling.finding(version, expect, "{number: 2}")
    assert finding.outcome is Outcome.PASSED, str(finding)
    assert "from lambda://Trivia:8, version 8" in finding.evidence[0].what


def test_a_service_that_does_not_say_what_it_ran_proves_nothing(calling: Calling) -> None:
    with serving(lambda _: Reply(b"{}")) as server, calling.at(server.url) as place:
        finding = work_of('lambda: {function: "Trivia:8"}').run(place)
    assert finding.outcome is Outcome.ERROR
    assert "version not said by the service" in finding.seen


def test_nobody_listening_is_not_observed(calling: Calling) -> None:
    with (
        calling.at(refused_url()) as place,
        pytest.raises(ServiceError, match="EndpointConnectionError"),
    ):
        work_of('lambda: {function: "Trivia:8"}').run(place)
    assert calling.exchanges[0]["response"] is None


def test_a_silent_service_costs_no_more_than_the_checks_time(calling: Calling) -> None:
    with (
        hostile(servers.silent) as url,
        calling.at(url, seconds=0.3) as place,
        pytest.raises(ServiceError, match="no complete answer within"),
    ):
        work_of('lambda: {function: "Trivia:8"}').run(place)


def test_the_targets_version_is_invoked_unless_another_is_given(calling: Calling) -> None:
    work = work_of("lambda: {event: {number: 1}}", "{json: {$.sum: 2}}")
    with functions({"Trivia:live": doubled}) as server:
        with calling.at(server.url, "lambda://Trivia:live/v1?payload=alb") as place:
            assert work.run(place).outcome is Outcome.PASSED
        with (
            calling.at(server.url, "http://a.example") as place,
            pytest.raises(SettingsError, match="no function's version"),
        ):
            work.run(place)


def test_secrets_are_kept_out_of_what_is_recorded(calling: Calling) -> None:
    def echo(event: dict[str, Any]) -> Told:
        return Told(json.dumps(event).encode())

    with (
        functions({"Trivia:8": echo}) as server,
        calling.at(server.url, hidden="s3cr3t-v4lue") as place,
    ):
        line = 'lambda: {function: "Trivia:8", event: {key: "${secret.KEY}"}}'
        work_of(line, "", variables(KEY="s3cr3t-v4lue")).run(place)
    assert "s3cr3t" not in str(calling.exchanges)
    assert REDACTED in calling.exchanges[0]["response"]["body"]


def test_a_suite_invokes_and_validates_by_a_schema_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sum.schema.json").write_text('{"required": ["sum"]}')
    expect = "{schema: sum.schema.json}"
    line = 'lambda: {function: "Trivia:8", event: {number: 2}}'
    (tmp_path / "a.suite.yaml").write_text(with_work(line, expect))
    with functions({"Trivia:8": doubled}) as server:
        for name, value in environment(server.url, "eu-west-1").items():
            monkeypatch.setenv(name, value)
        ran = run(tmp_path)
    assert ran.verdict == "ship"
    [exchange] = ran.check("c")["exchanges"]
    assert exchange["request"]["url"] == "lambda://Trivia:8"
    assert exchange["response"]["body"] == '{"sum": 4}'


def test_a_check_of_a_function_is_one_of_integration() -> None:
    check = work_check("lambda: {event: 1}")
    assert (check.kind, check.stage) == (Kind.INTEGRATION, Stage.ENVIRONMENT)
    assert not check.work.alone
