"""Each way of a suite, or of CodeDeploy, to go wrong, under the real Lambda runtime client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from benchmarks._hook_modes import MODES, Mode
from greenroom.rehearsal.lambda_runtime import Invocation, LambdaFunction
from greenroom.validators.errors import ToolError
from tests.support.codedeploy import Answer, CodeDeployEndpoint

if TYPE_CHECKING:
    from pathlib import Path

RESERVE_S = 3
EVENT = {"DeploymentId": "d-TEST", "LifecycleEventHookExecutionId": "execution/1=="}
AMPLE_S = 60
SHORT_S = {
    "regex that holds the GIL": 8,
    "hang": 8,
    "hang, SIGTERM ignored": 8,
    "report: silent": 14,
    "report: always 500": 14,
}
"""The time-outs of the modes that use up their time; the others end by themselves."""
NEVER_ACCEPTED = {Answer.SILENT, Answer.FAIL}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Tell whether this machine lets a function have a read-only file system."""
    folder = tmp_path_factory.mktemp("trial")
    try:
        LambdaFunction("trial.handler", task_root=folder, environment={}, sandbox=True)
    except ToolError:
        return False
    return str(folder).startswith("/tmp/")  # noqa: S108 - Lambda's only writable folder


def invoke(mode: Mode, endpoint: CodeDeployEndpoint, folder: Path, *, sandbox: bool) -> Invocation:
    task = folder / "task"
    (task / "suites").mkdir(parents=True)
    (task / "suites" / "test_it.py").write_text(mode.suite)
    settings = {
        "GREENROOM_HOOK_RESERVE": str(RESERVE_S),
        "GREENROOM_HOOK_REPORT": str(folder / "reports"),
    }
    with LambdaFunction(
        "greenroom.plugins.hook.handler",
        task_root=task,
        environment={**endpoint.environment, **settings},
        timeout_s=SHORT_S.get(mode.name, AMPLE_S),
        memory_mb=512,
        log=folder / "function.log",
        sandbox=sandbox,
    ) as function:
        return function.invoke(EVENT)


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(mode, id=mode.name, marks=[pytest.mark.slow] if mode.name in SHORT_S else [])
        for mode in MODES
    ],
)
def test_exactly_one_right_report_in_time(mode: Mode, tmp_path: Path, *, sandbox: bool) -> None:
    with CodeDeployEndpoint(*mode.answers) as endpoint:
        invocation = invoke(mode, endpoint, tmp_path, sandbox=sandbox)
        ended = time.monotonic()
    last = mode.answers[-1]
    assert {call.status for call in endpoint.calls} == {mode.status}
    assert len(endpoint.accepted) == (last is Answer.ACCEPT)
    assert (invocation.timed_out, invocation.crashed) == (False, False)
    assert invocation.error is (last in NEVER_ACCEPTED)
    assert max(call.at for call in endpoint.calls) <= ended
    if last in NEVER_ACCEPTED:
        assert len(endpoint.calls) > 2


def test_the_calls_carry_the_event_s_ids(tmp_path: Path, *, sandbox: bool) -> None:
    with CodeDeployEndpoint() as endpoint:
        invoke(MODES[0], endpoint, tmp_path, sandbox=sandbox)
    call = endpoint.calls[0]
    assert (call.deployment_id, call.execution_id) == ("d-TEST", "execution/1==")
    assert (tmp_path / "reports" / "execution_1__" / "report.html").is_file()


def test_an_event_delivered_twice_is_no_error(tmp_path: Path, *, sandbox: bool) -> None:
    with CodeDeployEndpoint(Answer.ACCEPT, Answer.ALREADY_COMPLETED) as endpoint:
        first, again = (
            invoke(MODES[0], endpoint, tmp_path / name, sandbox=sandbox) for name in ("a", "b")
        )
    assert (first.error, again.error) == (False, False)
    assert endpoint.accepted == ["Succeeded"]
