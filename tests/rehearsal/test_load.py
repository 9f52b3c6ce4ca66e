from __future__ import annotations

import time

import pytest

from greenroom.rehearsal.load import Answer, Load, LoadPlan, Requests, Tally
from greenroom.validators.errors import ToolError
from tests.support.upstream import free_port, raw_server, upstream

PLAN = LoadPlan(("/a", "/b"), rate=200, timeout_s=0.5)
GOOD = b"HTTP/1.1 200 OK\r\nX-Greenroom-Revision: original\r\n"


def after_some(port: int, plan: LoadPlan = PLAN) -> Requests:
    tally = Tally()
    with Load(f"http://127.0.0.1:{port}", plan, tally):
        while tally.counts.total < 20:
            time.sleep(0.01)
    return tally.counts


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", id="500"),
        pytest.param(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", id="404"),
        pytest.param(GOOD + b"Content-Length: 10\r\n\r\nshort", id="cut-short"),
        pytest.param(GOOD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", id="cut-short-chunks"),
        pytest.param(GOOD, id="no-end-of-headers"),
        pytest.param(b"SSH-2.0-x\r\n\r\n", id="not-http"),
        pytest.param(b"", id="closed"),
    ],
)
def test_an_answer_that_is_not_whole_and_good_is_a_failed_request(answer: bytes) -> None:
    with raw_server(answer) as port, pytest.raises(ToolError, match=r"GET /a, failed"):
        after_some(port)


def test_nobody_listening_is_an_error_at_the_start() -> None:
    with pytest.raises(ToolError, match="failed") as caught:
        after_some(free_port())
    assert "[load]" in caught.value.hint


def test_an_error_that_nobody_foresaw_is_a_failed_request() -> None:
    class Surprised(Load):
        async def _exchange(self, path: str) -> tuple[int, str]:
            raise RuntimeError(path)

    tally = Tally()
    with pytest.raises(ToolError, match=r"GET /a, failed"):
        Surprised("http://127.0.0.1:1", PLAN, tally).start()
    assert tally.counts.total == tally.counts.failed >= 1


def test_a_silent_server_fails_each_request_at_its_time_out() -> None:
    with upstream(silent=True) as port, pytest.raises(ToolError, match="failed"):
        after_some(port)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Content-Length: 2\r\n\r\nok", id="length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", id="chunks"),
        pytest.param(b"\r\nok", id="until-close"),
    ],
)
def test_whole_answers_are_counted_by_revision(body: bytes) -> None:
    with raw_server(GOOD + body) as port:
        counts = after_some(port)
    assert counts.total == counts.original >= 20
    assert counts.failed == counts.replacement == 0


def test_requests_in_flight_at_the_end_are_waited_for_and_not_failed() -> None:
    with upstream() as port:
        counts = after_some(port, LoadPlan(("/",), rate=400, timeout_s=5))
    assert counts.failed == 0


def test_the_tally_tells_what_the_replacement_answered_before_the_gate() -> None:
    tally = Tally()
    tally.add(Answer(1.0, 200, "replacement"))
    tally.open_gate()
    tally.add(Answer(2.0, 200, "replacement"))
    tally.add(Answer(3.0, 0, ""))
    assert tally.counts == Requests(3, 1, 0, 2, 1)
    assert [answer.at for answer in tally.since(2.0)] == [2.0, 3.0]
    assert tally.counts.to_json()["replacement_before_gate"] == 1
