from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest
from httpx._decoders import SUPPORTED_DECODERS

from greenroom.plugins.http import Connections, Limits, client
from greenroom.plugins.http_exchange import RECORDED
from greenroom.plugins.http_failures import (
    MAPPED,
    BodyTooLargeError,
    UnsafeRedirectError,
    failure_of,
)
from greenroom.plugins.redaction import REDACTED, Redactor
from tests.support import servers
from tests.support.servers import Reply, hostile, json_reply, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.support.servers import Asked, Behaviour

    Make = Callable[..., httpx.Client]
    Exchange = dict[str, Any]

LIMITS = Limits(max_body=100_000)
"""Patient: an answer that comes is waited for, however busy the machine is."""
QUICK = Limits(timeout_s=0.4, max_body=100_000)
"""For servers that never answer."""


@pytest.fixture
def connections() -> Iterator[Connections]:
    shared = Connections()
    yield shared
    shared.close()


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
def make(connections: Connections, exchanges: list[Exchange]) -> Iterator[Make]:
    opened = []

    def make(target: str, limits: Limits = LIMITS, secrets: Sequence[str] = ()) -> httpx.Client:
        made = client(target, connections, Redactor(secrets), exchanges.append, limits)
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()


@contextmanager
def tracing() -> Iterator[Callable[[], int]]:
    """Give a function that returns the most bytes that Python has held since the block began."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


UNANSWERED = {
    "silent": (servers.silent, httpx.ReadTimeout, "timed out: no complete answer within 0.4 s"),
    "drips-head": (servers.drip_head, httpx.ReadTimeout, "no complete answer within 0.4 s"),
    "drips-body": (servers.drip_body, httpx.ReadTimeout, "no complete answer within 0.4 s"),
    "endless-body": (servers.endless_body, BodyTooLargeError, "larger than 100,000 bytes"),
    "endless-head": (servers.endless_head, httpx.RemoteProtocolError, "not valid HTTP"),
    "reset": (servers.reset_in_body, httpx.ReadError, "connection broke"),
    "short": (servers.short_body, httpx.RemoteProtocolError, "not valid HTTP"),
    "closes": (servers.closes, httpx.RemoteProtocolError, "not valid HTTP"),
    "not-http": (servers.not_http, httpx.RemoteProtocolError, "not valid HTTP"),
}


@pytest.mark.parametrize(("behave", "error", "reason"), UNANSWERED.values(), ids=UNANSWERED.keys())
def test_a_hostile_server_ends_in_an_error_that_says_why(
    make: Make, exchanges: list[Exchange], behave: Behaviour, error: type[Exception], reason: str
) -> None:
    with hostile(behave) as url, pytest.raises(error) as caught:
        make(url, QUICK).get("/")
    failure = failure_of(caught.value)
    assert reason in failure.reason
    assert failure.advice
    assert exchanges[0]["error"]


def test_a_slow_drip_is_recorded_as_far_as_it_came(make: Make, exchanges: list[Exchange]) -> None:
    with hostile(servers.drip_body) as url, pytest.raises(httpx.ReadTimeout):
        make(url, QUICK).get("/")
    assert exchanges[0]["response"]["status"] == 200
    assert exchanges[0]["response"]["body"].startswith("aaa")
    assert exchanges[0]["response"]["truncated"]


def test_nobody_listening_is_worth_another_try(make: Make, exchanges: list[Exchange]) -> None:
    with pytest.raises(httpx.ConnectError) as caught:
        make(servers.refused_url()).get("/")
    failure = failure_of(caught.value)
    assert failure.reason.startswith("connection refused")
    assert failure.retry
    assert exchanges[0]["response"] is None


def test_an_unknown_name_is_said_to_be_one(make: Make) -> None:
    # A resolver that cannot be reached takes longer than the deadline.
    with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)) as caught:
        make("http://nowhere.invalid", Limits(timeout_s=2)).get("/")
    reasons = ("name not resolved", "connection timed out")
    assert failure_of(caught.value).reason.startswith(reasons)


def test_a_name_that_cannot_be_one_is_an_error_too(make: Make) -> None:
    with pytest.raises(httpx.ConnectError):
        make(f"http://{'a' * 70}.example").get("/")


def test_plain_http_behind_https_is_a_tls_failure(make: Make) -> None:
    with serving(lambda _: Reply()) as server, pytest.raises(httpx.ConnectError) as caught:
        make(server.url.replace("http:", "https:")).get("/")
    failure = failure_of(caught.value)
    assert failure.reason.startswith("TLS failed")
    assert not failure.retry


def test_a_name_with_several_addresses_is_reached_at_the_one_that_answers(make: Make) -> None:
    with serving(lambda _: Reply(b"ok")) as server:
        answer = make(server.url.replace("127.0.0.1", "localhost")).get("/")
    assert answer.text == "ok"


def test_a_timeout_given_to_a_request_is_its_whole_time(make: Make) -> None:
    begun = time.monotonic()
    with hostile(servers.drip_body) as url, pytest.raises(httpx.ReadTimeout) as caught:
        make(url, Limits(timeout_s=60)).get("/", timeout=0.2)
    assert "within 0.2 s" in str(caught.value)
    assert time.monotonic() - begun >= 0.2


def test_no_connection_is_opened_after_the_deadline(make: Make) -> None:
    with serving(lambda _: Reply()) as server, pytest.raises(httpx.ConnectTimeout) as caught:
        make(server.url).get("/", timeout=0.0)
    assert failure_of(caught.value).reason.startswith("connection timed out: no complete answer")
    assert server.asked == []


def test_no_timeout_means_the_clients_own(make: Make) -> None:
    with hostile(servers.silent) as url, pytest.raises(httpx.ReadTimeout):
        make(url, QUICK).get("/", timeout=None)


GROWN = b"0" * 32_000_000
BOMBS = {
    "gzip": (gzip.compress(GROWN), BodyTooLargeError),
    "deflate": (zlib.compress(GROWN), BodyTooLargeError),
    "gzip, gzip": (gzip.compress(gzip.compress(GROWN)), httpx.DecodingError),
    "GZIP, identity, Deflate": (zlib.compress(gzip.compress(GROWN)), httpx.DecodingError),
}


@pytest.mark.parametrize("codings", BOMBS)
def test_a_compression_bomb_never_grows_in_memory(make: Make, codings: str) -> None:
    bomb, error = BOMBS[codings]
    reply = Reply(bomb, headers={"Content-Encoding": codings})
    assert len(bomb) < LIMITS.max_body
    with serving(lambda _: reply) as server, tracing() as peak:
        with pytest.raises(error):
            make(server.url).get("/")
        assert peak() < 8_000_000


# With what httpx decodes in this environment, so that a coding new to it is noticed here.
OTHER_CODINGS = {"br", "zstd", "gzip, br", *SUPPORTED_DECODERS} - {"identity", "gzip", "deflate"}


@pytest.mark.parametrize("coding", sorted(OTHER_CODINGS))
def test_a_coding_that_was_not_asked_for_is_not_decoded(
    make: Make, exchanges: list[Exchange], coding: str
) -> None:
    reply = Reply(b"body", headers={"Content-Encoding": coding})
    with serving(lambda _: reply) as server, pytest.raises(httpx.DecodingError) as caught:
        make(server.url).get("/")
    assert server.asked[0].headers["accept-encoding"] == "gzip, deflate"
    assert failure_of(caught.value).reason == (
        f"answer cannot be decompressed: compressed as {coding}: one of gzip or deflate is read"
    )
    assert exchanges[0]["error"]


def test_an_answer_without_a_body_may_name_any_coding(make: Make) -> None:
    with serving(lambda _: Reply(headers={"Content-Encoding": "gzip, br"})) as server:
        assert make(server.url).get("/").headers["content-encoding"] == "gzip, br"


def test_a_coding_that_is_no_compression_leaves_the_body_as_it_is(make: Make) -> None:
    reply = Reply(b"body", headers={"Content-Encoding": "aws-chunked"})
    with serving(lambda _: reply) as server:
        assert make(server.url).get("/").text == "body"


def test_a_body_that_is_not_the_compression_it_claims_is_an_error(
    make: Make, exchanges: list[Exchange]
) -> None:
    reply = Reply(b"plain", headers={"Content-Encoding": "gzip"})
    with serving(lambda _: reply) as server, pytest.raises(httpx.DecodingError) as caught:
        make(server.url).get("/")
    assert failure_of(caught.value).reason.startswith("answer cannot be decompressed")
    assert exchanges[0]["error"]


def test_a_compressed_answer_is_read_and_recorded_decompressed(
    make: Make, exchanges: list[Exchange]
) -> None:
    reply = Reply(gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    with serving(lambda _: reply) as server:
        answer = make(server.url).get("/")
    assert answer.json() == {"a": 1}
    assert answer.headers["content-encoding"] == "gzip"
    assert exchanges[0]["response"]["body"] == '{"a": 1}'


def test_an_exchange_is_recorded_with_what_was_sent_and_answered(
    make: Make, exchanges: list[Exchange]
) -> None:
    with serving(lambda _: json_reply([1, 2], 201)) as server:
        make(f"{server.url}/base").post("/x?page=1", json={"q": 1})
    (one,) = exchanges
    assert one["request"]["method"] == "POST"
    assert one["request"]["url"] == f"{server.url}/base/x?page=1"
    assert one["request"]["body"] == '{"q":1}'
    assert one["response"]["status"] == 201
    assert one["response"]["body"] == "[1, 2]"
    assert one["response"]["body_bytes"] == 6
    assert one["response"]["truncated"] is False
    assert one["error"] is None
    assert one["elapsed_ms"] > 0
    assert one["started"].endswith("+00:00")


def test_a_long_body_is_cut_in_the_record_alone(make: Make, exchanges: list[Exchange]) -> None:
    with serving(lambda _: Reply(b"z" * 50_000)) as server:
        answer = make(server.url).get("/")
    assert len(answer.content) == 50_000
    assert len(exchanges[0]["response"]["body"]) == RECORDED
    assert exchanges[0]["response"]["body_bytes"] == 50_000
    assert exchanges[0]["response"]["truncated"] is True


def test_an_echoed_secret_is_in_the_answer_and_not_in_the_record(
    make: Make, exchanges: list[Exchange]
) -> None:
    def echo(asked: Asked) -> Reply:
        return Reply(asked.headers["x-trace"].encode() + asked.body, headers={"X-Echo": "s3cr3t!"})

    with serving(echo) as server:
        answer = make(server.url, secrets=["s3cr3t!"]).post(
            "/s3cr3t!", content="k=s3cr3t!", headers={"X-Trace": "s3cr3t!", "Cookie": "c=d"}
        )
    assert "s3cr3t!" in answer.text
    assert "s3cr3t" not in str(exchanges)
    assert ["cookie", REDACTED] in exchanges[0]["request"]["headers"]


def test_an_unknown_encoding_is_read_as_utf_8(make: Make, exchanges: list[Exchange]) -> None:
    reply = Reply("é".encode() + b"\xff", headers={"Content-Type": "text/plain; charset=nonsense"})
    with serving(lambda _: reply) as server:
        make(server.url).get("/")
    assert exchanges[0]["response"]["body"] == "é�"


def test_a_streamed_request_is_recorded_as_one(make: Make, exchanges: list[Exchange]) -> None:
    with serving(lambda _: Reply()) as server:
        make(server.url).post("/", content=iter([b"a"]), headers={"Content-Length": "1"})
    assert exchanges[0]["request"]["body"] == "(a stream)"


def test_redirects_are_not_followed_by_themselves(make: Make) -> None:
    with serving(lambda _: Reply(status=302, headers={"Location": "/b"})) as server:
        assert make(server.url).get("/a").status_code == 302
    assert [asked.path for asked in server.asked] == ["/a"]


def test_credentials_follow_a_redirect_on_the_same_host(
    make: Make, exchanges: list[Exchange]
) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(status=307, headers={"Location": "/b"}) if asked.path == "/a" else Reply(b"b")

    with serving(answer) as server:
        make(server.url).get("/a", headers={"X-Api-Key": "k"}, follow_redirects=True)
    assert server.asked[1].headers["x-api-key"] == "k"
    assert len(exchanges) == 2


def test_credentials_never_follow_a_redirect_to_another_host(make: Make) -> None:
    with serving(lambda _: Reply(b"other")) as other:
        away = Reply(status=302, headers={"Location": f"{other.url}/b"})
        with serving(lambda _: away) as server:
            answer = make(server.url).get(
                "/a",
                headers={
                    "X-Api-Key": "k",
                    "Authorization": "Bearer t",
                    "X-Any": "a",
                    "Cookie": "c",
                },
                follow_redirects=True,
            )
    assert answer.text == "other"
    assert not {"x-api-key", "authorization", "x-any", "cookie"} & set(other.asked[0].headers)


def test_a_body_never_follows_a_redirect_to_another_host(
    make: Make, exchanges: list[Exchange]
) -> None:
    with serving(lambda _: Reply()) as other:
        away = Reply(status=307, headers={"Location": f"{other.url}/b"})
        with serving(lambda _: away) as server, pytest.raises(UnsafeRedirectError) as caught:
            make(server.url).post("/a", content="secret", follow_redirects=True)
    assert other.asked == []
    assert failure_of(caught.value).reason.startswith("redirect not followed")
    assert [one["response"] is None for one in exchanges] == [False, True]
    assert exchanges[1]["request"]["url"] == f"{other.url}/b"
    assert "redirected with a body to another host" in exchanges[1]["error"]


def test_redirects_share_one_deadline(make: Make, exchanges: list[Exchange]) -> None:
    def answer(_: Asked) -> Reply:
        time.sleep(0.05)
        return Reply(status=302, headers={"Location": "/again"})

    with serving(answer) as server, pytest.raises(httpx.RequestError):
        make(server.url, QUICK).get("/", follow_redirects=True)
    assert len(exchanges) < 12


def test_a_request_that_is_no_http_is_not_sent(make: Make) -> None:
    with serving(lambda _: Reply()) as server, pytest.raises(httpx.LocalProtocolError) as caught:
        make(server.url).get("/", headers={"X-Bad": "a\r\nX-Injected: b"})
    assert failure_of(caught.value).reason.startswith("request not sent")
    assert server.asked == []


def test_any_other_error_is_explained_as_well() -> None:
    assert failure_of(RuntimeError()).reason == "request failed: RuntimeError"


def test_connections_are_kept_between_clients(make: Make, connections: Connections) -> None:
    with serving(lambda _: Reply()) as server:
        make(server.url).get("/")
        make(server.url).get("/")
        (pool,) = connections._pools.values()  # noqa: SLF001 - nothing else tells
        assert len(pool.connections) == 1


def test_connections_never_used_close_without_being_made() -> None:
    unused = Connections()
    unused.close()
    assert "pool" not in vars(unused)


def test_every_error_of_the_connections_below_has_its_name_above() -> None:
    leaves = {
        kind
        for name in httpcore.__all__
        if isinstance(kind := getattr(httpcore, name), type)
        and issubclass(kind, Exception)
        and not kind.__subclasses__()
    } - {httpcore.ConnectionNotAvailable}
    assert leaves == set(MAPPED)
    assert all(kind.__name__ == mapped.__name__ for kind, mapped in MAPPED.items())
