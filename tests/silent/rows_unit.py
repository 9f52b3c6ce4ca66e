"""Runs of unit tests that prove nothing, as their exit status and their attributes tell them.

The bare reader is what pipelines have: the exit status of the runner, the sums of the attributes
``tests`` and ``failures`` of the suites in its JUnit XML, the rate at the top
of its coverage report.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.silent import SilentPass
from tests.support.units import DATA, GREEN, judged, shell

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.validators.finding import Finding

_CASE = '<testcase classname="a" name="b"/>'
_LAUGHS = '<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;">]>'
_NODE = "node --test --test-reporter=junit --test-reporter-destination=junit.xml"
_GIT = "git -c user.name=t -c user.email=t@t.example -c commit.gpgsign=false"
_COVERED = '<coverage line-rate="{}"><class filename="{}"><lines>{}</lines></class></coverage>'
_LINE = '<line number="1" hits="1"/>'


@dataclass(frozen=True, slots=True)
class _Run:
    """A runner as a shell script, what was done before it, and the check's other keys."""

    script: str
    before: str = "true"
    more: str = ""
    expect: str = ""
    needs: str = "sh"

    def bare(self, folder: Path) -> str:
        """Run it; return its exit status and what its reports say at first sight."""
        self._prepare(folder)
        ended = subprocess.run(
            ["sh", "-c", self.script], cwd=folder, check=False, capture_output=True, timeout=60
        ).returncode
        said = [f"exit {ended}" if ended >= 0 else "no exit status asked for"]
        if (report := folder / "junit.xml").exists():
            said.append(_sums(report.read_text("utf-8")))
        if (coverage := folder / "coverage.xml").exists():
            said.append(_rate(coverage.read_text("utf-8")))
        return "; ".join(said)

    def ours(self, folder: Path) -> Finding:
        """Run it as a check."""
        self._prepare(folder)
        more = f", {self.more}" if self.more else ""
        junit = "" if "junit:" in self.more else ", junit: junit.xml"
        text = f"{{command: {shell(self.script)}, pass: [PYTEST_DISABLE_PLUGIN_AUTOLOAD]"
        return judged(folder, f"{text}{junit}{more}}}", self.expect)

    def _prepare(self, folder: Path) -> None:
        if shutil.which(self.needs) is None:
            pytest.skip(f"{self.needs} is not installed")
        subprocess.run(["sh", "-c", self.before], cwd=folder, check=True, capture_output=True)


def _sums(text: str) -> str:
    suites = re.findall(r"<testsuite\s[^>]*", text)
    counts = [
        sum(map(int, re.findall(rf'\b{name}="(\d+)"', " ".join(suites))))
        for name in ("tests", "failures")
    ]
    if not suites:
        return "no suite that failed"
    return f"attributes: {counts[0]} tests, {counts[1]} failures"


def _rate(text: str) -> str:
    found = re.search(r'line-rate="([0-9.]+)"', text)
    return f"line-rate {found[1]}" if found else "no line-rate"


def _write(text: str, name: str = "junit.xml") -> str:
    return f"printf %s {shlex.quote(text)} >{name}"


def _suite(attributes: str, inner: str) -> str:
    return _write(f"<testsuite {attributes}>{inner}</testsuite>")


def _covered(rate: str, file: str, lines: str) -> str:
    report = _COVERED.format(rate, file, lines)
    return f"{_write(GREEN)}; {_write(report, 'coverage.xml')}"


def _row(name: str, tool: str, case: str, run: _Run) -> SilentPass:
    return SilentPass(f"unit-{name}", tool, case, run.bare, run.ours)


_MEASURED = "coverage: {file: coverage.xml}"
_PYTEST = f"{shlex.quote(sys.executable)} -m pytest -q -p no:cacheprovider --junitxml=junit.xml"
_SKIPPED = "import pytest\n\n\n@pytest.mark.skip\ndef test_a():\n    assert 0\n"

ROWS: tuple[SilentPass, ...] = (
    _row(
        *("node-no-test", "node's test runner", "a test file without a test"),
        _Run(_NODE, _write("process.exit(0)", "a.test.js"), needs="node"),
    ),
    _row(
        *("node-no-file", "node's test runner", "a folder without a test file"),
        _Run(_NODE, needs="node"),
    ),
    _row(
        *("pytest-skipped", "pytest's JUnit XML", "every test is skipped"),
        _Run(_PYTEST, _write(_SKIPPED, "test_a.py")),
    ),
    _row(
        *("stale", "JUnit XML", "the report of an earlier run: this one wrote none"),
        _Run("true", _write(GREEN)),
    ),
    _row(
        *("old-copy", "JUnit XML", "a report from a cache, copied with its time"),
        _Run("cp -p old.xml junit.xml", _write(GREEN, "old.xml") + "; touch -d 2020-01-01 old.xml"),
    ),
    _row(
        *("cut-short", "JUnit XML", "the file was cut short"),
        _Run(_write(f'<testsuite tests="12" failures="0">{_CASE}<testcase name="')),
    ),
    _row(
        *("no-cases", "JUnit XML", "a report without a suite"),
        _Run(_write("<testsuites/>")),
    ),
    _row(
        *("lost-cases", "JUnit XML", "nine tests are counted and one is there"),
        _Run(_suite('tests="9" failures="0"', _CASE)),
    ),
    _row(
        *("outside", "JUnit XML", "an error outside any test case"),
        _Run(_suite('tests="1" failures="0"', f'<error message="no database"/>{_CASE}')),
    ),
    _row(
        *("uncounted", "JUnit XML", "a failed case that its suite does not count"),
        _Run(
            _suite(
                'tests="1" failures="0"', '<testcase name="a"><failure message="boom"/></testcase>'
            )
        ),
    ),
    _row(
        *("not-run", "JUnit XML (GoogleTest)", 'every case says status="notrun"'),
        _Run(_suite('tests="1" failures="0"', '<testcase name="a" status="notrun"/>')),
    ),
    _row(
        *("build-error", "gotestsum", "a package did not build, its exit status lost in a pipe"),
        _Run(f"cp {DATA / 'junit' / 'gotestsum.xml'} junit.xml; false | true"),
    ),
    _row(
        *("killed", "JUnit XML", "the runner was killed after a first, green report"),
        _Run(f"{_write(GREEN)}; kill -9 $$"),
    ),
    _row(
        *("one-missing", "JUnit XML", "one of two expected reports was not written"),
        _Run(_write(GREEN), more="junit: [junit.xml, web/*.xml]"),
    ),
    _row(
        *("entities", "JUnit XML", "entities that unfold without end"),
        _Run(_write(f'{_LAUGHS}<testsuite tests="1" failures="0">{_CASE}&c;</testsuite>')),
    ),
    _row(
        *("coverage-empty", "Cobertura XML", "no line was measured"),
        _Run(_covered("1", "a.py", ""), more=_MEASURED, expect="coverage >= 80%"),
    ),
    _row(
        *("coverage-elsewhere", "Cobertura XML", "the measured files are not in the tree"),
        _Run(_covered("1", "gone.py", _LINE), more=_MEASURED, expect="coverage >= 80%"),
    ),
    _row(
        *("coverage-stale", "Cobertura XML", "the report of an earlier run"),
        _Run(
            _write(GREEN),
            f"{_covered('1', 'a.py', _LINE)}; {_write('x', 'a.py')}",
            more=_MEASURED,
            expect="coverage >= 80%",
        ),
    ),
    _row(
        *("coverage-new-file", "Cobertura XML", "a changed file that no test imports"),
        _Run(
            _covered("1", "a.py", _LINE),
            f"git init -q -b main . && {_write('x', 'a.py')} && git add a.py"
            f" && {_GIT} commit -qm first && {_write('y', 'new.py')}",
            more="coverage: {file: coverage.xml, base: main}",
            expect="changed_coverage >= 80%",
            needs="git",
        ),
    ),
)
