from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.runs import run
from tests.support.servers import Reply, serving

if TYPE_CHECKING:
    from tests.support.runs import Ran
    from tests.support.servers import Asked

CHECKS = 12


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, int]:
    """Run failing checks that log what they ask for; return how many were asked at once, too."""
    folder = tmp_path_factory.mktemp("together")
    (folder / "a.suite.yaml").write_text(
        "version: 1\nname: s\nchecks:\n"
        "  - name: asks for ${each.value}\n"
        f"    each: {list(range(CHECKS))}\n"
        '    http: {get: "/${each.value}?token=t0ken-${each.value}"}\n'
        "    expect: {status: 404}\n"
    )
    at_once = Together()
    with serving(at_once.answer) as server:
        ran = run(
            folder, f"--greenroom-target={server.url}", "--log-level=DEBUG", "--log-cli-level=INFO"
        )
    return ran, at_once.most


class Together:
    """Counts the requests that are answered at the same time."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def answer(self, _: Asked) -> Reply:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.02)
        with self._lock:
            self._now -= 1
        return Reply(headers={"Set-Cookie": "id=pr1vate-id"})


def test_checks_that_wait_are_asked_side_by_side(together: tuple[Ran, int]) -> None:
    assert together[1] > 1


def test_each_check_has_its_own_log_and_no_others(together: tuple[Ran, int]) -> None:
    logs = {check["name"]: check["log"] for check in together[0].record["checks"]}
    assert len(logs) == CHECKS
    for number in range(CHECKS):
        log = logs[f"asks for {number}"]
        assert log.count("HTTP Request: GET") == 1
        assert f"/{number}?" in log
        assert "receive_response_headers.complete" in log


def test_what_the_client_logs_names_no_credentials(together: tuple[Ran, int]) -> None:
    ran, _ = together
    assert ran.out.count("HTTP Request: GET") >= CHECKS
    for output in (ran.out, *(path.read_text() for path in ran.folder.iterdir())):
        assert "t0ken" not in output
        assert "pr1vate" not in output
