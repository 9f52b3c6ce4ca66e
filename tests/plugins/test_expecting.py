"""What a Python test expects of an answer, and what of it is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from greenroom import SettingsError, contract, expect
from greenroom.plugins.recording import CheckFailed, Recording, recording_of
from greenroom.plugins.running import running
from greenroom.plugins.settings import redactor_of
from greenroom.validators.vocabulary import Outcome
from tests.support.runs import run
from tests.support.servers import json_reply, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenroom.plugins.expecting import Expecting

SCHEMA = '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}'


@pytest.fixture
def recording(request: pytest.FixtureRequest) -> Iterator[Recording]:
    """Give what is recorded of this very test."""
    with running(request.node):
        yield recording_of(request.node)


def answer(value: Any = None, **headers: str) -> httpx.Response:  # noqa: ANN401 - a JSON value
    body = {"id": 7, "a": [1, 2]} if value is None else value
    return httpx.Response(200, json=body, headers=headers)


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        pytest.param(lambda it: it.status(404), "status 200", id="status"),
        pytest.param(lambda it: it.status("4xx", 500), "status 200", id="class"),
        pytest.param(lambda it: it.header("x-a", equals="b"), "nothing selected", id="no-header"),
        pytest.param(lambda it: it.header("content-type", matches="text/.*"), "json", id="header"),
        pytest.param(lambda it: it.json("$.id", equals=8), "json $.id 7", id="equals"),
        pytest.param(lambda it: it.json("$.id", equals=None), "json $.id 7", id="null"),
        pytest.param(lambda it: it.json("$.a[*]", at_most=1), "2 (1 of 2 values)", id="one-of-two"),
        pytest.param(lambda it: it.json("$.a", length=">= 3"), "length 2", id="length"),
        pytest.param(lambda it: it.json("$.id", type="string", exists=True), "integer 7", id="two"),
        pytest.param(lambda it: it.json("$.b", one_of=(1, 2)), "nothing selected", id="nothing"),
        pytest.param(lambda it: it.json("$.id", not_=7), "json $.id 7", id="not"),
        pytest.param(lambda it: it.cookie("sid", exists=True), "not set", id="cookie"),
        pytest.param(lambda it: it.size("< 4B"), "18 B", id="size"),
        pytest.param(lambda it: it.text(contains="id", matches="x"), '\\"id\\"', id="text"),
    ],
)
def test_a_miss_raises_at_once_and_is_recorded(
    recording: Recording, wanted: Callable[[Expecting], object], seen: str
) -> None:
    with pytest.raises(CheckFailed) as caught:
        wanted(expect(answer()))
    assert seen in caught.value.finding.seen
    assert [finding.outcome for finding in recording.findings] == [Outcome.FAILED]
    assert "what to do: read the recorded answer" in str(caught.value)


def test_what_is_met_is_recorded_with_its_rules_and_evidence(recording: Recording) -> None:
    whole = expect(answer()).status(200).json("$.id", type="integer", at_least=7)
    whole.text(contains="7")
    assert [rule.rule for rule in whole.finding.rules] == [
        "status",
        "json $.id",
        "json $.id",
        "text",
    ]
    assert whole.finding.outcome is Outcome.PASSED
    assert len(recording.findings) == 3
    assert not recording.unjudged
    assert str(whole.finding.evidence[0]).startswith("1 response of 18 bytes")


def test_misses_of_a_block_are_told_together(recording: Recording) -> None:
    with pytest.raises(CheckFailed) as caught, expect(answer()) as it:  # noqa: PT012 - a block
        it.status(201).json("$.id", equals=7)
        it.header("x-a", exists=True)
    assert "- status: expected 201, seen 200" in str(caught.value)
    assert "- header x-a: expected exists, seen nothing selected" in str(caught.value)
    assert len(recording.findings) == 1


def test_a_block_that_raises_keeps_its_own_error_and_what_was_judged(recording: Recording) -> None:
    with pytest.raises(KeyError), expect(answer()) as it:  # noqa: PT012 - a block
        it.status(200)
        raise KeyError
    assert [finding.outcome for finding in recording.findings] == [Outcome.PASSED]


def test_a_body_that_is_no_json_fails_what_is_expected_of_json(recording: Recording) -> None:
    with pytest.raises(CheckFailed, match="expected body JSON"):
        expect(httpx.Response(200, text="<html>")).json("$.id", equals=7)
    assert recording.findings[0].outcome is Outcome.FAILED


def test_the_time_of_an_answer_that_nobody_sent_is_not_observed(recording: Recording) -> None:
    with pytest.raises(CheckFailed) as caught:
        expect(answer()).time("< 1s")
    assert caught.value.finding.outcome is Outcome.ERROR
    assert recording.findings


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(lambda it: it.status(), "status is empty", id="no-status"),
        pytest.param(lambda it: it.status("ok"), "a whole number, from 100 to 599", id="status"),
        pytest.param(lambda it: it.time("fast"), "'fast' is not a limit", id="time"),
        pytest.param(lambda it: it.json("$.id"), "the expectation of $.id is empty", id="nothing"),
        pytest.param(lambda it: it.json("$[", exists=True), "is not a JSONPath", id="path"),
        pytest.param(lambda it: it.json("$", equal=1), "did you mean 'equals'", id="operator"),
        pytest.param(lambda it: it.text(), "text is empty", id="no-text"),
        pytest.param(lambda it: it.schema("none.json"), "cannot read the schema", id="schema"),
    ],
)
def test_what_cannot_be_expected_is_refused(
    recording: Recording, wrong: Callable[[Expecting], object], said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        wrong(expect(answer()))
    assert said in caught.value.explain()
    assert list(recording.unjudged.values()) == ["response of 18 bytes"]


def test_a_refusal_points_at_the_call_and_not_at_how_it_was_read(recording: Recording) -> None:
    del recording
    with pytest.raises(SettingsError) as caught:
        expect(answer()).json("$[", exists=True)
    shown = [entry.name for entry in caught.traceback if not entry.ishidden(caught)]
    assert shown == ["test_a_refusal_points_at_the_call_and_not_at_how_it_was_read"]


def test_what_is_no_response_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expect takes an httpx.Response, not dict"):
        expect({})  # type: ignore[arg-type]


def test_texts_with_variables_of_suites_are_plain(recording: Recording) -> None:
    expect(answer({"a": "${env.HOME}"})).json("$.a", equals="${env.HOME}")
    assert recording.findings[0].outcome is Outcome.PASSED


def test_secrets_and_credentials_are_not_told(
    recording: Recording, request: pytest.FixtureRequest
) -> None:
    redactor_of(request.config).add("hunter2")
    told = answer({"a": "hunter2"}, **{"set-cookie": "sid=abc"})
    with pytest.raises(CheckFailed) as caught, expect(told) as it:
        it.json("$.a", equals="b").header("set-cookie", equals="c")
    assert "hunter2" not in str(caught.value)
    assert "sid=abc" not in str(caught.value)
    assert "[redacted]" in str(recording.findings[0])


def test_a_contract_judges_answers_and_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "id.schema.json").write_text(SCHEMA)
    monkeypatch.chdir(tmp_path)
    agreed = contract("id.schema.json")
    assert agreed.verify({"id": 1}).outcome is Outcome.PASSED
    assert agreed.verify(answer()).outcome is Outcome.PASSED
    assert [str(one) for one in agreed.violations({})] == ["(root): 'id' is a required property"]
    with pytest.raises(CheckFailed, match="/id: 'x' is not of type 'integer'"):
        agreed.verify({"id": "x"})
    with pytest.raises(CheckFailed, match="/id: 'x' is not of type 'integer'"):
        expect(answer({"id": "x"})).schema(agreed)


DOCUMENT = """
openapi: 3.1.0
info: {title: a, version: "1"}
paths:
  /items/{id}:
    get:
      operationId: item
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses:
        "200":
          description: the item
          content:
            application/json:
              schema: {type: object, required: [id], properties: {id: {type: integer}}}
        "404":
          description: none
"""


def described(path: str, value: object, status: int = 200) -> httpx.Response:
    asked = httpx.Request("GET", f"http://a.example{path}")
    return httpx.Response(status, json=value, request=asked)


@pytest.mark.parametrize(
    ("answered", "outcome", "said"),
    [
        pytest.param(described("/items/7", {"id": 7}), None, "", id="as-described"),
        pytest.param(described("/items/7", {}), Outcome.FAILED, "'id' is a required", id="answer"),
        pytest.param(described("/items/x", {"id": 7}), Outcome.FAILED, "integer", id="request"),
        pytest.param(described("/none", {}), Outcome.FAILED, "/none", id="no-such-path"),
        pytest.param(described("/items/7", {}, 404), Outcome.INCONCLUSIVE, "404", id="left-open"),
    ],
)
def test_an_answer_is_judged_by_its_openapi_document(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answered: httpx.Response,
    outcome: Outcome | None,
    said: str,
) -> None:
    (tmp_path / "api.yaml").write_text(DOCUMENT)
    monkeypatch.chdir(tmp_path)
    if outcome is None:
        assert expect(answered).openapi("api.yaml", operation="item").finding.notes
        return
    with pytest.raises(CheckFailed) as caught:
        expect(answered).openapi("api.yaml")
    assert caught.value.finding.outcome is outcome
    assert said in str(caught.value)


def test_an_answer_is_compared_with_its_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept.json").write_text('{"id": 1, "a": [1, 2]}')
    monkeypatch.chdir(tmp_path)
    expect(answer()).snapshot("kept.json", mask=["$.id"])
    with pytest.raises(CheckFailed, match=r"\$.id: expected 1"):
        expect(answer()).snapshot("kept.json")
    with pytest.raises(CheckFailed, match="write it with --greenroom-update-snapshots"):
        expect(answer()).snapshot("none.json")


SERVED = """
import httpx
import pytest
from greenroom import contract, expect, recorded

pytestmark = pytest.mark.integration
http = recorded(httpx.Client())

def test_by_target(target):
    with expect(target.get("/")) as it:
        it.status(200).time("< 9s").header("content-type", contains="json")
        it.json("$.id", equals=7).schema("id.schema.json")

def test_by_own_client():
    expect(http.get("{url}/own", headers={{"authorization": "Bearer hunter2"}})).status(200)

def test_misses(target):
    contract("id.schema.json").verify(target.get("/misses"))

def test_expects_nothing(target):
    expect(target.get("/"))

def test_looks_at_nothing():
    assert contract

def test_expects_what_means_nothing(target):
    expect(target.get("/")).json("$[", exists=True)

def test_fails_in_its_body(target):
    expect(target.get("/"))
    raise AssertionError("said by the body")
"""


def test_answers_are_recorded_and_judged_with_their_test(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "id.schema.json").write_text(SCHEMA)
    with serving(lambda asked: json_reply({"id": "x" if asked.path == "/misses" else 7})) as server:
        (tmp_path / "suites" / "test_it.py").write_text(SERVED.format(url=server.url))
        ran = run(tmp_path, "--greenroom-target", server.url)
    outcomes = [check["outcome"] for check in ran.record["checks"]]
    doubtful = ["inconclusive", "inconclusive"]
    assert outcomes == ["passed", "passed", "failed", *doubtful, "error", "failed"]
    rules = [rule["rule"] for rule in ran.check("test_by_target")["finding"]["rules"]]
    assert rules == ["status", "time", "header content-type", "json $.id", "schema"]
    own = ran.check("test_by_own_client")
    assert own["exchanges"][0]["response"]["body"] == '{"id": 7}'
    assert "response of 9 bytes to GET" in str(own["evidence"])
    assert "hunter2" not in (ran.folder / "run.json").read_text() + ran.out
    nothing = ran.check("test_expects_nothing")["finding"]["seen"]
    assert "nothing was expected of: response of 9 bytes to GET" in nothing
    assert "looked at" in ran.check("test_looks_at_nothing")["finding"]["expected"]
    assert "said by the body" in ran.check("test_fails_in_its_body")["finding"]["seen"]


def test_the_documented_example_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "categories.schema.json").write_text('{"type": "array"}')
    (tmp_path / "test_it.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    rivers = {"name": "rivers"}
    with serving(lambda asked: json_reply([rivers] if "all" in asked.path else rivers)) as server:
        monkeypatch.setenv("PARTNER_URL", server.url)
        ran = run(tmp_path, "--greenroom-target", server.url)
    assert (ran.verdict, len(ran.record["checks"])) == ("ship", 3)
    assert ran.check("test_the_partner_answers")["exchanges"][0]["response"]["status"] == 200
