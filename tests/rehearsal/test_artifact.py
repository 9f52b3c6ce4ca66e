"""The artifact stage: its record is never better than what the supervisor says of its process."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.rehearsal.artifact import run_artifact_stage
from greenroom.rehearsal.settings import RehearsalSettings
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from greenroom.validators.record import RunRecord

EXAMPLE = Path(__file__).parents[2] / "examples" / "trivia"


def stage(folder: Path, conftest: str = "") -> RunRecord:
    """Run the example's artifact stage with ``conftest`` beside its suites."""
    shutil.copytree(EXAMPLE, folder / "example")
    (folder / "example" / "suites" / "artifact" / "conftest.py").write_text(conftest)
    settings = RehearsalSettings.load_from(folder / "example")
    return run_artifact_stage(settings, settings.replacement, folder / "report")


@pytest.mark.parametrize(
    ("conftest", "problem"),
    [
        pytest.param(
            "import atexit, os\natexit.register(os._exit, 9)",
            "pytest ended with exit status 9",
            id="a-bad-end-after-a-good-record",
        ),
        pytest.param(
            "import os\nos._exit(0)", "the suite left no run record", id="no-record-at-all"
        ),
    ],
)
def test_a_stage_that_does_not_end_in_order_never_ships(
    tmp_path: Path, conftest: str, problem: str
) -> None:
    record = stage(tmp_path, conftest)
    assert record.verdict is Verdict.COULD_NOT_DECIDE
    assert problem in record.decision().reasons[0].text


def test_a_stage_that_cannot_even_start_has_a_record_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "report").touch()
    record = stage(tmp_path)
    assert record.verdict is Verdict.COULD_NOT_DECIDE
    assert record.problems[0].startswith("the artifact stage: FileExistsError")


def test_a_stage_that_ends_in_order_has_the_verdict_of_its_record(tmp_path: Path) -> None:
    assert stage(tmp_path).verdict is Verdict.SHIP
