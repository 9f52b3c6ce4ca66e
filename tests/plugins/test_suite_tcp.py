"""A check that something accepts connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.suite_model import WorkCheck
from greenroom.plugins.suite_tcp import TcpWork
from greenroom.validators.errors import ServiceError
from greenroom.validators.vocabulary import Kind, Outcome, Stage
from tests.support.runs import run
from tests.support.servers import json_reply, refused_url, serving
from tests.support.sites import place_at
from tests.support.suites import read, variables

if TYPE_CHECKING:
    from pathlib import Path


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_a_port_where_nobody_listens_is_not_observed() -> None:
    with place_at() as place, pytest.raises(ServiceError, match="accepts no connection"):
        TcpWork("127.0.0.1", port_of(refused_url())).run(place)


def test_a_limit_that_is_missed_fails() -> None:
    text = (
        "version: 1\nname: s\nchecks:\n  - name: c\n"
        '    tcp: {host: "${env.HOST}", port: 80}\n    expect: time < 1us\n'
    )
    [check] = read(text, variables(HOST="127.0.0.1")).checks
    assert isinstance(check, WorkCheck)
    assert isinstance(check.work, TcpWork)
    with serving(lambda _: json_reply({})) as server, place_at() as place:
        work = TcpWork(check.work.host, port_of(server.url), check.work.limits)
        assert work.run(place).outcome is Outcome.FAILED
    assert (check.kind, check.stage) == (Kind.SMOKE, Stage.ENVIRONMENT)


def test_an_accepted_connection_is_the_evidence(tmp_path: Path) -> None:
    with serving(lambda _: json_reply({})) as server:
        port = port_of(server.url)
        (tmp_path / "a.suite.yaml").write_text(
            "version: 1\nname: s\nchecks:\n"
            f"  - name: listens\n    tcp: {{host: 127.0.0.1, port: {port}}}\n"
        )
        ran = run(tmp_path)
    assert ran.verdict == "ship"
    assert ran.check("listens")["evidence"][0]["what"] == f"connection to 127.0.0.1:{port}"
