"""A check that something accepts connections, and gives the answer that is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.tcp import connect
from greenroom.validators.errors import ServiceError
from greenroom.validators.tcp import judge_tcp
from greenroom.validators.vocabulary import Kind, Outcome, Stage
from tests.support import servers
from tests.support.runs import run
from tests.support.servers import hostile, json_reply, refused_url, serving
from tests.support.sites import place_at
from tests.support.suites import variables
from tests.support.works import soon, work_check, work_of

if TYPE_CHECKING:
    import socket
    import threading
    from pathlib import Path

    from greenroom.plugins.target_settings import Address
    from greenroom.validators.finding import Finding


def peer_of(url: str) -> str:
    return url.removeprefix("http://")


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def echo(connection: socket.socket, _: threading.Event) -> None:
    """Say who it is, then what it was told, in two parts; then end."""
    connection.sendall(b"echo 1.0\r\n")
    told = connection.recv(4096)
    connection.sendall(told[:2])
    connection.sendall(told[2:])


def talk(behave: servers.Behaviour, more: str, seconds: float = 5.0) -> Finding:
    with hostile(behave) as url, place_at(seconds=seconds) as place:
        line = f"tcp: {{host: 127.0.0.1, port: {port_of(url)}, {more}}}"
        return work_of(line).run(place)


def test_a_port_where_nobody_listens_is_not_observed() -> None:
    work = work_of(f"tcp: '{peer_of(refused_url())}'")
    with place_at() as place, pytest.raises(ServiceError, match="accepts no connection"):
        work.run(place)


def test_a_name_without_an_address_is_not_observed() -> None:
    with place_at() as place, pytest.raises(ServiceError, match="its name is not resolved"):
        work_of("tcp: nowhere.invalid:80").run(place)


def test_a_limit_that_is_missed_fails() -> None:
    with serving(lambda _: json_reply({})) as server, place_at() as place:
        given = variables(PEER=peer_of(server.url))
        check = work_check('tcp: "${env.PEER}"', "time < 1us", given)
        assert check.work.run(place).outcome is Outcome.FAILED
    assert (check.kind, check.stage) == (Kind.SMOKE, Stage.ENVIRONMENT)


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (servers.silent, "gave no complete answer: .*; 0 bytes came"),
        (servers.drip_head, "; [0-9]+ bytes came"),
        (servers.closes, "closed the connection without an answer"),
    ],
    ids=["silent", "drips", "closes"],
)
def test_an_answer_that_does_not_come_was_not_observed(
    behave: servers.Behaviour, said: str
) -> None:
    with pytest.raises(ServiceError, match=said):
        talk(behave, "send: hello, receives: world", 0.3)


@pytest.mark.parametrize(
    "more",
    [
        'send: "PING", receives: PONG',
        'send: "PING", receives: {equals: PING}',
        'send: "PING", receives: {matches: "[a-z]+"}',
        'send: "PING", receives: PING, most: 4B',
    ],
    ids=["other", "more-than-it", "pattern", "beyond-the-limit"],
)
def test_another_answer_fails(more: str) -> None:
    finding = talk(echo, more)
    assert finding.outcome is Outcome.FAILED
    assert 'receives "echo' in finding.seen


@pytest.mark.parametrize(
    ("more", "received"),
    [
        ("receives: echo", 10),
        ('send: "PING\\r\\n", receives: PING', 16),
        ('send: "PING", receives: {contains: echo, matches: "echo 1.0\\r\\nPING"}', 14),
    ],
    ids=["greeting", "answer", "operators"],
)
def test_an_answer_that_is_expected_passes(more: str, received: int) -> None:
    finding = talk(echo, more)
    assert finding.outcome is Outcome.PASSED
    assert f", {received} bytes received" in finding.evidence[0].what


def test_python_connects_as_well() -> None:
    with hostile(echo) as url:
        peer: Address = work_of(f"tcp: '{peer_of(url)}'").peer  # type: ignore[attr-defined]
        assert judge_tcp(connect(peer, soon())).outcome is Outcome.PASSED


def test_an_accepted_connection_is_the_evidence(tmp_path: Path) -> None:
    with serving(lambda _: json_reply({})) as server:
        peer = peer_of(server.url)
        (tmp_path / "a.suite.yaml").write_text(
            f"version: 1\nname: s\nchecks:\n  - name: listens\n    tcp: {peer}\n"
        )
        ran = run(tmp_path)
    assert ran.verdict == "ship"
    told = [item["what"] for item in ran.check("listens")["evidence"]]
    assert told == [f"connection to {peer}"]
