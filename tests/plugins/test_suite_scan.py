"""What suite files may say of scans, and that the schema for editors says the same."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from greenroom.plugins import suite_scan
from greenroom.plugins.scan_report import ReportOrder, Written
from greenroom.plugins.scan_run import ToolOrder
from greenroom.plugins.scan_tools import SCANNERS
from greenroom.plugins.schema_command import schema_text
from greenroom.plugins.suite_kinds import KINDS
from greenroom.plugins.suite_yaml import Document, plain
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Kind, Stage
from tests.support.runs import run
from tests.support.scanners import scan, stand_in, zap
from tests.support.servers import json_reply, serving

VALIDATOR = jsonschema.Draft202012Validator(
    {"$ref": "#/$defs/scan", "$defs": json.loads(schema_text("suite"))["$defs"]}
)
OWN = json.loads(files("greenroom.plugins").joinpath("check_scan.schema.json").read_text())
REPORT = "report: r.json, format: zap"
ERRORS = {
    "unknown-tool": ("nikto", "unknown scanner 'nikto'"),
    "no-tool": ("{at: /x}", "scan names no tool"),
    "unknown-key": ("{tool: wapiti, argument: [x]}", "did you mean 'arguments'?"),
    "no-path": ("{tool: wapiti, at: x}", "at is no path below the target"),
    "no-format": ("{report: r.json, within: 5m}", "has no 'format'"),
    "format": ("{report: r.json, format: xml, within: 5m}", "unknown format 'xml'"),
    "any-age": (f"{{{REPORT}}}", "a report needs one of within and command"),
    "two-whens": (f"{{{REPORT}, within: 5m, command: [a]}}", "needs one of within and command"),
    "status": (f"{{{REPORT}, command: [a], ok: [256]}}", "must be a whole number"),
    "size": ("{tool: wapiti, most: 1}", "most must be a size"),
}
BEYOND_A_SCHEMA = {
    "absolute": ("{report: /r.json, format: zap, within: 5m}", "report is absolute"),
    "no-evidence": ("{report: r.json, format: sarif, within: 5m}", "has no 'evidence'"),
    "own-proof": (
        f"{{{REPORT}, within: 5m, evidence: {{files: [a]}}}}",
        "format zap takes no evidence",
    ),
}
VALID = {
    "name": "sslyze",
    "tool": "{tool: schemathesis, schema: a, at: /v1, arguments: [--seed, 1], waivers: w.yaml}",
    "report": f"{{{REPORT}, within: 60m}}",
    "command": "{report: n.jsonl, format: nuclei, command: [nuclei, -jsonl], ok: [0], log: n.log}",
    "sarif": "{report: r.sarif, format: sarif, within: 1m, evidence: {json: '$.runs[*]'}}",
}


def _value(node: str) -> object:
    return plain(Document(Path("a.yaml"), node).read())


@pytest.mark.parametrize(
    ("node", "why"), (ERRORS | BEYOND_A_SCHEMA).values(), ids=ERRORS | BEYOND_A_SCHEMA
)
def test_what_is_wrong_is_said_at_its_place(node: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        scan(node)
    assert why in caught.value.explain()
    assert "a.suite.yaml:1:" in str(caught.value)


@pytest.mark.parametrize("node", [node for node, _ in ERRORS.values()], ids=ERRORS)
def test_the_schema_refuses_it_too(node: str) -> None:
    assert not VALIDATOR.is_valid(_value(node))


@pytest.mark.parametrize("node", VALID.values(), ids=VALID)
def test_both_accept_what_is_valid(node: str) -> None:
    scan(node)
    VALIDATOR.validate(_value(node))


def test_the_schema_knows_each_key_tool_and_format() -> None:
    _, tool, report = OWN["anyOf"]
    assert set(tool["properties"]) == set(suite_scan.TOOL_KEYS)
    assert set(report["properties"]) == set(suite_scan.REPORT_KEYS)
    assert set(report["properties"]["format"]["enum"]) == set(suite_scan.FORMATS)
    assert OWN["$defs"]["tool"]["enum"] == list(SCANNERS)


def test_a_scan_works_alone_and_a_report_is_only_read() -> None:
    tool, report = scan(VALID["tool"]), scan(VALID["report"])
    assert isinstance(tool.order, ToolOrder)
    assert (tool.alone, tool.order.at, tool.order.arguments) == (True, "/v1", ("--seed", "1"))
    assert isinstance(report.order, ReportOrder)
    assert (report.alone, report.order.within_s) == (False, 3600.0)
    assert report.order.reading is Written.ZAP


def test_a_scan_is_a_security_check_of_the_environment() -> None:
    assert (KINDS["scan"].kind, KINDS["scan"].stage) == (Kind.SECURITY, Stage.ENVIRONMENT)


def test_a_suite_judges_a_report(tmp_path: Path) -> None:
    zap(tmp_path)
    (tmp_path / "a.suite.yaml").write_text(
        "version: 1\nname: s\ntarget: http://127.0.0.1:8080\nchecks:\n"
        "  - name: zap\n    scan: {report: zap.json, format: zap, within: 5m}\n"
        "    expect: high == 0\n"
    )
    ran = run(tmp_path)
    check = ran.check("zap")
    assert (ran.verdict, check["outcome"]) == ("do-not-ship", "failed")
    assert check["finding"]["results"][0]["id"] == "40012"
    assert "hunter2" not in ran.out + (ran.folder / "run.json").read_text()


def test_no_secret_of_the_arguments_is_in_any_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c").touch()
    programs = stand_in(tmp_path, "wapiti", tmp_path / "c", 3, f"cat {tmp_path}/asked >&2")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("SCAN_TOKEN", "s3cr3t-of-the-scan")
    with serving(lambda _: json_reply({})) as server:
        (tmp_path / "a.suite.yaml").write_text(
            f"version: 1\nname: s\ntarget: {server.url}\nchecks:\n  - name: c\n"
            '    scan: {tool: wapiti, arguments: [-H, "x: ${secret.SCAN_TOKEN}"]}\n'
        )
        ran = run(tmp_path, "-o", "log_level=INFO")
    written = "".join(path.read_text() for path in ran.folder.iterdir() if path.suffix != ".gz")
    assert ran.check("c")["outcome"] == "error"
    assert "s3cr3t-of-the-scan" in (tmp_path / "asked").read_text()
    assert "s3cr3t-of-the-scan" not in ran.out + written
