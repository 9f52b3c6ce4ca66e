"""A bundle answers for itself under the real Lambda runtime client, with no package of ours near.

The interpreter finds the unpacked bundle and what Lambda's own runtime offers, nothing else.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks._invocation import sandbox_is_allowed
from greenroom.plugins.bundle import HANDLER
from greenroom.rehearsal.lambda_runtime import LambdaFunction
from tests.support.bundles import runtime, shared_bundle
from tests.support.codedeploy import CodeDeployEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

EVENT = {"DeploymentId": "d-BUNDLE", "LifecycleEventHookExecutionId": "execution-1"}
OUTCOMES = {"passing": "passed", "failing": "failed", "declared": "error"}
PROJECT = {
    "greenroom.toml": "[expect]\nunit = 1\n",
    "helpers/__init__.py": "def answer():\n    return 42\n",
    "suites/passing/test_it.py": """
import os
import sys

import greenroom.plugins.recorder
import httpx
import pytest
from helpers import answer

ROOT = os.environ["LAMBDA_TASK_ROOT"]

@pytest.mark.parametrize("module", [greenroom, greenroom.plugins.recorder, httpx, pytest])
def test_everything_comes_from_the_bundle(module):
    assert module.__file__.startswith(ROOT)
    assert module.__cached__.startswith(ROOT)
    assert os.path.exists(module.__cached__)

def test_the_helper_is_there():
    assert answer() == 42

def test_nothing_else_is():
    assert not [path for path in sys.path if "site-packages" in path]
""",
    "suites/failing/test_it.py": "def test_it():\n    assert {'a': 1} == {'a': 2}\n",
    "suites/declared/it.suite.yaml": """
version: 1
name: it
stage: environment
target: http://127.0.0.1:9
checks:
  - name: is there
    http: {get: /}
    expect: {status: 200, json: {$.a: 1}}
""",
}


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked bundle, which all workers share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    return shared_bundle(shared / "bundle", PROJECT)


@pytest.fixture
def endpoint() -> Iterator[CodeDeployEndpoint]:
    with CodeDeployEndpoint() as endpoint:
        yield endpoint


def function(bundle: Path, folder: Path, environment: dict[str, str]) -> LambdaFunction:
    return LambdaFunction(
        HANDLER,
        task_root=bundle,
        environment={
            "PYTHONPATH": f"{bundle}:{runtime(folder / 'runtime')}",
            "GREENROOM_HOOK_REPORT": str(folder / "reports"),
            **environment,
        },
        log=folder / "log",
        sandbox=sandbox_is_allowed(),
    )


@pytest.mark.parametrize(
    ("suite", "status"),
    [("passing", "Succeeded"), ("failing", "Failed"), ("declared", "Failed")],
)
def test_the_bundles_own_suite_decides(
    bundle: Path, endpoint: CodeDeployEndpoint, suite: str, status: str
) -> None:
    arguments = {"GREENROOM_HOOK_ARGS": f"suites/{suite} --color=yes"}
    # In Lambda's /tmp: all that the sandbox lets a function write to.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with function(bundle, folder, endpoint.environment | arguments) as hook:
            invocation = hook.invoke(EVENT)
        log = (folder / "log").read_text()
        assert not invocation.error, log
        assert endpoint.accepted == [status], log
        (record,) = (folder / "reports").glob("*/run.json")
        checks = json.loads(record.read_text())["checks"]
    assert {check["outcome"] for check in checks} == {OUTCOMES[suite]}
