"""Deliveries without a ledger, under the real Lambda runtime client.

What suites, targets, services and deliveries with a ledger do to the hook is the fault matrix's:
``tests/benchmarks/test_fault_matrix.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.report_place import file_name
from greenroom.rehearsal.lambda_runtime import Invocation, LambdaFunction
from greenroom.validators.errors import ToolError
from tests.support.codedeploy import Answer, CodeDeployEndpoint

if TYPE_CHECKING:
    from pathlib import Path

EXECUTION = "execution/1=="
EVENT = {"DeploymentId": "d-TEST", "LifecycleEventHookExecutionId": EXECUTION}
SUITES = {
    "Succeeded": "def test_answers():\n    assert 2 + 2 == 4\n",
    "Failed": "def test_answers():\n    assert 2 + 2 == 5\n",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Tell whether this machine lets a function have a read-only file system."""
    folder = tmp_path_factory.mktemp("trial")
    try:
        LambdaFunction("trial.handler", task_root=folder, environment={}, sandbox=True)
    except ToolError:
        return False
    return str(folder).startswith("/tmp/")  # noqa: S108 - Lambda's only writable folder


def invoke(
    endpoint: CodeDeployEndpoint, folder: Path, *, sandbox: bool, status: str = "Succeeded"
) -> Invocation:
    """Deliver the event to a new function whose suite deserves ``status``."""
    task = folder / "task"
    (task / "suites").mkdir(parents=True)
    (task / "suites" / "test_it.py").write_text(SUITES[status])
    settings = {"GREENROOM_HOOK_RESERVE": "3", "GREENROOM_HOOK_REPORT": str(folder / "reports")}
    with LambdaFunction(
        "greenroom.plugins.hook.handler",
        task_root=task,
        environment={**endpoint.environment, **settings},
        timeout_s=60,
        memory_mb=512,
        log=folder / "function.log",
        sandbox=sandbox,
    ) as function:
        return function.invoke(EVENT)


@pytest.mark.parametrize("status", SUITES)
def test_the_one_call_carries_the_event_s_ids(
    tmp_path: Path, status: str, *, sandbox: bool
) -> None:
    with CodeDeployEndpoint() as endpoint:
        invoke(endpoint, tmp_path, sandbox=sandbox, status=status)
    [call] = endpoint.calls
    assert (call.deployment_id, call.execution_id) == ("d-TEST", EXECUTION)
    assert endpoint.accepted == [status]
    assert (tmp_path / "reports" / file_name(EXECUTION) / "report.html").is_file()


def test_an_event_delivered_twice_is_no_error(tmp_path: Path, *, sandbox: bool) -> None:
    with CodeDeployEndpoint(Answer.ACCEPT, Answer.ALREADY_COMPLETED) as endpoint:
        first, again = (invoke(endpoint, tmp_path / name, sandbox=sandbox) for name in ("a", "b"))
    assert (first.error, again.error) == (False, False)
    assert endpoint.accepted == ["Succeeded"]
