"""The ready-made suite of the environment holds the checks that the settings say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from greenroom.plugins.schema_command import schema_text
from tests.support.runs import run
from tests.support.servers import json_reply, serving

if TYPE_CHECKING:
    from pathlib import Path

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


def test_editors_know_the_tables() -> None:
    schema = Draft202012Validator(json.loads(schema_text("settings")))
    good = {"smoke": {"a": {"path": "/a", "status": [200, "3xx"]}}, "tls": {"target": {}}}
    assert schema.is_valid({"environment": good})
    asks_nothing, no_kind = {"smoke": {"a": {"status": 200}}}, {"smok": {"a": {"path": "/"}}}
    assert not schema.is_valid({"environment": asks_nothing})
    assert not schema.is_valid({"environment": no_kind})
