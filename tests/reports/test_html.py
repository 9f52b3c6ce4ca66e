"""The HTML page's structure: what it answers, in which order, and that nothing in it can run."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from greenroom.reports import html
from greenroom.validators.evidence import Evidence
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Gate, Kind, Outcome
from greenroom.validators.waiver import Waiver
from tests.support.page import Element, parse
from tests.support.records import BYPASS, HOSTILE, check, record, records

if TYPE_CHECKING:
    from greenroom.validators.record import Check, RunRecord

EXCHANGE: dict[str, Any] = {
    "request": {
        "method": "POST",
        "url": "http://127.0.0.1:8081/api",
        "headers": [["authorization", "[redacted]"]],
        "body": "question=1",
    },
    "response": {
        "status": 500,
        "headers": [["server", "uvicorn"]],
        "body": "Internal Server Error",
        "body_bytes": 9_000,
        "truncated": True,
    },
    "error": None,
    "elapsed_ms": 12.4,
    "started": "2026-11-23T00:53:12+00:00",
}


HEADINGS = ("h1", "h2", "h3", "h4")


def page(run: RunRecord) -> Element:
    return parse(html.render(run))


def failing(name: str = "fails", **changes: Any) -> Check:  # noqa: ANN401 - any field of a check
    return check(name, Outcome.FAILED, **changes)


def judged(name: str, *rules: Rule) -> Check:
    proof = (Evidence("requests", 12, "locust", "2.43", "2026-11-23T00:53:12+00:00"),)
    return check(name, finding=Finding.judged(rules, proof), kind=Kind.LOAD)


def cells(row: Element) -> list[str]:
    return [cell.text for cell in row.inside if isinstance(cell, Element)]


def facts(element: Element) -> dict[str, str]:
    names, values = element.all("dt"), element.all("dd")
    return {name.text: value.text for name, value in zip(names, values, strict=True)}


@pytest.mark.parametrize(
    ("run", "words", "why"),
    [
        (record([check()]), "SHIP", "Every gate rule was met: 1 check passed on evidence."),
        (
            record([check(), failing(gate=Gate.WARN)]),
            "SHIP",
            "Every gate rule was met: 1 check passed on evidence (1 warned).",
        ),
        (record([check(), failing()]), "DO NOT SHIP", "1 blocking check failed."),
        (
            record([check(), failing()], complete=False),
            "DO NOT SHIP",
            "1 blocking check failed and the run did not finish.",
        ),
        (
            record([check(), check("e", Outcome.ERROR)], problems=("worker crashed",)),
            "COULD NOT DECIDE",
            (
                "No blocking check failed, but the run had 1 problem and 1 blocking check proved "
                "nothing."
            ),
        ),
        (
            record([check()], expected=Expected(("a", "b"), {Kind.LOAD: 2})),
            "COULD NOT DECIDE",
            (
                "No blocking check failed, but 2 selected checks gave no result and "
                "the run missed 1 expected minimum."
            ),
        ),
        (
            record([check(gate=Gate.WARN)]),
            "COULD NOT DECIDE",
            "No blocking check failed, but no blocking check passed on evidence.",
        ),
    ],
    ids=["ship", "warned", "failed", "failed-unfinished", "unproved", "missing", "nothing"],
)
def test_the_band_gives_the_verdict_and_one_sentence_why(
    run: RunRecord, words: str, why: str
) -> None:
    shown = page(run)
    band = shown.one("header")
    assert (band.one("h1").text, band.one("p", class_="why").text) == (words, why)
    assert shown.one("title").text.startswith(f"{words} · trivia-api · 4f1c2ab")


def test_the_band_says_what_was_validated_and_what_was_reported() -> None:
    run = record(
        [check()],
        release={"app": "trivia", "version": "7", "event": "AfterAllowTestTraffic"},
        environment={"target": "http://x"},
        reported={"to": "CodeDeploy", "status": "Succeeded", "at": "2026-11-23T00:55:22Z"},
    )
    assert facts(page(run).one("header")) == {
        "Application": "trivia",
        "Revision": "7",
        "Environment": "http://x",
        "Event": "AfterAllowTestTraffic",
        "Finished": "2026-11-23 00:55:21 UTC",
        "Duration": "2 min 9 s",
        "Reported": "Succeeded to CodeDeploy at 2026-11-23 00:55:22 UTC",
    }


@pytest.mark.parametrize(
    ("reported", "words"),
    [
        ({"to": "ECS", "status": "SUCCEEDED"}, "SUCCEEDED to ECS"),
        ({"hookStatus": "FAILED", "code": 1}, "hookStatus: FAILED, code: 1"),
    ],
)
def test_a_report_of_another_shape_is_shown_as_it_is(reported: dict[str, Any], words: str) -> None:
    assert facts(page(record([check()], reported=reported)).one("header"))["Reported"] == words


def test_at_most_five_reasons_link_to_what_explains_them() -> None:
    shown = page(record([check(), *(failing(f"f{n}") for n in range(8))]))
    links = shown.one("ol", class_="reasons").all("a")
    assert len(links) == 5
    assert shown.one("p", class_="more").text == "and 3 more, in the lists below"
    for link in links:
        detail = shown.one(id_=link.attributes["href"].removeprefix("#"))
        assert facts(detail)["Check"].endswith(link.text.split(": ")[1])


@pytest.mark.parametrize(
    ("run", "anchor"),
    [
        (record([check()], problems=("disk full",)), "#problems"),
        (record([check()], expected=Expected(kinds={Kind.LOAD: 1})), "#r6"),
        (record([check()], complete=False), "#rules"),
    ],
    ids=["problem", "minimum", "unfinished"],
)
def test_a_reason_of_the_run_links_to_its_rule(run: RunRecord, anchor: str) -> None:
    shown = page(run)
    hrefs = [link.attributes["href"] for link in shown.one("ol", class_="reasons").all("a")]
    assert hrefs == [anchor]
    assert len(shown.all(id_=anchor[1:])) == 1


def test_every_rule_is_listed_met_or_not() -> None:
    load = judged(
        "load", Rule("p95", "< 300ms", "292ms", met=True), Rule("rps", ">= 5", "3", met=False)
    )
    rules = page(record([check(), load])).one("section", id_="rules")
    assert ["blocking checks that failed", "0", "1", "missed"] in map(cells, rules.all("tr"))
    assert ["run", "finished without problems", "finished, 0 problems", "met"] in map(
        cells, rules.all("tr")
    )
    assert ["rps load", ">= 5", "3", "missed"] in map(cells, rules.all("tr"))
    assert ["p95 load", "< 300ms", "292ms", "met"] in map(cells, rules.one("details").all("tr"))


def test_a_rule_that_could_not_be_observed_is_not_met() -> None:
    shown = page(record([judged("load", Rule("p95", "< 300ms", "no samples", None))]))
    row = ["p95 load", "< 300ms", "no samples", "not observed"]
    assert row in map(cells, shown.one("section", id_="rules").all("tr"))


@pytest.mark.parametrize(("met", "words"), [(True, "and 50 more,"), (False, "and 50 more that")])
def test_rules_beyond_a_page_are_counted(met: bool, words: str) -> None:  # noqa: FBT001 - a case
    rules = tuple(Rule(f"r{n}", "1", "1", met) for n in range(250))
    shown = page(record([judged("many", *rules)])).one("section", id_="rules")
    assert any(note.text.startswith(words) for note in shown.all("p", class_="note"))


def test_the_stage_matrix_counts_each_state_once() -> None:
    waiver = Waiver("*", "known", date(2026, 12, 31))
    run = record(
        [
            check(),
            failing(),
            check("e", Outcome.ERROR),
            failing("w", gate=Gate.WARN),
            failing("v", waiver=waiver),
            check("s", Outcome.INCONCLUSIVE, skipped="no docker"),
            check("s2", Outcome.INCONCLUSIVE, skipped=""),
        ],
        expected=Expected(kinds={Kind.LOAD: 1}),
    )
    stages = page(run).one("section", id_="stages")
    assert [cells(row) for row in stages.all("tr")][1:] == [
        ["smoke environment", "1", "1", "1", "1", "1", "2", "84 ms"],
        ["load environment at least 1", "0", "0", "0", "0", "0", "0", "0 ms"],
    ]
    assert [item.text for item in stages.one("ul").all("li")] == [
        "no docker 1 check",
        "no reason given 1 check",
    ]


def test_checks_come_worst_first_with_one_line_each() -> None:
    run = record(
        [
            check("fine"),
            failing("warns", gate=Gate.WARN),
            check("breaks", Outcome.ERROR),
            check("thin", Outcome.INCONCLUSIVE),
            failing("fails"),
        ]
    )
    rows = [row.text for row in page(run).one("ol", id_="list").all("li")]
    assert [row.split()[0] for row in rows] == [
        "failed",
        "could",
        "inconclusive",
        "warned",
        "passed",
    ]
    assert rows[0].startswith("failed fails status 500 smoke 12 ms")
    assert rows[-1] == "passed fine 1 requests smoke 12 ms"


@pytest.mark.parametrize(
    ("gate", "word"), [(Gate.BLOCK, "skipped, blocks"), (Gate.WARN, "skipped")]
)
def test_a_skipped_check_says_whether_it_keeps_the_gate_shut(gate: Gate, word: str) -> None:
    run = record([check(), check("s", Outcome.INCONCLUSIVE, skipped="no docker", gate=gate)])
    marks = [mark.text for mark in page(run).all("b", class_="mark")]
    assert sorted(marks) == ["passed", word]


def test_several_misses_are_counted_in_the_row() -> None:
    load = judged("load", Rule("p95", "< 1s", "2s", met=False), Rule("rps", ">= 5", "3", met=False))
    row = page(record([load])).one("ol", id_="list").one("summary")
    assert "p95: expected < 1s, seen 2s (and 1 more)" in row.text


def test_the_details_of_a_failure_say_all_there_is() -> None:
    finding = Finding(
        Outcome.FAILED,
        "status 200",
        "status 500",
        (Evidence("requests", 3, "httpx", "0.28.1", "2026-11-23T00:53:12Z"),),
        advice="read the log",
    )
    found = check(
        "answers [a b]",
        id="tests/test_api.py::test_it[a b]",
        finding=finding,
        exchanges=(EXCHANGE,),
        log="ERROR: KeyError",
        tags=("smoke", "read-only"),
        worker="gw1",
        waiver=Waiver("test_*", "fixed in 2.0", date(2026, 12, 31)),
    )
    detail = page(record([check(), found])).one("div", class_="detail")
    assert facts(detail.one("dl")) == {
        "Expected": "status 200",
        "Seen": "status 500",
        "What to do": "read the log",
        "Waiver": "fixed in 2.0 (until 2026-12-31, for test_*)",
        "Evidence": "3 requests (httpx 0.28.1) at 2026-11-23 00:53:12 UTC",
        "Check": "tests/test_api.py::test_it[a b]",
        "Source": "tests/test_api.py:7",
        "Gate": "block",
        "Stage": "environment, smoke, on worker gw1",
        "Tags": "smoke, read-only",
        "Run it alone": "pytest 'tests/test_api.py::test_it[a b]'",
    }
    assert detail.one("pre", class_="log").text == "ERROR: KeyError"


def test_an_exchange_shows_both_sides_and_a_curl_line() -> None:
    shown = page(record([check(exchanges=(EXCHANGE,))])).one("section", class_="exchange")
    assert shown.one("h3").text == "POST http://127.0.0.1:8081/api answered 500 after 12 ms"
    request, response, command = (pre.text for pre in shown.all("pre"))
    assert request == "authorization: [redacted] question=1"
    assert response.startswith("server: uvicorn Internal Server Error")
    assert response.endswith("(cut in the record; the body had 9000 bytes)")
    assert "--data-raw question=1 --url http://127.0.0.1:8081/api" in command


def test_an_exchange_without_an_answer_says_why() -> None:
    refused = EXCHANGE | {"response": None, "error": "connect: refused"}
    shown = page(record([failing(exchanges=(refused,))])).one("section", class_="exchange")
    assert shown.one("h3").text.endswith("no answer after 12 ms: connect: refused")


@pytest.mark.parametrize("odd", [{}, {"request": "GET"}, {"response": {"body": {"a": 1}}}])
def test_an_exchange_of_another_shape_is_shown_as_far_as_it_goes(odd: dict[str, Any]) -> None:
    assert page(record([check(exchanges=(odd,))])).one("section", class_="exchange").text


def test_only_the_last_exchanges_are_shown() -> None:
    shown = page(record([failing(exchanges=(EXCHANGE,) * 25)])).one("div", class_="detail")
    assert len(shown.all("section", class_="exchange")) == 20
    assert shown.one("p", class_="note").text == "5 earlier exchanges are in run.json"


def test_checks_with_one_id_keep_places_of_their_own() -> None:
    shown = page(record([failing(), failing()]))
    ids = [element.attributes["id"] for element in shown.all("div", class_="detail")]
    assert len(set(ids)) == 2


def test_a_deployment_is_drawn_with_its_counters() -> None:
    deployment = {
        "deployment_id": "d-1",
        "status": "Failed",
        "error": {"code": "HOOK_EXECUTION_FAILURE", "message": "the hook failed"},
        "events": [{"name": "Install", "status": "Succeeded", "start_s": 0, "end_s": 2}],
        "traffic": [{"at_s": 1, "replacement": 10}],
        "hooks": [{"event": "Install", "verdict": "do-not-ship", "report": "report.html"}],
        "requests": {"replacement_before_gate": 0},
    }
    shown = page(record([check()], deployment=deployment)).one("section", id_="deployment")
    assert "HOOK_EXECUTION_FAILURE: the hook failed" in shown.text
    assert facts(shown)["by the replacement before the gate opened"] == "0"
    assert cells(shown.all("tr")[1]) == [
        "Install", "Succeeded hook: do not ship its report", "", "0 ms", "2.0 s",
    ]  # fmt: skip
    assert len(shown.all("path", class_="area")) == 1


def test_the_footer_says_how_the_run_was_made() -> None:
    footer = page(record([check()], environment={"command": "pytest x", "python": "3.12"}))
    shown = footer.one("footer")
    assert facts(shown)["python"] == "3.12"
    assert (facts(shown)["Run"], facts(shown)["Schema"]) == ("run-1", "greenroom.run/1")
    assert shown.one("pre").text == "pytest x"


def test_the_footer_says_what_no_check_saw_of_a_contract() -> None:
    contract = {
        "document": "api.yaml",
        "operations": 3,
        "never_exercised": ["POST /orders", "GET /orders"],
        "never_seen": ["GET /books 200 $[*].isbn"],
    }
    shown = facts(page(record([check()], environment={"contracts": [contract]})).one("footer"))
    assert shown["drift"] == (
        "api.yaml: 2 of 3 operations never exercised (POST /orders, GET /orders); "
        "1 field never seen (GET /books 200 $[*].isbn)"
    )
    assert "contracts" not in shown


def test_an_empty_unfinished_run_is_a_page_too() -> None:
    shown = page(record(complete=False, finished="", environment={}))
    assert shown.one("h1").text == "COULD NOT DECIDE"
    assert shown.one("ol", id_="list").text == "No check ran."


@given(records())
def test_any_record_becomes_a_page_of_closed_elements(run: RunRecord) -> None:
    text = html.render(run)
    shown = parse(text)
    assert text.encode()
    assert len(shown.all("script")) == len(shown.all("style")) == 1
    for element in shown.all():
        assert not [name for name in element.attributes if name.startswith("on")]
        assert not {"style", "src", "action"} & set(element.attributes)
        assert re.fullmatch(
            "#.*|([A-Za-z0-9_.-]+/)*report.html", element.attributes.get("href", "#")
        )
    ids = [element.attributes["id"] for element in shown.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_adds_no_element(text: str) -> None:
    def tags(word: str) -> list[str]:
        run = record([failing(word, log=word, exchanges=(EXCHANGE,))], problems=(word,))
        return [element.tag for element in page(run).all()]

    assert tags(f"x{text}") == tags("x")


@pytest.mark.parametrize(("tag", "directive"), [("style", "style-src"), ("script", "script-src")])
def test_the_policy_allows_nothing_but_the_inlined_assets(tag: str, directive: str) -> None:
    text = html.render(record([check()]))
    shown = parse(text)
    asset = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    digest = base64.b64encode(hashlib.sha256(asset.encode()).digest()).decode()
    policy = next(meta for meta in shown.all("meta") if "http-equiv" in meta.attributes)
    rules = policy.attributes["content"].split("; ")
    assert rules[0] == "default-src 'none'"
    assert f"{directive} 'sha256-{digest}'" in rules


def test_headings_descend_without_gaps() -> None:
    shown = page(record([failing(log="x", exchanges=(EXCHANGE,))], problems=("p",)))
    levels = [int(element.tag[1]) for element in shown.all() if element.tag in HEADINGS]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))


def test_a_megabyte_in_one_line_does_not_swell_the_page() -> None:
    finding = Finding(Outcome.FAILED, "little", "x" * 1_000_000)
    text = html.render(record([check("big", finding=finding)]))
    assert len(text) < 100_000
    assert "more characters)" in text


def test_sixty_one_checks_fit_in_150_kilobytes() -> None:
    passing = [check(f"check {n}", exchanges=(EXCHANGE,)) for n in range(35)]
    broken = [failing(f"broken {n}", exchanges=(EXCHANGE,), log="line\n" * 12) for n in range(6)]
    plain = [check(f"plain {n}") for n in range(20)]
    assert len(html.render(record([*passing, *broken, *plain])).encode()) <= 150_000


def test_a_bypass_is_named_before_the_verdict_and_in_the_title() -> None:
    shown = page(record(bypass=BYPASS))
    assert shown.one("title").text.startswith("BYPASSED · COULD NOT DECIDE · trivia-api")
    assert shown.one("body").attributes["class"] == "bypassed"
    first, second, third = (part.text for part in shown.one("div", id_="bypass").all("p"))
    assert first == "Bypassed by operator until 2026-11-23 02:00:00 UTC"
    assert second == "the payment provider is down, see INC-42"
    assert third == f"since 2026-11-23 00:00:00 UTC · {BYPASS.arn}"
    assert shown.one("p", class_="why").text == (
        "A person opened this gate: no check ran, so nothing is known of this version."
    )
    assert shown.one("ol", class_="reasons").all("a")[0].attributes["href"] == "#bypass"


def test_a_run_that_was_bypassed_although_checks_ran_says_both() -> None:
    shown = page(record([check()], bypass=BYPASS))
    assert shown.one("p", class_="why").text == (
        "No blocking check failed, but the gate was bypassed."
    )


def test_a_run_without_a_bypass_does_not_speak_of_one() -> None:
    assert "bypass" not in page(record([check()])).one("body").text.lower()
