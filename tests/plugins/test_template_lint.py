from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.template_lint import Look, Order, look
from greenroom.validators.errors import ToolError
from greenroom.validators.result import Location
from greenroom.validators.template_rules import choose_rules
from tests.silent.rows_template import workplace

if TYPE_CHECKING:
    from pathlib import Path

BUCKET = "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: {BucketNme: x}\n"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "t.yaml").write_text(BUCKET)
    return tmp_path


def seen(folder: Path, **environ: str) -> Look:
    place = workplace(folder)
    order = Order(("t.yaml",), choose_rules(), cfn_lint=True)
    return look(order, replace(place, environ=environ) if environ else place)


def test_the_real_cfn_lint_says_what_it_found_and_how_much_it_scanned(template: Path) -> None:
    linted = seen(template)
    (result,) = linted.results
    assert (result.id, result.location) == ("E3002", Location("t.yaml", 4, 18, 4))
    ours, theirs = linted.evidence
    assert (ours.amount, theirs.amount, theirs.tool) == (0, 1, "cfn-lint")


def test_a_missing_cfn_lint_is_an_error_that_says_how_to_go_on(
    template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(template))
    with pytest.raises(ToolError, match="cfn-lint is not installed") as caught:
        seen(template, PATH="/nowhere")
    assert "pip install cfn-lint; or go without it: cfn_lint: false" in caught.value.hint


FAKES = {
    "left-out": ("echo '[]'", "cfn-lint scanned 0 of 1 templates"),
    "silent": ("true", "the tool's output is empty"),
    "crashed": ("exit 1", "cfn-lint failed: exit status 1"),
}


@pytest.mark.parametrize(("script", "message"), FAKES.values(), ids=FAKES)
def test_a_cfn_lint_that_scanned_nothing_is_an_error(
    template: Path, script: str, message: str
) -> None:
    fake = template / "cfn-lint"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    with pytest.raises(ToolError, match=message):
        seen(template, PATH=f"{template}:/bin:/usr/bin")


def test_what_cfn_lint_says_it_could_not_do_is_a_problem(template: Path) -> None:
    place = '{"LineNumber": 1, "ColumnNumber": 1}'
    match = (
        '[{"Filename": "t.yaml", "Level": "Error", "Message": "Unknown exception", '
        f'"Location": {{"Start": {place}, "End": {place}}}, "Rule": {{"Id": "E0002"}}}}]'
    )
    fake = template / "cfn-lint"
    fake.write_text(f"#!/bin/sh\necho '{match}'\nexit 2\n")
    fake.chmod(0o755)
    (problem,) = seen(template, PATH=f"{template}:/bin:/usr/bin").problems
    assert "E0002: Unknown exception" in problem.message
