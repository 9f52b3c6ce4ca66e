"""Requests as the events that AWS makes of them, and what functions return as answers."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from greenroom.plugins.function_address import Payload
from greenroom.plugins.lambda_events import MalformedError, answer_of, event_of

URL = "https://trivia.lambda.invalid/v1/a%20b?q=1&q=%C3%A9&empty="
EVERY_FORM = pytest.mark.parametrize("form", list(Payload))


def request(**changes: object) -> httpx.Request:
    headers = [("Cookie", "a=1; b=2"), ("X-Two", "1"), ("x-two", "2"), ("Connection", "close")]
    return httpx.Request("POST", URL, headers=headers, **changes)  # type: ignore[arg-type]


def test_an_http_api_gets_cookies_and_joined_values() -> None:
    event = event_of(Payload.HTTP_API, request(json={"a": "é"}))
    assert (event["version"], event["rawPath"]) == ("2.0", "/v1/a%20b")
    assert event["rawQueryString"] == "q=1&q=%C3%A9&empty="
    assert event["queryStringParameters"] == {"q": "1,é", "empty": ""}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-two"] == "1,2"
    assert {"cookie", "connection"}.isdisjoint(event["headers"])
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["domainName"] == "trivia.lambda.invalid"
    assert (json.loads(event["body"]), event["isBase64Encoded"]) == ({"a": "é"}, False)


def test_an_http_api_leaves_out_what_a_request_has_not() -> None:
    event = event_of(Payload.HTTP_API, httpx.Request("GET", "https://f.lambda.invalid/"))
    assert {"cookies", "body", "queryStringParameters"}.isdisjoint(event)
    assert event["isBase64Encoded"] is False


def test_a_rest_api_gets_single_and_multiple_values() -> None:
    event = event_of(Payload.REST_API, request())
    assert (event["path"], event["httpMethod"]) == ("/v1/a%20b", "POST")
    assert event["headers"]["x-two"] == "2"
    assert event["multiValueHeaders"]["x-two"] == ["1", "2"]
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "é"], "empty": [""]}
    assert event["queryStringParameters"] == {"q": "é", "empty": ""}
    assert event["body"] is None
    bare = event_of(Payload.REST_API, httpx.Request("GET", "https://f.lambda.invalid/"))
    assert bare["queryStringParameters"] is None


def test_a_load_balancer_hands_its_query_on_as_it_was_sent() -> None:
    event = event_of(Payload.LOAD_BALANCER, request(content=b"x"))
    assert event["queryStringParameters"] == {"q": "%C3%A9", "empty": ""}
    assert set(event["requestContext"]) == {"elb"}
    assert event["headers"]["host"] == "trivia.lambda.invalid"


@EVERY_FORM
def test_a_body_that_is_no_text_travels_in_base64(form: Payload) -> None:
    event = event_of(form, request(content=b"\xff\x00"))
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\x00"
    liar = httpx.Request("POST", URL, content=b"\xff", headers={"content-type": "text/plain"})
    assert event_of(form, liar)["isBase64Encoded"] is True


@EVERY_FORM
def test_an_answer_comes_back_as_it_was_given(form: Payload) -> None:
    given = {"statusCode": "201", "headers": {"X-A": "b", "X-N": 5, "X-T": True}, "body": "é"}
    answer = answer_of(form, json.dumps(given).encode())
    assert (answer.status, answer.body.decode()) == (201, "é")
    assert answer.headers == [("x-a", "b"), ("x-n", "5"), ("x-t", "true")]
    binary = {"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}
    assert answer_of(form, json.dumps(binary).encode()).body == b"\xff\x00"
    assert answer_of(form, b'{"statusCode": 204}').body == b""


@pytest.mark.parametrize(
    ("payload", "body"),
    [('{"a": 1}', b'{"a": 1}'), ('"plain"', b"plain"), ("null", b"null"), ("[1]", b"[1]")],
    ids=["object", "text", "null", "list"],
)
def test_without_a_status_an_http_api_answers_200(payload: str, body: bytes) -> None:
    answer = answer_of(Payload.HTTP_API, payload.encode())
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers == [("content-type", "application/json")]


def test_cookies_are_set_and_multiple_values_come_first_where_the_form_has_them() -> None:
    given = {
        "statusCode": 200,
        "headers": {"Set-Cookie": "x=0", "a": "b"},
        "multiValueHeaders": {"set-cookie": ["x=1", "y=2"]},
        "cookies": ["z=3"],
    }
    payload = json.dumps(given).encode()
    assert answer_of(Payload.HTTP_API, payload).headers == [
        ("set-cookie", "x=0"),
        ("a", "b"),
        ("set-cookie", "z=3"),
    ]
    assert answer_of(Payload.REST_API, payload).headers == [
        ("a", "b"),
        ("set-cookie", "x=1"),
        ("set-cookie", "y=2"),
    ]


MALFORMED = {
    "status-word": ({"statusCode": "ok"}, "its statusCode is 'ok'"),
    "status-true": ({"statusCode": True}, "its statusCode is True"),
    "status-range": ({"statusCode": 99}, "its statusCode is 99"),
    "headers-list": ({"statusCode": 200, "headers": []}, "headers are not an object"),
    "header-null": ({"statusCode": 200, "headers": {"a": None}}, "its header a is None"),
    "header-lines": ({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}, "HTTP does not carry"),
    "body-object": ({"statusCode": 200, "body": {"a": 1}}, "its body is not a text: dict"),
    "body-base64": ({"statusCode": 200, "body": "é", "isBase64Encoded": True}, "not base64"),
}


@EVERY_FORM
@pytest.mark.parametrize(("given", "reason"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_stands_for_no_answer_is_said_to_be_malformed(
    form: Payload, given: object, reason: str
) -> None:
    with pytest.raises(MalformedError, match=reason):
        answer_of(form, json.dumps(given).encode())


@pytest.mark.parametrize(
    ("form", "payload", "reason"),
    [
        (Payload.HTTP_API, "<html>", "it is not JSON"),
        (Payload.HTTP_API, '{"statusCode": 200, "cookies": "a=b"}', "not a list of texts"),
        (Payload.REST_API, '{"a": 1}', "it has no statusCode"),
        (Payload.LOAD_BALANCER, "null", "it has no statusCode"),
        (Payload.REST_API, '{"statusCode": 200, "multiValueHeaders": {"a": "b"}}', "to lists"),
    ],
    ids=["no-json", "cookies", "short-form", "null", "multiple-values"],
)
def test_each_form_has_its_own_malformed_answers(form: Payload, payload: str, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        answer_of(form, payload.encode())
