from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.imports import Written, imported, postman, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOST = "https://a.example"


@pytest.fixture
def wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Written]:
    return lambda *items, **more: imported(postman(*items, **more), capsys, tmp_path, "--force")


def auth(kind: str, values: dict[str, str] | None = None) -> dict[str, Any]:
    listed = [{"key": key, "value": value} for key, value in (values or {}).items()]
    return {"type": kind, kind: listed}


UNWRITABLE: dict[str, tuple[dict[str, Any], str]] = {
    "file": (request(body={"mode": "formdata", "formdata": [{"type": "file"}]}), "a file in its"),
    "mode": (request(body={"mode": "file"}), "a body of mode file"),
    "graphql": (request(body={"mode": "graphql"}), "a GraphQL body without a query"),
    "graphql-variables": (
        request(body={"mode": "graphql", "graphql": {"query": "q", "variables": "{{x}}"}}),
        "variables of GraphQL that are not JSON",
    ),
    "field": (
        request(body={"mode": "formdata", "formdata": [{"key": 'a"'}]}),
        "a form's field with a name that cannot be written",
    ),
    "api-key": (
        request(auth=auth("apikey", {"key": "a b", "value": "x"})),
        "an API key in a header whose name is none",
    ),
    "signature": (request(auth=auth("awsv4")), "authorization of type awsv4"),
    "part": (
        request(header=[{"key": "Cookie", "value": "a={{a}}; b={{b}}"}]),
        "a credential that is a variable only in part",
    ),
    "dollar": (request(f"{HOST}/${{{{price}}}}"), "it has a $ right before a variable"),
    "made-up": (request(f"{HOST}/{{{{$guid}}}}"), "$guid, a value that Postman makes up"),
    "name": (
        request(body={"mode": "raw", "raw": '{"{{a}}": 1}'}),
        "a variable in a name of its JSON",
    ),
    "header": (request(header=[{"key": "X-A", "value": "ü"}]), "a header that is more than one"),
    "method": (request(method="PURGE"), "methods that a suite has not"),
    "no-request": ({"name": "r"}, "no request"),
}


@pytest.mark.parametrize(("item", "said"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_cannot_be_said_is_left_out_and_told(
    wrote: Callable[..., Written], item: dict[str, Any], said: str
) -> None:
    written = wrote(request(f"{HOST}/kept", name="kept"), item)
    assert f"left out: 1: {said}" in written.said
    assert list(written.checks()) == ["kept"]


SCRIPTS: dict[str, tuple[str, str, bool]] = {
    "status": ("pm.test('s', function () { pm.response.to.have.status(201); });", "201", False),
    "code": ('pm.test("s", () => pm.expect(pm.response.code).to.eql(202));', "202", False),
    "one-of": (
        "pm.test(`s`, () => { pm.expect(pm.response.code).to.be.oneOf([200, 204]) })",
        "200 or 204",
        False,
    ),
    "ok": ("// said\npm.test('s', () => { pm.response.to.be.ok })", "200", False),
    "success": ("pm.test('s', () => { pm.response.to.be.success; })", "2xx", False),
    "legacy": ('tests["s"] = responseCode.code === 404;', "404", False),
    "negated": ("pm.test('s', () => { pm.response.to.not.have.status(500); })", "2xx", True),
    "condition": ("if (x) { pm.test('s', () => { pm.response.to.be.ok }) }", "2xx", True),
    "code-around": (
        "let a;\npm.test('s', () => { pm.response.to.have.status(201) })",
        "2xx",
        True,
    ),
    "no-status": ("pm.test('s', () => { pm.response.to.have.status('OK') })", "2xx", True),
}


@pytest.mark.parametrize(("script", "status", "told"), SCRIPTS.values(), ids=SCRIPTS)
def test_only_plain_assertions_of_a_script_are_read(
    wrote: Callable[..., Written],
    script: str,
    status: str,
    told: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    written = wrote(request(test=script))
    [check] = written.checks().values()
    assert str(check.expect.status) == status
    assert ("note: r: its test script is not carried over" in written.said) is told


def test_other_assertions_are_read_too(wrote: Callable[..., Written]) -> None:
    script = """pm.test("all", function () {
        pm.expect(pm.response.responseTime).to.be.below(200);
        pm.response.to.have.header("X-A");
        pm.response.to.be.json;
    });"""
    written = wrote(request(test=script))
    assert "time: < 200ms" in written.text
    assert "x-a: {exists: true}" in written.text
    assert "content-type: {contains: json}" in written.text
    assert written.checks()


def test_scripts_of_folders_hold_for_what_is_in_them_and_pre_request_scripts_are_told(
    wrote: Callable[..., Written],
) -> None:
    event = {"listen": "test", "script": {"exec": "pm.test('s', () => { pm.response.to.be.ok })"}}
    before = {"listen": "prerequest", "script": "sign()"}
    off = {"listen": "test", "script": "x", "disabled": True}
    folder = {"name": "f", "item": [request(), "no item"], "event": [event, before, off]}
    written = wrote(folder, request(name="f / r"))
    assert list(written.checks()) == ["f / r", "f / r (2)"]
    assert [str(one.expect.status) for one in written.checks().values()] == ["200", "2xx"]
    assert "note: f / r: its pre-request script is not carried over" in written.said


PLANTED = "S3CRET-VALUE"

AUTHS: dict[str, tuple[dict[str, Any], str]] = {
    "basic": (
        auth("basic", {"username": "u", "password": PLANTED}),
        "Basic API_BASIC_CREDENTIALS",
    ),
    "bearer": (auth("bearer", {"token": PLANTED}), "Bearer API_BEARER_TOKEN"),
    "variable": (auth("bearer", {"token": "{{plain}}"}), "Bearer API_PLAIN"),
    "oauth2": (auth("oauth2"), "Bearer API_TOKEN"),
    "api-key": (
        auth("apikey", {"key": "Authorization", "value": PLANTED}),
        "API_AUTHORIZATION",
    ),
    "v2.0": ({"type": "bearer", "bearer": {"token": PLANTED}}, "Bearer API_BEARER_TOKEN"),
}


@pytest.mark.parametrize(("given", "header"), AUTHS.values(), ids=AUTHS)
def test_credentials_are_variables(
    wrote: Callable[..., Written], given: dict[str, Any], header: str
) -> None:
    variable = [{"key": "plain", "value": "S3CRET-VALUE"}]
    folder = {"name": "f", "item": [request()], "auth": given}
    written = wrote(folder, request(auth={"type": "noauth"}), auth=given, variable=variable)
    first, second = written.checks().values()
    assert dict(first.request.headers)["Authorization"] == header
    assert second.request.headers == ()
    assert "S3CRET" not in written.whole


URLS: dict[str, tuple[object, str]] = {
    "text": (f"{HOST}/a b?q=1#part", "/a%20b?q=1"),
    "no-scheme": ("a.example/x", "/x"),
    "known-base": ("{{base}}/x", "/v1/x"),
    "unknown-base": ("{{other}}/x", "/x"),
    "known-host": ("https://{{host}}:8080/x", "/x"),
    "parts": (
        {"protocol": "https", "host": ["a", "example"], "port": "1", "path": ["x", {"value": "y"}]},
        "/x/y",
    ),
    "path-as-text": ({"host": "a.example", "path": "/x/y"}, "/x/y"),
    "parameter": (
        {"raw": f"{HOST}/:id/:other", "variable": [{"key": "id", "value": "a/7"}]},
        "/a/7/other",
    ),
    "secret-parameter": (
        {"raw": f"{HOST}/:token", "variable": [{"key": "token", "value": "x"}]},
        "/API_TOKEN",
    ),
    "query": (
        {
            "raw": f"{HOST}/x?q=wrong",
            "query": [
                {"key": "q", "value": "{{shelf}} & 1"},
                {"key": "token", "value": "{{shelf}}"},
                {"key": "off", "disabled": True},
            ],
        },
        "/x?q=API_SHELF%20%26%201&token=API_SHELF",
    ),
    "nothing": (None, "/"),
}


@pytest.mark.parametrize(("url", "path"), URLS.values(), ids=URLS)
def test_an_address_becomes_a_path(wrote: Callable[..., Written], url: object, path: str) -> None:
    variables = [{"key": "base", "value": f"{HOST}/v1/"}, {"key": "host", "value": "a.example"}]
    written = wrote(request(url), variable=[*variables, {"key": "shelf", "value": "", "type": "x"}])
    [check] = written.checks().values()
    assert check.request.path == path


def test_a_base_that_nobody_knows_is_left_to_the_settings(wrote: Callable[..., Written]) -> None:
    written = wrote(request("{{base}}/x"), request("{{base}}/y"), request("{{more}}/z"))
    assert "note: {{base}} stands for the target" in written.said
    assert "left out: 1: another host than {{base}}: r" in written.said
    assert "--greenroom-target URL" in written.said


def raw(text: str, language: str = "") -> dict[str, Any]:
    return {"mode": "raw", "raw": text, "options": {"raw": {"language": language}}}


OFF = {"key": "off", "disabled": True}


def part(name: str, value: str) -> bytes:
    """Return a form of one field."""
    head = f'--greenroom-form\r\nContent-Disposition: form-data; name="{name}"'
    return f"{head}\r\n\r\n{value}\r\n--greenroom-form--\r\n".encode()


BODIES: dict[str, tuple[dict[str, Any], bytes | None, str]] = {
    "json": (
        raw('{"a": ["{{x}}", 1, null]}', "json"),
        b'{"a": ["x", 1, null]}',
        "application/json",
    ),
    "json-unsaid": (raw("[1]"), b"[1]", "application/json"),
    "json-with-bare-variable": (raw('{"a": {{x}}}', "json"), b'{"a": x}', "application/json"),
    "json-secret": (raw('{"token": "{{x}}"}'), b'{"token": "API_X"}', "application/json"),
    "json-below-a-secret": (
        raw('{"auth": {"a": "b"}}'),
        b'{"auth": {"a": "API_AUTH"}}',
        "application/json",
    ),
    "text": (raw("line"), b"line", "text/plain; charset=utf-8"),
    "number-as-text": (raw("17", "text"), b"17", "text/plain; charset=utf-8"),
    "xml": (raw("<a/>", "xml"), b"<a/>", "application/xml"),
    "empty": (raw(""), None, ""),
    "none": ({}, None, ""),
    "off": ({**raw("x"), "disabled": True}, None, ""),
    "empty-form": ({"mode": "urlencoded", "urlencoded": []}, None, ""),
    "empty-multipart": ({"mode": "formdata"}, None, ""),
    "multipart": (
        {"mode": "formdata", "formdata": [{"key": "a", "value": "1"}, OFF]},
        part("a", "1"),
        "multipart/form-data; boundary=greenroom-form",
    ),
    "multipart-secret": (
        {"mode": "formdata", "formdata": [{"key": "pin", "value": "12"}]},
        part("pin", "API_PIN"),
        "multipart/form-data; boundary=greenroom-form",
    ),
    "graphql": (
        {"mode": "graphql", "graphql": {"query": "{ a }", "variables": '{"n": 1}'}},
        b'{"query": "{ a }", "variables": {"n": 1}}',
        "application/json",
    ),
}


@pytest.mark.parametrize(("body", "sent", "media"), BODIES.values(), ids=BODIES)
def test_a_body_is_written_as_postman_sends_it(
    wrote: Callable[..., Written], body: dict[str, Any], sent: bytes | None, media: str
) -> None:
    [check] = wrote(request(method="POST", body=body)).checks().values()
    assert check.request.content == sent
    assert dict(check.request.headers).get("Content-Type", "") == media


def test_headers_may_be_one_text_and_what_the_client_sends_itself_is_left_out(
    wrote: Callable[..., Written],
) -> None:
    text = (
        "X-A: {{a}}\nHost: other\nAuthorization: Bearer {{b}}\nX-Api-Key: S3CRET-VALUE\nbad name: x"
    )
    written = wrote(request(header=text), "https://a.example/y", {"name": "u", "request": HOST})
    headers = written.checks()["r"].request.headers
    assert dict(headers) == {
        "X-A": "a",
        "Authorization": "Bearer API_B",
        "X-Api-Key": "API_KEY",
    }
    assert written.checks()["u"].request.path == "/"


def test_the_values_of_an_environment_win_and_its_secrets_are_not_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = [
        {"key": "a b", "value": "second"},
        {"key": "off", "value": "x", "enabled": False},
        {"key": "link", "value": "https://u:S3CRET-VALUE@b.example/"},
        {"key": "hidden", "value": "S3CRET-VALUE-2", "type": "secret"},
    ]
    environment = tmp_path / "environment.json"
    environment.write_text(json.dumps({"values": values}))
    item = request(f"{HOST}/{{{{a b}}}}/{{{{off}}}}/{{{{link}}}}/{{{{hidden}}}}/{{{{1}}}}")
    collection = postman(item, variable=[{"key": "a b", "value": "first"}])
    written = imported(collection, capsys, tmp_path, "--environment", str(environment))
    assert 'a_b = "second"' in written.said
    assert 'off = ""' in written.said
    assert '  _1 = ""' in written.said
    assert 'link = "https://[redacted]@b.example/"' in written.said
    assert "S3CRET" not in written.whole


def test_an_environment_without_values_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "environment.json").write_text("{}")
    options = ("--environment", str(tmp_path / "environment.json"))
    written = imported(postman(request()), capsys, tmp_path, *options)
    assert written.status == 4
    assert "the environment has no `values`" in written.said


def test_a_request_named_by_its_address_shows_no_secret(wrote: Callable[..., Written]) -> None:
    url = f"{HOST}/x?key=S3CRET-VALUE&access_token=S3CRET-OTHER"
    written = wrote(request(url, name=url), {"name": url})
    assert "S3CRET" not in written.whole
    assert list(written.checks()) == [f"{HOST}/x?key=[redacted]&access_token=[redacted]"]
