"""The record of a bypassed gate: written by a process of its own, and never a green."""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from greenroom.plugins.bypass_record import Bypassed, main, write_bypass_record
from greenroom.plugins.schema_command import schema_text
from greenroom.validators.errors import ToolError
from greenroom.validators.record import RunRecord
from greenroom.validators.vocabulary import Verdict
from tests.support.records import BYPASS

if TYPE_CHECKING:
    from pathlib import Path

RUN = Bypassed(
    BYPASS,
    release={"application": "trivia-api", "deployment": "d-1", "event": "AfterInstall"},
    reported={"to": "CodeDeploy", "status": "Succeeded", "result": "accepted"},
)


def soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


def test_a_bypassed_run_leaves_every_document_and_no_green(tmp_path: Path) -> None:
    path = write_bypass_record(RUN, tmp_path / "report", until=soon())
    record = RunRecord.loads(path.read_bytes())
    assert record.verdict is Verdict.COULD_NOT_DECIDE
    assert (record.bypass, record.reported) == (BYPASS, RUN.reported)
    assert (record.complete, record.checks, record.release) == (True, (), RUN.release)
    jsonschema.validate(json.loads(path.read_text()), json.loads(schema_text("run")))
    page = (path.parent / "report.html").read_text()
    assert "BYPASSED · COULD NOT DECIDE · trivia-api" in page
    junit = ET.parse(path.parent / "junit.xml").getroot()  # noqa: S314 - our own document
    assert (junit.get("tests"), junit.get("errors")) == ("1", "1")
    (event,) = (path.parent / "events.jsonl").read_text().splitlines()
    assert json.loads(event)["event"] == "bypassed"


def test_the_process_writes_what_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"bypass": BYPASS.to_json(), "release": {}, "reported": None}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(data)))
    main([str(tmp_path)])
    assert RunRecord.loads((tmp_path / "run.json").read_bytes()).bypass == BYPASS


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(ToolError, match=r"the report folder .* could not be written") as caught:
        write_bypass_record(RUN, tmp_path / "report", until=soon())
    assert "log line" in caught.value.hint


def test_without_time_it_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"could not be written to .* timed out"):
        write_bypass_record(RUN, tmp_path / "report", until=soon(-1))
