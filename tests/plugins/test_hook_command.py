"""``greenroom hook``, in this process and as a command that gets signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.cli import main
from tests.support.codedeploy import Answer, CodeDeployEndpoint

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = "import sys; from greenroom.plugins.cli import main; sys.exit(main())"
IDS = ("--deployment-id", "d-1", "--execution-id", "e-1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work where the suite is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert True\n")
    return tmp_path


def test_ship_is_reported_and_exits_0(
    endpoint: CodeDeployEndpoint, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hook", *IDS, "--report", "out", "--", "test_it.py"]) == 0
    out = capsys.readouterr().out
    assert endpoint.accepted == ["Succeeded"]
    assert "1 passed" in out
    assert "greenroom: ship" in out
    assert "CodeDeploy: Succeeded, accepted" in out
    assert (folder / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("body", "status"),
    [("assert False", 1), ("import pytest; pytest.skip('later')", 7)],
    ids=["failing", "skipped"],
)
def test_anything_else_is_failed_and_not_0(
    endpoint: CodeDeployEndpoint, folder: Path, body: str, status: int
) -> None:
    (folder / "test_it.py").write_text(f"def test_it():\n    {body}\n")
    event = {"DeploymentId": "d-2", "LifecycleEventHookExecutionId": "e-2"}
    (folder / "event.json").write_text(json.dumps(event))
    assert main(["hook", "--event", "event.json", "--", "test_it.py", "-q"]) == status
    assert [(call.deployment_id, call.status) for call in endpoint.calls] == [("d-2", "Failed")]


@pytest.mark.parametrize(
    ("variable", "options", "status"),
    [
        ("", (), 1),
        ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY", (), 0),
        ("", ("--pass", "AWS_ACCESS_KEY_ID", "--pass", "AWS_SECRET_ACCESS_KEY"), 0),
        ("AWS_ACCESS_KEY_ID", ("--pass", "AWS_SECRET_ACCESS_KEY"), 0),
    ],
    ids=["withheld", "variable", "option", "both"],
)
def test_credentials_reach_the_suite_by_name_only(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    options: tuple[str, ...],
    status: int,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv("GREENROOM_HOOK_PASS", variable)
    names = "{'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'}"
    (folder / "test_it.py").write_text(
        f"import os\ndef test_it():\n    assert {names} <= set(os.environ)\n"
    )
    assert main(["hook", *options, "--", "test_it.py"]) == status


def test_without_ids_only_the_exit_status_reports(
    endpoint: CodeDeployEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hook"]) == 0
    assert endpoint.calls == []
    assert "CodeDeploy" not in capsys.readouterr().out


def test_an_unreported_ship_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with CodeDeployEndpoint(Answer.UNKNOWN_ID) as refusing:
        for name, value in refusing.environment.items():
            monkeypatch.setenv(name, value)
        assert main(["hook", *IDS, "--", "test_it.py"]) == 2
    said = capsys.readouterr()
    assert "InvalidLifecycleEventHookExecutionId" in said.err
    assert "greenroom: ship" in said.out


def test_an_unwritable_report_folder_is_reported_as_failed(endpoint: CodeDeployEndpoint) -> None:
    assert main(["hook", *IDS, "--report", "/dev/null/out", "--", "test_it.py"]) == 7
    assert endpoint.accepted == ["Failed"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--deployment-id", "d-1"], "only one of"),
        (["--event", "event.json", *IDS], "both given"),
        (["--event", "event.json"], "answered by a function"),
        (["--event", "test_it.py"], "Expecting value"),
        (["--timeout", "0"], "--timeout"),
        (["--timeout", "-1"], "--timeout"),
        (["--timeout", "inf"], "--timeout"),
        (["--timeout", "nan"], "--timeout"),
        (["--timeout", "1e12"], "--timeout"),
        (["--timeout", "86401"], "--timeout"),
    ],
    ids=["one-id", "both", "ecs", "not-json", "0 s", "-1 s", "inf s", "nan s", "1e12 s", "a day"],
)
def test_a_wrong_command_line_exits_4(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (folder / "event.json").write_text('{"lifecycleStage": "POST_SCALE_UP"}')
    assert main(["hook", *arguments]) == 4
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_reported_as_failed_before_the_command_ends(
    folder: Path, number: signal.Signals
) -> None:
    mark = folder / "started"
    (folder / "test_it.py").write_text(
        f"import pathlib, time\ndef test_it():\n"
        f"    pathlib.Path({str(mark)!r}).touch()\n    time.sleep(60)\n"
    )
    with CodeDeployEndpoint() as endpoint:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "hook", *IDS, "--", "test_it.py"],
            env=os.environ | endpoint.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        while not mark.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 7
    assert endpoint.accepted == ["Failed"]
    assert "the run was interrupted" in out
