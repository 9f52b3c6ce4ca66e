"""Checks that wait for answers are asked side by side; what must be alone is."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.settings import CommandLine, resolve
from greenroom.validators.errors import SettingsError
from tests.support.runs import LIMIT_S, run
from tests.support.servers import Reply, serving
from tests.support.suites import HEAD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runs import Ran
    from tests.support.servers import Asked

WAIT_S = 0.02


class Service:
    """Answers after a while; knows how many it had to answer at once, for each path."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.at_once: dict[str, int] = {}

    def __call__(self, asked: Asked) -> Reply:
        with self._lock:
            self._now += 1
        time.sleep(WAIT_S)
        with self._lock:
            self.at_once[asked.path] = self._now
            self._now -= 1
        return Reply(status=500 if asked.path == "/bad" else 200)

    @property
    def most(self) -> int:
        return max(self.at_once.values())


def check(name: str, more: str = "") -> str:
    return f"  - {{name: {name}, http: {{get: /{name}}}, expect: {{status: 200}}{more}}}\n"


def ran(folder: Path, service: Service, *arguments: str, **settings: int) -> Ran:
    (folder / "greenroom.toml").write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
    with serving(service) as server:
        return run(folder, "--greenroom-target", server.url, *arguments)


@pytest.mark.parametrize(
    "value", [0, 65, "many", True, 1.5], ids=["none", "too-many", "text", "flag", "fraction"]
)
def test_a_number_that_cannot_be_meant_is_refused(value: object) -> None:
    with pytest.raises(SettingsError, match="in_flight is"):
        resolve({"in_flight": value}, "greenroom.toml", {}, CommandLine())


def test_checks_that_wait_are_asked_side_by_side_in_bounds(tmp_path: Path) -> None:
    service = Service()
    (tmp_path / "a.suite.yaml").write_text(HEAD + "".join(check(f"c{n}") for n in range(30)))
    found = ran(tmp_path, service, in_flight=4)
    assert [one["name"] for one in found.record["checks"]] == [f"c{n}" for n in range(30)]
    assert found.verdict == "ship"
    assert 1 < service.most <= 4


def test_one_in_flight_is_one_by_one(tmp_path: Path) -> None:
    service = Service()
    (tmp_path / "a.suite.yaml").write_text(HEAD + "".join(check(f"c{n}") for n in range(5)))
    assert ran(tmp_path, service, in_flight=1).verdict == "ship"
    assert service.most == 1


def test_a_serial_check_is_asked_alone(tmp_path: Path) -> None:
    service = Service()
    checks = [check(f"a{n}") for n in range(6)]
    checks += [check("alone", ", serial: true"), *(check(f"b{n}") for n in range(6))]
    (tmp_path / "a.suite.yaml").write_text(HEAD + "".join(checks))
    assert ran(tmp_path, service).verdict == "ship"
    assert service.at_once["/alone"] == 1
    assert service.most > 1


def test_nothing_is_asked_beyond_a_python_test_before_it_ran(tmp_path: Path) -> None:
    service = Service()
    (tmp_path / "a.suite.yaml").write_text(HEAD + "".join(check(f"a{n}") for n in range(4)))
    (tmp_path / "b_test.py").write_text(
        "def test_b(target):\n    assert target.get('/between').status_code == 200\n"
    )
    (tmp_path / "c.suite.yaml").write_text(HEAD + "".join(check(f"c{n}") for n in range(4)))
    files = ("a.suite.yaml", "b_test.py", "c.suite.yaml")
    assert ran(tmp_path, service, *files).verdict == "ship"
    assert service.at_once["/between"] == 1
    assert list(service.at_once).index("/between") == 4


def test_a_run_that_stops_asks_little_in_vain(tmp_path: Path) -> None:
    service = Service()
    checks = [check("c0"), check("bad"), *(check(f"c{n}") for n in range(1, 200))]
    (tmp_path / "a.suite.yaml").write_text(HEAD + "".join(checks))
    found = ran(tmp_path, service, "-x")
    assert found.verdict == "do-not-ship"
    assert [one["name"] for one in found.record["checks"]][:2] == ["c0", "bad"]
    assert len(service.at_once) < 70


def test_a_run_that_stops_does_not_wait_for_a_server_that_is_silent(tmp_path: Path) -> None:
    release = threading.Event()

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/silent"):
            release.wait(LIMIT_S)
        time.sleep(WAIT_S)
        return Reply(status=500 if asked.path == "/bad" else 200)

    checks = [*(check(f"c{n}") for n in range(4)), check("bad")]
    checks += [check(f"silent{n}", ", timeout: 5m") for n in range(3)]
    (tmp_path / "a.suite.yaml").write_text(HEAD + "".join(checks))
    with serving(answer) as server:
        try:
            found = run(tmp_path, "--greenroom-target", server.url, "-x")
        finally:
            release.set()
    assert found.verdict == "do-not-ship"
