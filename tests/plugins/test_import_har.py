from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.imports import Written, entry, har, imported

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture
def wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Written]:
    return lambda *entries, **_: imported(har(*entries), capsys, tmp_path, "--force")


def test_another_origin_can_be_chosen_and_must_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = har(entry(), entry("https://user:pw@b.example:8443/x"))
    written = imported(recording, capsys, tmp_path, "--origin", "https://B.example:8443/")
    assert list(written.checks()) == ["GET /x"]
    assert "pw" not in written.whole
    refused = imported(recording, capsys, tmp_path, "--origin", "https://c.example")
    assert refused.status == 4
    assert "origins: https://a.example, https://b.example:8443" in refused.said


SKIPPED: dict[str, tuple[Any, str]] = {
    "no-object": (1, "not readable: an entry without an address"),
    "no-address": (entry(""), "not readable"),
    "broken-address": (entry("http://[x/"), "not readable"),
    "data": (entry("data:text/plain,secret"), "not http: data:"),
    "web-socket": (entry(status=101), "web sockets"),
    "aborted": (entry("https://a.example/gone", status=0), "without an answer: GET /gone"),
    "status-as-text": (entry(status="200"), "without an answer"),  # type: ignore[arg-type]
    "trace": (entry(method="TRACE"), "methods that a suite has not: TRACE /api"),
    "preflight": (
        entry(method="OPTIONS", headers={"Access-Control-Request-Method": "PUT"}),
        "preflights of the browser",
    ),
    "font": (entry("https://a.example/f", mime="font/woff2"), "fonts: GET /f"),
    "script": (entry(mime="text/javascript; charset=utf-8"), "scripts"),
    "style": (entry(mime="text/css", _resourceType="fetch"), "style sheets"),
    "page": (entry(mime="text/html"), "pages"),
    "manifest": (entry(mime="text/plain", _resourceType="manifest"), "loaded as manifest"),
    "binary": (
        entry(method="POST", sent=("application/octet-stream", "\x00\x01")),
        "a body that is no text",
    ),
    "header": (entry(headers={"X-Name": "ü"}), "a header that is more than one line of ASCII"),
    "surrogate": (
        entry(method="POST", sent=("application/json", '["\\ud800"]')),
        "half a character",
    ),
    "deep": (
        entry(method="POST", sent=("application/json", "[" * 99 + "]" * 99)),
        "its JSON is nested too deeply",
    ),
    "secret-name": (
        entry(method="POST", sent=("application/json", json.dumps({JWT: 1}))),
        "a name in its JSON is a secret",
    ),
}


@pytest.mark.parametrize(("skipped", "said"), SKIPPED.values(), ids=SKIPPED)
def test_what_is_no_api_call_is_left_out_and_told(
    wrote: Callable[..., Written], skipped: dict[str, Any], said: str
) -> None:
    written = wrote(entry("https://a.example/kept"), skipped)
    assert f"left out: 1: {said}" in written.said
    assert list(written.checks()) == ["GET /kept"]


@pytest.mark.parametrize(
    ("mime", "resource"),
    [
        ("application/json", "document"),
        ("application/problem+json", "other"),
        ("text/html", "xhr"),
        ("text/plain", ""),
    ],
    ids=["json-in-a-tab", "problem", "fragment-by-script", "a-browser-that-says-nothing"],
)
def test_what_a_script_or_a_person_asks_an_api_for_is_kept(
    wrote: Callable[..., Written], mime: str, resource: str
) -> None:
    assert list(wrote(entry(mime=mime, _resourceType=resource)).checks()) == ["GET /api"]


def test_calls_of_one_path_have_names_of_their_own(wrote: Callable[..., Written]) -> None:
    entries = [entry(f"https://a.example/api?page={page}{'x' * 40}") for page in (1, 2)]
    paths = [entry("https://a.example/a::b"), entry("https://a.example/" + "long" * 50)]
    names = list(wrote(*entries, *paths, entry(), entry(), entry(status=500)).checks())
    assert names[:3] == ["GET /api", "GET /api (2)", "GET /a:b"]
    assert len(names[3]) == 100
    assert names[4:] == ["GET /api (3)", "GET /api (4)"]


PLACES: dict[str, dict[str, Any]] = {
    "header": {"headers": {"X-Api-Key": "S3CRET-VALUE"}},
    "custom-header": {"headers": {"X-Plain": JWT}},
    "scheme": {"headers": {"Authorization": "Custom S3CRET-VALUE"}},
    "bare-authorization": {"headers": {"Authorization": "S3CRET-VALUE"}},
    "query": {"url": "https://a.example/x?api_key=S3CRET-VALUE&a=1"},
    "query-form": {"url": f"https://a.example/x?next={JWT}"},
    "path-form": {"url": f"https://a.example/x/{JWT}"},
    "path-after-token": {"url": "https://a.example/reset-token/S3CRETVALUE12345"},
    "json": {"method": "POST", "sent": ("application/json", '{"auth": {"k": ["S3CRET-VALUE"]}}')},
    "json-number": {"method": "POST", "sent": ("application/json", '{"pin": 73012345}')},
    "form": {
        "method": "POST",
        "sent": ("application/x-www-form-urlencoded", "user=a&password=S3CRET-VALUE"),
    },
    "text": {"method": "POST", "sent": ("text/plain", f"here: {JWT}")},
    "seen-in-an-answer": {
        "url": "https://a.example/x/S3CRET-VALUE",
        "body": {"access_token": "S3CRET-VALUE"},
    },
    "encoded": {
        "url": "https://a.example/x?a=S3CRET%2FVALUE",
        "headers": {"Cookie": "a=1; session=S3CRET/VALUE"},
    },
}


@pytest.mark.parametrize("given", PLACES.values(), ids=PLACES)
def test_a_secret_becomes_a_variable_wherever_it_stands(
    wrote: Callable[..., Written], given: dict[str, Any]
) -> None:
    written = wrote(entry(**given))
    assert "${secret.API_" in written.text
    assert "set these environment variables" in written.said
    for part in ("S3CRET", JWT, "73012345"):
        assert part not in written.whole
    assert written.checks()


def test_secrets_of_one_name_are_told_apart_and_variables_of_other_programs_avoided(
    wrote: Callable[..., Written],
) -> None:
    one, other = ({"X-Aws-Secret": f"value-{number}"} for number in (1, 2))
    written = wrote(entry(headers=one), entry("https://a.example/b", headers=other))
    assert 'X-Aws-Secret: "${secret.API_AWS_SECRET}"' in written.text
    assert "API_AWS_SECRET_2  # GET /b" in written.said


def test_bodies_are_written_as_what_they_are(wrote: Callable[..., Written]) -> None:
    form = entry(method="POST")
    form["request"]["postData"] = {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "a", "value": "1 2"}],
    }
    written = wrote(
        form,
        entry("https://a.example/v", method="POST", sent=("application/vnd.a+json", "[1e3, null]")),
        entry("https://a.example/b", method="PUT", sent=("application/json", "{broken")),
        entry("https://a.example/t", method="PUT", sent=("text/plain", "a\n${b}\n")),
        entry("https://a.example/n", method="PUT", sent=("", "typeless")),
    )
    requests = [check.request for check in written.checks().values()]
    bodies = [b"a=1+2", b"[1000.0, null]", b"{broken", b"a\n${b}\n", b"typeless"]
    assert [request.content for request in requests] == bodies
    assert [dict(request.headers)["content-type"] for request in requests[:4]] == [
        "application/x-www-form-urlencoded",
        "application/vnd.a+json",
        "application/json",
        "text/plain",
    ]


SHAPES: dict[str, tuple[object, dict[str, str]]] = {
    "empty-object": ({}, {"$": "object"}),
    "null": (None, {}),
    "text": ("x", {"$": "string"}),
    "odd-names": (
        {"a b": 1, "c'\"": True},
        {"$": "object", '$["a b"]': "number", '$["c\'\\""]': "boolean"},
    ),
    "list-of-objects": (
        [{"a": 1, "b": 2}, {"a": 1.5}],
        {"$": "array", "$[*].a": "number"},
    ),
    "list-of-all-sorts": ([1, "x", None], {"$": "array"}),
    "empty-list": ([], {"$": "array"}),
    "map-of-ids": ({"17": {"a": 1}}, {"$": "object"}),
    "map-of-secrets": ({JWT: 1}, {"$": "object"}),
    "map-of-many": ({f"n{number}": 1 for number in range(31)}, {"$": "object"}),
    "null-member": (
        {"a": None, "b": {"c": {"d": {"e": 1}}}},
        {
            "$": "object",
            "$.b": "object",
            "$.b.c": "object",
            "$.b.c.d": "object",
        },
    ),
}


@pytest.mark.parametrize(("body", "shape"), SHAPES.values(), ids=SHAPES)
def test_the_main_shape_is_expected_and_no_value(
    wrote: Callable[..., Written], body: object, shape: dict[str, str]
) -> None:
    given = entry(body=json.dumps(body))
    [check] = wrote(given).checks().values()
    found = {rule.path: str(rule.expectation.argument) for rule in check.expect.json}
    assert found == shape


def test_a_name_like_a_variable_is_expected_as_it_is(wrote: Callable[..., Written]) -> None:
    [check] = wrote(entry(body={"${env.HOME}": 1})).checks().values()
    *_, rule = check.expect.json
    assert rule.query.find({"${env.HOME}": 1}).values() == [1]


def test_a_large_shape_is_cut_and_a_large_answer_gets_its_room(
    wrote: Callable[..., Written],
) -> None:
    large = entry(body={f"n{number}": 1 for number in range(30)})
    large["response"]["content"]["size"] = 3 * 1024 * 1024
    [check] = wrote(large).checks().values()
    assert len(check.expect.json) == 20
    assert check.max_body == 6 * 1024 * 1024


def test_an_answer_in_base64_is_read_and_a_broken_one_is_not(
    wrote: Callable[..., Written],
) -> None:
    whole, broken, latin = entry(), entry("https://a.example/b"), entry("https://a.example/c")
    texts = (base64.b64encode(b"[1]").decode(), "?", base64.b64encode(b"\xe4").decode())
    for one, text in zip((whole, broken, latin), texts, strict=True):
        one["response"]["content"] |= {"encoding": "base64", "text": text}
    checks = list(wrote(whole, broken, latin).checks().values())
    assert [len(check.expect.json) for check in checks] == [1, 0, 0]


def test_an_answer_from_the_browsers_cache_is_expected_as_200(
    wrote: Callable[..., Written],
) -> None:
    written = wrote(entry(status=304))
    assert "note: GET /api was answered from the browser's cache: 200 is expected" in written.said
    assert "status: 200" in written.text
