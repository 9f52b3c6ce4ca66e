"""The same suite leaves the same record, one by one, side by side, and under xdist's workers."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.runs import run
from tests.support.servers import Reply, json_reply, refused_url, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runs import Ran
    from tests.support.servers import Asked

ANSWER_S = 0.01
"""Long enough for the pool to start."""
ONE_BY_ONE: tuple[str, ...] = ("in_flight = 1",)
SIDE_BY_SIDE: tuple[str, ...] = ("in_flight = 16",)
TIMES = frozenset({"duration_s", "elapsed_ms", "started", "finished", "at", "run_id", "worker"})
"""What may differ: when, how long, and by whom."""
_MOMENT = re.compile(r"\b[0-9.]+ m?s\b|[A-Z][a-z]{2}, [0-9A-Za-z :]+ GMT")

WAIT = {"for": "100ms", "every": "100ms"}

Check = dict[str, Any]


def answer(asked: Asked) -> Reply:
    """Answer by the request alone: /STATUS/NUMBER, /big, /login/NUMBER."""
    time.sleep(ANSWER_S)
    kind, _, rest = asked.path.lstrip("/").partition("/")
    match kind:
        case "big":
            return Reply(b"x" * 70_000)
        case "login":
            return Reply(
                json.dumps({"token": f"t0ken-of-{rest}"}).encode(),
                headers={"Set-Cookie": f"sid=session-{rest}; Path=/"},
            )
        case _:
            told = {"n": rest, "cookie": asked.headers.get("cookie", "")}
            return json_reply(told, int(kind))


class Service:
    """Answers, and knows how many it had to answer at once."""

    def __init__(self) -> None:
        self.url = ""
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Reply:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return answer(asked)
        finally:
            with self._lock:
                self._now -= 1


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service()
    with serving(made) as server:
        made.url = server.url
        yield made


numbers = st.integers(0, 9).map(str)
statuses = st.sampled_from([200, 200, 200, 404, 503])


@st.composite
def requests(draw: st.DrawFn) -> Check:
    """Draw a check of one request: it passes, fails, or cannot be observed."""
    path = draw(st.builds("/{}/{}".format, statuses, numbers) | st.just("/big"))
    expect: dict[str, Any] = {"status": draw(statuses)}
    if draw(st.booleans()):
        expect["json"] = {"$.n": draw(numbers)}
    check: Check = {"http": {"get": path}, "expect": expect}
    if draw(st.booleans()):
        check["wait"] = WAIT
    return check | draw(st.sampled_from([{}, {}, {"serial": True}, {"gate": "warn"}]))


@st.composite
def tables(draw: st.DrawFn) -> Check:
    rows = draw(st.lists(numbers, min_size=1, max_size=4, unique=True))
    expect = {"json": {"$.n": draw(numbers)}}
    return {"each": rows, "http": {"get": "/200/${each.value}"}, "expect": expect}


@st.composite
def flows(draw: st.DrawFn) -> Check:
    secret = draw(st.booleans())
    # Once a check has said of a value that it is secret, it is so for all that come after.
    number = f"{draw(numbers)}-secret" if secret else draw(numbers)
    login = {
        "http": {"get": f"/login/{number}"},
        "expect": {"status": 200},
        "capture": {"token": {"json": "$.token", "secret": secret}},
    }
    then = {"http": {"get": "/200/${capture.token}"}, "expect": {"status": draw(statuses)}}
    end = {"http": {"get": "/200/9"}, "expect": {"json": {"$.n": draw(numbers)}}}
    return {"setup": [login], "steps": [then], "teardown": draw(st.sampled_from([[], [end]]))}


connections = st.sampled_from([{"tcp": "SERVER"}, {"tcp": "NOBODY"}])
suites = st.lists(requests() | tables() | flows() | connections, min_size=12, max_size=24)


def write(folder: Path, checks: list[Check], url: str, nobody: str) -> None:
    lines = [
        json.dumps({"name": f"c{number}", **{key: part for key, part in check.items() if part}})
        for number, check in enumerate(checks)
    ]
    text = "version: 1\nname: s\ndefaults: {max_body: 64KiB}\nchecks:\n  - " + "\n  - ".join(lines)
    for name, address in (("SERVER", url), ("NOBODY", nobody)):
        text = text.replace(name, address.removeprefix("http://"))
    (folder / "a.suite.yaml").write_text(text)
    (folder / "test_between.py").write_text(
        "def test_between(target):\n    assert target.get('/200/5').json()['n'] == '5'\n"
    )
    (folder / "z.suite.yaml").write_text(text)


def ran(folder: Path, url: str, settings: tuple[str, ...], *arguments: str) -> Ran:
    (folder / "greenroom.toml").write_text("\n".join(settings))
    return run(folder, f"--greenroom-target={url}", "--log-level=INFO", *arguments)


def told(found: Ran) -> dict[str, Any]:
    """Return the record without its times; the checks in the order of their ids."""
    record: dict[str, Any] = untimed(found.record)
    del record["environment"]["command"]
    record["checks"].sort(key=lambda check: str(check["id"]))
    return record | {"code": found.code}


def untimed(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    match value:
        case dict():
            return {key: untimed(part) for key, part in value.items() if key not in TIMES}
        case list():
            return [untimed(part) for part in value]
        case str():
            return _MOMENT.sub("a time", value)
        case _:
            return value


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[object]:
    """Return what differs, checks by themselves: a difference of whole records shows nothing."""
    pairs = zip(one.pop("checks"), other["checks"], strict=True)
    rest = {key: part for key, part in other.items() if key != "checks"}
    return [pair for pair in (*pairs, (one, rest)) if pair[0] != pair[1]]


WAITING: list[Check] = [{"http": {"get": "/200/0"}, "expect": {"status": 200}}] * 3
"""What the pool starts after."""
RICH: list[Check] = [
    *WAITING,
    {"http": {"get": "/200/1"}, "expect": {"json": {"$.n": "1"}}},
    {"http": {"get": "/503/1"}, "expect": {"status": 200}, "wait": WAIT},
    {"http": {"get": "/big"}, "expect": {"status": 200}},
    {"each": ["1", "2"], "http": {"get": "/200/${each.value}"}, "expect": {"json": {"$.n": "2"}}},
    {"tcp": "SERVER"},
    {"tcp": "NOBODY"},
    {"http": {"get": "/404/7"}, "expect": {"status": 404}, "serial": True},
]


@pytest.mark.slow
@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # each try is three runs of pytest: nothing is made smaller
    suppress_health_check=list(HealthCheck),
)
@given(checks=suites)
def test_a_suite_leaves_the_same_record_however_it_is_run(
    service: Service, checks: list[Check]
) -> None:
    url, service.most = service.url, 0
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, [*WAITING, *checks], url, refused_url())
        expected = ran(folder, url, ONE_BY_ONE)
        assert service.most == 1
        together = ran(folder, url, SIDE_BY_SIDE)
        assert service.most > 1
        names = [check["id"] for check in expected.record["checks"]]
        assert [check["id"] for check in together.record["checks"]] == names
        alone = told(expected)
        assert differing(told(together), alone) == []
        assert differing(told(ran(folder, url, SIDE_BY_SIDE, "-n2")), alone) == []


SELECTIONS = {
    "first-failure": ("-x",),
    "by-name": ("-k", "c3 or c4 or between"),
    "last-failed": ("--lf",),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Path:
    """A project whose first run has failures that the next can be about."""
    folder = tmp_path_factory.mktemp("selected")
    write(folder, RICH, service.url, refused_url())
    ran(folder, service.url, ONE_BY_ONE)
    return folder


@pytest.mark.parametrize("arguments", SELECTIONS.values(), ids=SELECTIONS.keys())
def test_a_selection_and_a_stop_are_the_same_with_the_pool(
    project: Path, tmp_path: Path, service: Service, arguments: tuple[str, ...]
) -> None:
    records = []
    for settings_ in (ONE_BY_ONE, SIDE_BY_SIDE):
        folder = tmp_path / settings_[0]
        folder.mkdir()
        copytree(project, folder, dirs_exist_ok=True)
        record = told(ran(folder, service.url, settings_, *arguments))
        del record["environment"]["root"]
        records.append(record)
    assert records[0] == records[1]
    assert records[0]["checks"]
