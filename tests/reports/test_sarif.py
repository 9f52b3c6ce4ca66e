from __future__ import annotations

from dataclasses import replace

import pytest
from jsonschema import Draft7Validator

from greenroom.reports.sarif import to_sarif
from greenroom.validators.result import Level, Location, Result, Severity, State
from greenroom.validators.template_rules import RULES

RESULT = Result(
    id="GR-T020",
    message="no alarm",
    level=Level.ERROR,
    severity=Severity.HIGH,
    tool="greenroom lint",
    location=Location("deploy/a b.yaml", 3, 5),
    advice="give one",
    fingerprint="0123",
)
TEXT = {"type": "object", "required": ["text"]}
SCHEMA = {
    "required": ["version", "runs", "$schema"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {"rules": {"uniqueItems": True}},
                            }
                        }
                    },
                    "results": {
                        "items": {
                            "required": ["message"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": TEXT,
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "suppressions": {
                                    "items": {"required": ["kind"]},
                                },
                            },
                        }
                    },
                },
            },
        },
    },
}
"""The parts of SARIF's schema that we write."""


@pytest.mark.parametrize(
    "results",
    [(), (RESULT,), (replace(RESULT, location=None, advice="", fingerprint=""), RESULT)],
    ids=["none", "one", "without-a-place"],
)
def test_what_is_written_keeps_to_sarifs_schema(results: tuple[Result, ...]) -> None:
    log = to_sarif(results, "1.0", RULES)
    Draft7Validator(SCHEMA).validate(log)
    assert len(log["runs"][0]["results"]) == len(results)


def test_a_result_has_its_rule_its_place_and_its_fix() -> None:
    run = to_sarif([RESULT], "1.0", RULES)["runs"][0]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "GR-T020"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "deploy/a%20b.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 5}
    assert result["message"]["text"] == "no alarm. Fix: give one."


def test_what_could_not_be_done_is_a_notification_and_no_success() -> None:
    run = to_sarif([], "1.0", RULES, ["t.yaml: not UTF-8"])["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["level"] == "error"


def test_a_waived_result_is_suppressed_and_says_why() -> None:
    waived = replace(RESULT, state=State.WAIVED, why="until the canary is gone")
    (result,) = to_sarif([waived], "1.0", RULES)["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "until the canary is gone"


def test_another_tools_rule_is_listed_by_its_id() -> None:
    run = to_sarif([replace(RESULT, id="E3002")], "1.0", [])["runs"][0]
    assert run["tool"]["driver"]["rules"] == [{"id": "E3002"}]
