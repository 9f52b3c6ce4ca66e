"""The lines that changed since a base, by real git, and how many of them ran."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.changed_lines import changed_lines
from greenroom.validators.vocabulary import Outcome
from tests.support.units import GREEN, judged, place, shell

if TYPE_CHECKING:
    from pathlib import Path

GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose branch adds to app/a.js, and whose main went on by itself."""
    folder = tmp_path_factory.mktemp("history")
    git(folder, "init", "--initial-branch=main", ".")
    (folder / "app").mkdir()
    (folder / "app" / "a.js").write_text("one\ntwo\nthree\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    git(folder, "checkout", "-b", "work")
    (folder / "app" / "a.js").write_text("one\nTWO\n\n++ three\nfour\n")
    (folder / "top.js").write_text("x\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "second")
    git(folder, "checkout", "main")
    (folder / "main.js").write_text("y\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "main goes on")
    git(folder, "checkout", "work")
    (folder / "app" / 'n"ë\tw.js').write_text("1\n\n3\n")
    return folder


def test_lines_since_the_branch_parted_are_found_with_new_files(history: Path) -> None:
    changes = changed_lines("main", place(history))
    assert changes.problem == ""
    assert changes.lines == {"app/a.js": {2, 4, 5}, "top.js": {1}, 'app/n"ë\tw.js': {1, 3}}


def test_a_folder_below_sees_its_own_files_alone(history: Path) -> None:
    assert set(changed_lines("main", place(history / "app")).lines) == {"a.js", 'n"ë\tw.js'}


def test_an_odd_name_is_read_as_git_writes_it(history: Path) -> None:
    git(history, "add", "--intent-to-add", ".")
    assert changed_lines("main", place(history)).lines['app/n"ë\tw.js'] == {1, 3}


def test_settings_of_git_change_nothing(history: Path) -> None:
    for name, value in (("diff.noprefix", "true"), ("diff.interHunkContext", "9")):
        git(history, "config", name, value)
    assert changed_lines("main", place(history)).lines["app/a.js"] == {2, 4, 5}


@pytest.mark.parametrize("attribute", ["-diff", "binary"])
def test_attributes_hide_no_line(history: Path, attribute: str) -> None:
    (history / ".git" / "info" / "attributes").write_text(f"*.js {attribute}\n")
    (history / "top.js").write_text("x\ny\n")
    try:
        lines = changed_lines("main", place(history)).lines
    finally:
        (history / ".git" / "info" / "attributes").unlink()
        (history / "top.js").write_text("x\n")
    assert lines["app/a.js"] == {2, 4, 5}
    assert lines["top.js"] == {1, 2}


@pytest.mark.parametrize("base", ["origin/main", "no such base"])
def test_a_base_that_git_does_not_have_is_a_problem(history: Path, base: str) -> None:
    assert f"is {base} fetched?" in changed_lines(base, place(history)).problem


def measured(root: Path, lcov: str, expect: str, more: str = "") -> str:
    script = f"printf %s {shlex.quote(GREEN)} >j.xml; printf {shlex.quote(lcov)} >l.info"
    coverage = f"{{file: l.info, base: main{more}}}"
    finding = judged(
        root, f"{{command: {shell(script)}, junit: j.xml, coverage: {coverage}}}", expect
    )
    return f"{finding.outcome.value}: {finding.seen} {finding.notes}"


ALL = r"SF:app/a.js\nDA:1,1\nDA:2,1\nDA:4,1\nDA:5,0\nend_of_record\n"


def test_changed_lines_and_files_that_no_report_holds_count(history: Path) -> None:
    seen = measured(history, ALL, "changed_coverage >= 60%", ', unmeasured: "app/n*"')
    assert seen.startswith("failed: changed_coverage 50 % (n=4)")
    assert "not in the coverage report: top.js (1 lines)" in seen


def test_files_may_be_left_out_by_name(history: Path) -> None:
    seen = measured(history, ALL, "changed_coverage >= 60%", ', unmeasured: ["app/n*", top.js]')
    assert seen.startswith("passed:")


def test_a_change_without_a_measurable_line_is_met_and_told(history: Path) -> None:
    seen = measured(
        history,
        r"SF:app/a.js\nDA:1,1\nend_of_record\n",
        "changed_coverage >= 60%",
        ', unmeasured: "*"',
    )
    assert "no measurable line changed (" in seen
    assert seen.startswith("passed")


def test_without_a_repository_changes_are_not_observed(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a.js").touch()
    seen = measured(tmp_path, ALL, "changed_coverage >= 60%")
    assert seen.startswith(f"{Outcome.ERROR}: changed_coverage git diff failed")
