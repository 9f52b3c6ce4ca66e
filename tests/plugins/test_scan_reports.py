"""Reports of scanners that others ran: of this run, of this target, and with a proof of work."""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.allowed import Allowed
from greenroom.validators.errors import GreenroomError, ToolError
from greenroom.validators.result import Severity, State
from greenroom.validators.vocabulary import Outcome
from tests.support.scanners import RECORDED, nuclei, reported, scan, sent, zap

if TYPE_CHECKING:
    from pathlib import Path

ZAP = "{report: zap.json, format: zap, within: 5m}"
NUCLEI = "{report: nuclei.jsonl, log: nuclei.log, format: nuclei, within: 5m}"
SITE = {"@name": "http://127.0.0.1:8080", "alerts": []}
FAILURES = {
    "level": "Medium",
    "description": "Percentage of network failures",
    "statistic": "63",
    "key": "insight.network.failure",
}


def ago(**ages: float) -> str:
    return (datetime.now(UTC) - timedelta(**ages)).isoformat()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"site": []}, "is not of http://127.0.0.1:8080, but of no site: it reached nothing"),
        ({"site": [SITE | {"@name": "http://other"}]}, "but of http://other"),
        ({"site": None}, "has no site"),
        ({"created": ago(hours=2)}, "not of this run"),
        ({"created": "2020-01-01T00:00:00.236211400Z"}, "is of 2020-01-01T00:00:00"),
        ({"created": ago(hours=-2)}, "ahead of this machine's clock"),
        ({"created": "yesterday"}, "which is no time"),
    ],
    ids=[
        "no site",
        "another site",
        "no list",
        "old by its words",
        "ZAP's time",
        "future",
        "no time",
    ],
)
def test_a_zap_report_that_proves_nothing_is_an_error(
    changes: dict[str, object], why: str, tmp_path: Path
) -> None:
    zap(tmp_path, **changes)
    with pytest.raises(ToolError, match=why):
        reported(tmp_path, ZAP)


def test_a_site_of_which_nothing_is_told_is_inconclusive(tmp_path: Path) -> None:
    zap(tmp_path, site=[SITE], insights=[])
    assert reported(tmp_path, ZAP).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"insights": [FAILURES]}, "Percentage of network failures: 63"),
        ({"afPlanErrors": ["Job spider failed to access URL"]}, "Job spider failed to access URL"),
    ],
    ids=["insight", "plan"],
)
def test_failures_that_zap_itself_saw_are_an_error(
    changes: dict[str, object], why: str, tmp_path: Path
) -> None:
    zap(tmp_path, **changes)
    finding = reported(tmp_path, ZAP, "max_score >= 0")
    assert finding.outcome is Outcome.ERROR
    assert why in finding.seen


def test_a_zap_report_is_judged(tmp_path: Path) -> None:
    zap(tmp_path, created=ago(minutes=1))
    finding = reported(tmp_path, ZAP)
    worst, *_, false_positive = finding.results
    assert finding.outcome is Outcome.FAILED
    assert str(finding.evidence[0]) == "29 addresses (ZAP 2.17.0)"
    assert [result.id for result in finding.results] == ["40012", "10049-1", "10202"]
    assert (worst.severity, worst.advice) == (Severity.HIGH, "Validate all input.")
    assert worst.message == "Cross Site Scripting (Reflected) (CWE-79, GET, parameter q)"
    assert worst.link == "https://owasp.org/www-community/attacks/xss/"
    assert false_positive.state is State.WAIVED
    assert "hunter2" not in str(finding.to_json())


def test_without_insights_the_addresses_of_alerts_count(tmp_path: Path) -> None:
    zap(tmp_path, insights=[])
    assert reported(tmp_path, ZAP).evidence[0].amount == 2  # /search once, and /


def test_addresses_of_another_host_are_no_evidence_and_its_alerts_are_told(tmp_path: Path) -> None:
    seen = {"name": "a", "riskcode": "0", "instances": [{"uri": "http://other/", "method": "GET"}]}
    other = {"@name": "http://other", "alerts": [seen | {"riskcode": "3"}]}
    zap(tmp_path, site=[SITE | {"alerts": [seen]}, other], insights=[])
    finding = reported(tmp_path, ZAP)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "not judged: 1 alert of http://other" in finding.notes


def test_a_zap_report_in_sarif_is_judged(tmp_path: Path) -> None:
    (tmp_path / "zap.json").write_bytes((RECORDED / "zap-sarif.json").read_bytes())
    finding = reported(tmp_path, ZAP)
    [result] = finding.results
    assert finding.evidence[0].amount == 1
    assert result.message == "An attack. (CWE-79)"
    assert (result.advice, result.link) == (
        "Validate all input.",
        "https://owasp.org/www-community/attacks/xss/",
    )
    assert result.location is not None
    assert result.location.file == "http://127.0.0.1:8080/search"


def test_a_zap_report_in_sarif_without_results_is_inconclusive(tmp_path: Path) -> None:
    log = json.loads((RECORDED / "zap-sarif.json").read_text(encoding="utf-8"))
    log["runs"][0]["results"] = []
    (tmp_path / "zap.json").write_text(json.dumps(log))
    assert reported(tmp_path, ZAP).outcome is Outcome.INCONCLUSIVE


def test_an_old_file_is_refused(tmp_path: Path) -> None:
    file = zap(tmp_path)
    os.utime(file, (time.time() - 600,) * 2)
    with pytest.raises(ToolError, match="not of this run"):
        reported(tmp_path, ZAP)


STATS = '{{"requests": "{}", "errors": "{}", "templates": "104", "startedAt": ""}}\n'
DONE = "[INF] Scan completed in 5.1s. {} matches found.\n"
NUCLEI_ERRORS = {
    "no log": ("", "", "does not tell whether Nuclei examined anything"),
    "no stats": ("", "{cut\n" + DONE.format(0), "does not tell whether Nuclei examined anything"),
    "no request": ("", STATS.format(0, 0) + DONE.format(0), ""),
    "no answer": ("", STATS.format(40, 40) + DONE.format(0), "none of Nuclei's 40 requests"),
    "no end": ("", STATS.format(40, 0), "the log does not say that the scan was completed"),
    "lost lines": ("", STATS.format(40, 0) + DONE.format(2), "tells of 2 matches, .* holds 0"),
    "gave up": (
        "",
        STATS.format(40, 9)
        + "[INF] Skipped 127.0.0.1:8080 as found unresponsive\n"
        + DONE.format(0),
        "gave up 127.0.0.1:8080: unresponsive",
    ),
    "another host": (
        '{"template-id": "a", "host": "other:80", "matcher-status": false}',
        STATS.format(40, 0) + DONE.format(0),
        "results of another host: other",
    ),
    "not decided": (
        '{"template-id": "a", "error": "time-out", "matcher-status": false}',
        "",
        "1 templates were not decided: time-out",
    ),
    "no result of Nuclei": ('{"a": 1}', "", "is no result of Nuclei"),
    "cut short": ('{"template-id": "a', "", "not JSON, or cut short"),
}


@pytest.mark.parametrize(("lines", "log", "why"), NUCLEI_ERRORS.values(), ids=NUCLEI_ERRORS)
def test_a_nuclei_report_that_proves_nothing_does_not_pass(
    lines: str, log: str, why: str, tmp_path: Path
) -> None:
    nuclei(tmp_path, lines, log)
    try:
        finding = reported(tmp_path, NUCLEI)
    except ToolError as error:
        seen = str(error)
    else:
        assert finding.outcome in {Outcome.ERROR, Outcome.INCONCLUSIVE}
        seen = finding.seen
    assert re.search(why, seen)


def test_a_nuclei_report_is_judged_by_its_log(tmp_path: Path) -> None:
    nuclei(tmp_path)
    finding = reported(tmp_path, NUCLEI)
    [result] = finding.results
    assert str(finding.evidence[0]) == "399 requests (nuclei 3.4.10)"
    assert (result.id, result.severity, result.score) == ("git-config", Severity.MEDIUM, 5.3)
    assert result.message == "Git Configuration - Detect (CWE-200)"
    assert (result.link, result.advice) == ("https://owasp.org/git", "Do not serve .git.")


def test_templates_that_did_not_match_are_evidence_too(tmp_path: Path) -> None:
    lines = '{"template-id": "a", "host": "127.0.0.1:8080", "matcher-status": false}\n' * 3
    nuclei(tmp_path, lines, log="")
    finding = reported(tmp_path, NUCLEI)
    assert finding.outcome is Outcome.PASSED
    assert str(finding.evidence[0]) == "3 templates (nuclei)"


def test_other_formats_need_the_suites_own_proof(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(
        '{"pages": [1, 2], "issues": [{"id": "X1", "message": "bad"}]}'
    )
    node = (
        "{report: r.json, format: json, within: 1m, results: '$.issues[*]', "
        "evidence: {json: '$.pages[*]', what: pages}}"
    )
    finding = reported(tmp_path, node, target="")
    assert str(finding.evidence[0]) == "2 pages (r)"
    assert finding.results[0].fingerprint


COMMANDS = {
    "an older file": ("true", "not written by this run: zap.json"),
    "no file": ("rm zap.json", "no file zap.json was written"),
    "it failed": ("exit 2", "sh failed: exit status 2"),
}


@pytest.mark.parametrize(("script", "why"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_must_write_the_report(script: str, why: str, tmp_path: Path) -> None:
    zap(tmp_path)
    node = f'{{command: [sh, -c, "{script}"], report: zap.json, format: zap}}'
    with pytest.raises(ToolError, match=why):
        sent(tmp_path, scan(node), "http://127.0.0.1:8080", tmp_path)


def test_what_a_command_writes_is_judged_with_its_words_as_the_log(tmp_path: Path) -> None:
    nuclei(tmp_path)
    script = "cat nuclei.log >&2; cp nuclei.jsonl new.jsonl; exit 1"
    node = f'{{command: [sh, -c, "{script}"], report: new.jsonl, format: nuclei, ok: [0, 1]}}'
    work = scan(node)
    assert work.alone
    finding = sent(tmp_path, work, "http://127.0.0.1:8080", tmp_path)
    assert finding.evidence[0].amount == 399


def test_a_command_may_attack_only_what_is_allowed(tmp_path: Path) -> None:
    node = "{command: [sh, -c, 'touch ran'], report: r.json, format: zap}"
    with pytest.raises(GreenroomError, match="not marked as a target"):
        sent(tmp_path, scan(node), "http://green.example.com", tmp_path, Allowed())
    assert not (tmp_path / "ran").exists()


def test_a_report_that_is_too_large_is_refused(tmp_path: Path) -> None:
    zap(tmp_path)
    with pytest.raises(ToolError, match="has more than 10 bytes"):
        reported(tmp_path, "{report: zap.json, format: zap, within: 5m, most: 10B}")
