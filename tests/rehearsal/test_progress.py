from __future__ import annotations

import io
import time
from datetime import UTC, datetime

import pytest

from greenroom.rehearsal.lifecycle import Event, EventStatus, Lifecycle, Status
from greenroom.rehearsal.progress import Progress

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def change(
    lifecycle: Lifecycle | None,
    status: EventStatus | None = None,
    *,
    replacement: int = 0,
    deployment: str = "d-1",
    overall: Status = Status.IN_PROGRESS,
) -> Event:
    return Event(NOW, deployment, overall, lifecycle, status, replacement)


STORY = (
    change(None),
    change(Lifecycle.INSTALL, EventStatus.IN_PROGRESS),
    change(Lifecycle.INSTALL, EventStatus.SUCCEEDED),
    change(Lifecycle.ALLOW_TRAFFIC, EventStatus.IN_PROGRESS),
    change(None, replacement=10),
    change(None, replacement=10, overall=Status.STOPPED),
    change(Lifecycle.ALLOW_TRAFFIC, EventStatus.IN_PROGRESS, deployment="d-2"),
    change(None, deployment="d-2", overall=Status.SUCCEEDED),
)


@pytest.fixture(autouse=True)
def _no_wish_for_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def shown(stream: io.StringIO) -> str:
    with Progress(stream) as progress:
        progress.step("artifact stage")
        for event in STORY:
            progress.heard(event)
    return stream.getvalue()


def test_a_pipe_gets_a_whole_line_for_each_change() -> None:
    lines = shown(io.StringIO()).splitlines()
    assert [line.split(" s  ")[1].split("  ")[0].strip() for line in lines] == [
        "artifact stage",
        "Install",
        "AllowTraffic",
        "AllowTraffic",
        "Stopped",
        "rollback: AllowTraffic original 100 % [====================]",
        "rollback: Succeeded",
    ]
    assert lines[3].endswith("original  90 % [==================##]  10 % replacement")
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("no_color", "painted"), [pytest.param("", True, id="plain"), pytest.param("1", False, id="no")]
)
def test_a_terminal_gets_one_line_rewritten(
    monkeypatch: pytest.MonkeyPatch, no_color: str, *, painted: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    text = shown(Terminal())
    assert text.count("\n") == 1
    assert text.count("\r\x1b[2K") >= len(STORY)
    assert ("\x1b[32m##" in text) is painted


@pytest.mark.parametrize(
    ("wishes", "painted"),
    [
        pytest.param({"FORCE_COLOR": "1"}, True, id="forced"),
        pytest.param({"FORCE_COLOR": ""}, False, id="empty"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="both"),
    ],
)
def test_a_pipe_gets_colour_only_if_forced(
    monkeypatch: pytest.MonkeyPatch, wishes: dict[str, str], *, painted: bool
) -> None:
    for name, value in wishes.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[32m##" in shown(io.StringIO())) is painted


def test_a_terminals_line_goes_on_counting_while_nothing_happens() -> None:
    stream = Terminal()
    with Progress(stream) as progress:
        progress.step("artifact stage")
        while stream.getvalue().count("artifact stage") < 3:
            time.sleep(0.01)
    assert stream.getvalue().endswith("replacement\n")
