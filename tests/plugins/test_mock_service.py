from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from greenroom.plugins.mock_record import judge_end
from greenroom.plugins.mock_routes import read_api
from greenroom.plugins.mock_service import MockService
from greenroom.plugins.recording import CheckFailed, Recording
from greenroom.plugins.redaction import Redactor
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator


ROUTES = """\
name: items
routes:
  - get: /items/{id}
    json: {id: 1, name: é}
    headers: {X-Rate: 5, content-type: application/vnd.items+json}
  - get: /items/all
    text: every one
    delay: 10ms
  - post: /items
    status: 201
"""
ONE = "GET /items/{id}"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MockService]:
    (tmp_path / "items.yaml").write_text(ROUTES)
    with MockService(read_api(tmp_path / "items.yaml"), Recording().verify) as service:
        yield service


def missed(
    service: MockService, route: str = ONE, times: int | None = None, **wanted: object
) -> str:
    """Return the message of an assertion that does not hold."""
    with pytest.raises(CheckFailed) as caught:
        service.assert_called(route, times, **wanted)  # type: ignore[arg-type]
    return str(caught.value)


# Assertions that do not hold


def test_a_service_that_nobody_called_says_so(service: MockService) -> None:
    assert "calls of GET /items/{id} at items 0; seen: no call at all" in missed(service)


def test_too_many_calls_are_the_clients_or_the_tests_to_correct(service: MockService) -> None:
    httpx.get(f"{service.url}/items/all")
    httpx.get(f"{service.url}/items/all")
    message = missed(service, "GET /items/all", 1)
    assert "what to do: correct the code under test, or what assert_called expects" in message


def test_a_miss_lists_the_calls_seen(service: MockService) -> None:
    httpx.post(f"{service.url}/items?dry=1", json={"name": "a"})
    message = missed(service)
    assert 'seen: 1: POST /items?dry=1 {"name":"a"}' in message
    assert "evidence: 1 calls to mock services (werkzeug" in message


@pytest.mark.parametrize(
    "wanted",
    [
        {"times": 2},
        {"json": {"name": "b"}},
        {"query": {"dry": "2"}},
        {"headers": {"X-Tenant": "c"}},
    ],
    ids=str,
)
def test_a_call_that_differs_is_a_miss(service: MockService, wanted: dict[str, object]) -> None:
    httpx.post(f"{service.url}/items?dry=1", json={"name": "a"}, headers={"X-Tenant": "b"})
    missed(service, "POST /items", **wanted)  # type: ignore[arg-type]


def test_a_body_that_is_no_json_is_a_miss(service: MockService) -> None:
    httpx.post(f"{service.url}/items", content=b"{")
    missed(service, "POST /items", json={})


@pytest.mark.parametrize("told", ["assert_called", "fail", "stall", "reset", "drop", "recover"])
def test_an_unknown_route_names_the_known_ones(service: MockService, told: str) -> None:
    with pytest.raises(SettingsError, match="items has no route 'GET /item'") as caught:
        getattr(service, told)("GET /item")
    assert caught.value.hint == f"its routes: {ONE}, GET /items/all, POST /items"


@pytest.mark.parametrize(
    ("status", "times", "reason"), [(200, None, "from 400 to 599"), (500, 0, "1 or more")]
)
def test_a_fault_that_is_none_is_refused(
    service: MockService, status: int, times: int | None, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        service.fail(ONE, status, times)


# What a service shows at its end


def test_a_service_that_was_never_called_is_inconclusive(service: MockService) -> None:
    finding = judge_end(service)
    assert finding is not None
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "nobody called the mock service items" in str(finding)


def test_a_call_that_was_not_expected_fails(service: MockService) -> None:
    service.expect_no_calls()
    assert judge_end(service) is None
    httpx.get(f"{service.url}/items/1")
    finding = judge_end(service)
    assert finding is not None
    assert finding.outcome is Outcome.FAILED


def test_a_request_without_a_route_fails_unless_allowed(service: MockService) -> None:
    assert httpx.get(f"{service.url}/").json()["routes"] == [ONE, "GET /items/all", "POST /items"]
    finding = judge_end(service)
    assert finding is not None
    assert "GET /: answered 404: there is no such route" in finding.seen
    service.allow_breaches()
    assert judge_end(service) is None


def test_a_fault_that_nobody_met_is_inconclusive(service: MockService) -> None:
    service.fail(ONE, times=2)
    httpx.get(f"{service.url}/items/1")
    finding = judge_end(service)
    assert finding is not None
    assert finding.outcome is Outcome.INCONCLUSIVE
    service.recover(ONE)
    assert judge_end(service) is None


# Faults


def test_a_failure_ends_after_its_times(service: MockService) -> None:
    service.fail(ONE, status=503, times=2, json={"later": True})
    answers = [httpx.get(f"{service.url}/items/1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json() == {"later": True}


def test_a_reset_is_one(service: MockService) -> None:
    service.reset(ONE, times=1)
    with pytest.raises(httpx.ReadError, match="reset"):
        httpx.get(f"{service.url}/items/1")
    assert httpx.get(f"{service.url}/items/1").status_code == 200


def test_a_dropped_connection_has_no_answer(service: MockService) -> None:
    service.drop("POST /items")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        httpx.post(f"{service.url}/items", json=[1] * 1000)
    assert service.served[0].error == "connection closed without an answer"


def test_a_stalled_call_ends_with_the_service(service: MockService) -> None:
    service.stall(ONE)
    seen: list[Exception] = []

    def ask() -> None:
        try:
            httpx.get(f"{service.url}/items/1", timeout=None)  # noqa: S113 - the service ends it
        except httpx.TransportError as error:
            seen.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not service.calls:
        pass
    service.close()
    asking.join()
    assert isinstance(seen[0], httpx.RemoteProtocolError)
    assert service.served[0].error == "kept waiting"


def test_a_stall_of_some_seconds_answers_then(service: MockService) -> None:
    service.stall(ONE, 0.05, times=1)
    assert httpx.get(f"{service.url}/items/1").elapsed.total_seconds() >= 0.05


# Answers


def test_a_route_answers_as_it_says(service: MockService) -> None:
    answer = httpx.get(f"{service.url}/items/7")
    assert answer.json() == {"id": 1, "name": "é"}
    assert answer.headers["x-rate"] == "5"
    assert answer.headers.get_list("content-type") == ["application/vnd.items+json"]
    [call] = service.assert_called(ONE, times=1)
    assert call.parameters == (("id", "7"),)


def test_a_literal_path_comes_before_a_parameter(service: MockService) -> None:
    answer = httpx.get(f"{service.url}/items/all")
    assert (answer.text, answer.headers["content-type"]) == (
        "every one",
        "text/plain; charset=utf-8",
    )
    assert service.calls[0].route == "GET /items/all"


def test_an_exchange_is_recorded_without_secrets(service: MockService) -> None:
    httpx.post(
        f"{service.url}/items?token=abc", content=b"pass: hunter22", headers={"Authorization": "x"}
    )
    data = service.served[0].to_json("items", service.origin, Redactor(["hunter22"]))
    assert data["request"]["url"] == f"{service.url}/items?token=[redacted]"
    assert data["request"]["body"] == "pass: [redacted]"
    assert ["authorization", "[redacted]"] in data["request"]["headers"]
    assert (data["request"]["address"], data["response"]["status"]) == ("mock items", 201)


@pytest.mark.parametrize(
    ("routes", "place", "reason"),
    [
        ("routes: []", "1:9", "routes is empty"),
        ("routes: {get: /}", "1:9", "routes must be a list"),
        ("routes: [{json: 1}]", "1:10", "a route has one method"),
        ("routes: [{get: /, post: /}]", "1:10", "a route has one method"),
        ("routes: [{get: x}]", "1:16", "'x' is no path of a route"),
        ("routes: [{get: /, statos: 2}]", "1:19", "unknown key 'statos'"),
        ("routes: [{get: /, status: 99}]", "1:27", "status must be a whole number, from 200"),
        ("routes: [{get: /, json: 1, text: a}]", "1:28", "`json` or `text`, not both"),
        ("routes: [{get: /, text: [a]}]", "1:25", "text must be a text"),
        ("routes: [{get: /, delay: 5}]", "1:26", "delay must be a duration"),
        ("routes: [{get: /, headers: {a b: c}}]", "1:29", "'a b' is no header"),
        ("routes: [{get: /, headers: {a: é}}]", "1:32", "one line of ASCII"),
        ('routes: [{get: "/{a}"}, {get: "/{b}"}]', "1:25", "GET /{b} is there twice"),
        ("routes: [{get: /}]\nversion: 2", "2:10", "version must be a whole number, 1"),
    ],
)
def test_routes_that_cannot_be_read_say_where(
    tmp_path: Path, routes: str, place: str, reason: str
) -> None:
    path = tmp_path / "items.yaml"
    path.write_text(routes)
    with pytest.raises(SettingsError) as caught:
        read_api(path)
    assert str(caught.value).startswith(f"{path}:{place}: ")
    assert reason in str(caught.value)


def test_the_routes_of_the_documentation_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "mocks.md").read_text()
    (tmp_path / "users.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    routes = read_api(tmp_path / "users.yaml").routes
    assert [route.name for route in routes] == ["GET /users/{id}", "DELETE /users/{id}"]
