"""Coverage reports in four formats, and the files that they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.coverage_read import CoverageForm, read_coverage
from greenroom.plugins.source_tree import SourceTree
from tests.support.units import DATA

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.validators.coverage import Coverage

FORMATS = [
    pytest.param("cobertura.xml", ["lib.py", "test_lib.py"], (6, 8), (3, 4), id="cobertura"),
    pytest.param("lcov.info", ["lib.js"], (2, 5), (2, 3), id="lcov"),
    pytest.param("jacoco.xml", ["src/main/java/com/acme/Cart.java"], (2, 3), (1, 2), id="jacoco"),
    pytest.param("clover.xml", ["src/cart.js"], (2, 3), (1, 2), id="clover"),
]


def tree(root: Path, *names: str) -> SourceTree:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return SourceTree(root, root)


def read(root: Path, text: str, *names: str, form: str = "auto") -> Coverage:
    (root / "report").write_text(text)
    return read_coverage([root / "report"], tree(root, *names), CoverageForm(form))


@pytest.mark.parametrize(("name", "files", "lines", "branches"), FORMATS)
def test_each_format_gives_lines_and_branches_of_files(
    tmp_path: Path,
    name: str,
    files: list[str],
    lines: tuple[int, int],
    branches: tuple[int, int],
) -> None:
    coverage = read_coverage([DATA / "coverage" / name], tree(tmp_path, *files))
    metrics = coverage.metrics()
    assert coverage.problems == ()
    assert [file.file for file in coverage.files] == files
    assert metrics["coverage"].value == lines[0] / lines[1]
    assert metrics["branch_coverage"].value == branches[0] / branches[1]
    assert [metric.samples for metric in metrics.values()] == [lines[1], branches[1]]


@pytest.mark.parametrize(
    ("text", "form", "problem"),
    [
        pytest.param("", "auto", "report is empty", id="empty"),
        pytest.param("<coverage/>", "auto", "no measurable line", id="no-lines"),
        pytest.param("<coverage><packages>", "auto", "not whole XML", id="cut-short"),
        pytest.param("<testsuites/>", "auto", "no a known coverage report", id="something-else"),
        pytest.param("<coverage/>", "jacoco", "is no jacoco report", id="another-format"),
        pytest.param("SF:a.js\nDA:1,1\n", "auto", "no end_of_record", id="lcov-cut-short"),
        pytest.param("SF:a.js\nDA:x\nend_of_record", "auto", ":2 is not lcov", id="lcov-garbage"),
        pytest.param("SF:a.js\nend_of_record", "auto", "no measurable line", id="lcov-no-lines"),
        pytest.param(
            '<coverage><class filename="a.js"><line number="1"/></class></coverage>',
            *("auto", "a count is not a number"),
            id="no-hits",
        ),
        pytest.param(
            "SF:gone.js\nDA:1,1\nend_of_record",
            *("auto", "1 measured files are not in the tree: gone.js"),
            id="absent-file",
        ),
        pytest.param(
            "SF:/etc/hostname\nDA:1,1\nend_of_record",
            *("auto", "only files outside the project"),
            id="outside",
        ),
    ],
)
def test_a_report_that_proves_nothing_is_a_problem(
    tmp_path: Path, text: str, form: str, problem: str
) -> None:
    coverage = read(tmp_path, text, "a.js", form=form)
    assert len(coverage.problems) == 1
    assert problem in coverage.problems[0]


def test_a_file_of_the_system_is_not_counted_and_told(tmp_path: Path) -> None:
    text = "SF:/etc/hostname\nDA:1,0\nend_of_record\nSF:a.js\nDA:1,1\nend_of_record"
    coverage = read(tmp_path, text, "a.js")
    assert coverage.problems == ()
    assert coverage.metrics()["coverage"].value == 1
    assert coverage.notes == ("not counted, outside the project: /etc/hostname",)


def test_two_records_of_one_file_are_one_file(tmp_path: Path) -> None:
    text = "SF:a.js\nDA:1,0\nDA:2,0\nend_of_record\nSF:./a.js\nDA:1,3\nend_of_record"
    (file,) = read(tmp_path, text, "a.js").files
    assert (sorted(file.covered), sorted(file.missed)) == ([1], [2])


def test_two_files_of_one_name_are_not_guessed_between(tmp_path: Path) -> None:
    files = tree(tmp_path, "a/src/com/acme/Cart.java", "b/src/com/acme/Cart.java")
    coverage = read_coverage([DATA / "coverage" / "jacoco.xml"], files)
    assert "not in the tree" in coverage.problems[0]


def test_a_report_of_a_container_is_matched_by_the_ends_of_its_paths(tmp_path: Path) -> None:
    text = "SF:C:\\app\\web\\src\\a.js\nDA:1,1\nend_of_record"
    assert [file.file for file in read(tmp_path, text, "web/src/a.js").files] == ["web/src/a.js"]


def test_a_name_that_no_file_can_have_is_not_in_the_tree(tmp_path: Path) -> None:
    text = f"SF:a\0b.js\nDA:1,1\nend_of_record\nSF:{'x' * 5000}.js\nDA:1,1\nend_of_record"
    assert "2 measured files are not in the tree" in read(tmp_path, text).problems[0]
