from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.baseline import read_baseline, write_baseline
from greenroom.plugins.cli import main
from greenroom.plugins.fingerprints import with_fingerprints
from greenroom.plugins.suite_static import StaticWork
from greenroom.validators.errors import SettingsError
from greenroom.validators.result import Level, Location, Result, State
from greenroom.validators.vocabulary import Outcome
from tests.support.static import at, found, sarif, static

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.validators.finding import Finding

NODE = {
    "command": ["cat", "log.sarif"],
    "format": "sarif",
    "evidence": {"files": ["*.py"]},
    "baseline": "static-baseline.json",
}
SETTINGS = """
[artifact.static.lint]
command = ["cat", "log.sarif"]
format = "sarif"
evidence = {files = ["*.py"]}
baseline = "b.json"
"""
SUITE = {"version": 1, "name": "s", "checks": [{"name": "lint", "static": NODE}]}


def marks(root: Path, *lines: int, file: str = "a.py") -> list[str]:
    results = [
        Result("R", f"m{line}", Level.ERROR, Level.ERROR.severity, "t", Location(file, line))
        for line in lines
    ]
    return [result.fingerprint for result in with_fingerprints(results, root)]


def test_lines_above_and_blanks_do_not_change_a_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = marks(tmp_path, 1)
    (tmp_path / "a.py").write_text("# new\n\n    x  =  1\n")
    assert marks(tmp_path, 3) == before


def test_another_line_has_another_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 2\n")
    assert len(set(marks(tmp_path, 1, 2))) == 2


def test_equal_lines_are_told_apart_by_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x\nx\n")
    assert marks(tmp_path, 2, 1) == marks(tmp_path, 1, 2)[::-1]
    assert len(set(marks(tmp_path, 1, 2))) == 2


@pytest.mark.parametrize("file", ["missing.py", ".", "with\0null"])
def test_a_message_stands_for_a_line_that_cannot_be_read(file: str, tmp_path: Path) -> None:
    assert len(set(marks(tmp_path, 1, 2, file=file))) == 2


def test_a_result_without_a_place_has_a_fingerprint(tmp_path: Path) -> None:
    result = Result("R", "m", Level.ERROR, Level.ERROR.severity, "t")
    assert with_fingerprints([result], tmp_path)[0].fingerprint


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("one\ntwo\nthree\n")
    (tmp_path / "log.sarif").write_text(sarif(at("a.py", 2), at("a.py", 1)))
    (tmp_path / "s.suite.yaml").write_text(json.dumps(SUITE))
    return tmp_path


def check(root: Path) -> Finding:
    return found(root, json.dumps(NODE))


def baseline(root: Path, *more: str) -> int:
    return main(["baseline", str(root / "s.suite.yaml"), "--root", str(root), *more])


def test_without_a_baseline_the_error_says_how_to_write_it(project: Path) -> None:
    with pytest.raises(SettingsError, match=r"static-baseline.json does not exist") as caught:
        check(project)
    assert "greenroom baseline [SUITE_FILE]" in caught.value.hint


def test_what_is_in_the_baseline_does_not_count(project: Path) -> None:
    assert baseline(project) == 0
    finding = check(project)
    assert finding.outcome is Outcome.PASSED
    assert {result.state for result in finding.results} == {State.KNOWN}


def test_a_new_result_fails_and_a_fixed_one_is_noted(project: Path) -> None:
    assert baseline(project, "--check", "lint") == 0
    (project / "log.sarif").write_text(sarif(at("a.py", 1), at("a.py", 3)))
    finding = check(project)
    assert finding.outcome is Outcome.FAILED
    assert finding.notes[0].startswith("fixed: R1 in a.py is in the baseline")


def test_a_baseline_reads_well_in_a_review(project: Path) -> None:
    baseline(project)
    lines = (project / "static-baseline.json").read_text().splitlines()
    assert lines[1] == '  "schema": "greenroom.static-baseline/1",'
    entries = [line.rstrip(",") for line in lines[3:5]]
    assert entries == sorted(entries)
    assert all(entry.startswith('    {"file": "a.py", "id": "R1"') for entry in entries)


def test_a_clean_project_has_an_empty_baseline(project: Path) -> None:
    waived = Result(
        "R", "m", Level.ERROR, Level.ERROR.severity, "t", state=State.WAIVED, fingerprint="f"
    )
    path = project / "new" / "b.json"
    assert write_baseline(path, [waived]) == 0
    assert read_baseline(path, "b.json") == {}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": "other/1", "results": []}', "[1"])
def test_another_file_is_no_baseline(text: str, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(SettingsError, match=r"b\.json"):
        read_baseline(tmp_path / "b.json", "b.json")


def test_nothing_examined_writes_no_baseline(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "a.py").unlink()
    (project / "log.sarif").write_text(sarif())
    assert baseline(project) == 2
    assert "no baseline is written: lint examined 0 files" in capsys.readouterr().err
    assert not (project / "static-baseline.json").exists()


def test_a_secret_of_the_suite_is_not_shown(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hush-hush")
    node = NODE | {"command": ["sh", "-c", "echo no $0 >&2; exit 9", "${secret.TOKEN}"]}
    checks = [{"name": "lint", "static": node}]
    (project / "s.suite.yaml").write_text(json.dumps(SUITE | {"checks": checks}))
    assert baseline(project) == 2
    assert "sh failed: exit status 9: no [redacted]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "why"),
    [(("--check", "other"), "no static check 'other' with a baseline"), ((), "no static check")],
    ids=["named", "any"],
)
def test_a_suite_without_such_a_check_is_explained(
    more: tuple[str, ...], why: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [{"name": "plain", "static": "ruff"}]
    (project / "s.suite.yaml").write_text(json.dumps(SUITE | {"checks": checks}))
    assert baseline(project, *more) == 4
    assert why in capsys.readouterr().err


def test_without_a_suite_the_checks_of_the_settings_have_their_baselines(project: Path) -> None:
    (project / "greenroom.toml").write_text(SETTINGS)
    assert main(["baseline", "--root", str(project)]) == 0
    assert len(read_baseline(project / "b.json", "b.json")) == 2


@pytest.mark.parametrize(
    ("settings", "why"),
    [("", "have no checks in [artifact]"), ("[artifact.static.ruff]\n", "has no static check")],
    ids=["no-checks", "no-baseline"],
)
def test_settings_without_such_a_check_are_explained(
    settings: str, why: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "greenroom.toml").write_text(settings)
    assert main(["baseline", "--root", str(project)]) == 4
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "more", "status"),
    [
        ('[release]\nimage = "app@sha256:1"\n', (), 0),
        ("", ("--greenroom-release", "image=app@sha256:1"), 0),
        ("", (), 4),
    ],
    ids=["settings", "option", "nowhere"],
)
def test_variables_of_other_checks_need_their_values(
    settings: str, more: tuple[str, ...], status: int, project: Path
) -> None:
    image = {"name": "image", "image": {"ref": "${release.image}"}}
    checks = [{"name": "lint", "static": NODE}, image]
    (project / "s.suite.yaml").write_text(json.dumps(SUITE | {"checks": checks}))
    (project / "greenroom.toml").write_text(settings)
    assert baseline(project, *more) == status


def test_a_suite_that_cannot_be_read_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert baseline(tmp_path) == 4
    assert "cannot read the suite" in capsys.readouterr().err


WAIVER = """version: 1
waivers:
  - {id: R1, reason: on purpose, expires: "2999-01-31", path: a.py}
  - {id: R2, reason: no more, expires: "2999-01-31"}
"""


def test_what_is_waived_does_not_count(project: Path) -> None:
    (project / "waivers.yaml").write_text(WAIVER)
    node = NODE | {"waivers": "waivers.yaml", "baseline": "b.json"}
    write_baseline(project / "b.json", ())
    finding = found(project, json.dumps(node))
    assert finding.outcome is Outcome.PASSED
    assert finding.results[0].why == "on purpose (until 2999-01-31)"
    assert [note[:17] for note in finding.notes] == ["unused waiver: R2"]


def test_a_baseline_is_all_that_is_written_into_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.sh").write_text("#!/bin/sh\necho $1\n")
    check = {"name": "lint", "static": {"tool": "shellcheck", "baseline": "b.json"}}
    (root / "s.suite.yaml").write_text(json.dumps(SUITE | {"checks": [check]}))
    assert baseline(root) == 0
    assert sorted(path.name for path in root.iterdir()) == ["a.sh", "b.json", "s.suite.yaml"]


def test_a_baseline_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written: Is a directory"):
        write_baseline(tmp_path, ())


def test_static_checks_run_side_by_side() -> None:
    work = static("ruff")
    assert isinstance(work, StaticWork)
    assert not work.alone
