"""The deployment timeline's geometry and words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.reports.deployment import WIDTH, Place, Timeline

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = ("status", "events", "traffic", "hooks", "requests", "error", "rolled_back")


def event(name: str, start: float | None, end: float | None, status: str = "Succeeded") -> Any:  # noqa: ANN401 - JSON
    return {"name": name, "status": status, "start_s": start, "end_s": end}


def test_bars_share_one_time_axis() -> None:
    line = Timeline.of({"events": [event("Install", 0, 2.5), event("AllowTraffic", 2.5, 10)]})
    assert [(bar.x, bar.width) for bar in line.bars] == [(0, 250), (250, 750)]
    assert [bar.took for bar in line.bars] == ["2.5 s", "7.5 s"]
    assert line.length == "10.0 s"


def test_an_instant_is_still_seen_inside_the_drawing() -> None:
    line = Timeline.of({"events": [event("Install", 0, 10), event("AfterInstall", 10, 10)]})
    bar = line.bars[1]
    assert bar.x is not None
    assert bar.width > 0
    assert bar.x + bar.width <= WIDTH


@pytest.mark.parametrize(("start", "end"), [(None, None), (3.0, None)], ids=["pending", "running"])
def test_an_unfinished_event_has_no_duration(start: float | None, end: float | None) -> None:
    bar = Timeline.of({"events": [event("Install", start, end, "InProgress")]}).bars[0]
    assert (bar.took, bar.tone) == ("", "")
    assert (bar.x is None) is (start is None)


def test_traffic_is_drawn_in_steps_and_opens_the_gate() -> None:
    shifts = [{"at_s": 0, "replacement": 0}, {"at_s": 5, "replacement": 10}]
    line = Timeline.of({"events": [event("AllowTraffic", 0, 10)], "traffic": shifts})
    assert line.traffic == "M0 100 L0.0 100 L0.0 100 L500.0 100 L500.0 90 L1000 90 L1000 100 Z"
    assert line.gate_x == 500
    assert line.shifts == [("0 ms", "0 %"), ("5.0 s", "10 %")]


def test_without_a_shift_the_gate_never_opened() -> None:
    assert Timeline.of({"traffic": [{"at_s": 0, "replacement": 0}]}).gate_x is None


def test_a_hook_stands_with_its_event_and_alone_without_it() -> None:
    hooks = [
        {"event": "Install", "verdict": "do-not-ship", "report": "report.html"},
        {"event": "Gone", "verdict": None},
    ]
    bars = Timeline.of({"events": [event("Install", 0, 1)], "hooks": hooks}).bars
    assert bars[0].hooks == [("do not ship", "bad", Place("report.html"))]
    assert (bars[1].name, bars[1].hooks) == ("Gone", [("no verdict", "", Place(""))])


@pytest.mark.parametrize(("early", "tone"), [(0, "good"), (3, "bad")])
def test_requests_before_the_gate_are_good_only_at_zero(early: int, tone: str) -> None:
    line = Timeline.of({"requests": {"total": 2_000, "replacement_before_gate": early}})
    assert [(c.value, c.tone) for c in line.counters] == [("2,000", ""), (str(early), tone)]


def test_a_failure_says_why_and_that_it_rolled_back() -> None:
    error = {"code": "ALARM_ACTIVE", "message": "5xx fired"}
    line = Timeline.of({"status": "Failed", "rolled_back": True, "error": error})
    assert (line.status, line.tone) == ("Failed, rolled back", "bad")
    assert line.error == "ALARM_ACTIVE: 5xx fired"
    assert Timeline.of({"error": "unknown"}).error == "unknown"


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_other_shape_is_left_out_and_never_fails(data: dict[str, Any]) -> None:
    assert Timeline.of(data).length


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("hooks/AfterInstall/report.html", "hooks/AfterInstall/report.html"),
        ("/abs/report.html", ""),
        ("../report.html", ""),
        ("javascript:alert(1)", ""),
        ("https://example.org/x", ""),
        ("//example.org/x", ""),
        ("a\nb", ""),
        ("", ""),
    ],
)
def test_only_a_report_below_the_page_becomes_a_link(path: str, link: str) -> None:
    assert Place(path).link == link
