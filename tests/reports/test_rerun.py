from __future__ import annotations

import pytest

from greenroom.reports.rerun import rerun

RUFF = "greenroom.suites.artifact::static ruff"


@pytest.mark.parametrize(
    ("ids", "command"),
    [
        (
            ["test_it.py::test_a", "a.suite.yaml::b c"],
            "pytest test_it.py::test_a 'a.suite.yaml::b c'",
        ),
        ([RUFF], "pytest --pyargs greenroom.suites.artifact -k 'static and ruff'"),
        (
            ["greenroom.suites.artifact::image a/b"],
            "pytest --pyargs greenroom.suites.artifact",
        ),
        ([RUFF, "greenroom.suites.artifact::x"], "pytest --pyargs greenroom.suites.artifact"),
        ([RUFF, "t.py::a"], "pytest t.py::a --pyargs greenroom.suites.artifact"),
    ],
    ids=["own", "ready-made", "no-expression", "several", "both"],
)
def test_the_command_runs_the_checks_again(ids: list[str], command: str) -> None:
    assert rerun(ids) == command
