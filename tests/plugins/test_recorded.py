"""What a test's own httpx client asks is recorded, whatever comes of it."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from greenroom import recorded
from greenroom.plugins.recording import recording_of
from greenroom.plugins.running import running
from greenroom.plugins.settings import redactor_of
from tests.support.servers import Asked, Reply, refused_url, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def exchanges(request: pytest.FixtureRequest) -> Iterator[list[dict[str, Any]]]:
    """Give the exchanges that are recorded of this very test."""
    redactor_of(request.config).add("hunter2")
    with running(request.node):
        yield recording_of(request.node).own


def replies(asked: Asked) -> Reply:
    if asked.path == "/moved":
        return Reply(status=302, headers={"Location": "/there"})
    if asked.path == "/bomb":
        packed = gzip.compress(b"a" * 10_000_000)
        return Reply(packed, headers={"Content-Encoding": "gzip"})
    if asked.path == "/broken":
        return Reply(b"no gzip", headers={"Content-Encoding": "gzip"})
    return Reply(b"ok hunter2" + b"." * 100_000 * (asked.path == "/long"))


def test_an_exchange_is_recorded_without_secrets(exchanges: list[dict[str, Any]]) -> None:
    with serving(replies) as server, recorded(httpx.Client()) as http:
        http.post(f"{server.url}/a?token=hunter2", json={"a": "hunter2"}, auth=("u", "hunter2"))
    (seen,) = exchanges
    assert (seen["request"]["method"], seen["response"]["status"]) == ("POST", 200)
    assert seen["response"]["body"] == "ok [redacted]"
    assert "hunter2" not in str(seen)
    assert seen["error"] is None


def test_each_hop_and_every_client_that_asks_no_answer_is_recorded(
    exchanges: list[dict[str, Any]],
) -> None:
    with serving(replies) as server, recorded(httpx.Client(follow_redirects=True)) as http:
        http.get(f"{server.url}/moved")
        with pytest.raises(httpx.ConnectError):
            http.get(refused_url())
    assert [one["response"] and one["response"]["status"] for one in exchanges] == [302, 200, None]
    assert exchanges[-1]["error"] == "no answer came"


@pytest.mark.parametrize("path", ["long", "bomb"])
def test_of_a_large_body_the_beginning_is_recorded(
    exchanges: list[dict[str, Any]], path: str
) -> None:
    with serving(replies) as server, recorded(httpx.Client()) as http:
        assert len(http.get(f"{server.url}/{path}").content) > 100_000
    (seen,) = exchanges
    assert seen["response"]["truncated"]
    assert len(seen["response"]["body"]) < 10_000


def test_a_stream_is_recorded_as_far_as_it_was_read(exchanges: list[dict[str, Any]]) -> None:
    with serving(replies) as server, recorded(httpx.Client()) as http:
        with http.stream("GET", f"{server.url}/long") as answer:
            next(answer.iter_raw(10))
            assert exchanges[0]["response"]["body"] == ""
        assert exchanges[0]["response"]["body"].startswith("ok [redacted]")
    assert exchanges[0]["response"]["truncated"]


def test_what_cannot_be_decompressed_is_recorded_all_the_same(
    exchanges: list[dict[str, Any]],
) -> None:
    with (
        serving(replies) as server,
        recorded(httpx.Client()) as http,
        pytest.raises(httpx.DecodingError),
    ):
        http.get(f"{server.url}/broken")
    assert exchanges[0]["response"]["truncated"]


def test_an_asynchronous_client_is_recorded_as_well(exchanges: list[dict[str, Any]]) -> None:
    async def ask(url: str) -> None:
        async with recorded(httpx.AsyncClient()) as http:
            assert (await http.get(url)).text.startswith("ok")

    with serving(replies) as server:
        asyncio.run(ask(server.url))
    assert exchanges[0]["response"]["body"] == "ok [redacted]"


def test_the_hooks_that_a_client_has_are_kept(exchanges: list[dict[str, Any]]) -> None:
    seen: list[int] = []
    hooks = {"response": [lambda answer: seen.append(answer.status_code)]}
    with serving(replies) as server, recorded(httpx.Client(event_hooks=hooks)) as http:
        http.get(server.url)
    assert (seen, len(exchanges)) == ([200], 1)
