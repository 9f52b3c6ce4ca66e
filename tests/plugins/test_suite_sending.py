"""What requests ask of their way: queries, cookies, redirects, encodings, HTTP/2."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from greenroom.plugins import suite_sending
from greenroom.plugins.client_tls import Tls
from greenroom.validators.vocabulary import Outcome
from tests.support import servers
from tests.support.asking import asking
from tests.support.http2 import http2
from tests.support.servers import Reply, hostile, json_reply, serving
from tests.support.suites import refusal, with_check

if TYPE_CHECKING:
    import socket
    import threading
    from pathlib import Path

    from tests.support.asking import Asking
    from tests.support.servers import Asked

OK = "expect: {status: 200}"


def asked_for(http: str) -> Asked:
    with asking() as ask, serving(lambda _: Reply()) as server:
        assert ask(f"http: {http}, {OK}", server.url).outcome is Outcome.PASSED
    return server.asked[0]


@pytest.mark.parametrize(
    ("http", "path"),
    [
        (
            "{get: /a, query: {q: 'a b&c=d/é+%', n: [1, 2.50, '']}}",
            "q=a%20b%26c%3Dd%2F%C3%A9%2B%25",
        ),
        ("{get: '/a?x=1', query: {n: 1}}", "/a?x=1&n=1"),
        ("{get: '/a?', query: {n: 1}}", "/a?n=1"),
        ("{get: '/a?x=1&', query: {n: 1}}", "/a?x=1&n=1"),
    ],
    ids=["coded", "merged", "mark", "ampersand"],
)
def test_a_query_is_coded_and_joined_to_the_paths_own(http: str, path: str) -> None:
    assert path in asked_for(http).path


def test_values_of_a_list_are_sent_one_by_one() -> None:
    assert asked_for("{get: /, query: {n: [1, 2.50, '']}}").path == "/?n=1&n=2.50&n="


def test_the_answers_encoding_can_be_chosen() -> None:
    assert asked_for("{get: /, accept_encoding: identity}").headers["accept-encoding"] == "identity"
    both = asked_for("{get: /, accept_encoding: [deflate, gzip]}")
    assert both.headers["accept-encoding"] == "deflate, gzip"


def test_cookies_are_sent_beside_those_of_earlier_steps() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/login":
            return Reply(headers={"Set-Cookie": "session=abc"})
        return json_reply(asked.headers.get("cookie", ""))

    steps = (
        f"steps: [{{http: {{post: /login}}, {OK}}}, {{http: {{get: /, cookies: {{a: 1, b: x}}}},"
        " expect: {json: {$: 'a=1; b=x; session=abc'}}},"
        " {http: {get: /, cookies: {session: own}}, expect: {json: {$: session=own}}}]"
    )
    with asking() as ask, serving(answer) as server:
        assert ask(steps, server.url).outcome is Outcome.PASSED


def test_cookies_follow_a_redirect_on_their_host_and_no_other() -> None:
    with asking() as ask, serving(lambda one: json_reply(dict(one.headers))) as other:

        def answer(asked: Asked) -> Reply:
            leads = {"/": "/home", "/home": f"{other.url}/away"}
            return Reply(status=307, headers={"Location": leads[asked.path]})

        with serving(answer) as server:
            http = "{get: /, cookies: {sid: k33p}, follow_redirects: true}"
            assert ask(f"http: {http}, {OK}", server.url).outcome is Outcome.PASSED
    assert [one.headers.get("cookie") for one in server.asked] == ["sid=k33p", "sid=k33p"]
    assert "cookie" not in other.asked[0].headers


def redirected(ask: Asking, policy: str, *, to: str = "/next") -> str:
    """Return what is seen where each answer leads on, first to ``to``."""
    replies = {"/": to, "/next": "/last"}

    def answer(asked: Asked) -> Reply:
        if (leads := replies.get(asked.path)) is None:
            return Reply()
        return Reply(status=302, headers={"Location": leads})

    with serving(answer) as server:
        return ask(f"http: {{get: /, follow_redirects: {policy}}}, {OK}", server.url).seen


@pytest.mark.parametrize(
    ("policy", "to", "seen"),
    [
        ("{most: 1}", "/next", "redirect not followed: more than 1 redirects"),
        ("{most: 2}", "/next", "status 200"),
        ("{hosts: same}", "http://localhost:1/", "redirected to another host, localhost, which"),
        ("{hosts: [a.example, '*.b.example']}", "http://b.example/", "another host, b.example"),
        ("{hosts: ['LOCALHOST']}", "http://localhost:1/", "connection refused"),
        ("{hosts: ['*.b.example']}", "http://b.example.c.example/", "another host, b.example.c"),
    ],
    ids=["too-many", "at-the-limit", "same", "list", "named", "not-the-end"],
)
def test_redirects_are_followed_as_far_as_the_check_says(policy: str, to: str, seen: str) -> None:
    with asking() as ask:
        assert seen in redirected(ask, policy, to=to)


def test_http_2_answers_over_plain_tcp_with_prior_knowledge() -> None:
    with asking() as ask, hostile(http2(b'{"a": 1}')) as url:
        text = "http: {post: /, json: {x: 1}, http2: true}, expect: {json: {$.a: 1}}"
        findings = [ask(text, url) for _ in range(2)]  # the second on the same connection
    assert [finding.outcome for finding in findings] == [Outcome.PASSED] * 2
    assert findings[0].rules[0].rule == "protocol"


def test_an_answer_in_http_2_that_never_ends_is_an_error_in_time() -> None:
    text = f"http: {{get: /, http2: true}}, timeout: 300ms, {OK}"
    with asking() as ask, hostile(http2(b"a", silent=True)) as url:
        finding = ask(text, url)
    assert finding.outcome is Outcome.ERROR
    assert finding.seen.startswith("timed out")


def test_what_speaks_no_http_2_is_an_error() -> None:
    text = f"http: {{get: /, http2: true}}, timeout: 2s, {OK}"
    with asking() as ask, hostile(servers.not_http) as url:
        assert ask(text, url).outcome is Outcome.ERROR


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Tls, ssl.SSLContext]:
    """What a client trusts, and what its server needs."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return Tls(ca=str(tmp_path / "ca.pem")), context


def test_http_2_is_negotiated_over_tls(tls: tuple[Tls, ssl.SSLContext]) -> None:
    trusted, context = tls
    context.set_alpn_protocols(["h2"])

    def behave(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            http2(b"{}")(wrapped, over)

    with asking() as ask, hostile(behave) as url:
        finding = ask(
            f"http: {{get: /, http2: true}}, {OK}", url.replace("http:", "https:"), trusted
        )
    assert finding.outcome is Outcome.PASSED


def test_an_answer_by_http_1_is_not_by_http_2(tls: tuple[Tls, ssl.SSLContext]) -> None:
    trusted, context = tls
    with asking() as ask, serving(lambda _: Reply(), context) as server:
        finding = ask(f"http: {{get: /, http2: true}}, {OK}", server.url, trusted)
    assert finding.outcome is Outcome.FAILED
    assert "protocol HTTP/1.1" in finding.seen


def test_http_2_without_its_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite_sending, "find_spec", lambda _: None)
    error = refusal(with_check("http: {get: /, http2: true}\n    expect: {}"))
    assert "http2 needs the package h2" in error
    assert 'pip install "greenroom[http2]"' in error
