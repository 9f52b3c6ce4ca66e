"""The words of an announcement: the answer first, within each service's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from greenroom.plugins.announcement import body, detail, subject, to_bus, to_topic
from greenroom.plugins.reporting import Told
from tests.support.hook_results import LINK, RESULT
from tests.support.records import BYPASS, HOSTILE, texts

TOPIC = "arn:aws:sns:eu-west-1:123456789012:releases"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/releases"
LONG = "\U0001f600" * 50_000
FACTS: dict[str, Any] = dict.fromkeys(("event", "application", "deployment", "record"), LONG)
ENDLESS = replace(
    RESULT,
    answer=replace(RESULT.answer, reasons=(LONG,) * 200, link=LONG),
    told=Told(LONG, LONG, LONG),
    bypass=replace(BYPASS, by=LONG, reason=LONG, arn=LONG),
    bypass_refused=LONG,
    errors=(LONG,) * 200,
    **FACTS,
)


def test_people_read_the_answer_then_why_then_where() -> None:
    assert body(RESULT).splitlines() == [
        "DO NOT SHIP: trivia-api",
        "CodeDeploy was told: Failed (accepted)",
        "",
        " 1. smoke: answers: status 500",
        " 2. no smoke",
        "",
        f"Report: {LINK}",
        "",
        "Application: trivia-api",
        "Deployment: d-1",
        "Lifecycle event: AfterAllowTestTraffic",
        "Checks: 4 checks, 1 failed",
        "Suite: 2.5 s",
    ]


def test_a_bypass_is_said_before_everything_else() -> None:
    bypassed = replace(RESULT, bypass=BYPASS)
    first, second, third, *_ = body(bypassed).splitlines()
    assert first == "BYPASSED by operator until 2026-11-23 02:00:00 UTC"
    assert second.endswith(
        "assumed-role/Deployer/operator): the payment provider is down, see INC-42"
    )
    assert third == "DO NOT SHIP: trivia-api"
    assert subject(bypassed).startswith("[Greenroom] BYPASSED, DO NOT SHIP: trivia-api")


def test_errors_and_what_the_report_lacks_are_said() -> None:
    troubled = replace(RESULT, told=None, errors=("already completed with another verdict",))
    text = body(troubled, ("run.json was not uploaded",))
    assert "Nobody could be told.\nError: already completed with another verdict" in text
    assert f"Report: {LINK}\n  run.json was not uploaded\n" in text


def test_more_than_ten_reasons_are_counted() -> None:
    answer = replace(RESULT.answer, reasons=("x",) * 12, link="")
    text = body(replace(RESULT, answer=answer))
    assert "10. x\n    and 2 more in the report\n\nReport: not uploaded\n" in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "[Greenroom] DO NOT SHIP: trivia-api AfterAllowTestTraffic"),
        ({"application": "", "event": ""}, "[Greenroom] DO NOT SHIP: d-1"),
        ({"application": "", "deployment": ""}, "[Greenroom] DO NOT SHIP: a deployment"),
        ({"application": "café\nbar"}, "[Greenroom] DO NOT SHIP: caf??bar AfterAllowTestTraffic"),
    ],
    ids=["all", "no-application", "nothing", "other-characters"],
)
def test_the_subject_is_one_line_of_ascii(change: dict[str, Any], expected: str) -> None:
    assert subject(replace(RESULT, **change)).startswith(expected)


def test_a_topic_gives_people_the_text_and_machines_the_json() -> None:
    members = to_topic(TOPIC, RESULT)
    forms = json.loads(members["Message"])
    assert forms["default"] == body(RESULT)
    assert forms["sms"] == members["Subject"] == subject(RESULT)
    for machine in ("sqs", "lambda", "http", "https", "firehose"):
        assert json.loads(forms[machine])["reasons"] == list(RESULT.answer.reasons)
    kept = {name: item["StringValue"] for name, item in members["MessageAttributes"].items()}
    assert kept == {
        "verdict": "do-not-ship",
        "status": "Failed",
        "event": "AfterAllowTestTraffic",
        "application": "trivia-api",
        "deployment": "d-1",
        "bypassed": "false",
    }


def test_attributes_that_say_nothing_are_left_out() -> None:
    nothing = replace(RESULT, application="", event=" ", deployment="", told=None)
    assert set(to_topic(TOPIC, nothing)["MessageAttributes"]) == {"verdict", "bypassed"}


def test_a_fifo_topic_gets_the_same_message_once() -> None:
    one, two = (to_topic(f"{TOPIC}.fifo", RESULT) for _ in range(2))
    assert one["MessageGroupId"] == "greenroom"
    assert one["MessageDeduplicationId"] == two["MessageDeduplicationId"]
    other = to_topic(f"{TOPIC}.fifo", replace(RESULT, execution_id="execution-2"))
    assert other["MessageDeduplicationId"] != one["MessageDeduplicationId"]
    assert "MessageGroupId" not in to_topic(TOPIC, RESULT)


@pytest.mark.parametrize(
    ("deployment", "resources"),
    [("d-1", []), ("arn:aws:ecs:eu-west-1:1:service-deployment/a/b/c",) * 2],
    ids=["id", "arn"],
)
def test_an_event_names_its_source_and_resource(deployment: str, resources: object) -> None:
    (entry,) = to_bus(BUS, replace(RESULT, deployment=deployment))["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("greenroom", "Greenroom Verdict")
    assert entry["EventBusName"] == BUS
    assert entry["Resources"] == ([resources] if resources else [])
    told = json.loads(entry["Detail"])
    assert (told["verdict"], told["link"], told["status"]) == ("do-not-ship", LINK, "Failed")


def test_a_message_without_end_is_cut_to_what_sns_takes() -> None:
    members = to_topic(TOPIC, ENDLESS, (LONG,) * 99)
    attributes = json.dumps(members["MessageAttributes"])
    assert len(members["Message"].encode()) + len(attributes) <= 256 * 1024
    assert len(members["Subject"]) < 100
    assert "more, in the run record" in detail(ENDLESS)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_readable(text: str) -> None:
    answer = replace(RESULT.answer, reasons=(text,))
    told = replace(RESULT, answer=answer, application=text)
    assert body(told).encode()
    assert "\x1b" not in body(told)
    assert json.loads(detail(told))["reasons"] == [text]


@given(texts(), texts())
def test_any_subject_fits(application: str, event: str) -> None:
    line = subject(replace(RESULT, application=application, event=event))
    assert len(line) <= 99
    assert line.isascii()
    assert line.isprintable()
