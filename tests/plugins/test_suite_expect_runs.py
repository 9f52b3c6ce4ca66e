"""What the newer expectations do in a whole run: outcomes, the record and the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.http import Connections, Limits, client
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_flow import run_steps
from greenroom.plugins.suite_model import StepsCheck
from greenroom.plugins.suite_run import run_check
from greenroom.validators.vocabulary import Outcome
from tests.support import servers
from tests.support.runs import run
from tests.support.servers import Reply, json_reply, serving
from tests.support.suites import check, read

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_model import HttpCheck
    from greenroom.validators.finding import Finding
    from tests.support.servers import Asked

API = """\
openapi: 3.1.0
paths:
  /a:
    get:
      responses:
        "200":
          content:
            application/json:
              schema: {type: object, properties: {n: {type: integer}, m: {type: integer}}}
  /b: {get: {responses: {"200": {description: open}}}}
"""
SUITE = """\
version: 1
name: s
checks:
  - {name: a, http: {get: /a}, expect: {openapi: api.yaml, snapshot: a.json}}
  - {name: again, http: {get: /a}, expect: {openapi: api.yaml}}
"""


def asked(one: HttpCheck, reply: Reply) -> Finding:
    connections = Connections()
    try:
        with (
            serving(lambda _: reply) as server,
            client(server.url, connections, Redactor(), lambda _: None, Limits()) as http,
        ):
            return run_check(one, server.url, http, Redactor())
    finally:
        connections.close()


def test_an_answer_that_the_document_leaves_open_is_inconclusive(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(API)
    one = check("{openapi: api.yaml}", http="{get: /b}", folder=tmp_path)
    finding = asked(one, Reply(b"x"))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.seen == "openapi it describes no body, and 1 bytes came"
    assert "describe the answer" in finding.advice
    worse = check("{openapi: api.yaml, text: y}", http="{get: /b}", folder=tmp_path)
    assert asked(worse, Reply(b"x")).outcome is Outcome.FAILED


def test_a_step_that_the_document_leaves_open_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(API)
    step = "{http: {get: /b}, expect: {openapi: api.yaml}}"
    text = f"version: 1\nname: s\nchecks:\n  - {{name: c, steps: [{step}]}}\n"
    [one] = read(text, folder=tmp_path).checks
    assert isinstance(one, StepsCheck)
    connections = Connections()
    with (
        serving(lambda _: Reply(b"x")) as server,
        client(server.url, connections, Redactor(), lambda _: None, Limits()) as http,
    ):
        finding = run_steps(one, server.url, http, Redactor())
    connections.close()
    assert finding.outcome is Outcome.ERROR
    assert finding.notes == ("1 (GET /b): openapi api.yaml: GET /b answered 200",)


def test_all_that_is_expected_is_a_rule_met_or_not_and_none_shows_a_cookie(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("x")
    one = check(
        "{size: < 1B, cookies: {sid: {matches: '[a-z]+'}}, text: {not: {contains: y}}, "
        "snapshot: s.txt}",
        folder=tmp_path,
    )
    finding = asked(one, Reply(b"x", headers={"Set-Cookie": "sid=s3cr3t"}))
    assert [(rule.rule, rule.met) for rule in finding.rules] == [
        *(("status", True), ("size", False), ("cookie sid", False), ("text", True)),
        ("snapshot", True),
    ]
    assert "s3cr3t" not in str(finding)


def test_of_a_server_that_is_down_every_rule_was_not_observed(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(API)
    expect = "{size: < 1B, cookies: {a: b}, text: x, openapi: api.yaml, snapshot: s.txt}"
    one = check(expect, http="{get: /a}", folder=tmp_path)
    connections = Connections()
    url = servers.refused_url()
    with client(url, connections, Redactor(), lambda _: None, Limits()) as http:
        finding = run_check(one, url, http, Redactor())
    assert [rule.rule for rule in finding.rules] == [
        *("status", "size", "cookie a", "text", "openapi", "snapshot"),
    ]
    assert {rule.met for rule in finding.rules} == {None}


def test_a_schema_of_a_host_that_is_down_makes_the_check_an_error(tmp_path: Path) -> None:
    url = servers.refused_url()
    (tmp_path / "c.json").write_text(json.dumps({"$ref": f"{url}/a"}))
    host = url.removeprefix("http://")
    one = check(f"{{schema: {{file: c.json, remote: ['{host}']}}}}", folder=tmp_path)
    finding = asked(one, json_reply(1))
    assert finding.outcome is Outcome.ERROR
    assert "the schema at" in finding.seen


@pytest.mark.slow
def test_a_snapshot_that_is_missing_is_answered_with_how_to_write_it(tmp_path: Path) -> None:
    head = "version: 1\nname: s\nchecks:\n"
    missing = "  - {name: a, http: {get: /}, expect: {snapshot: a.json}}\n"
    wrong = "  - {name: b, http: {get: /}, expect: {snapshot: b.json, json: {$.n: 2}}}\n"
    (tmp_path / "s.suite.yaml").write_text(head + missing + wrong)
    with serving(lambda _: json_reply({"n": 1})) as server:
        ran = run(tmp_path, f"--greenroom-target={server.url}")
    advice = "write the snapshot with --greenroom-update-snapshots, read it, and keep its file"
    assert f"what to do: {advice}" in ran.out
    assert ran.check("a")["finding"]["advice"] == advice
    assert ran.check("b")["finding"]["advice"].startswith("read the recorded answer")


def test_a_run_writes_snapshots_only_when_asked_and_tells_its_drift(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(API)
    (tmp_path / "s.suite.yaml").write_text(SUITE)

    def answer(_: Asked) -> Reply:
        return json_reply({"n": 1})

    with serving(answer) as server:
        target = f"--greenroom-target={server.url}"
        written = run(tmp_path, target, "--greenroom-update-snapshots", report="first")
        passed = run(tmp_path, target, "-n2")
    assert (written.verdict, passed.verdict) == ("could-not-decide", "ship")
    assert json.loads((tmp_path / "a.json").read_text()) == {"n": 1}
    assert (
        "drift:  api.yaml: 1 of 2 operations never exercised (GET /b); "
        "1 field never seen (GET /a 200 $.m)"
    ) in passed.out
    [contract] = passed.record["environment"]["contracts"]
    assert contract["never_exercised"] == ["GET /b"]
