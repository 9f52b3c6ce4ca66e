from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.servers import Asked, Reply, json_reply, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Served

SUITE = """\
version: 1
name: trivia-api
checks:
  - name: serves four categories
    tags: [smoke, trivia]
    http: {get: /all}
    expect: {json: {"$[*].name": {count: 4}}}

  - name: scores an answer
    tags: [contract]
    gate: warn
    http: {post: /answers, json: {answer: b}}
    expect: {status: 200, json: {$.points: 1}}
"""
KEY = "s3cr3t-v4lue"
ECHO = """\
version: 1
name: secrets
checks:
  - name: echoes
    http: {get: "/echo", headers: {x-api-key: "${secret.API_KEY}"}}
    expect: {json: {$.key: other}}
"""


def answer(asked: Asked) -> Reply:
    match asked.path:
        case "/all":
            return json_reply([{"name": name} for name in "abcd"])
        case "/echo":
            return json_reply({"key": asked.headers["x-api-key"]})
        case _:
            return json_reply({"points": 0})


@pytest.fixture
def trivia() -> Iterator[Served]:
    with serving(answer) as server:
        yield server


def run(pytester: pytest.Pytester, suite: str, *arguments: str) -> pytest.RunResult:
    (pytester.path / "api.suite.yaml").write_text(suite, encoding="utf-8")
    return pytester.runpytest_subprocess("--greenroom-report=out", *arguments)


def checks(pytester: pytest.Pytester) -> dict[str, dict[str, Any]]:
    record = json.loads((pytester.path / "out" / "run.json").read_text())
    return {check["name"]: check for check in record["checks"]}


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "two-workers"])
def test_each_check_is_an_item_and_a_check_of_the_record(
    pytester: pytest.Pytester, trivia: Served, workers: tuple[str, ...]
) -> None:
    result = run(pytester, SUITE, f"--greenroom-target={trivia.url}", *workers)
    result.assert_outcomes(passed=1, failed=1)
    found = {name: (c["kind"], c["gate"], c["outcome"]) for name, c in checks(pytester).items()}
    assert found == {
        "serves four categories": ("smoke", "block", "passed"),
        "scores an answer": ("contract", "warn", "failed"),
    }


def test_a_failure_is_the_findings_text_with_its_line(
    pytester: pytest.Pytester, trivia: Served
) -> None:
    result = run(pytester, SUITE, f"--greenroom-target={trivia.url}")
    result.stdout.fnmatch_lines(
        [
            "failed: expected json $.points equals 1",
            "  seen: json $.points 0",
            "  evidence: 1 response of * bytes (httpx *)",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    failed = checks(pytester)["scores an answer"]
    assert failed["source"] == {"file": "api.suite.yaml", "line": 9}
    assert failed["exchanges"][0]["request"]["body"] == '{"answer": "b"}'


def test_each_expectation_of_a_failed_check_is_one_rule_of_the_record_and_the_page(
    pytester: pytest.Pytester, trivia: Served
) -> None:
    suite = SUITE.replace("$.points: 1", "$.points: 1, $.name: unheard-of")
    run(pytester, suite, f"--greenroom-target={trivia.url}", "-m", "contract")
    recorded = checks(pytester)["scores an answer"]["finding"]["rules"]
    assert [(rule["rule"], rule["met"]) for rule in recorded] == [
        ("status", True),
        ("json $.points", False),
        ("json $.name", False),
    ]
    page = (pytester.path / "out" / "report.html").read_text()
    of_the_check = [page.count(f'<th scope="row">{rule["rule"]}</th>') for rule in recorded]
    among_all = [page.count(f'<th scope="row">{rule["rule"]} <a') for rule in recorded]
    assert of_the_check == among_all == [1, 1, 1]


def test_a_schema_outside_the_root_folder_is_a_collection_error(pytester: pytest.Pytester) -> None:
    (pytester.path.parent / "c.json").write_text('{"type": "array"}')
    suite = SUITE.replace("{status: 200, ", "{schema: ../c.json, ")
    result = run(pytester, suite, "--greenroom-target=http://127.0.0.1:1")
    result.stdout.fnmatch_lines(["api.suite.yaml:13:22: the schema ../c.json is outside *"])
    assert result.ret == 2


def test_a_suite_outside_the_root_folder_has_the_schemas_beside_itself(
    pytester: pytest.Pytester, trivia: Served
) -> None:
    (pytester.path / "c.json").write_text('{"type": "array"}')
    root = pytester.mkdir("elsewhere")
    suite = SUITE.replace('json: {"$[*].name": {count: 4}}', "schema: c.json")
    result = run(pytester, suite, f"--greenroom-target={trivia.url}", f"--rootdir={root}")
    result.assert_outcomes(passed=1, failed=1)


def test_tags_select_checks(pytester: pytest.Pytester, trivia: Served) -> None:
    result = run(pytester, SUITE, f"--greenroom-target={trivia.url}", "-m", "trivia", "--strict")
    result.assert_outcomes(passed=1, deselected=1)
    assert checks(pytester)["serves four categories"]["tags"] == ["trivia"]


def test_a_check_is_run_again_by_its_id(pytester: pytest.Pytester, trivia: Served) -> None:
    chosen = "api.suite.yaml::serves four categories"
    run(pytester, SUITE, f"--greenroom-target={trivia.url}", chosen).assert_outcomes(passed=1)


def test_nobody_listening_is_an_error_in_the_record(pytester: pytest.Pytester) -> None:
    result = run(pytester, SUITE, "--greenroom-target=http://127.0.0.1:1")
    assert result.ret == 7
    assert {check["outcome"] for check in checks(pytester).values()} == {"error"}


@pytest.mark.parametrize(
    ("suite", "lines"),
    [
        (
            SUITE.replace("post:", "psot:"),
            ["api.suite.yaml:12:12: unknown key 'psot' in http", "*12 |     http: {psot: *", "*^"],
        ),
        (SUITE.replace("/all", '"/${env.NONE}"'), ["*${env.NONE} is not set"]),
        ("", ["api.suite.yaml:1:1: the file is empty"]),
    ],
    ids=["unknown-key", "unresolved", "empty"],
)
def test_a_wrong_suite_is_a_collection_error_that_shows_the_place(
    pytester: pytest.Pytester, suite: str, lines: list[str]
) -> None:
    result = run(pytester, suite, "--greenroom-target=http://127.0.0.1:1")
    result.stdout.fnmatch_lines(lines)
    result.stdout.no_fnmatch_line("*Traceback*")
    assert result.ret == 2


def test_a_collection_error_is_the_reason_of_the_verdict(pytester: pytest.Pytester) -> None:
    run(pytester, "", "--greenroom-target=http://127.0.0.1:1")
    record = json.loads((pytester.path / "out" / "run.json").read_text())
    reason = "collection error in api.suite.yaml: api.suite.yaml:1:1: the file is empty"
    assert reason in record["reasons"]


@pytest.mark.parametrize(
    ("target", "status"),
    [("http://127.0.0.1:1", 0), ("host:80", 2)],
    ids=["listed", "wrong-target"],
)
def test_collecting_alone_uses_the_settings_too(
    pytester: pytest.Pytester, target: str, status: int
) -> None:
    result = run(pytester, SUITE, f"--greenroom-target={target}", "--collect-only", "-q")
    assert result.ret == status
    assert ("api.suite.yaml::scores an answer" in result.stdout.lines) is (status == 0)


def test_collecting_alone_refuses_wrong_settings(pytester: pytest.Pytester) -> None:
    result = run(pytester, SUITE, "--greenroom-set=nonsense", "--collect-only")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["--greenroom-set 'nonsense': expected NAME=VALUE"])


def test_a_suite_that_is_no_text_is_a_collection_error(pytester: pytest.Pytester) -> None:
    (pytester.path / "bin.suite.yaml").write_bytes(b"\xff\xfe")
    result = pytester.runpytest_subprocess("--greenroom")
    result.stdout.fnmatch_lines(["bin.suite.yaml: cannot be read: *"])
    assert result.ret == 2


def test_other_yaml_files_are_left_alone(pytester: pytest.Pytester) -> None:
    (pytester.path / "suite.yaml").write_text("a: [")
    assert pytester.runpytest_subprocess().ret == 5


def test_a_secret_is_in_no_output_of_a_run(
    pytester: pytest.Pytester, trivia: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", KEY)
    result = run(pytester, ECHO, f"--greenroom-target={trivia.url}", "-vv")
    result.assert_outcomes(failed=1)
    assert trivia.asked[0].headers["x-api-key"] == KEY
    documents = list((pytester.path / "out").iterdir())
    outputs = [result.stdout.str(), result.stderr.str(), *(path.read_text() for path in documents)]
    assert len(documents) == 4
    assert not any(KEY in output for output in outputs)


def test_a_secret_in_a_refused_line_is_redacted_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", KEY)
    suite = ECHO.replace('"/echo"', '"${secret.API_KEY}"')
    result = run(pytester, suite, "--greenroom-target=http://127.0.0.1:1")
    result.stdout.fnmatch_lines(["*the path '*redacted*' must start with /*"])
    assert KEY not in result.stdout.str()
