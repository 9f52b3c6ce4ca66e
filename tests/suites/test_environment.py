"""The ready-made suite of the environment holds the checks that the settings say."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from jsonschema import Draft202012Validator

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.schema_command import schema_text
from greenroom.plugins.settings import Settings
from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_parser import parse_suite
from greenroom.plugins.suite_table import tables_of
from greenroom.plugins.suite_variables import Variables
from tests.support.runs import run
from tests.support.servers import json_reply, serving
from tests.support.suites import TARGET

SUITE = ("--pyargs", "greenroom.suites.environment")
SETTINGS = """
[environment.smoke.health]
path = "/health"
status = 200
json = {"$.ok" = true}

[environment.smoke.each]
each = [{path = "/a", status = 200}, {path = "/none", status = 404}]
path = "${each.path}"
status = "${each.status}"

[environment.contract.answer]
path = "/a"
schema = "contracts/answer.schema.json"

[environment.integration.order]
steps = [
    {http = {post = "/a", json = {item = 7}}, expect = {status = 200}, capture = {ok = "$.ok"}},
    {http = {get = "/health"}, expect = {json = {"$.ok" = "${capture.ok}"}}},
]

[environment.tcp.itself]
host = "127.0.0.1"
port = PORT

[environment.security.probes]
probes = ["listing"]
"""


def test_without_checks_nothing_is_decided(tmp_path: Path) -> None:
    (tmp_path / "greenroom.toml").write_text('target = "http://127.0.0.1:9"')
    ran = run(tmp_path, *SUITE)
    assert (ran.code, ran.verdict) == (2, "could-not-decide")
    assert "the settings have no checks in [environment]" in ran.out
    assert "write [environment.smoke.health]" in ran.out


def test_what_is_wrong_is_named_by_its_key(tmp_path: Path) -> None:
    text = '[environment.smoke.a]\npath = "/"\nstatus = "ok"\n'
    (tmp_path / "greenroom.toml").write_text(text)
    ran = run(tmp_path, *SUITE, "--greenroom-target", "http://127.0.0.1:9")
    assert ran.code == 2
    assert "greenroom.toml: environment.smoke.a.status: a status" in ran.out


def test_a_misspelt_key_is_answered_with_those_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "greenroom.toml").write_text(
        '[environment.smoke.a]\npath = "/"\nstatuss = 200\n'
        '[environment.smoke.b]\nhttp = {get = "/", form = {}}\nstatus = 200\n'
        '[environment.tcp.c]\nhost = "a"\nport = 1\nstatus = 200\n'
    )
    ran = run(tmp_path, *SUITE, "--greenroom-target", "http://127.0.0.1:9")
    assert ran.code == 2
    assert "hint: did you mean 'status'? valid keys: path, tags, kind," in ran.out
    assert "expect, wait, status, time," in ran.out
    assert ran.out.count("valid keys: path") == 1


def test_every_kind_of_check_can_stand_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "answer.schema.json").write_text('{"required": ["id"]}')
    with serving(
        lambda asked: json_reply({"ok": True}, 404 if "none" in asked.path else 200)
    ) as it:
        settings = SETTINGS.replace("PORT", it.url.rpartition(":")[2])
        (tmp_path / "greenroom.toml").write_text(settings)
        ran = run(tmp_path, *SUITE, "--greenroom-target", it.url)
    seen = {check["name"]: (check["kind"], check["outcome"]) for check in ran.record["checks"]}
    assert seen == {
        "smoke health": ("smoke", "passed"),
        "smoke each [/a-200]": ("smoke", "passed"),
        "smoke each [/none-404]": ("smoke", "passed"),
        "contract answer": ("contract", "failed"),
        "integration order": ("integration", "passed"),
        "tcp itself": ("smoke", "passed"),
        "security probes": ("security", "passed"),
    }
    answer = ran.check("contract answer")
    assert answer["id"] == "greenroom.suites.environment::contract answer"
    line = settings.splitlines().index("[environment.contract.answer]") + 1
    assert answer["source"] == {"file": "greenroom.toml", "line": line}


def documented() -> str:
    text = (Path(__file__).parents[2] / "docs" / "environment.md").read_text()
    return text.partition("```toml\n")[2].partition("```")[0]


def test_the_documented_settings_are_valid(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "categories.schema.json").write_text('{"type": "array"}')
    table = tomllib.loads(documented())["environment"]
    contracts = Contracts(tmp_path, tmp_path)
    tables = tables_of(Settings(environment=table, where="greenroom.toml"), contracts)
    text = "version: 1\nname: e\nchecks_from: environment\n"
    known = Variables({}, {}, {"revision": "v8"}, Redactor())
    suite = parse_suite(text, Path("e"), contracts, known, TARGET, tables=tables)
    assert len(suite.checks) == 8
    assert Draft202012Validator(json.loads(schema_text("settings"))).is_valid(
        tomllib.loads(documented())
    )


def test_editors_know_the_tables() -> None:
    schema = Draft202012Validator(json.loads(schema_text("settings")))
    good = {"smoke": {"a": {"path": "/a", "status": [200, "3xx"]}}, "tls": {"target": {}}}
    assert schema.is_valid({"environment": good})
    asks_nothing, no_kind = {"smoke": {"a": {"status": 200}}}, {"smok": {"a": {"path": "/"}}}
    assert not schema.is_valid({"environment": asks_nothing})
    assert not schema.is_valid({"environment": no_kind})
