"""Who asks: credentials are sent where they are meant for, and shown nowhere."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins import suite_auth
from greenroom.plugins.function_address import parse_function
from greenroom.plugins.http import client_of
from greenroom.plugins.lambda_transport import Invoker, aws_clients
from greenroom.plugins.suite_run import run_check
from greenroom.validators.vocabulary import Outcome
from tests.support.asking import asking
from tests.support.runs import run
from tests.support.servers import Reply, hostile, json_reply, serving, silent
from tests.support.sigv4 import is_signed
from tests.support.suites import HEAD, check, refusal, variables, with_check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers import Asked

OK = "expect: {status: 200}"
BASIC = "{basic: {user: ann, password: '${secret.KEY}'}}"
BEARER = "{bearer: '${secret.KEY}'}"
SECRET = "s3cr3t-v4lue"  # noqa: S105 - planted
AWS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "t0ken-of-a-session",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
SIGNED = "auth: {sigv4: {service: execute-api, region: eu-west-1}}"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The credentials of this process, and nothing of the machine's own."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    return monkeypatch


def asked_with(auth: str, head: str = HEAD, http: str = "{get: /a}") -> Asked:
    with asking(KEY=f" {SECRET}\n") as ask, serving(lambda _: Reply()) as server:
        ask(f"http: {http}, auth: {auth}, {OK}", server.url, head=head)
    return server.asked[0]


def test_basic_and_bearer_are_headers() -> None:
    coded = base64.b64encode(f"ann:{SECRET}".encode()).decode()
    assert asked_with(BASIC).headers["authorization"] == f"Basic {coded}"
    assert asked_with(BEARER).headers["authorization"] == f"Bearer {SECRET}"


def test_a_key_goes_where_it_is_said_to() -> None:
    value = "value: '${secret.KEY}'"
    assert asked_with(f"{{api_key: {{header: X-Key, {value}}}}}").headers["x-key"] == SECRET
    assert asked_with(f"{{api_key: {{query: key, {value}}}}}").path == f"/a?key={SECRET}"
    assert asked_with(f"{{api_key: {{cookie: k, {value}}}}}").headers["cookie"] == f"k={SECRET}"


def test_the_defaults_hold_until_a_check_says_otherwise() -> None:
    head = f"version: 1\nname: s\ndefaults: {{auth: {BEARER}}}\nchecks:\n"
    with asking(KEY=SECRET) as ask, serving(lambda _: Reply()) as server:
        ask(f"http: {{get: /}}, {OK}", server.url, head=head)
        ask(f"http: {{get: /}}, auth: none, {OK}", server.url, head=head)
        steps = f"steps: [{{http: {{get: /}}, {OK}}}, {{http: {{get: /}}, auth: none, {OK}}}]"
        ask(steps, server.url, head=head)
    given = ["authorization" in one.headers for one in server.asked]
    assert given == [True, False, True, False]


@pytest.mark.parametrize(
    ("auth", "value", "said"),
    [
        ("{bearer: '${env.A}'}", " ", "bearer is empty"),
        ("{bearer: '${env.A}'}", "a\nb", "bearer must be one line of ASCII"),
        ("{api_key: {cookie: a, value: '${env.A}'}}", "b;c", "a cookie can hold no blank"),
        ("{api_key: {header: a, value: '${env.A}'}}", "é", "value must be one line of ASCII"),
    ],
    ids=["empty", "lines", "cookie", "no-ascii"],
)
def test_a_credential_that_cannot_be_sent_is_refused_unseen(
    auth: str, value: str, said: str
) -> None:
    error = refusal(with_check(f"auth: {auth}\n    http: {{get: /}}\n    {OK}"), variables(A=value))
    assert said in error


def test_auth_and_a_header_of_the_check_contradict_each_other() -> None:
    http = "http: {get: /, headers: {authorization: x}}"
    for auth in (BEARER, "{sigv4: {service: lambda}}"):
        error = refusal(with_check(f"auth: {auth}\n    {http}\n    {OK}"), variables(KEY=SECRET))
        assert "both auth and the header authorization" in error


def test_a_captured_token_is_a_credential_that_no_output_shows() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/login":
            return json_reply({"token": SECRET})
        return Reply(asked.headers["authorization"].encode(), 500)

    login = f"{{http: {{post: /login}}, {OK}, capture: {{token: $.token}}}}"
    steps = (
        f"steps: [{login},"
        " {http: {get: /me}, auth: {bearer: '${capture.token}'}, expect: {json: {$: 1}}}]"
    )
    with asking() as ask, serving(answer) as server:
        finding = ask(steps, server.url)
    assert server.asked[1].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in f"{finding}{finding.to_json()}{ask.exchanges[1:]}"


@pytest.mark.parametrize(
    "auth",
    [
        BASIC,
        BEARER,
        "{bearer: '${env.KEY}'}",
        "{api_key: {query: k, value: '${secret.KEY}'}}",
        "{api_key: {header: X-K, value: '${secret.KEY}'}}",
        "{api_key: {cookie: k, value: '${secret.KEY}'}}",
    ],
    ids=["basic", "bearer", "plain-variable", "query", "header", "cookie"],
)
def test_an_echoed_credential_is_in_no_output(auth: str) -> None:
    def echo(asked: Asked) -> Reply:
        told = json.dumps([asked.path, asked.headers])
        return Reply(told.encode(), 302, {"Location": f"/{asked.headers.get('x-k', SECRET)}"})

    text = f"http: {{get: /, follow_redirects: {{most: 1}}}}, auth: {auth}, {OK}"
    with asking(KEY=SECRET) as ask, serving(echo) as server:
        finding = ask(text, server.url)
        shown = f"{finding}{finding.to_json()}{ask.exchanges}"
    assert finding.outcome is Outcome.ERROR
    assert SECRET not in shown
    assert base64.b64encode(f"ann:{SECRET}".encode()).decode() not in shown


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "http",
    [
        "{get: '/a b/%C3%A9/c?x=1&b=a:b/c', query: {a: ['c d', 1]}}",
        "{post: /, json: {a: é}, headers: {X-Amz-Target: T, Accept: x}}",
        "{put: /, form: {a: b}, compress: gzip, cookies: {a: b}}",
    ],
    ids=["query", "json", "compressed"],
)
def test_a_signature_holds_for_what_was_sent(http: str) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(status=200 if is_signed(asked, AWS["AWS_SECRET_ACCESS_KEY"]) else 403)

    with asking() as ask, serving(answer) as server:
        assert ask(f"http: {http}, {SIGNED}, {OK}", server.url).outcome is Outcome.PASSED
    headers = server.asked[0].headers
    assert "/eu-west-1/execute-api/aws4_request" in headers["authorization"]
    assert headers["x-amz-security-token"] == AWS["AWS_SESSION_TOKEN"]


@pytest.mark.usefixtures("aws")
def test_a_redirect_is_signed_anew_on_its_host_and_not_at_all_elsewhere() -> None:
    with asking() as ask, serving(lambda _: Reply()) as other:

        def answer(asked: Asked) -> Reply:
            leads = {"/": "/next", "/next": other.url}
            return Reply(status=307, headers={"Location": leads[asked.path]})

        with serving(answer) as server:
            ask(f"http: {{get: /, follow_redirects: true}}, {SIGNED}, {OK}", server.url)
    assert all(is_signed(one, AWS["AWS_SECRET_ACCESS_KEY"]) for one in server.asked)
    assert len(server.asked) == 2
    assert not {"authorization", "x-amz-security-token", "x-amz-date"} & set(other.asked[0].headers)


@pytest.mark.usefixtures("aws")
def test_an_echoed_signature_is_in_no_output() -> None:
    with asking() as ask, serving(lambda one: Reply(str(one.headers).encode())) as server:
        finding = ask(f"http: {{get: /}}, {SIGNED}, expect: {{json: {{$: 1}}}}", server.url)
        shown = f"{finding}{finding.to_json()}{ask.exchanges}"
    signature = server.asked[0].headers["authorization"].rpartition("=")[2]
    assert finding.outcome is Outcome.FAILED
    assert signature not in shown
    assert AWS["AWS_SESSION_TOKEN"] not in shown


def test_no_credentials_are_an_error_that_says_so(aws: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        aws.delenv(name)
    with asking() as ask, serving(lambda _: Reply()) as server:
        finding = ask(f"http: {{get: /}}, {SIGNED}, {OK}", server.url)
    assert finding.outcome is Outcome.ERROR
    assert "the request was not signed: this process has no AWS credentials" in finding.seen
    assert "GREENROOM_HOOK_PASS" in finding.advice
    assert server.asked == []


def test_no_region_is_an_error_that_says_so(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_REGION")
    with asking() as ask, serving(lambda _: Reply()) as server:
        finding = ask(f"http: {{get: /}}, auth: {{sigv4: {{service: lambda}}}}, {OK}", server.url)
    assert "no AWS region is known" in finding.seen


ROLE = f"auth: {{sigv4: {{service: lambda, region: x, role: 'arn:aws:iam::{'1' * 12}:role/r'}}}}"


def test_a_role_is_assumed_once_for_all_requests(aws: pytest.MonkeyPatch) -> None:
    assumed = (
        b"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIDROLE</AccessKeyId>"
        b"<SecretAccessKey>r0le-secret</SecretAccessKey><SessionToken>r0le-token</SessionToken>"
        b"<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
        b"</AssumeRoleResponse>"
    )
    with asking() as ask, serving(lambda _: Reply(assumed)) as sts:
        aws.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        with serving(lambda _: Reply()) as api:
            for _ in range(2):
                ask(f"http: {{get: /}}, {ROLE}, {OK}", api.url)
    assert len(sts.asked) == 1
    assert b"RoleSessionName=greenroom" in sts.asked[0].body
    assert all(is_signed(one, "r0le-secret") for one in api.asked)
    assert len(api.asked) == 2


def test_a_role_that_is_refused_is_an_error(aws: pytest.MonkeyPatch) -> None:
    denied = (
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        b"</ErrorResponse>"
    )
    with asking() as ask, serving(lambda _: Reply(denied, 403)) as sts:
        aws.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        finding = ask(f"http: {{get: /}}, {ROLE}, {OK}", sts.url)
    assert finding.outcome is Outcome.ERROR
    assert "the request was not signed: sts:AssumeRole failed: AccessDenied" in finding.seen


def test_credentials_that_never_come_are_not_waited_for(aws: pytest.MonkeyPatch) -> None:
    with asking() as ask, hostile(silent) as url:
        aws.setenv("AWS_ENDPOINT_URL_STS", url)
        finding = ask(f"http: {{get: /}}, timeout: 500ms, {ROLE}, {OK}", "http://127.0.0.1:9")
    assert finding.outcome is Outcome.ERROR
    assert "timed out" in finding.seen


def test_an_invoked_function_has_no_request_to_sign() -> None:
    one = check(http="{get: /}", more="auth: {sigv4: {service: lambda}}")
    function = parse_function("lambda://f:1")
    with asking() as ask:
        invoker = Invoker(function, aws_clients(), lambda _: pytest.fail("asked elsewhere"))
        redactor = ask.given.redactor
        with client_of(invoker, redactor, ask.exchanges.append) as http:
            finding = run_check(one, "lambda://f:1", http, redactor)
    assert finding.outcome is Outcome.ERROR
    assert "sigv4 is for requests" in finding.seen


def test_a_signature_without_boto3_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite_auth, "find_spec", lambda _: None)
    error = refusal(with_check(f"http: {{get: /}}\n    {SIGNED}\n    {OK}"))
    assert "sigv4 needs boto3" in error


PLANTED = f"""
version: 1
name: s
defaults: {{auth: {BASIC}}}
checks:
  - {{name: basic, http: {{get: /}}, expect: {{json: {{$.a: 1}}}}}}
  - name: signed
    http: {{post: /, form: {{a: "${{secret.FORM}}"}}, follow_redirects: true}}
    {SIGNED}
    expect: {{json: {{$.a: 1}}}}
  - name: steps
    steps:
      - http:
          {{get: /token, query: {{q: "${{secret.QUERY}}"}}, cookies: {{c: "${{secret.COOKIE}}"}}}}
        expect: {{status: 418}}
        auth: {{api_key: {{query: k, value: "${{env.PLAIN}}"}}}}
      - {{http: {{get: /}}, expect: {{status: 200}}}}
  - name: refused
    each: ["${{secret.ROW}}"]
    http: {{post: /, multipart: {{a: "${{each.value}}"}}, follow_redirects: {{hosts: same}}}}
    auth: {{bearer: "${{each.value}}"}}
    expect: {{headers: {{x-echo: none}}}}
"""


def test_no_planted_secret_is_in_any_output_of_a_run(
    aws: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = ("KEY", "FORM", "QUERY", "COOKIE", "PLAIN", "ROW")
    planted = {name: f"{name.lower()}-pl4nted/v4lue" for name in names}
    for name, value in planted.items():
        aws.setenv(name, value)

    def echo(asked: Asked) -> Reply:
        told = json.dumps([asked.path, asked.headers, asked.body.decode()])
        return Reply(told.encode(), 500, {"X-Echo": asked.body.decode()[:60].split("\r")[0]})

    (tmp_path / "a.suite.yaml").write_text(PLANTED)
    with serving(echo) as server:
        ran = run(tmp_path, "--greenroom-target", server.url)
    outputs = [ran.out, *(one.read_text() for one in ran.folder.rglob("*") if one.is_file())]
    assert len(server.asked) == len(ran.record["checks"]) == 4
    secrets = [*planted.values(), AWS["AWS_SESSION_TOKEN"], AWS["AWS_SECRET_ACCESS_KEY"]]
    secrets += [base64.b64encode(f"ann:{planted['KEY']}".encode()).decode()]
    secrets += [server.asked[1].headers["authorization"].rpartition("=")[2]]
    assert not [secret for secret in secrets for text in outputs if secret in text]
    assert "pl4nted" not in "".join(outputs)
