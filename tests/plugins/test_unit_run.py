"""The check of unit tests on real runners: node's, pytest, and shells that do what bad ones do."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from greenroom.validators.errors import ToolError
from greenroom.validators.result import Location
from greenroom.validators.vocabulary import Outcome
from tests.support.units import GREEN, judged, reported, shell, work, writing

if TYPE_CHECKING:
    from pathlib import Path

CASE = '<testcase classname="a" name="b"/>'
SKIPPED = '<testcase classname="a" name="b"><skipped/></testcase>'
FAILED = '<testcase classname="a" name="b"><failure message="boom"/></testcase>'
NODE = """\
const {test} = require('node:test');
const assert = require('node:assert');
test('adds', () => {});
test('fails', () => assert.equal(1, 2));
test.skip('later', () => {});
test.todo('some day', () => { throw new Error('not yet'); });
"""


def test_a_green_run_passes_on_the_tests_that_ran(tmp_path: Path) -> None:
    finding = reported(tmp_path, GREEN)
    assert finding.outcome is Outcome.PASSED
    assert [str(item) for item in finding.evidence] == ["1 tests run (sh)"]


@pytest.mark.parametrize(
    ("report", "status", "outcome", "seen"),
    [
        pytest.param("<testsuites/>", 0, "inconclusive", "no test at all", id="no-tests"),
        pytest.param(
            f"<testsuite>{SKIPPED}</testsuite>", 0, "inconclusive", "1 skipped", id="all-skipped"
        ),
        pytest.param(
            f"<testsuite>{FAILED}</testsuite>", 0, "failed", "failed 1", id="failed-yet-exit-0"
        ),
        pytest.param(GREEN, 1, "error", "exit status 1", id="green-yet-exit-1"),
        pytest.param("<testsuites/>", 5, "error", "exit status 5", id="no-tests-and-exit-5"),
        pytest.param(GREEN[:-5], 0, "error", "not whole XML", id="cut-short"),
        pytest.param("", 0, "error", "is empty", id="empty"),
        pytest.param("<html/>", 0, "error", "not a JUnit report", id="html"),
        pytest.param(
            f"<testsuite><error>boom</error>{CASE}</testsuite>",
            *(0, "failed", "errors 1"),
            id="error-outside-cases",
        ),
        pytest.param(
            f'<testsuite tests="9">{CASE}</testsuite>',
            *(0, "error", "counts 9 tests and holds 1"),
            id="lost-cases",
        ),
    ],
)
def test_a_doubtful_report_never_passes(
    tmp_path: Path, report: str, status: int, outcome: str, seen: str
) -> None:
    finding = reported(tmp_path, report, status=status)
    assert finding.outcome.value == outcome
    assert seen in finding.seen


@pytest.mark.parametrize(
    "touch",
    ["true", "touch -d '2020-01-01' junit.xml", "cp -p junit.xml new && mv new junit.xml"],
    ids=["not-written", "older", "copied-back"],
)
def test_a_report_of_an_earlier_run_is_refused_and_kept(tmp_path: Path, touch: str) -> None:
    (tmp_path / "junit.xml").write_text(GREEN)
    os.utime(tmp_path / "junit.xml", (1_700_000_000, 1_700_000_000))
    finding = judged(tmp_path, f"{{command: {shell(touch)}, junit: junit.xml}}")
    assert finding.outcome is Outcome.ERROR
    assert "not written by this run: junit.xml" in finding.seen
    assert (tmp_path / "junit.xml").read_text() == GREEN


def test_one_of_several_reports_that_is_missing_is_an_error(tmp_path: Path) -> None:
    finding = judged(
        tmp_path, f"{{command: {writing(GREEN)}, junit: [junit.xml, 'more/**/*.xml']}}"
    )
    assert finding.outcome is Outcome.ERROR
    assert "no file more/**/*.xml was written" in finding.seen


def test_a_runner_killed_half_way_is_an_error_though_its_report_is_green(tmp_path: Path) -> None:
    killed = shell(f"echo '{GREEN}' >junit.xml; kill -9 $$")
    finding = judged(tmp_path, f"{{command: {killed}, junit: junit.xml}}")
    assert finding.outcome is Outcome.ERROR
    assert "signal 9" in finding.seen


def test_fewer_tests_than_wanted_fail_and_more_exit_statuses_can_be_ok(tmp_path: Path) -> None:
    few = f"{{command: {writing(GREEN, 3)}, junit: junit.xml, ok: [0, 3]"
    assert "ran 1 (n=1)" in judged(tmp_path, f"{few}, min_tests: 2}}").seen
    assert judged(tmp_path, f"{few}}}").outcome is Outcome.PASSED


def test_failures_that_are_expected_do_not_excuse_the_exit_status(tmp_path: Path) -> None:
    report = f"<testsuite>{CASE}{FAILED}</testsuite>"
    assert reported(tmp_path, report, "failed <= 1", status=1).outcome is Outcome.ERROR
    assert reported(tmp_path, report, "failed <= 1").outcome is Outcome.PASSED
    assert reported(tmp_path, report, "skipped == 0").outcome is Outcome.FAILED


def test_a_runner_gets_what_is_passed_and_nothing_else(tmp_path: Path) -> None:
    asks = shell(f'test "$WANTED" = 1 && test -z "$OTHER" && echo \'{GREEN}\' >junit.xml')
    text = f"{{command: {asks}, junit: junit.xml, pass: [WANTED]}}"
    assert judged(tmp_path, text, WANTED="1", OTHER="1").outcome is Outcome.PASSED


def test_a_runner_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no-such-runner does not exist"):
        judged(tmp_path, "{command: no-such-runner --ci, junit: junit.xml}")
    assert work("{command: x, junit: y}").alone


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_nodes_runner_reports_what_failed_and_where(tmp_path: Path) -> None:
    (tmp_path / "sums.test.js").write_text(NODE)
    (tmp_path / "empty.test.js").write_text("process.exit(0);\n")
    finding = judged(
        tmp_path,
        "{command: node --test --test-reporter=junit --test-reporter-destination=junit.xml,"
        " junit: junit.xml}",
    )
    (result,) = finding.results
    assert (result.id, result.location) == ("fails", Location("sums.test.js", 4))
    assert finding.rules[0].observed == "2 (n=4)"
    assert finding.notes == ("empty.test.js ran and holds no test",)


def test_pytest_in_another_folder_reports_tests_and_coverage(tmp_path: Path) -> None:
    package = tmp_path / "service"
    package.mkdir()
    (package / "sums.py").write_text("def add(a, b):\n    return a + b\n\n\nx = 1\n")
    (package / "test_sums.py").write_text(
        "from sums import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    )
    steps = (
        f"{sys.executable} -m coverage run --branch -m pytest -q --junitxml=out/junit.xml"
        f" && {sys.executable} -m coverage xml -q"
    )
    finding = judged(
        tmp_path,
        f"{{command: {shell(steps)}, folder: service, junit: service/out/*.xml,"
        " coverage: {file: service/coverage.xml}, pass: [PYTEST_DISABLE_PLUGIN_AUTOLOAD]}",
        "[coverage == 100%, tests == 1]",
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    assert finding.outcome is Outcome.PASSED, str(finding)
    assert [item.amount for item in finding.evidence] == [1, 6]


def test_a_suite_of_one_runner_gives_a_verdict_on_its_results(pytester: pytest.Pytester) -> None:
    run = writing(f"<testsuite>{CASE}{FAILED}</testsuite>", 1)
    pytester.path.joinpath("web.suite.yaml").write_text(
        "version: 1\nname: web\nstage: artifact\nchecks:\n  - name: tests\n"
        f"    unit: {{command: {run}, junit: junit.xml}}\n"
    )
    result = pytester.runpytest_subprocess("--greenroom-report=out")
    result.stdout.fnmatch_lines(["*seen: failed 1 (n=2)*", "*high a.b: boom*", "*DO NOT SHIP*"])
    (check,) = json.loads((pytester.path / "out" / "run.json").read_text("utf-8"))["checks"]
    assert (check["kind"], check["outcome"]) == ("unit", "failed")
    assert check["finding"]["results"][0]["id"] == "a.b"
