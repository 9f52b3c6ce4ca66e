"""Servers that do everything but answer: what a suite's check says of each, and at what cost."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.client_tls import Tls
from greenroom.plugins.http import Connections, Limits, client
from greenroom.plugins.suite_run import run_check
from greenroom.validators.vocabulary import Outcome
from tests.support import servers
from tests.support.certificates import context_of, issued, write_authority
from tests.support.servers import hostile, json_reply, serving
from tests.support.suites import check, variables

if TYPE_CHECKING:
    import socket
    import ssl
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greenroom.validators.finding import Finding
    from tests.support.certificates import Issued
    from tests.support.servers import Behaviour

KEY = "s3cr3t-v4lue"
"""What every check sends, and most of these servers send back."""
MEMORY = 12_000_000
"""Bytes that a check with a limit of 1 MiB may hold at most: the answer in its forms."""
JSON = "{json: {$.a: 1}}"
ERROR, FAILED, PASSED = Outcome.ERROR, Outcome.FAILED, Outcome.PASSED


@dataclass(frozen=True)
class Hostile:
    """A server, and the outcome and words that a check which asks it must come to."""

    behave: Behaviour
    outcome: Outcome
    says: str
    expect: str = JSON
    http: str = "{get: /, headers: HEADERS}"


def says(*parts: bytes) -> Behaviour:
    """Take the request, send ``parts`` and close."""

    def behave(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)

    return behave


def answers(body: bytes, *headers: str, status: str = "200 OK") -> Behaviour:
    """Answer with ``body``, its length, and ``headers``."""
    usual = (f"Content-Length: {len(body)}", "Connection: close", f"X-Echo: {KEY}")
    lines = [f"HTTP/1.1 {status}", *usual, *headers]
    return says("\r\n".join([*lines, "", ""]).encode() + body)


def endlessly(start: bytes, part: bytes) -> Behaviour:
    """Take the request, send ``start`` and then ``part`` as fast as it is taken."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(start)
        while not over.is_set():
            connection.sendall(part)

    return behave


def moved(to: str) -> Behaviour:
    return answers(b"", f"Location: {to}", status="302 Found")


def early(connection: socket.socket, over: threading.Event) -> None:
    """Answer before the request is read, and never read it."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}')
    over.wait(30)


def huge_json(connection: socket.socket, _: threading.Event) -> None:
    """Send 100 MB of valid JSON."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n[")
    for _part in range(999):
        connection.sendall(b"1," * 50_000)
    connection.sendall(b"1," * 49_998 + b"11]")


FOLLOWED = "{get: /, headers: HEADERS, follow_redirects: true}"
OK = b"HTTP/1.1 200 OK\r\n"
GROWN = gzip.compress(b"0" * 64_000_000)
SLOWLY = "timed out: no complete answer within 0."
NO_HTTP = "answer is not valid HTTP"
SERVERS = {
    # nothing, or too little
    "silent": Hostile(servers.silent, ERROR, SLOWLY),
    "drips-its-head": Hostile(servers.drip_head, ERROR, SLOWLY),
    "drips-its-body": Hostile(servers.drip_body, ERROR, SLOWLY),
    "closes": Hostile(servers.closes, ERROR, NO_HTTP),
    "resets-in-its-body": Hostile(servers.reset_in_body, ERROR, "connection broke"),
    "shorter-than-announced": Hostile(servers.short_body, ERROR, NO_HTTP),
    "closes-in-a-chunk": Hostile(
        says(OK + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a"'), ERROR, NO_HTTP
    ),
    "no-last-chunk": Hostile(
        says(OK + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}\r\n'), ERROR, NO_HTTP
    ),
    "half-a-gzip": Hostile(
        answers(gzip.compress(b'{"a": 1}')[:-8], "Content-Encoding: gzip"), ERROR, "ends before"
    ),
    "204-with-a-body": Hostile(
        answers(b'{"a": 1}', status="204 No Content"), FAILED, "an empty body"
    ),
    # too much
    "endless-body": Hostile(servers.endless_body, ERROR, "answer too large"),
    "endless-head": Hostile(servers.endless_head, ERROR, NO_HTTP),
    "endless-header-line": Hostile(endlessly(OK + b"X: ", b"y" * 9999), ERROR, NO_HTTP),
    "endless-status-line": Hostile(endlessly(b"HTTP/1.1 200 ", b"y" * 9999), ERROR, NO_HTTP),
    "header-flood": Hostile(says(OK + b"a: b\r\n" * 100_000), ERROR, NO_HTTP),
    "endless-1xx": Hostile(endlessly(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 99), ERROR, SLOWLY),
    "endless-trailers": Hostile(
        endlessly(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 99), ERROR, NO_HTTP
    ),
    "endless-chunk-extension": Hostile(
        endlessly(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"e" * 9999), ERROR, NO_HTTP
    ),
    "100-MB-JSON": Hostile(huge_json, ERROR, "answer too large"),
    "gzip-bomb": Hostile(answers(GROWN, "Content-Encoding: gzip"), ERROR, "answer too large"),
    "brotli-bomb": Hostile(
        answers(b"\xff" * 500, "Content-Encoding: br"), ERROR, "cannot be decompressed"
    ),
    "longer-than-announced": Hostile(
        says(OK + b'Content-Length: 8\r\n\r\n{"a": 1}and more'), PASSED, "status 200"
    ),
    # not HTTP
    "another-protocol": Hostile(servers.not_http, ERROR, NO_HTTP),
    "http-0.9": Hostile(says(b'{"a": 1}'), ERROR, NO_HTTP),
    "http-2-unasked": Hostile(says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 9), ERROR, NO_HTTP),
    "a-status-of-five-digits": Hostile(says(b"HTTP/1.1 20000 OK\r\n\r\n"), ERROR, NO_HTTP),
    "a-header-without-a-colon": Hostile(says(OK + f"{KEY}\r\n\r\n".encode()), ERROR, NO_HTTP),
    "a-null-in-a-header": Hostile(says(OK + b"X: a\0b\r\n\r\n"), ERROR, NO_HTTP),
    "two-lengths": Hostile(
        says(OK + b'Content-Length: 8\r\nContent-Length: 2\r\n\r\n{"a": 1}'), ERROR, NO_HTTP
    ),
    "a-negative-length": Hostile(says(OK + b"Content-Length: -1\r\n\r\n"), ERROR, NO_HTTP),
    "a-chunk-of-nonsense-size": Hostile(
        says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"), ERROR, NO_HTTP
    ),
    "a-chunk-larger-than-memory": Hostile(
        says(OK + b'Transfer-Encoding: chunked\r\n\r\nfffffffffff\r\n{"a": 1}'), ERROR, NO_HTTP
    ),
    "chunked-and-a-length": Hostile(
        says(OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        FAILED,
        "json $.a nothing",
    ),
    "another-protocol-by-101": Hostile(
        says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), ERROR, NO_HTTP
    ),
    # a body that is not what it says
    "invalid-json": Hostile(answers(f'{{"a": 1, {KEY}'.encode()), FAILED, "body"),
    "nan": Hostile(answers(b'{"a": 1, "b": NaN}'), FAILED, "NaN is not JSON"),
    "a-number-without-end": Hostile(
        answers(b'{"a": 1, "b": ' + b"9" * 9999 + b"}"), FAILED, "body"
    ),
    "a-number-too-large": Hostile(answers(b'{"a": 1, "b": 1e999}'), FAILED, "too large"),
    "duplicate-names": Hostile(answers(b'{"a": 2, "a": 1}'), FAILED, "duplicate name 'a'"),
    "deeply-nested": Hostile(answers(b'{"a": ' * 100_000), FAILED, "body"),
    "not-in-its-charset": Hostile(
        answers('{"a": "é"}'.encode("latin-1"), "Content-Type: application/json; charset=utf-8"),
        FAILED,
        "not UTF-8",
    ),
    "not-the-gzip-it-says": Hostile(
        answers(b'{"a": 1}', "Content-Encoding: gzip"), ERROR, "cannot be decompressed"
    ),
    # elsewhere
    "redirects-to-itself": Hostile(moved("/"), ERROR, "redirect not followed", http=FOLLOWED),
    "redirects-to-a-file": Hostile(
        moved("file:///etc/passwd"), ERROR, "request not sent", http=FOLLOWED
    ),
    "redirects-to-ftp": Hostile(
        moved(f"ftp://u:{KEY}@127.0.0.1/"), ERROR, "request not sent", http=FOLLOWED
    ),
    "redirects-to-no-address": Hostile(moved("http://[::1"), ERROR, NO_HTTP, http=FOLLOWED),
    "redirects-with-its-query": Hostile(moved(f"/?token={KEY}"), FAILED, "status 302"),
    # out of turn
    "answers-before-it-is-asked": Hostile(early, PASSED, "status 200"),
}


class Running:
    """Runs suites' checks, and keeps all that is shown and written of them."""

    def __init__(self, tls: Tls | None = None) -> None:
        self.connections = Connections(tls)
        self.exchanges: list[dict[str, Any]] = []
        self.shown = ""

    def __call__(self, url: str, one: Hostile, content: bytes | None = None) -> Finding:
        given = variables(KEY=KEY)
        http = one.http.replace("HEADERS", '{x-key: "${secret.KEY}", cookie: "id=${secret.KEY}"}')
        timeout = "400ms" if one.says is SLOWLY else "30s"
        made = check(one.expect, http=http, more=f"timeout: {timeout}", given=given)
        made = replace(made, request=replace(made.request, content=content))
        limits = Limits(made.timeout_s, made.max_body)
        with client(url, self.connections, given.redactor, self.exchanges.append, limits) as asking:
            finding = run_check(made, url, asking, given.redactor)
        self.shown += f"{finding}{finding.to_json()}{json.dumps(self.exchanges)}"
        return finding

    def assert_outcome(self, finding: Finding, one: Hostile) -> None:
        assert finding.outcome is one.outcome, str(finding)
        assert one.says in str(finding)
        assert (finding.evidence == ()) is (one.outcome is ERROR)
        assert finding.advice or one.outcome is PASSED
        assert self.exchanges
        assert KEY not in self.shown


@pytest.fixture
def run() -> Iterator[Running]:
    running = Running()
    yield running
    running.connections.close()


@pytest.mark.parametrize("one", SERVERS.values(), ids=SERVERS.keys())
def test_a_hostile_server_gets_the_outcome_that_it_deserves(run: Running, one: Hostile) -> None:
    tracemalloc.start()
    try:
        with hostile(one.behave) as url:
            finding = run(url, one)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    run.assert_outcome(finding, one)
    assert most < MEMORY


def test_a_server_that_takes_no_body_is_not_waited_for(run: Running) -> None:
    one = Hostile(servers.silent, ERROR, SLOWLY, http="{post: /, headers: HEADERS}")
    with hostile(one.behave) as url:
        run.assert_outcome(run(url, one, b"b" * 20_000_000), one)


def test_nobody_listening_has_the_secret_in_no_message(run: Running) -> None:
    one = Hostile(servers.silent, ERROR, "connection refused", http='{get: "/?k=${secret.KEY}"}')
    run.assert_outcome(run(servers.refused_url(), one), one)


def test_credentials_stay_behind_when_another_host_is_named(run: Running) -> None:
    with serving(lambda _: json_reply({"a": 1})) as other:
        one = Hostile(moved(f"{other.url}/?token={KEY}"), PASSED, "status 200", http=FOLLOWED)
        with hostile(one.behave) as url:
            finding = run(url, one)
    run.assert_outcome(finding, one)
    assert not {"x-key", "cookie"} & set(other.asked[0].headers)


BEHIND_AN_ANSWER = {
    "another-answer": b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}',
    "the-body-of-a-204": b"what nobody reads",
}


@pytest.mark.parametrize("more", BEHIND_AN_ANSWER.values(), ids=BEHIND_AN_ANSWER.keys())
def test_what_follows_an_answer_is_never_the_next_ones(run: Running, more: bytes) -> None:
    connected: list[int] = []

    def behave(connection: socket.socket, _: threading.Event) -> None:
        connected.append(1)
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n" + more)

    one = Hostile(behave, PASSED, "status 204", expect="{status: 204}")
    with hostile(behave) as url:
        run.assert_outcome(run(url, one), one)
        run.assert_outcome(run(url, one), one)
    assert len(connected) == 2


CERTIFICATES = {
    "self-signed": lambda: issued(self_signed=True),
    "expired": lambda: issued(days=(-30, -1)),
    "not-valid-yet": lambda: issued(days=(1, 30)),
    "of-another-host": lambda: issued("elsewhere.example"),
}


def over_tls(context: ssl.SSLContext, then: Behaviour) -> Behaviour:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            then(secure, over)

    return behave


@pytest.fixture
def trusting(tmp_path: Path) -> Iterator[Running]:
    """Run checks that trust the tests' own authority."""
    running = Running(Tls(ca=str(write_authority(tmp_path))))
    yield running
    running.connections.close()


@pytest.mark.parametrize("made", CERTIFICATES.values(), ids=CERTIFICATES.keys())
def test_a_wrong_certificate_is_an_error_and_gets_no_request(
    trusting: Running, tmp_path: Path, made: Callable[[], Issued]
) -> None:
    got: list[bytes] = []
    behave = over_tls(context_of(tmp_path, made()), lambda secure, _: got.append(secure.recv(9)))
    one = Hostile(behave, ERROR, "TLS failed")
    with hostile(behave) as url:
        trusting.assert_outcome(trusting(url.replace("http:", "https:"), one), one)
    assert got == []


AFTER_THE_HANDSHAKE = {
    "stays-silent": Hostile(servers.silent, ERROR, SLOWLY),
    "drips": Hostile(servers.drip_body, ERROR, SLOWLY),
    "closes": Hostile(servers.closes, ERROR, NO_HTTP),
    "resets": Hostile(servers.reset_in_body, ERROR, ""),  # where it is noticed varies
    "short-of-its-length": Hostile(servers.short_body, ERROR, NO_HTTP),
}


@pytest.mark.parametrize("one", AFTER_THE_HANDSHAKE.values(), ids=AFTER_THE_HANDSHAKE.keys())
def test_a_server_that_is_hostile_after_the_handshake_is_an_error(
    trusting: Running, tmp_path: Path, one: Hostile
) -> None:
    with hostile(over_tls(context_of(tmp_path, issued()), one.behave)) as url:
        trusting.assert_outcome(trusting(url.replace("http:", "https:"), one), one)


def test_a_handshake_that_never_ends_is_not_waited_for(trusting: Running) -> None:
    one = Hostile(servers.silent, ERROR, SLOWLY)
    with hostile(one.behave) as url:
        finding = trusting(url.replace("http:", "https:"), one)
    assert finding.outcome is ERROR
    assert finding.seen.startswith("connection timed out: no complete answer within 0.")
