"""The Lambda handler with a bypass and a listener: who is told what, and in which order."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.hook import handler
from greenroom.validators.record import RunRecord
from tests.support.aws import AwsEndpoint
from tests.support.records import BYPASS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.faults import Script

EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
PUT = "codedeploy.PutLifecycleEventHookExecutionStatus"
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/releases"


@dataclass
class Context:
    """Lambda's context, as far as it is used."""

    aws_request_id: str = "request-1"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:1:function:hook"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A function whose suite fails; its settings name a bypass and a bus."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_it.py").write_text("def test_it():\n    assert False\n")
    settings = f'[hook]\nbypass = "/bypass"\nnotify = ["{BUS}"]\nevent = "AfterInstall"\n'
    (tmp_path / "greenroom.toml").write_text(settings)
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("GREENROOM_HOOK_REPORT", str(tmp_path / "reports"))
    return tmp_path


def services(expires: datetime) -> dict[str, Script]:
    value = json.dumps({"reason": BYPASS.reason, "expires": expires.isoformat()})
    made = {"LastModifiedUser": BYPASS.arn, "LastModifiedDate": time.time()}
    version = {"Name": "/bypass", "Version": 1, "Type": "String", "Value": value, **made}
    return {
        "ssm.GetParameterHistory": {"Parameters": [version]},
        "sts.GetCallerIdentity": {"Arn": "arn:aws:sts::123456789012:assumed-role/Hook/hook"},
        "codedeploy.GetDeployment": {"deploymentInfo": {"creator": "user"}},
        PUT: {"lifecycleEventHookExecutionId": "e-1"},
        "events.PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]},
    }


def answered(
    answers: dict[str, Script],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[AwsEndpoint, dict[str, Any]]:
    """Return what was called, in order, and the log line of the decision."""
    with AwsEndpoint(answers) as endpoint:
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        handler(EVENT, Context())
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.startswith('{"greenroom": "hook"'))
    told: dict[str, Any] = json.loads(line)
    return endpoint, told


def test_a_bypassed_gate_runs_no_suite_and_tells_everybody(
    function: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    endpoint, line = answered(services(soon), monkeypatch, capsys)
    (put,) = endpoint.of(PUT)
    assert put["status"] == "Succeeded"
    assert (line["verdict"], line["level"]) == ("could-not-decide", "WARN")
    assert (line["bypass"]["by"], line["Bypassed"], line["Ship"]) == ("operator", 1, 0)
    record = RunRecord.loads((function / "reports" / "e-1" / "run.json").read_bytes())
    assert record.bypass is not None
    assert (record.bypass.reason, record.checks) == (BYPASS.reason, ())
    (message,) = endpoint.of("events.PutEvents")
    detail = json.loads(message["Entries"][0]["Detail"])
    assert (detail["bypassed"], detail["status"]) == (True, "Succeeded")


def test_a_bypass_that_expired_changes_nothing_but_the_log(
    function: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ago = datetime.now(UTC) - timedelta(seconds=1)
    endpoint, line = answered(services(ago), monkeypatch, capsys)
    assert [put["status"] for put in endpoint.of(PUT)] == ["Failed"]
    assert (line["verdict"], line["bypassed"], line["level"]) == ("do-not-ship", False, "WARN")
    assert line["bypass_refused"].startswith("bypass /bypass does not count: it expired at ")
    assert RunRecord.loads((function / "reports" / "e-1" / "run.json").read_bytes()).bypass is None
    order = [call.name for call in endpoint.calls]
    assert order.index(PUT) < order.index("events.PutEvents")
