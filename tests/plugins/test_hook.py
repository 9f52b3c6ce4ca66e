"""The Lambda handler, called as awslambdaric calls it, with real suites in real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.hook import handler
from greenroom.validators.errors import ServiceError, SettingsError
from tests.support.codedeploy import Answer, CodeDeployEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"DeploymentId": "d-TEST", "LifecycleEventHookExecutionId": "e-1"}
TARGET = "arn:aws:ecs:eu-west-1:1:service-revision/c/s/2"
OLD = "arn:aws:ecs:eu-west-1:1:service-revision/c/s/1"


@dataclass
class Context:
    """Lambda's context, as far as it is used."""

    seconds: float = 30
    aws_request_id: str = "request-1"
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:1:function:hook"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def ecs_event(stage: str, **details: object) -> dict[str, Any]:
    return {
        "executionId": "e-2",
        "lifecycleStage": stage,
        "resourceArn": "arn:aws:ecs:eu-west-1:1:service-deployment/c/s/d",
        "executionDetails": {"serviceArn": "s", "targetServiceRevisionArn": TARGET, **details},
    }


def told_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the structured line, which follows the suite's own output."""
    line: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return line


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Write the function's suite."""
    (tmp_path / "suites").mkdir()
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("GREENROOM_HOOK_REPORT", str(tmp_path / "reports"))

    def write(text: str = "def test_it():\n    assert True\n") -> None:
        (tmp_path / "suites" / "test_it.py").write_text(text)

    return write


def test_ship_is_reported_as_succeeded_with_one_line_of_json(
    suite: Callable[..., None],
    endpoint: CodeDeployEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    suite()
    monkeypatch.setenv("GREENROOM_HOOK_EVENT", "AfterAllowTestTraffic")
    told = handler(EVENT, Context())
    line = told_line(capsys)
    assert endpoint.accepted == ["Succeeded"]
    assert {name: line[name] for name in told} == told
    assert line["Ship"] == 1
    assert (line["verdict"], line["reasons"]) == ("ship", [])
    assert (line["event"], line["deployment"]) == ("AfterAllowTestTraffic", "d-TEST")
    release = json.loads(Path(line["record"]).read_text())["release"]
    assert (release["deployment"], release["event"]) == ("d-TEST", "AfterAllowTestTraffic")


@pytest.mark.parametrize(
    "case",
    [
        ("GREENROOM_HOOK_RESERVE", "twenty", "GREENROOM_HOOK_RESERVE is 'twenty'"),
        ("GREENROOM_HOOK_RESERVE", "-1", "GREENROOM_HOOK_RESERVE is '-1'"),
        ("GREENROOM_HOOK_ARGS", "suites -k 'a", "GREENROOM_HOOK_ARGS: No closing quotation"),
        ("GREENROOM_HOOK_ARGS", "no-such-folder", "file or directory not found: no-such-folder"),
        ("GREENROOM_HOOK_REPORT", "/dev/null/reports", "NotADirectoryError"),
        ("LAMBDA_TASK_ROOT", "/dev/null", "'/dev/null' not found"),
    ],
    ids=["reserve", "negative-reserve", "quoting", "no-suite", "report-folder", "root"],
)
def test_a_broken_configuration_is_reported_as_failed(
    suite: Callable[..., None],
    endpoint: CodeDeployEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, str, str],
) -> None:
    variable, value, reason = case
    suite()
    monkeypatch.setenv(variable, value)
    told = handler(EVENT, Context())
    assert endpoint.accepted == ["Failed"]
    assert told["verdict"] == "could-not-decide"
    assert reason in " ".join(told["reasons"])


def test_a_time_out_shorter_than_the_reserve_is_reported_as_failed(
    suite: Callable[..., None], endpoint: CodeDeployEndpoint
) -> None:
    suite()
    told = handler(EVENT, Context(seconds=3))
    assert endpoint.accepted == ["Failed"]
    assert "raise the function's time-out" in told["reasons"][0]


def test_a_refused_report_raises_so_that_lambda_delivers_the_event_again(
    suite: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    suite()
    with CodeDeployEndpoint(Answer.UNKNOWN_ID) as endpoint:
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ServiceError, match="InvalidLifecycleEventHookExecutionId"):
            handler(EVENT, Context())
    line = told_line(capsys)
    assert len(endpoint.calls) == 1
    assert "check the ids and the region" in line["errors"][0]
    assert line["level"] == "ERROR"


@pytest.mark.parametrize(
    "event", [{}, None, {"DeploymentId": "d-1"}], ids=["empty", "none", "half"]
)
def test_an_event_that_names_nobody_to_tell_raises(
    event: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsError):
        handler(event, Context())
    assert told_line(capsys)["verdict"] == "could-not-decide"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("assert True", "SUCCEEDED"),
        ("assert False", "FAILED"),
        ("import os; os._exit(0)", "FAILED"),
    ],
    ids=["passing", "failing", "dying"],
)
def test_ecs_gets_its_answer_as_the_function_s_own(
    suite: Callable[..., None], body: str, answer: str
) -> None:
    suite(f"def test_it():\n    {body}\n")
    assert handler(ecs_event("POST_TEST_TRAFFIC_SHIFT"), Context()) == {"hookStatus": answer}


def test_a_malformed_ecs_event_is_answered_with_failed() -> None:
    assert handler({"serviceArn": "s"}, Context()) == {"hookStatus": "FAILED"}


def test_a_rollback_is_never_failed(suite: Callable[..., None]) -> None:
    suite("def test_it():\n    assert False\n")
    back = ecs_event("PRODUCTION_TRAFFIC_SHIFT", productionTrafficWeights={OLD: 100, TARGET: 0})
    assert handler(back, Context()) == {"hookStatus": "SUCCEEDED"}


def test_weights_that_do_not_name_the_target_leave_the_suite_to_decide(
    suite: Callable[..., None],
) -> None:
    suite("def test_it():\n    assert False\n")
    event = ecs_event("PRODUCTION_TRAFFIC_SHIFT", productionTrafficWeights={OLD: 100})
    assert handler(event, Context()) == {"hookStatus": "FAILED"}


def test_the_suite_cannot_see_what_answers_in_its_name(
    suite: Callable[..., None], endpoint: CodeDeployEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite(
        "import os\ndef test_it():\n"
        "    assert 'AWS_SECRET_ACCESS_KEY' not in os.environ\n"
        "    assert os.environ['AWS_ACCESS_KEY_ID'] == 'local'\n"
    )
    monkeypatch.setenv("GREENROOM_HOOK_PASS", "AWS_ACCESS_KEY_ID")
    assert handler(EVENT, Context())["reasons"] == []
    assert endpoint.accepted == ["Succeeded"]


def test_the_suite_finds_modules_of_the_function_and_its_layers(
    suite: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "layered_module.py").touch()
    (tmp_path / "own_module.py").touch()
    suite("def test_it():\n    import layered_module, own_module\n")
    monkeypatch.syspath_prepend(str(tmp_path / "layer"))
    answer = handler(ecs_event("POST_SCALE_UP"), Context())
    assert answer == {"hookStatus": "SUCCEEDED"}


def test_the_memory_of_a_suite_is_less_than_the_function_s(
    suite: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite(
        "import resource\ndef test_it():\n"
        "    assert resource.getrlimit(resource.RLIMIT_DATA)[0] == (1024 - 160) * 1024 * 1024\n"
    )
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
    assert handler(ecs_event("POST_SCALE_UP"), Context()) == {"hookStatus": "SUCCEEDED"}


def test_the_hook_s_own_process_loads_nothing_heavy() -> None:
    heavy = "{'pytest', 'httpx', 'jinja2', 'jsonschema', 'yaml', 'boto3', 'click'}"
    code = f"import sys, greenroom.plugins.hook; print({heavy} & set(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert loaded.strip() == "set()"
