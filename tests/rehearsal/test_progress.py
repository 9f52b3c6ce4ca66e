from __future__ import annotations

import io
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
