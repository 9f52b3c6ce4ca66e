"""A run waits until its target is ready, and not for ever."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.readiness import TRY_S, Seen, Waited, judge_ready, wait
from greenroom.plugins.revision import answered_by
from greenroom.plugins.target_settings import Ready, read_ready
from greenroom.validators.http import Answer, Failure
from tests.support.runs import ALONE, TWO_WORKERS, Ran, run
from tests.support.servers import Reply, refused_url, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Asked, Served


class Time:
    """A clock that only sleeping and trying move."""

    def __init__(self, try_s: float = 0.0) -> None:
        self.now = 100.0
        self._try_s = try_s
        self.given: list[float] = []
        self.told: list[Waited] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, ready: Ready, *answers: Seen) -> Waited:
        """Wait for the answers in turn, the last of them for ever."""

        def ask(seconds: float) -> Seen:
            self.given.append(seconds)
            self.now += min(self._try_s, seconds)
            return answers[min(len(self.given), len(answers)) - 1]

        return wait(ready, ask, self.told.append, lambda: self.now, self.sleep)


NO = Seen(ready=False, answer="status 503")
YES = Seen(ready=True, answer="status 200")


def test_the_wait_is_bounded_and_tells_the_last_answer() -> None:
    time = Time()
    waited = time.wait(Ready(within_s=10, every_s=1), NO)
    assert (waited.ready, waited.tries, str(waited)) == (
        False,
        10,
        "status 503 after 10 tries in 9 s",
    )


def test_a_target_that_never_answers_gets_tries_that_end_in_time() -> None:
    time = Time(try_s=60)
    waited = time.wait(Ready(within_s=12, every_s=0.5), NO)
    assert time.given == [TRY_S, TRY_S, 1.0]
    assert waited.seconds == 12


def test_one_try_is_made_however_short_the_time() -> None:
    assert Time().wait(Ready(within_s=0.001, every_s=1), YES).tries == 1


def test_a_target_that_becomes_ready_is_waited_for_and_no_longer() -> None:
    waited = Time().wait(Ready(every_s=2), NO, NO, YES)
    assert waited == Waited(ready=True, answer="status 200", tries=3, seconds=4)


def test_who_waits_hears_of_each_new_answer_and_every_ten_seconds() -> None:
    time = Time()
    time.wait(Ready(within_s=25, every_s=1), Seen(ready=False, answer="refused"), NO)
    assert [(one.answer, one.seconds) for one in time.told] == [
        ("refused", 0),
        ("status 503", 1),
        ("status 503", 11),
        ("status 503", 21),
    ]


def answer(status: int, revision: str = "") -> Answer:
    return Answer(status, (("x-revision", revision),) if revision else (), b"", 0.1)


NEW = Ready(revision=answered_by(equals="v2", header="x-revision"))


@pytest.mark.parametrize(
    ("ready", "outcome", "seen"),
    [
        (Ready(), answer(404), Seen(ready=True, answer="status 404")),
        (Ready(), answer(500), Seen(ready=False, answer="status 500")),
        (
            Ready(),
            Failure("connection refused", ""),
            Seen(ready=False, answer="connection refused"),
        ),
        (
            read_ready({"status": 200}, None, ""),
            answer(204),
            Seen(ready=False, answer="status 204"),
        ),
        (NEW, answer(200, "v1"), Seen(ready=False, answer="status 200 from revision v1")),
        (NEW, answer(200), Seen(ready=False, answer="status 200 from no header x-revision")),
        (NEW, answer(503, "v2"), Seen(ready=False, answer="status 503 from revision v2")),
        (NEW, answer(200, "v2"), Seen(ready=True, answer="status 200 from revision v2")),
    ],
    ids=["404", "500", "refused", "other", "old", "no-revision", "new-and-ill", "new"],
)
def test_ready_is_a_status_and_the_right_revision(
    ready: Ready, outcome: Answer | Failure, seen: Seen
) -> None:
    assert judge_ready(ready, outcome) == seen


# In a run

everywhere = pytest.mark.parametrize(
    "workers", [pytest.param(ALONE, id="alone"), pytest.param(TWO_WORKERS, id="two-workers")]
)
SMOKE = """
import pytest

@pytest.mark.smoke
@pytest.mark.parametrize("n", [1, 2])
def test_it(target, n):
    assert target.get("/check").status_code == 200
"""
UNIT = "def test_it(): pass"


@contextlib.contextmanager
def late(tries: int) -> Iterator[Served]:
    """Serve 503 to the first ``tries`` requests, then the revision v2."""
    left = [None] * tries

    def reply(_: Asked) -> Reply:
        if left:
            left.pop()
            return Reply(b"", 503)
        return Reply(b"", 200, {"X-Revision": "v2"})

    with serving(reply) as server:
        yield server


def ran(folder: Path, table: str, url: str, *arguments: str, source: str = SMOKE) -> Ran:
    (folder / "greenroom.toml").write_text(f"[ready]\n{table}\n")
    (folder / "test_it.py").write_text(source)
    return run(folder, "--greenroom-target", url, *arguments)


@everywhere
def test_no_check_runs_before_the_target_is_ready(tmp_path: Path, workers: tuple[str, ...]) -> None:
    with late(2) as server:
        result = ran(tmp_path, 'path = "/health"\nevery = "50ms"', server.url, *workers)
    assert (result.code, result.verdict) == (0, "ship")
    assert [one.path for one in server.asked] == ["/health"] * 3 + ["/check"] * 2
    environment = result.record["environment"]
    assert (environment["ready_tries"], environment["ready_answer"]) == (3, "status 200")
    assert environment["ready_seconds"] > 0.1
    assert f"greenroom: waiting for {server.url}/health: status below 500" in result.out
    assert "greenroom: not ready yet: status 503 after 1 try" in result.out
    assert "greenroom: ready: status 200 after 3 tries" in result.out


@everywhere
def test_a_target_that_is_not_ready_in_time_cannot_be_decided(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    table = 'within = "300ms"\nevery = "100ms"'
    result = ran(tmp_path, table, refused_url(), *workers)
    assert (result.code, result.verdict) == (7, "could-not-decide")
    assert result.record["checks"] == []
    first = result.record["reasons"][0]
    assert first.startswith("the target was not ready: http://127.0.0.1:")
    assert "connection refused" in first
    assert "expected status below 500" in first
    assert "greenroom: NOT READY: connection refused" in result.out


def test_ready_can_mean_that_the_new_revision_answers(tmp_path: Path) -> None:
    table = 'header = "x-revision"\nwithin = "200ms"\nevery = "50ms"'
    with late(0) as server:
        old = ran(tmp_path, table, server.url, "--greenroom-release", "revision=v3").reasons
        new = ran(tmp_path, table, server.url, "--greenroom-release", "revision=v2")
    assert "status 200 from revision v2 after" in old
    assert "expected status below 500 from revision v3 (header x-revision)" in old
    assert new.verdict == "ship"


def test_a_revision_that_is_not_known_stops_the_run_at_its_start(tmp_path: Path) -> None:
    result = ran(tmp_path, 'header = "x-revision"', refused_url())
    assert result.code == 4
    assert "${release.revision} is not set" in result.out
    assert result.verdict == "could-not-decide"


@pytest.mark.parametrize(
    ("arguments", "source"),
    [(("--co",), SMOKE), ((), UNIT), (("-k", "nothing"), SMOKE), ((), "def test_it(:")],
    ids=["collect-only", "unit-tests", "nothing-selected", "broken"],
)
def test_nobody_is_asked_where_no_check_would_ask(
    tmp_path: Path, arguments: tuple[str, ...], source: str
) -> None:
    with late(0) as server:
        ran(tmp_path, 'path = "/health"', server.url, *arguments, source=source)
    assert server.asked == []


def test_the_command_line_asks_for_a_path_and_a_table_needs_a_target(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        UNIT + "\ntest_it = __import__('pytest').mark.smoke(test_it)"
    )
    with late(1) as server:
        run(tmp_path, "--greenroom-target", server.url, "--greenroom-ready", "/live")
    assert {one.path for one in server.asked} == {"/live"}
    (tmp_path / "greenroom.toml").write_text("[ready]\n")
    (tmp_path / "test_it.py").write_text(UNIT)
    assert run(tmp_path).verdict == "ship"
