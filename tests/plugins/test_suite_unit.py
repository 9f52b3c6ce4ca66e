"""What a suite says of unit tests: read at its place, or refused there."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from greenroom.plugins.coverage_read import CoverageForm
from greenroom.plugins.suite_model import WorkCheck
from greenroom.plugins.suite_unit import COVERAGE_KEYS, UNIT_KEYS, UnitWork
from greenroom.plugins.suite_yaml import Document, plain
from greenroom.plugins.unit_run import CoveragePlan, UnitPlan
from greenroom.validators.errors import SettingsError
from tests.support.suites import read
from tests.support.units import work

HEAD = "command: make test, junit: a.xml"
WHOLE = (
    "{command: npx 'jest x', junit: [a.xml, 'b/**/*.xml'], folder: web, min_tests: 10, ok: [0, 1],"
    " pass: [CI], coverage: {file: c.xml, format: clover, base: '${release.base}',"
    " unmeasured: x/*}}"
)
REFUSED = [
    pytest.param("{junit: a.xml}", "", "unit has no 'command'", id="no-command"),
    pytest.param("{command: x}", "", "unit has no 'junit'", id="no-junit"),
    pytest.param(f"{{{HEAD}, tests: 1}}", "", "unknown key 'tests' in unit", id="unknown"),
    pytest.param('{command: "\'a", junit: a.xml}', "", "No closing quotation", id="open-quote"),
    pytest.param("{command: ' ', junit: a.xml}", "", "command is empty", id="blank"),
    pytest.param("{command: x, junit: /a.xml}", "", "below the root", id="absolute"),
    pytest.param("{command: x, junit: ../a.xml}", "", "below the root", id="above"),
    pytest.param("{command: x, junit: 'a**/b.xml'}", "", "whole folders", id="stars"),
    pytest.param(f"{{{HEAD}, min_tests: 0}}", "", "from 1 to", id="min-tests"),
    pytest.param(f"{{{HEAD}, ok: [-9]}}", "", "an exit status", id="signal-ok"),
    pytest.param(f"{{{HEAD}, pass: ['A=1']}}", "", "not an environment variable", id="pass"),
    pytest.param(f"{{{HEAD}, coverage: {{}}}}", "", "coverage is empty", id="no-file"),
    pytest.param(
        f"{{{HEAD}, coverage: {{file: c, format: xml}}}}", "", "unknown value 'xml'", id="format"
    ),
    pytest.param(
        f"{{{HEAD}, coverage: {{file: c, base: '--output=x'}}}}", "", "a revision", id="option"
    ),
]
REFUSED_EXPECT = [
    pytest.param(f"{{{HEAD}}}", "cover > 1%", "unknown metric 'cover'", id="metric"),
    pytest.param(f"{{{HEAD}}}", "coverage > 1%", "needs coverage: {file", id="not-measured"),
    pytest.param(
        f"{{{HEAD}, coverage: {{file: c}}}}", "coverage > 1", "takes a limit in %", id="no-unit"
    ),
    pytest.param(f"{{{HEAD}}}", "skipped < 1%", "takes a plain number", id="ratio"),
    pytest.param(
        f"{{{HEAD}, coverage: {{file: c}}}}",
        *("changed_coverage > 1%", "needs coverage.base"),
        id="no-base",
    ),
]


SCHEMA: dict[str, Any] = json.loads(
    files("greenroom.plugins").joinpath("check_unit.schema.json").read_text("utf-8")
)


def plain_of(text: str) -> Any:  # noqa: ANN401 - a JSON value
    return plain(Document(Path("a"), text).read())


@pytest.mark.parametrize(("text", "expect", "problem"), [*REFUSED, *REFUSED_EXPECT])
def test_what_cannot_be_meant_is_refused_at_its_place(text: str, expect: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        work(text, expect)
    assert problem in caught.value.explain()
    assert str(caught.value).startswith("a.suite.yaml:")


def test_everything_is_read() -> None:
    whole = work(WHOLE, "[changed_coverage >= 90%, skipped <= 3]")
    assert whole.min_tests == 10
    assert [str(limit) for limit in whole.limits] == ["changed_coverage >= 90 %", "skipped <= 3"]
    assert whole.plan == UnitPlan(
        command=("npx", "jest x"),
        junit=("a.xml", "b/**/*.xml"),
        folder="web",
        coverage=CoveragePlan(("c.xml",), CoverageForm.CLOVER, "main", ("x/*",)),
        ok=(0, 1),
        passed=("CI",),
    )


def test_changes_are_looked_for_only_where_a_limit_asks() -> None:
    whole = work(WHOLE, "coverage >= 90%")
    assert whole.plan.coverage is not None
    assert whole.plan.coverage.base == ""


def test_the_schema_knows_the_same_keys() -> None:
    properties = SCHEMA["properties"]
    assert set(properties) == set(UNIT_KEYS)
    assert set(properties["coverage"]["properties"]) == set(COVERAGE_KEYS)
    assert properties["coverage"]["properties"]["format"]["enum"] == [*CoverageForm]
    jsonschema.validate(plain_of(WHOLE), SCHEMA)


@pytest.mark.parametrize(
    "text",
    ["{junit: a.xml}", f"{{{HEAD}, tests: 1}}", f"{{{HEAD}, min_tests: 0}}", f"{{{HEAD}, ok: []}}"],
)
def test_the_schema_refuses_what_the_parser_refuses(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain_of(text), SCHEMA)


def examples(language: str) -> list[str]:
    page = (Path(__file__).parents[2] / "docs" / "unit.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_pages_suite_is_read() -> None:
    (example,) = examples("yaml")
    (check,) = read(example).checks
    assert isinstance(check, WorkCheck)
    assert isinstance(check.work, UnitWork)
    assert check.work.min_tests == 40


def test_the_pages_python_runs() -> None:
    (example,) = examples("python")
    exec(compile(example, "unit.md", "exec"), {})  # noqa: S102 - our own page
