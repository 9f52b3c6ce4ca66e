from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from greenroom.rehearsal import demo
from greenroom.rehearsal.records import deployment_check
from greenroom.rehearsal.run import Outcome
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.record import RunRecord
from greenroom.validators.verdict import Expected

EXAMPLE = Path(__file__).parents[2] / "examples" / "trivia"
NONE = {"total": 90, "failed": 0, "original": 90, "replacement": 0, "replacement_before_gate": 0}
SOME = NONE | {"original": 50, "replacement": 40}


def outcome(status: str, requests: dict[str, int], *, rolled_back: bool, met: bool) -> Outcome:
    rule = Rule("deployment", "Succeeded", status, met)
    evidence = Evidence("production requests", 90, "greenroom", "1", "2026-01-01T00:00:00Z")
    check = deployment_check(Finding.judged((rule,), (evidence,)), 1.0)
    record = RunRecord("r", "2026-01-01", Expected(), checks=(check,), complete=True)
    traffic = [{"at_s": 1.0, "replacement": 10}, {"at_s": 2.0, "replacement": 100}]
    story: dict[str, Any] = {
        "revision": "v1",
        "status": status,
        "rolled_back": rolled_back,
        "requests": requests,
        "traffic": traffic if requests["replacement"] else [],
    }
    return Outcome(story, record, Path("report.html"), 12.34)


GOOD = outcome("Succeeded", SOME, rolled_back=False, met=True)
BROKEN = outcome("Failed", NONE, rolled_back=True, met=False)


def told(base: Outcome, **changes: object) -> Outcome:
    return replace(base, timeline=base.timeline | changes)


@pytest.mark.parametrize(
    "ended",
    [
        pytest.param(BROKEN, id="rolled-back"),
        pytest.param(told(GOOD, requests=SOME | {"failed": 1}), id="a-failed-request"),
        pytest.param(told(GOOD, requests=SOME | {"total": 0}), id="no-load"),
        pytest.param(told(GOOD, requests=NONE), id="never-reached"),
        pytest.param(told(GOOD, requests=SOME | {"replacement_before_gate": 1}), id="early"),
        pytest.param(replace(GOOD, record=BROKEN.record), id="no-ship"),
    ],
)
def test_a_good_release_must_be_deployed_unnoticed(ended: Outcome) -> None:
    assert demo.good_ended_well(GOOD)
    assert not demo.good_ended_well(ended)


@pytest.mark.parametrize(
    "ended",
    [
        pytest.param(GOOD, id="deployed"),
        pytest.param(told(BROKEN, rolled_back=False), id="not-rolled-back"),
        pytest.param(told(BROKEN, requests=SOME), id="production-met-it"),
        pytest.param(told(BROKEN, requests=NONE | {"failed": 1}), id="a-failed-request"),
        pytest.param(told(BROKEN, requests=NONE | {"total": 0}), id="no-load"),
        pytest.param(replace(BROKEN, record=GOOD.record), id="ships"),
    ],
)
def test_a_broken_release_must_be_rolled_back_unmet(ended: Outcome) -> None:
    assert demo.broken_ended_well(BROKEN)
    assert not demo.broken_ended_well(ended)


def test_the_table_shows_both_releases_in_line() -> None:
    head, good, broken = demo.table([demo.row(GOOD), demo.row(BROKEN)]).splitlines()
    cells = ["v1", "ship", "Succeeded", "no", "100", "%", "90", "0", "40", "0", "12.3"]
    assert good.split() == cells
    assert broken.split()[1:4] == ["do", "not", "ship"]
    assert head.index("seconds") == good.index("12.3")


def test_an_example_that_is_not_there_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["no/such/folder"]) == 4
    assert "rehearsal.toml does not exist" in capsys.readouterr().err


@pytest.mark.slow
def test_the_demo_deploys_the_good_and_rolls_the_broken_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert demo.main([str(EXAMPLE)]) == 0
    printed = capsys.readouterr().out
    assert "both releases ended as they should" in printed
    for name, status in {"good": "Succeeded", "broken": "Failed"}.items():
        folder = tmp_path / "greenroom-rehearsal" / name
        story = json.loads((folder / "timeline.json").read_text())
        assert story["status"] == status
        assert story["requests"]["replacement_before_gate"] == 0
        assert str(folder / "report.html") in printed
        assert "<html" in (folder / "report.html").read_text()
