"""Scanners that Greenroom starts: what each wrote of a service, and what that proves."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.allowed import Allowed
from greenroom.plugins.scan_tools import SCANNERS
from greenroom.validators.errors import GreenroomError, ServiceError, ToolError
from greenroom.validators.result import Severity
from greenroom.validators.vocabulary import Outcome
from tests.support.scanners import RECORDED, scan, scanned, sent, stand_in
from tests.support.servers import json_reply, refused_url, serving

if TYPE_CHECKING:
    from collections.abc import Callable

NO_SCAN = {
    "schemathesis: server down": ("schemathesis", "schemathesis-down", 2, "Schema Loading Error"),
    "schemathesis: died meanwhile": ("schemathesis", "schemathesis-died", 0, "server unavailable"),
    "wapiti: server down": ("wapiti", "wapiti-down", 0, "crawled 0 pages"),
    "wapiti: wrong path": ("wapiti", "wapiti-wrong-path", 0, "was served: 404"),
    "sslyze: server down": ("sslyze", "sslyze-down", 0, "Server rejected the connection"),
    "testssl: server down": ("testssl", "testssl-down", 0, "Can't connect to '127.0.0.1:9'"),
    "a status of its own": ("wapiti", "wapiti-up", 3, "wapiti failed: exit status 3"),
    "no report": ("wapiti", "no-such-file", 0, "wapiti wrote no report"),
}


@pytest.mark.parametrize(("tool", "name", "status", "why"), NO_SCAN.values(), ids=NO_SCAN)
def test_what_proves_no_scan_is_an_error(
    tool: str, name: str, status: int, why: str, tmp_path: Path
) -> None:
    try:
        finding = scanned(
            tmp_path, tool, RECORDED / f"{name}.json", status=status, expect="max_score >= 0"
        )
    except ToolError as error:
        seen = str(error)
    else:
        assert finding.outcome is Outcome.ERROR
        seen = finding.seen
    assert why in seen


@pytest.mark.parametrize("tool", SCANNERS)
def test_a_server_that_is_down_is_an_error_before_any_scan(tool: str, tmp_path: Path) -> None:
    programs = stand_in(tmp_path, SCANNERS[tool].programs[-1], RECORDED / "wapiti-up.json")
    with pytest.raises(ServiceError, match="accepts no connection before the scan"):
        sent(tmp_path, scan(tool), refused_url(), programs)
    assert not (tmp_path / "asked").exists()


def test_a_server_that_dies_of_the_scan_is_an_error(tmp_path: Path) -> None:
    answers = iter([None, OSError(111, "Connection refused")])

    def connect(*_: object) -> Any:  # noqa: ANN401 - a socket, or what stands for one
        if (answer := next(answers)) is not None:
            raise answer
        return _Closed()

    programs = stand_in(tmp_path, "wapiti", RECORDED / "wapiti-up.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socket.create_connection", connect)
        with pytest.raises(ServiceError, match="after the scan: it may have died of it"):
            sent(tmp_path, scan("wapiti"), "http://127.0.0.1:1", programs)


class _Closed:
    def close(self) -> None:
        """Be a connection."""


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("schemathesis-empty", Outcome.INCONCLUSIVE),
        ("schemathesis-skipped", Outcome.INCONCLUSIVE),
        ("schemathesis-unauthorized", Outcome.ERROR),
        ("schemathesis-not-found", Outcome.ERROR),
    ],
)
def test_operations_that_were_not_really_tested_prove_nothing(
    name: str, outcome: Outcome, tmp_path: Path
) -> None:
    finding = scanned(
        tmp_path, "schemathesis", RECORDED / f"{name}.json", status=2, expect="max_score >= 0"
    )
    assert finding.outcome is outcome
    assert finding.evidence[0].amount == 0


def _all_skipped(said: dict[str, Any]) -> None:
    said["operations"] |= {"tested": 2}
    said["test_cases"]["generated"] = 0
    said["failures"] = []


def _without_failures(said: dict[str, Any]) -> None:
    said["failures"] = []


@pytest.mark.parametrize(
    ("change", "outcome"),
    [(_all_skipped, Outcome.INCONCLUSIVE), (_without_failures, Outcome.PASSED)],
    ids=["all skipped", "tested"],
)
def test_operations_count_by_the_requests_of_them(
    change: Callable[[dict[str, Any]], None], outcome: Outcome, tmp_path: Path
) -> None:
    said = json.loads((RECORDED / "schemathesis-failures.json").read_text(encoding="utf-8"))
    change(said)
    (tmp_path / "report.json").write_text(json.dumps(said), encoding="utf-8")
    assert scanned(tmp_path, "schemathesis", tmp_path / "report.json").outcome is outcome


def test_a_service_that_redirects_all_requests_elsewhere_was_not_examined(tmp_path: Path) -> None:
    said = (RECORDED / "wapiti-up.json").read_text(encoding="utf-8")
    (tmp_path / "said.json").write_text(said.replace('"status_code": 200', '"status_code": 302'))
    with pytest.raises(ToolError, match="no page that wapiti crawled was served: 302"):
        scanned(tmp_path, "wapiti", tmp_path / "said.json")


def test_a_status_that_tells_of_results_needs_results(tmp_path: Path) -> None:
    said = json.loads((RECORDED / "schemathesis-failures.json").read_text(encoding="utf-8"))
    _without_failures(said)
    (tmp_path / "report.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(ToolError, match="reports no result, but exit status 1"):
        scanned(tmp_path, "schemathesis", tmp_path / "report.json", status=1)


@pytest.mark.parametrize("tool", SCANNERS)
def test_a_report_that_was_cut_short_is_an_error(tool: str, tmp_path: Path) -> None:
    name = {"schemathesis": "failures"}.get(tool, "up")
    whole = (RECORDED / f"{tool}-{name}.json").read_bytes()
    (tmp_path / "cut.json").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ToolError, match="not JSON, or cut short"):
        scanned(tmp_path, tool, tmp_path / "cut.json")


EXAMINED = {
    "schemathesis": ("schemathesis-failures", 1, (2, "operations", "4.32.5"), 3),
    "wapiti": ("wapiti-up", 0, (4, "pages", "3.2.3"), 6),
    "sslyze": ("sslyze-up", 0, (15, "TLS tests", "6.3.1"), 1),
    "testssl": ("testssl-up", 1, (16, "TLS tests", "3.0.8"), 9),
}


@pytest.mark.parametrize("tool", EXAMINED)
def test_a_scan_says_how_much_it_examined_and_what_it_found(tool: str, tmp_path: Path) -> None:
    name, status, examined, results = EXAMINED[tool]
    finding = scanned(tmp_path, tool, RECORDED / f"{name}.json", status=status)
    [evidence] = finding.evidence
    assert finding.outcome is Outcome.FAILED
    assert (evidence.amount, evidence.what, evidence.version) == examined
    assert len(finding.results) == results
    assert len({result.fingerprint for result in finding.results}) == results


def _sslyze(**commands: dict[str, Any]) -> str:
    """Return what sslyze says where its scan commands had these results."""
    said = json.loads((RECORDED / "sslyze-up.json").read_text(encoding="utf-8"))
    for name, result in commands.items():
        said["server_scan_results"][0]["scan_result"][name] |= result
    return json.dumps(said)


def _completed(**result: object) -> dict[str, Any]:
    return {"status": "COMPLETED", "result": result}


VALIDATED = _completed(
    certificate_deployments=[{"path_validation_results": [{"was_validation_successful": True}]}]
)
SHA1 = {"verified_chain_has_sha1_signature": True, "path_validation_results": []}
RC4 = {"cipher_suite": {"name": "TLS_RSA_WITH_RC4_128_SHA", "is_anonymous": False}}
TLS = {
    "SSL 2": ("ssl_2_0_cipher_suites", {"is_tls_version_supported": True}, ["ssl-2-0 critical"]),
    "TLS 1.1": ("tls_1_1_cipher_suites", {"is_tls_version_supported": True}, ["tls-1-1 medium"]),
    "TLS 1.2": ("tls_1_2_cipher_suites", {"is_tls_version_supported": True}, []),
    "RC4": ("tls_1_2_cipher_suites", {"accepted_cipher_suites": [RC4]}, ["weak-cipher high"]),
    "heartbleed": ("heartbleed", {"is_vulnerable_to_heartbleed": True}, ["heartbleed critical"]),
    "robot": ("robot", {"robot_result": "VULNERABLE_WEAK_ORACLE"}, ["robot high"]),
    "downgrade": (
        "tls_fallback_scsv",
        {"supports_fallback_scsv": False},
        ["tls-fallback-scsv low"],
    ),
    "SHA-1": (
        "certificate_info",
        {"certificate_deployments": [SHA1]},
        ["certificate high", "certificate-sha1 medium"],
    ),
}


@pytest.mark.parametrize(("command", "result", "ids"), TLS.values(), ids=TLS)
def test_bad_settings_of_tls_are_results(
    command: str, result: dict[str, Any], ids: list[str], tmp_path: Path
) -> None:
    said = _sslyze(**{"certificate_info": VALIDATED, command: _completed(**result)})
    (tmp_path / "said.json").write_text(said, encoding="utf-8")
    finding = scanned(tmp_path, "sslyze", tmp_path / "said.json")
    assert [f"{one.id} {one.severity.value}" for one in finding.results] == ids


def test_a_test_of_tls_that_failed_is_an_error(tmp_path: Path) -> None:
    failed = {"status": "ERROR", "error_reason": "CONNECTIVITY_ISSUE", "result": None}
    said = _sslyze(certificate_info=VALIDATED, robot=failed)
    (tmp_path / "said.json").write_text(said, encoding="utf-8")
    finding = scanned(tmp_path, "sslyze", tmp_path / "said.json")
    assert finding.outcome is Outcome.ERROR
    assert "robot: CONNECTIVITY_ISSUE" in finding.seen


def test_a_configuration_that_was_asked_for_and_is_missed_is_a_result(tmp_path: Path) -> None:
    (tmp_path / "said.json").write_text(_sslyze(certificate_info=VALIDATED), encoding="utf-8")
    words = "echo '        * ciphers: Cipher suites are supported, but should be rejected.'"
    finding = scanned(tmp_path, "sslyze", tmp_path / "said.json", status=1, after=words)
    [result] = finding.results
    assert (result.id, result.severity) == ("mozilla-ciphers", Severity.MEDIUM)


def test_no_server_is_no_scan(tmp_path: Path) -> None:
    (tmp_path / "said.json").write_text('{"server_scan_results": []}', encoding="utf-8")
    with pytest.raises(ToolError, match="scanned no server"):
        scanned(tmp_path, "sslyze", tmp_path / "said.json")


def test_a_weakness_has_severity_place_link_and_advice(tmp_path: Path) -> None:
    finding = scanned(tmp_path, "wapiti", RECORDED / "wapiti-up.json")
    worst = finding.results[0]
    assert (worst.id, worst.severity) == ("reflected-cross-site-scripting", Severity.MEDIUM)
    assert worst.location is not None
    assert worst.location.file.endswith("/page")
    assert "parameter q" in worst.message
    assert worst.link.startswith("https://owasp.org/")
    assert worst.advice


def test_a_test_that_could_not_be_done_counts_and_can_be_waived(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(
        "version: 1\nwaivers:\n"
        "  - {id: sessionresumption_ticket, reason: no tickets, expires: 2999-01-01}\n"
    )
    finding = scanned(
        tmp_path,
        "{tool: testssl, waivers: w.yaml}",
        RECORDED / "testssl-up.json",
        expect="unknown == 0",
    )
    assert finding.outcome is Outcome.PASSED
    assert "could not be tested" in next(r.message for r in finding.results if r.why)


def test_the_tool_works_in_an_empty_folder_with_a_scrubbed_environment(tmp_path: Path) -> None:
    node = '{tool: wapiti, at: /app, arguments: [--cookie, "{root}/c.json"]}'
    scanned(tmp_path, node, RECORDED / "wapiti-up.json", after=f"ls -A > {tmp_path}/listed")
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    environment = (tmp_path / "environment").read_text(encoding="utf-8")
    assert f"{tmp_path.absolute()}/c.json" in asked
    assert (tmp_path / "listed").read_text(encoding="utf-8") == ""
    assert asked[-1].endswith("/app")
    assert "SECRET_OF_OTHERS" not in environment
    assert f"HOME={tmp_path}" not in environment


def test_a_document_below_the_target_is_asked_for_and_a_file_is_given(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text("{}")
    scanned(tmp_path, "schemathesis", RECORDED / "schemathesis-failures.json", status=1)
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[-1].endswith("/openapi.json")
    assert "--url" not in asked
    node = "{tool: schemathesis, schema: api.json}"
    scanned(tmp_path, node, RECORDED / "schemathesis-failures.json", status=1)
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[-1] == str((tmp_path / "api.json").absolute())
    assert asked[-3] == "--url"


REFUSED = {
    "not allowed": ("wapiti", "http://green.example.com", "not marked as a target that security"),
    "no TLS": ("sslyze", "http://127.0.0.1:1", "serves no TLS"),
    "no HTTP": ("wapiti", "lambda://f:1", "is no target for security checks"),
    "no target": ("wapiti", "", "has no target"),
    "no tool": ("testssl", "https://127.0.0.1:1", "testssl is not installed"),
}


@pytest.mark.parametrize(("tool", "target", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_or_may_not_be_scanned_is_said(
    tool: str, target: str, why: str, tmp_path: Path
) -> None:
    allow = Allowed(security=("lambda://*",))
    with serving(lambda _: json_reply({})) as server:
        here = target.replace("127.0.0.1:1", server.url.removeprefix("http://"))
        with pytest.raises(GreenroomError, match=why):
            sent(tmp_path, scan(tool), here, tmp_path, allow)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tool", "outcome"), [("schemathesis", Outcome.INCONCLUSIVE), ("wapiti", Outcome.PASSED)]
)
def test_the_installed_tool_is_really_run(tool: str, outcome: Outcome, tmp_path: Path) -> None:
    program = shutil.which(tool, path=f"{sys.prefix}/{tool}/bin") or shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not installed: `make scanners` does it")
    with serving(lambda _: json_reply({"openapi": "3.0.3", "info": {}, "paths": {}})) as server:
        finding = sent(tmp_path, scan(tool, "error == 0"), server.url, Path(program).parent)
    assert finding.outcome is outcome
    assert finding.evidence[0].version
