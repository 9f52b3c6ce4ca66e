"""Versions of functions as targets, invoked by unmodified boto3."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from greenroom.plugins.http import Connections, Limits, client
from greenroom.plugins.http_failures import BodyTooLargeError, failure_of
from greenroom.plugins.redaction import REDACTED, Redactor
from greenroom.rehearsal.lambda_runtime import LambdaFunction
from tests.support import servers
from tests.support.functions import Told, environment, functions, refusing, returning
from tests.support.servers import Reply, hostile, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.support.servers import Served

    Versions = Mapping[str, Callable[[dict[str, Any]], Told]]

TARGET = "lambda://Trivia:8"
OK = {"statusCode": 200, "headers": {"x-revision": "v8"}, "body": "fine"}


class Asking:
    """Serves functions, asks them through the client of checks and keeps what was recorded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.exchanges: list[dict[str, Any]] = []

    @contextmanager
    def at(
        self,
        url: str,
        target: str = TARGET,
        *,
        limits: Limits | None = None,
        hidden: str = "",
        region: str = "eu-west-1",
    ) -> Iterator[httpx.Client]:
        for name, value in environment(url, region).items():
            self._monkeypatch.setenv(name, value)
        connections = Connections()
        redactor = Redactor([hidden])
        with client(target, connections, redactor, self.exchanges.append, limits) as http:
            yield http
        connections.close()

    @contextmanager
    def serving(self, versions: Versions, target: str = TARGET) -> Iterator[httpx.Client]:
        with functions(versions) as server, self.at(server.url, target) as http:
            yield http


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    return Asking(monkeypatch)


def failing(asking: Asking, version: Callable[[dict[str, Any]], Told]) -> tuple[str, str, bool]:
    """Return reason, advice and whether it is worth another try."""
    with asking.serving({"Trivia:8": version}) as http, pytest.raises(httpx.TransportError) as seen:
        http.get("/")
    failure = failure_of(seen.value)
    assert failure.reason in asking.exchanges[0]["error"]
    return failure.reason, failure.advice, failure.retry


def raised(_: dict[str, Any]) -> Told:
    told = {"errorType": "KeyError", "errorMessage": "'name'", "stackTrace": ["…"]}
    return Told(json.dumps(told).encode(), error="Unhandled")


FAILURES = {
    "raised": (raised, "the function failed: KeyError: 'name'", "read the log", False),
    "no-message": (
        lambda _: Told(b"<oops>", error="Unhandled"),
        "the function failed: Unhandled: <oops>",
        "read the log",
        False,
    ),
    "malformed": (
        returning({"statusCode": "x"}),
        "the function's answer stands for none of HTTP: its statusCode is 'x'",
        "of the form 2.0",
        False,
    ),
    "throttled": (refusing("TooManyRequestsException"), "TooManyRequests", "throttling", True),
    "server-error": (refusing("ServiceException"), "ServiceException", "failed", False),
    "forbidden": (
        refusing("AccessDeniedException"),
        "AccessDeniedException",
        "allow lambda:InvokeFunction",
        False,
    ),
    "credentials": (
        refusing("UnrecognizedClientException"),
        "UnrecognizedClientException",
        "GREENROOM_HOOK_PASS",
        False,
    ),
}


@pytest.mark.parametrize(
    ("version", "reason", "advice", "retry"), FAILURES.values(), ids=FAILURES.keys()
)
def test_a_version_that_gives_no_answer_is_an_error_that_says_why(
    asking: Asking,
    version: Callable[[dict[str, Any]], Told],
    reason: str,
    advice: str,
    retry: bool,  # noqa: FBT001 - part of the table
) -> None:
    seen = failing(asking, version)
    assert reason in seen[0]
    assert advice in seen[1]
    assert seen[2] is retry


def test_a_version_that_does_not_exist_is_named(asking: Asking) -> None:
    with (
        asking.serving({"Trivia:7": returning(OK)}) as http,
        pytest.raises(httpx.TransportError) as seen,
    ):
        http.get("/")
    assert "lambda://Trivia:8 exists" in failure_of(seen.value).advice


def test_a_service_that_never_answers_costs_no_more_than_the_requests_time(asking: Asking) -> None:
    with (
        hostile(servers.silent) as url,
        asking.at(url) as http,
        pytest.raises(httpx.ReadTimeout, match=r"no complete answer within 0\.3 s"),
    ):
        http.get("/", timeout=0.3)


@pytest.mark.parametrize("behave", [servers.drip_body, servers.closes], ids=["drips", "closes"])
def test_a_service_that_misbehaves_is_an_error(asking: Asking, behave: servers.Behaviour) -> None:
    with (
        hostile(behave) as url,
        asking.at(url) as http,
        pytest.raises(httpx.TransportError),
    ):
        http.get("/", timeout=0.5)


def test_nobody_listening_is_worth_another_try(asking: Asking) -> None:
    url = servers.refused_url()
    with asking.at(url) as http, pytest.raises(httpx.TransportError) as seen:
        http.get("/")
    failure = failure_of(seen.value)
    assert failure.retry
    assert "EndpointConnectionError" in failure.reason


def test_a_region_that_is_none_is_said_to_be(asking: Asking) -> None:
    url = servers.refused_url()
    with asking.at(url, region="no region") as http, pytest.raises(httpx.TransportError) as seen:
        http.get("/")
    assert "no client for lambda" in failure_of(seen.value).reason
    assert "AWS_REGION" in failure_of(seen.value).advice


def test_the_very_version_is_invoked_and_named_by_its_answer(asking: Asking) -> None:
    versions = {"Trivia:8": returning(OK), "Trivia:7": returning({"statusCode": 500})}
    with asking.serving(versions) as http:
        answer = http.get("/all", params={"a": "b"})
    assert (answer.status_code, answer.text) == (200, "fine")
    assert answer.headers["x-revision"] == "v8"
    assert answer.headers["x-amz-executed-version"] == "8"
    assert asking.exchanges[0]["request"]["url"] == "lambda://Trivia:8/all?a=b"
    assert asking.exchanges[0]["response"]["body"] == "fine"


def echo(event: dict[str, Any]) -> Told:
    return Told(json.dumps({"statusCode": 200, "body": json.dumps(event)}).encode())


@pytest.mark.parametrize(
    ("query", "key"),
    [("", "rawPath"), ("?payload=1.0", "path"), ("?payload=alb", "path")],
    ids=["http-api", "rest-api", "load-balancer"],
)
def test_paths_lie_below_the_targets_in_the_form_that_it_names(
    asking: Asking, query: str, key: str
) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:Trivia"
    with asking.serving({f"{arn}:8": echo}, f"lambda://{arn}:8/v1{query}") as http:
        assert http.get("/all").json()[key] == "/v1/all"


def test_a_head_request_brings_no_body(asking: Asking) -> None:
    with asking.serving({"Trivia:8": returning(OK)}) as http:
        answer = http.head("/")
    assert (answer.status_code, answer.content) == (200, b"")


def test_redirects_stay_with_the_function_or_go_where_they_lead(asking: Asking) -> None:
    with serving(lambda _: Reply(b"elsewhere")) as other:

        def redirects(event: dict[str, Any]) -> Told:
            places = {"/a": "/b", "/c": f"{other.url}/d"}
            location = places.get(event["rawPath"])
            if location is None:
                return returning({"statusCode": 200, "body": event["rawPath"]})(event)
            return returning({"statusCode": 302, "headers": {"Location": location}})(event)

        with asking.serving({"Trivia:8": redirects}) as http:
            assert http.get("/a", follow_redirects=True).text == "/b"
            assert http.get("/c", follow_redirects=True).text == "elsewhere"
    assert asking.exchanges[-1]["request"]["url"] == f"{other.url}/d"


def test_cookies_come_back_with_the_next_request(asking: Asking) -> None:
    def version(event: dict[str, Any]) -> Told:
        cookies = event.get("cookies", [])
        return returning({"statusCode": 200, "cookies": ["id=1"], "body": str(cookies)})(event)

    with asking.serving({"Trivia:8": version}) as http:
        assert http.get("/").text == "[]"
        assert http.get("/").text == "['id=1']"


def test_a_body_beyond_the_limit_is_not_read(asking: Asking) -> None:
    large = returning({"statusCode": 200, "body": "x" * 2000})
    with (
        functions({"Trivia:8": large}) as server,
        asking.at(server.url, limits=Limits(max_body=1000)) as http,
        pytest.raises(BodyTooLargeError, match="larger than 1,000 bytes"),
    ):
        http.get("/")


def test_more_than_lambda_ever_returns_is_not_read(asking: Asking) -> None:
    with (
        asking.serving({"Trivia:8": lambda _: Told(b" " * 9_000_000)}) as http,
        pytest.raises(BodyTooLargeError, match="function's answer is larger"),
    ):
        http.get("/")


def test_secrets_are_kept_out_of_what_is_recorded(asking: Asking) -> None:
    with (
        functions({"Trivia:8": echo}) as server,
        asking.at(server.url, hidden="s3cr3t-v4lue") as http,
    ):
        http.get("/", headers={"x-api-key": "s3cr3t-v4lue"})
    assert "s3cr3t" not in str(asking.exchanges)
    assert REDACTED in asking.exchanges[0]["response"]["body"]


HANDLER = """
import json, time

def handler(event, context):
    match event["rawPath"]:
        case "/raise":
            raise KeyError("name")
        case "/slow":
            time.sleep(30)
        case "/short":
            return {"version": context.function_version}
    body = json.dumps({"path": event["rawPath"], "sent": event.get("body")})
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Served]:
    """A real function under awslambdaric, as version 8."""
    (tmp_path / "app.py").write_text(HANDLER)

    with LambdaFunction("app.handler", task_root=tmp_path, environment={}, timeout_s=2) as real:

        def version(event: dict[str, Any]) -> Told:
            done = real.invoke(event)
            return Told(done.payload, "Unhandled" if done.error else "")

        with functions({"Trivia:8": version}) as server:
            yield server


@pytest.mark.slow
def test_a_real_function_answers_fails_and_runs_out_of_time(
    asking: Asking, runtime: Served
) -> None:
    with asking.at(runtime.url, limits=Limits(timeout_s=30)) as http:
        answer = http.post("/answers", json={"a": 1})
        assert answer.json() == {"path": "/answers", "sent": '{"a":1}'}
        assert http.get("/short").json() == {"version": "$LATEST"}
        for path, reason in (("/raise", "KeyError: 'name'"), ("/slow", "Task timed out")):
            with pytest.raises(httpx.TransportError) as seen:
                http.get(path)
            assert f"the function failed: {reason}" in failure_of(seen.value).reason.replace(
                "Sandbox.Timedout: ", ""
            )
