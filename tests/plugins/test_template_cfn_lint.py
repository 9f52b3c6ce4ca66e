from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.programs import Ran
from greenroom.plugins.template_cfn_lint import CfnLinted, read_cfn_lint, run_cfn_lint
from greenroom.plugins.template_lint import Order, look
from greenroom.validators.errors import GreenroomError, ToolError
from greenroom.validators.result import Level, Location
from greenroom.validators.template_rules import choose_rules

if TYPE_CHECKING:
    from pathlib import Path

SCANNED = "2026-11-23 12:00:00 - cfnlint.x - INFO - Run scan of template %s\n"


def match(rule: str = "E3002", level: str = "Error") -> dict[str, Any]:
    place = {"LineNumber": 4, "ColumnNumber": 18}
    return {
        "Filename": "t.yaml",
        "Level": level,
        "Location": {"Start": place, "End": place, "Path": ["Resources", "A"]},
        "Message": "no such property",
        "Rule": {"Id": rule, "Source": "https://example.test"},
    }


def ran(output: object, status: int, scanned: str = "t.yaml") -> Ran:
    text = output if isinstance(output, str) else json.dumps(output)
    errors = SCANNED % scanned if scanned else ""
    return Ran(("cfn-lint",), status, text.encode(), errors, 1.0)


BROKEN = {
    "signal": (ran([], -9), "cfn-lint failed: signal 9"),
    "usage": (ran("usage: cfn-lint", 1), "cfn-lint failed: exit status 1"),
    "truncated": (ran('[{"Filename": "t', 2), "output cannot be read"),
    "empty": (ran("", 0), "output cannot be read"),
    "other-json": (ran([{"a": 1}], 2), "output cannot be read"),
    "status-without-result": (ran([], 2), "reports nothing, but exit status 2"),
}


@pytest.mark.parametrize(("given", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_answer_of_cfn_lint_is_an_error(given: Ran, message: str) -> None:
    with pytest.raises(ToolError, match=message):
        read_cfn_lint(given, "1.58.0")


@pytest.mark.parametrize(
    ("name", "level"),
    [("Error", Level.ERROR), ("Warning", Level.WARNING), ("Informational", Level.NOTE)],
)
def test_its_levels_are_ours(name: str, level: Level) -> None:
    (result,) = read_cfn_lint(ran([match(level=name)], 2), "1.58.0").results
    assert (result.id, result.level, result.tool) == ("E3002", level, "cfn-lint")


def test_its_own_crash_is_a_problem_and_no_result() -> None:
    read = read_cfn_lint(ran([match("E0002")], 2, scanned=""), "1.58.0")
    assert (read.results, read.problems) == ((), ("E0002: no such property",))
    assert read.examined == 0


def order(**environ: str) -> Order:
    return Order(("t.yaml",), choose_rules(), True, environ, time.monotonic() + 60)  # noqa: FBT003 - with cfn-lint


def test_a_missing_cfn_lint_is_an_error_that_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    (tmp_path / "t.yaml").write_text("Resources: {B: {Type: AWS::S3::Bucket}}")
    with pytest.raises(ToolError, match="cfn-lint is not installed") as caught:
        look(order(PATH=""), tmp_path)
    assert "pip install cfn-lint" in caught.value.hint


def test_a_template_that_cfn_lint_left_out_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.yaml").write_text("Resources: {B: {Type: AWS::S3::Bucket}}")
    none = CfnLinted((), (), 0, "1.58.0")
    monkeypatch.setattr("greenroom.plugins.template_lint.run_cfn_lint", lambda *_: none)
    with pytest.raises(GreenroomError, match="cfn-lint scanned 0 of 1 templates"):
        look(order(), tmp_path)


def test_the_real_cfn_lint_says_what_it_found_and_how_much_it_scanned(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(
        "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: {BucketNme: x}\n"
    )
    linted = run_cfn_lint(["t.yaml"], tmp_path, os.environ, time.monotonic() + 60)
    (result,) = linted.results
    assert (result.id, result.location) == ("E3002", Location("t.yaml", 4, 18, 4))
    assert (linted.examined, linted.problems) == (1, ())
    assert linted.version.count(".") == 2
