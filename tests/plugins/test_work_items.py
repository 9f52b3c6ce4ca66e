"""Checks of the artifact as pytest items: side by side, alone, called off, by settings alone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.runs import ALONE, TWO_WORKERS, run

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "version: 1\nname: artifact\nstage: artifact\nchecks:\n"
NOTHING_FOUND = '{"results": [], "examined": 1}'


def check(name: str, script: str, more: str = "") -> str:
    """A static check whose tool is a shell script that reports nothing."""
    command = json.dumps(["sh", "-c", f"{script}; echo '{NOTHING_FOUND}'"])
    return (
        f"  - name: {name}\n    static:\n      command: {command}\n      format: json\n"
        f"      results: '$.results[*]'\n      evidence: {{json: $.examined, what: files}}\n{more}"
    )


def suite(folder: Path, *checks: str) -> None:
    (folder / "a.suite.yaml").write_text(HEAD + "".join(checks))


def awaiting(file: str) -> str:
    return f"i=0; while [ ! -e {file} ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done"


def test_tools_run_side_by_side(tmp_path: Path) -> None:
    suite(
        tmp_path,
        check("first", f"touch a; {awaiting('b')}; test -e b || exit 3"),
        check("second", f"touch b; {awaiting('a')}; test -e a || exit 3"),
    )
    ran = run(tmp_path)
    assert [one["outcome"] for one in ran.record["checks"]] == ["passed", "passed"]
    assert ran.code == 0


@pytest.mark.parametrize("workers", [ALONE, TWO_WORKERS], ids=["alone", "n2"])
def test_what_a_tool_examined_is_the_evidence(tmp_path: Path, workers: tuple[str, ...]) -> None:
    suite(tmp_path, check("first", ":"), check("second", ":"))
    ran = run(tmp_path, *workers)
    assert ran.verdict == "ship"
    evidence = ran.check("first")["evidence"][:1]
    assert [(item["what"], item["amount"]) for item in evidence] == [("files", 1)]
    assert (ran.check("second")["kind"], ran.check("second")["stage"]) == ("static", "artifact")


def test_a_run_that_stops_ends_the_tools_that_nobody_waits_for(tmp_path: Path) -> None:
    suite(
        tmp_path,
        check("fails", f"{awaiting('pid')}; exit 3"),
        check("endless", "echo $$ >pid; sleep 600"),
    )
    ran = run(tmp_path, "-x")
    assert ran.verdict != "ship"
    assert [one["name"] for one in ran.record["checks"]] == ["fails"]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan", "--setup-only"])
def test_a_run_without_tests_starts_no_tool(tmp_path: Path, option: str) -> None:
    suite(tmp_path, check("first", "touch a"), check("second", "touch a"))
    run(tmp_path, option)
    assert not (tmp_path / "a").exists()


def test_a_test_runner_waits_until_it_is_alone(tmp_path: Path) -> None:
    junit = '<testsuite tests="1"><testcase classname="a" name="b"/></testsuite>'
    alone = json.dumps(["sh", "-c", f"test -e slow && test -e slower && echo '{junit}' >j.xml"])
    suite(
        tmp_path,
        f"  - name: runner\n    unit: {{command: {alone}, junit: j.xml}}\n",
        check("slow", "sleep 0.3; touch slow"),
        check("slower", "sleep 0.5; touch slower"),
    )
    assert run(tmp_path).check("runner")["outcome"] == "passed"


def test_a_tool_that_is_missing_is_an_error_with_a_hint(tmp_path: Path) -> None:
    suite(tmp_path, check("here", ":"), check("gone", ":").replace('"sh"', '"no-such-tool"'))
    ran = run(tmp_path)
    gone = ran.check("gone")
    assert (gone["outcome"], ran.verdict) == ("error", "could-not-decide")
    assert "no-such-tool" in gone["finding"]["seen"]
    assert gone["finding"]["advice"]


def test_a_tool_out_of_time_is_an_error(tmp_path: Path) -> None:
    suite(tmp_path, check("slow", "sleep 600", "    timeout: 200ms\n"))
    slow = run(tmp_path).check("slow")
    assert slow["outcome"] == "error"
    assert "no end after 0.2 s" in slow["finding"]["seen"]


def test_the_ready_made_suite_holds_the_checks_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import os\n")
    (tmp_path / "greenroom.toml").write_text('[artifact.static.ruff]\npaths = ["app.py"]\n')
    ran = run(tmp_path, "--pyargs", "greenroom.suites.artifact")
    ruff = ran.check("static ruff")
    assert (ruff["outcome"], ran.verdict) == ("failed", "do-not-ship")
    assert [result["id"] for result in ruff["finding"]["results"]] == ["F401"]


def test_the_ready_made_suite_is_named_alike_on_every_machine(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import os\n")
    (tmp_path / "greenroom.toml").write_text('[artifact.static.ruff]\npaths = ["app.py"]\n')
    ran = run(tmp_path, "--pyargs", "greenroom.suites.artifact")
    assert ran.check("static ruff")["id"] == "greenroom.suites.artifact::static ruff"
    again = "rerun:  pytest --pyargs greenroom.suites.artifact -k 'static and ruff'"
    assert again in ran.out


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("greenroom.toml", '\n[artifact.static.ruff]\npaths = ["app.py"]\n', "greenroom.toml:2"),
        ("greenroom.toml", '[artifact.static]\nruff.paths = ["app.py"]\n', "greenroom.toml:1"),
        (
            "pyproject.toml",
            '[tool.greenroom]\n\n[tool.greenroom.artifact.static."ruff"]\npaths = ["app.py"]\n',
            "pyproject.toml:3",
        ),
    ],
    ids=["own-file", "dotted", "pyproject"],
)
def test_a_check_of_the_settings_stands_there(
    tmp_path: Path, file: str, text: str, place: str
) -> None:
    (tmp_path / "app.py").write_text("import os\n")
    (tmp_path / file).write_text(text)
    ran = run(tmp_path, "--pyargs", "greenroom.suites.artifact")
    source = ran.check("static ruff")["source"]
    assert f"{source['file']}:{source['line']}" == place
    assert f"check: {tmp_path / place}" in ran.out


def test_settings_given_by_name_are_the_place_of_their_checks(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import os\n")
    (tmp_path / "other.toml").write_text('[artifact.static.ruff]\npaths = ["app.py"]\n')
    settings = ("--greenroom-settings", "other.toml")
    ran = run(tmp_path, "--pyargs", "greenroom.suites.artifact", *settings)
    assert ran.check("static ruff")["source"]["file"] == "other.toml"


def test_the_ready_made_suite_without_checks_decides_nothing(tmp_path: Path) -> None:
    (tmp_path / "greenroom.toml").write_text("")
    ran = run(tmp_path, "--pyargs", "greenroom.suites.artifact")
    assert ran.code != 0
    assert "the settings have no checks in [artifact]" in ran.out


def test_a_wrong_table_names_its_key(tmp_path: Path) -> None:
    (tmp_path / "greenroom.toml").write_text('[artifact.static.ruff]\npath = ["app.py"]\n')
    ran = run(tmp_path, "--pyargs", "greenroom.suites.artifact")
    assert ran.code != 0
    assert "greenroom.toml: artifact.static.ruff.path: unknown key 'path'" in ran.out


def test_a_check_whose_work_was_replaced_has_no_finding_and_proves_nothing(tmp_path: Path) -> None:
    suite(tmp_path, check("first", "exit 9"))
    (tmp_path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        item.runtest = lambda: None\n"
    )
    ran = run(tmp_path)
    assert ran.verdict == "could-not-decide"
    assert ran.check("first")["outcome"] == "inconclusive"
    assert ran.check("first")["evidence"] == []
