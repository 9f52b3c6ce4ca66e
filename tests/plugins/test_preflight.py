"""Preflight: a hook says before the first check that its time may not do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

SUITE = """
version: 1
name: slow
stage: environment
target: http://127.0.0.1:9
defaults: {timeout: 40s}
checks:
  - name: one
    http: {get: /}
    expect: {status: 200}
  - name: two
    http: {get: /}
    expect: {status: 200}
"""


def environment_in(pytester: pytest.Pytester) -> Mapping[str, object]:
    record = json.loads((pytester.path / "out" / "run.json").read_text())
    environment: Mapping[str, object] = record["environment"]
    return environment


@pytest.mark.parametrize(("given", "said"), [("79.0", True), ("80.0", False), ("soon", False)])
def test_a_worst_case_that_does_not_fit_is_said_at_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, given: str, *, said: bool
) -> None:
    monkeypatch.setenv("GREENROOM_HOOK_SECONDS", given)
    pytester.makefile(".suite.yaml", slow=SUITE)
    result = pytester.runpytest_subprocess("--greenroom-report", "out")
    line = "greenroom: at worst the checks take 80 s, and the hook has 79 s for them"
    assert (line in result.outlines) is said
    assert (environment_in(pytester).get("longest_s") == 80.0) is said


def test_outside_a_hook_there_is_no_time_to_fit_into(pytester: pytest.Pytester) -> None:
    pytester.makefile(".suite.yaml", slow=SUITE)
    result = pytester.runpytest_subprocess("--greenroom-report", "out")
    assert "at worst" not in result.stdout.str()
    assert "longest_s" not in environment_in(pytester)
