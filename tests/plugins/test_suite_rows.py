"""Tables of a suite: a check for each row, with the row's values in their own types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.suite_model import HttpCheck
from greenroom.validators.errors import SettingsError
from tests.support.runs import run
from tests.support.servers import Reply, serving
from tests.support.suites import HEAD, http_checks, read, variables

if TYPE_CHECKING:
    from pathlib import Path


def table(rows: str, check: str) -> str:
    return f"{HEAD}  - {{each: {rows}, {check}}}\n"


SIMPLE = 'name: c, http: {get: "/${each.path}"}, expect: {status: "${each.status}"}'


@pytest.mark.parametrize(
    ("rows", "check", "said"),
    [
        ("[]", SIMPLE, "each is empty"),
        ("{a: 1}", SIMPLE, "each must be a list"),
        ("[{path: a}]", SIMPLE, "${each.status} is no column of each"),
        ("[{path: a, status: 200, more: 1}]", SIMPLE, "no ${each.more} uses it"),
        ("[{path: a, status: nine}]", SIMPLE, "must be a whole number"),
        ("[{path: [a], status: 200}]", SIMPLE, "${each.path} is no single value"),
        ("[{'a b': 1}]", SIMPLE, "'a b' cannot be a column's name"),
        ("[{path: a, status: 200}, {path: a, status: 200}]", SIMPLE, "stands in line 4 already"),
        ("[a]", 'name: "${each.value}::x", http: {get: /}, expect: {status: 200}', "cannot hold"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(rows: str, check: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(table(rows, check))
    assert said in str(caught.value)


def test_a_variable_of_a_row_without_rows_is_refused() -> None:
    with pytest.raises(SettingsError, match="is not a variable"):
        read(f'{HEAD}  - {{name: c, http: {{get: "/${{each.x}}"}}, expect: {{status: 200}}}}\n')


def test_each_row_is_a_check_of_its_own() -> None:
    suite = read(table("[{path: a, status: 200}, {path: b, status: 404}]", SIMPLE))
    checks = http_checks(suite)
    assert [check.name for check in checks] == ["c [a-200]", "c [b-404]"]
    assert [check.request.path for check in checks] == ["/a", "/b"]
    assert [str(check.expect.status) for check in checks] == ["200", "404"]


def test_a_name_that_holds_a_part_of_the_row_stays_as_it_is() -> None:
    check = 'name: "gets ${each.value}", http: {get: "/${each.value}"}, expect: {status: 200}'
    assert [one.name for one in read(table("[a, 7]", check)).checks] == ["gets a", "gets 7"]


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("1", b'{"sent": 1}'),
        ("'1'", b'{"sent": "1"}'),
        ("[1, {a: null}]", b'{"sent": [1, {"a": null}]}'),
        ("'${env.X}'", b'{"sent": "x"}'),
        ("'$${env.X}'", b'{"sent": "${env.X}"}'),
    ],
)
def test_a_value_that_stands_alone_keeps_its_type(value: str, sent: bytes) -> None:
    check = "name: c, http: {post: /, json: {sent: '${each.v}'}}, expect: {status: 200}"
    [one] = http_checks(read(table(f"[{{v: {value}}}]", check), variables(X="x")))
    assert one.request.content == sent


def test_a_row_of_a_table_can_be_run_alone(tmp_path: Path) -> None:
    with serving(lambda asked: Reply(status=200 if asked.path == "/a" else 404)) as server:
        (tmp_path / "a.suite.yaml").write_text(
            table("[{path: a, status: 200}, {path: b, status: 200}]", SIMPLE)
        )
        both = run(tmp_path, "--greenroom-target", server.url)
        assert [one["outcome"] for one in both.record["checks"]] == ["passed", "failed"]
        alone = run(tmp_path, "--greenroom-target", server.url, "a.suite.yaml::c [a-200]")
    assert alone.verdict == "ship"


def test_a_plain_check_is_read_as_before() -> None:
    [check] = read(f"{HEAD}  - {{name: c, http: {{get: /}}, expect: {{status: 200}}}}\n").checks
    assert isinstance(check, HttpCheck)
    assert (check.wait, check.serial, check.unmet) == (None, False, "")
