"""JUnit XML in the dialects of its writers: the cases count, and contradictions are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.junit_read import read_junit
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.source_tree import SourceTree
from greenroom.validators.result import Location
from greenroom.validators.unit import CaseStatus, TestRun
from tests.support.units import DATA

if TYPE_CHECKING:
    from pathlib import Path

CASE = '<testcase classname="a" name="b"/>'


def read(root: Path, *reports: str) -> TestRun:
    paths = []
    for number, report in enumerate(reports):
        paths.append(root / f"{number}.xml")
        paths[-1].write_text(report)
    return read_junit(paths, SourceTree(root, root), Redactor(["hush-hush"]))


def golden(root: Path, name: str) -> TestRun:
    return read_junit([DATA / "junit" / f"{name}.xml"], SourceTree(root, root), Redactor())


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("surefire", (1, 1, 1, 1)),
        ("surefire-flaky", (1, 0, 0, 0)),
        ("gradle", (1, 1, 0, 0)),
        ("jest", (1, 1, 1, 0)),
        ("go-junit-report", (1, 1, 1, 0)),
        ("phpunit", (2, 1, 0, 1)),
        ("mocha-xunit", (1, 2, 0, 1)),
        ("mocha-junit", (1, 1, 0, 0)),
        ("node", (4, 2, 0, 2)),
        ("pytest", (1, 2, 2, 1)),
    ],
)
def test_each_dialect_is_read_without_a_contradiction(
    tmp_path: Path, name: str, counts: tuple[int, ...]
) -> None:
    """The counts are of passed, failed, errors and skipped."""
    run = golden(tmp_path, name)
    metrics = run.metrics()
    names = ("passed", "failed", "errors", "skipped")
    assert run.problems == ()
    assert tuple(metrics[one].value for one in names) == counts


def test_gotestsum_counts_a_build_error_that_no_case_shows(tmp_path: Path) -> None:
    run = golden(tmp_path, "gotestsum")
    assert run.problems == ("gotestsum.xml: testsuites counts 1 errors and shows 0",)
    assert [case.status for case in run.cases] == [CaseStatus.SKIPPED, CaseStatus.PASSED]


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        pytest.param(
            f'<testsuite name="s" tests="3">{CASE}</testsuite>',
            *("s counts 3 tests and holds 1 test cases",),
            id="more-tests-than-cases",
        ),
        pytest.param(
            f'<testsuite name="s" tests="0">{CASE}</testsuite>',
            *("s counts 0 tests and holds 1 test cases",),
            id="more-cases-than-tests",
        ),
        pytest.param(
            f'<testsuites tests="1"><testsuite>{CASE}{CASE.replace("b", "c")}</testsuite>'
            "</testsuites>",
            *("testsuites counts 1 tests and holds 2 test cases",),
            id="fewer-at-the-top",
        ),
        pytest.param(
            f'<testsuite name="s" failures="1">{CASE}</testsuite>',
            *("s counts 1 failures and shows 0",),
            id="lost-failure",
        ),
        pytest.param(
            f'<testsuite name="s" skipped="1" disabled="1">{CASE}</testsuite>',
            *("s counts 2 skipped tests and shows 0",),
            id="lost-skips",
        ),
        pytest.param(
            f'<testsuite name="s" tests="{"9" * 12}">{CASE}</testsuite>',
            *("s counts 999,999,999,999 tests and holds 1 test cases",),
            id="beyond-all-bounds",
        ),
        pytest.param(
            f"<testsuites><group><testsuite>{CASE}</testsuite></group></testsuites>",
            *("test cases inside <group> are not read",),
            id="cases-in-an-unknown-element",
        ),
        pytest.param(
            f"<testsuite><testcase name='a'>{CASE}</testcase></testsuite>",
            *("test cases inside <testcase> are not read",),
            id="cases-in-a-case",
        ),
    ],
)
def test_counts_that_the_cases_contradict_are_problems(
    tmp_path: Path, report: str, problem: str
) -> None:
    assert read(tmp_path, report).problems == (f"0.xml: {problem}",)


@pytest.mark.parametrize(
    ("inner", "status"),
    [
        ('status="run"/>', CaseStatus.PASSED),
        ('status="notrun"/>', CaseStatus.SKIPPED),
        ('status="run" result="suppressed"/>', CaseStatus.SKIPPED),
        ('status="untested"/>', CaseStatus.SKIPPED),
        ('status="failed"/>', CaseStatus.FAILED),
        ('status="run" result="failure"/>', CaseStatus.FAILED),
        ('result="Timeout"/>', CaseStatus.FAILED),
        ("><warning>No tests found in class</warning></testcase>", CaseStatus.SKIPPED),
        ('><skipped type="todo"/><failure/></testcase>', CaseStatus.SKIPPED),
        ("><skipped/><failure/></testcase>", CaseStatus.FAILED),
        ("><error/></testcase>", CaseStatus.ERROR),
    ],
)
def test_a_case_says_in_many_ways_what_became_of_it(
    tmp_path: Path, inner: str, status: CaseStatus
) -> None:
    run = read(tmp_path, f"<testsuite><testcase name='t' {inner}</testsuite>")
    assert [case.status for case in run.cases] == [status]


def test_a_failed_case_has_its_name_first_line_and_place(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "cart.js").touch()
    failed = golden(tmp_path, "mocha-junit").cases[1].to_result("mocha")
    assert (failed.id, failed.message) == ("removes.cart removes", "expected 2 to equal 1")
    assert failed.location == Location("test/cart.js", 9)


def test_a_place_in_somebody_elses_code_is_passed_over_for_the_attributes(tmp_path: Path) -> None:
    for name in ("vendor/lib.php", "tests/CartTest.php"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    case = '<testcase name="t" file="/app/tests/CartTest.php" line="7">'
    run = read(
        tmp_path, f"<testsuite>{case}<failure>vendor/lib.php:3</failure></testcase></testsuite>"
    )
    assert run.cases[0].location == Location("tests/CartTest.php", 7)


def test_an_error_beside_the_cases_is_one_more_error(tmp_path: Path) -> None:
    report = f'<testsuite name="s" tests="1" errors="1"><error message="no db"/>{CASE}</testsuite>'
    run = read(tmp_path, report)
    assert run.problems == ()
    assert run.cases[0].message == "outside any test case: no db"


def test_flaky_cases_pass_and_are_counted(tmp_path: Path) -> None:
    assert golden(tmp_path, "surefire-flaky").metrics()["flaky"].value == 1


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    run = read(tmp_path, f"<testsuite>{CASE}</testsuite>", "<testsuite>")
    assert len(run.cases) == 1
    assert run.problems[0].startswith("1.xml is not whole XML")


def test_secrets_are_kept_out_of_messages(tmp_path: Path) -> None:
    case = '<testcase name="t"><failure message="got hush-hush"/></testcase>'
    assert read(tmp_path, f"<testsuite>{case}</testsuite>").cases[0].message == "got [redacted]"


def test_namespaces_do_not_matter(tmp_path: Path) -> None:
    assert len(read(tmp_path, f'<testsuite xmlns="urn:x">{CASE}</testsuite>').cases) == 1


@pytest.mark.parametrize("path", sorted((DATA / "junit").glob("*.xml")), ids=lambda path: path.stem)
def test_no_report_that_was_cut_short_is_whole(tmp_path: Path, path: Path) -> None:
    whole = path.read_text("utf-8").strip()
    cuts = (whole[:end] for end in range(1, len(whole), 1 + len(whole) // 40))
    assert all(read(tmp_path, cut).problems for cut in cuts)


def test_a_long_message_without_a_place_is_read_in_bounded_time(tmp_path: Path) -> None:
    case = f"<testcase name='t'><failure>{'a.b' * 20_000}</failure></testcase>"
    (read_case,) = read(tmp_path, f"<testsuite>{case}</testsuite>").cases
    assert read_case.location is None
    assert len(read_case.message) == 300


@pytest.mark.parametrize("before", [3, 1_000])
def test_only_the_end_of_a_path_of_a_thousand_folders_is_looked_for(
    tmp_path: Path, before: int
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "b.py").touch()
    tree = SourceTree(tmp_path, tmp_path)
    assert tree.find("a/" * before + "src/b.py") == "src/b.py"
    assert tree.find("a/" * before + "src/b.py/" + "a/" * 100 + "c") is None
