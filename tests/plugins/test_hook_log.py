"""The hook's log line: one line, bounded, clean, and metrics that CloudWatch takes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.plugins.hook_log import MAX_BYTES, line, note, write
from greenroom.plugins.hook_result import Seconds
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.reporting import Answer, Told
from greenroom.validators.vocabulary import Verdict
from tests.support.hook_results import LINK, RESULT
from tests.support.records import BYPASS, HOSTILE, texts

if TYPE_CHECKING:
    from greenroom.plugins.hook_result import HookResult

NOW = 1_574_109_732.004
NAME = {"type": "string", "minLength": 1, "maxLength": 255}
UNITS = ["Seconds", "Milliseconds", "Bytes", "Percent", "Count", "None"]

# The rules of CloudWatch's "Specification: Embedded metric format" that a schema can say.
EMBEDDED_METRICS: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 10**12, "maximum": 10**13},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": NAME,
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 9, "items": NAME},
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {"Name": NAME, "Unit": {"enum": UNITS}},
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def told(result: HookResult) -> dict[str, Any]:
    """Return the line's JSON once it has been held against the specification."""
    text = line(result, now=NOW)
    assert len(text.encode()) <= MAX_BYTES
    assert len(text.splitlines()) == 1
    document: dict[str, Any] = json.loads(text)
    jsonschema.validate(document, EMBEDDED_METRICS)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for dimension in (name for names in directive["Dimensions"] for name in names):
            value = document[dimension]
            assert 1 <= len(value) <= 255
            assert value.isascii()
            assert value.isprintable()
            assert not value.startswith((":", " "))
        for metric in directive["Metrics"]:
            assert type(document[metric["Name"]]) in {int, float}
    return document


def dimensions(document: dict[str, Any]) -> object:
    return document["_aws"]["CloudWatchMetrics"][0]["Dimensions"]


def test_the_line_says_what_was_decided_why_and_who_was_told() -> None:
    document = told(RESULT)
    assert (document["greenroom"], document["level"]) == ("hook", "INFO")
    assert document["verdict"] == "do-not-ship"
    assert document["reasons"] == list(RESULT.answer.reasons)
    assert document["told"] == {"to": "CodeDeploy", "status": "Failed", "result": "accepted"}
    assert document["status"] == "Failed"
    assert document["link"] == LINK
    assert (document["deployment"], document["execution_id"]) == ("d-1", "execution-1")
    assert (document["ending"], document["exit_status"]) == ("exited", 1)
    assert document["record"] == RESULT.record


def test_its_metrics_are_by_event_and_by_application_and_event() -> None:
    document = told(RESULT)
    assert document["_aws"]["Timestamp"] == 1_574_109_732_004
    assert document["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Greenroom"
    assert dimensions(document) == [["Event"], ["Application", "Event"]]
    assert (document["Event"], document["Application"]) == ("AfterAllowTestTraffic", "trivia-api")
    metrics = ("Ship", "Bypassed", "Errors", "Checks", "ChecksFailed")
    assert [document[name] for name in metrics] == [0, 0, 0, 4, 1]
    seconds = ("SuiteSeconds", "ReportSeconds", "HookSeconds")
    assert [document[name] for name in seconds] == [2.5, 0.25, 3.0]


@pytest.mark.parametrize(
    ("event", "application", "expected"),
    [
        ("", "", [[]]),
        ("AfterInstall", "", [["Event"]]),
        ("", "trivia-api", [["Application"]]),
        (" ", ":", [[]]),
    ],
    ids=["neither", "event", "application", "blank"],
)
def test_what_is_not_known_is_no_dimension(
    event: str, application: str, expected: list[list[str]]
) -> None:
    assert dimensions(told(replace(RESULT, event=event, application=application))) == expected


def test_a_number_that_is_not_known_is_left_out_and_no_zero() -> None:
    unknown = Seconds(suite=float("nan"), report=float("inf"))
    document = told(replace(RESULT, checks=None, failed=None, seconds=unknown))
    names = [metric["Name"] for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert names == ["Ship", "Bypassed", "Errors"]
    assert not {"Checks", "ChecksFailed", "SuiteSeconds", "ReportSeconds"} & set(document)


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, "INFO"),
        ({"told": None}, "ERROR"),
        ({"errors": ("already completed with another verdict",)}, "ERROR"),
        ({"bypass": BYPASS}, "WARN"),
        ({"bypass_refused": "expired"}, "WARN"),
    ],
    ids=["told", "nobody-told", "another-verdict", "bypassed", "refused-bypass"],
)
def test_the_level_tells_what_needs_a_person(change: dict[str, Any], level: str) -> None:
    document = told(replace(RESULT, **change))
    assert document["level"] == level
    assert document["Errors"] == (level == "ERROR")


def test_a_bypass_is_told_and_counted_and_no_ship() -> None:
    document = told(replace(RESULT, bypass=BYPASS))
    assert (document["bypassed"], document["Bypassed"], document["Ship"]) == (True, 1, 0)
    assert document["bypass"]["by"] == "operator"


def test_only_ship_without_a_bypass_counts_as_ship() -> None:
    good = replace(RESULT, answer=Answer(succeeded=True, verdict=Verdict.SHIP))
    assert told(good)["Ship"] == 1
    assert told(replace(good, bypass=BYPASS))["Ship"] == 0


@pytest.mark.parametrize("text", ["x" * 500_000, "\U0001f600" * 100_000, "\ud800\n" * 50_000])
def test_reasons_without_end_are_cut_and_the_line_says_so(text: str) -> None:
    answer = replace(RESULT.answer, reasons=(text,) * 500)
    reasons = told(replace(RESULT, answer=answer))["reasons"]
    assert reasons[0].endswith("more characters)")
    assert reasons[-1].endswith("more, in the run record")


def test_every_fact_is_cut() -> None:
    long = "\U0001f600" * 50_000
    told_long = Told(to=long, status=long, result=long)
    bypass = replace(BYPASS, by=long, arn=long, reason=long, expires=long, since=long)
    names = ("event", "application", "deployment", "execution_id", "record", "build", "ending")
    facts: dict[str, Any] = dict.fromkeys((*names, "bypass_refused"), long)
    answer = replace(RESULT.answer, reasons=(long,) * 99, link=long)
    told(
        replace(RESULT, answer=answer, told=told_long, bypass=bypass, errors=(long,) * 99, **facts)
    )


def test_no_secret_is_in_the_line_even_where_it_is_cut() -> None:
    secret = "hunter2-hunter2"  # noqa: S105 - the test's own
    answer = replace(RESULT.answer, reasons=("x" * 1_990 + secret, f"password {secret}"))
    bypass = replace(BYPASS, reason=f"because of {secret}")
    facts: dict[str, Any] = dict.fromkeys(("event", "application", "bypass_refused"), secret)
    facts |= {"errors": (secret,), "notes": {"seen": [secret]}, "bypass": bypass}
    text = json.dumps(told(replace(RESULT, answer=answer, **facts).redacted(Redactor([secret]))))
    assert "hunter2" not in text
    assert "password [redacted]" in text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_in_its_place(text: str) -> None:
    answer = replace(RESULT.answer, reasons=(text,))
    assert told(replace(RESULT, answer=answer, event=text))["reasons"] == [text]


@given(texts(), texts(), st.lists(texts(), max_size=3))
def test_whatever_is_said_the_line_is_one_valid_document(
    event: str, application: str, reasons: list[str]
) -> None:
    answer = replace(RESULT.answer, reasons=tuple(reasons))
    told(replace(RESULT, event=event, application=application, answer=answer))


def test_notes_beyond_the_lines_limit_are_left_out_and_the_line_says_so() -> None:
    notes = {str(number): "x" * 3_000 for number in range(100)}
    document = told(replace(RESULT, notes=notes))
    assert "notes" not in document
    assert document["left_out"] == "notes"


def test_notes_of_any_kind_are_told() -> None:
    notes = {"claim": "mine", "seen": [1, None], "until": date(2026, 11, 23), "first": True}
    assert told(replace(RESULT, notes=notes))["notes"] == {
        "claim": "mine",
        "seen": ["1", "None"],
        "until": "2026-11-23",
        "first": True,
    }


def test_without_secrets_a_result_stays_as_it_is() -> None:
    assert RESULT.redacted(Redactor()) is RESULT


def test_another_line_is_bounded_too(capsys: pytest.CaptureFixture[str]) -> None:
    note("announce", {"level": "ERROR", "problems": ["x" * 10_000] * 100})
    text = capsys.readouterr().out
    assert len(text) <= MAX_BYTES
    told_so = json.loads(text)
    assert (told_so["greenroom"], told_so["level"]) == ("announce", "ERROR")
    assert told_so["problems"][-1].endswith("more, in the run record")


def test_the_line_is_printed_in_one_piece(capsys: pytest.CaptureFixture[str]) -> None:
    write(RESULT, now=NOW)
    assert capsys.readouterr().out == f"{line(RESULT, now=NOW)}\n"
