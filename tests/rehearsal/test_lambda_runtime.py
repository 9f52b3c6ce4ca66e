"""Real functions under the real awslambdaric."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.processes import family
from greenroom.rehearsal.lambda_runtime import LambdaFunction
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTIONS = '''
import json, os, pathlib, subprocess, sys, time

count = 0

def counts(event, context):
    global count
    count += 1
    return {"count": count, "event": event}

def tells(event, context):
    return {
        "left_ms": context.get_remaining_time_in_millis(),
        "home": os.environ.get("HOME"),
        "secret": os.environ.get("OUTER_SECRET"),
        "configured": os.environ.get("CONFIGURED"),
        "cwd": os.getcwd(),
    }

def raises(event, context):
    raise RuntimeError("no such stage")

def dies_once(event, context):
    mark = pathlib.Path(event["mark"])
    if not mark.exists():
        mark.touch()
        os._exit(3)
    return "alive"

def hangs(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                             start_new_session=True)
    pathlib.Path(event["pid"]).write_text(str(child.pid))
    time.sleep(60)

def leaves_a_child_and_dies(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                             start_new_session=True)
    pathlib.Path(event["pid"]).write_text(str(child.pid))
    os._exit(3)

def grows(event, context):
    hog = []
    while True:
        hog.append(b"x" * (8 << 20))
        time.sleep(0.01)

def writes(event, context):
    tried = {}
    for folder in event["folders"]:
        try:
            pathlib.Path(folder, "greenroom-sandbox-probe").touch()
            tried[folder] = "written"
        except OSError as error:
            tried[folder] = type(error).__name__
    return tried

def ticks(event, context):
    subprocess.Popen([sys.executable, "-c", """
import pathlib, sys, time
while True:
    with open(sys.argv[1], 'a') as out: out.write('.')
    time.sleep(0.02)
""", event["file"]])
    while not os.path.exists(event["file"]):
        time.sleep(0.02)
    print("ticking")
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "functions.py").write_text(FUNCTIONS)
    (folder / "dead.py").write_text("import os\nos._exit(5)\n")
    (folder / "broken.py").write_text("import no_such_module_here\n")
    return folder


@pytest.fixture
def sandboxed(root: Path) -> Iterator[LambdaFunction]:
    try:
        function = LambdaFunction("functions.writes", task_root=root, environment={}, sandbox=True)
    except ToolError as error:
        pytest.skip(str(error))
    with function:
        yield function


def test_one_process_answers_invocation_after_invocation(root: Path) -> None:
    with LambdaFunction("functions.counts", task_root=root, environment={}) as function:
        first, second = function.invoke({"a": 1}), function.invoke({})
    assert json.loads(first.payload) == {"count": 1, "event": {"a": 1}}
    assert json.loads(second.payload)["count"] == 2
    assert (first.error, first.crashed, first.timed_out) == (False, False, False)


def test_only_the_configured_environment_goes_in(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTER_SECRET", "hush")
    with LambdaFunction(
        "functions.tells", task_root=root, environment={"CONFIGURED": "yes"}, timeout_s=30
    ) as function:
        told = json.loads(function.invoke({}).payload)
    assert 0 < told.pop("left_ms") <= 30_000
    assert told == {"home": None, "secret": None, "configured": "yes", "cwd": str(root)}


def test_an_exception_is_the_function_s_error_and_lands_in_the_log(root: Path) -> None:
    log = root.parent / "logs" / "function.log"
    with LambdaFunction("functions.raises", task_root=root, environment={}, log=log) as function:
        invocation = function.invoke({})
    assert invocation.error
    assert json.loads(invocation.payload)["errorMessage"] == "no such stage"
    assert "no such stage" in log.read_text()


def test_an_unimportable_handler_is_an_error_of_initialisation(root: Path) -> None:
    with LambdaFunction("broken.handler", task_root=root, environment={}) as function:
        invocation = function.invoke({})
    assert invocation.error
    assert "no_such_module_here" in json.loads(invocation.payload)["errorMessage"]


def test_a_module_that_dies_at_import_is_a_crash(root: Path) -> None:
    with LambdaFunction("dead.handler", task_root=root, environment={}) as function:
        invocation = function.invoke({})
    assert (invocation.error, invocation.crashed) == (True, True)
    assert b"exit status 5" in invocation.payload


def test_a_crash_is_told_and_the_next_invocation_gets_a_fresh_process(root: Path) -> None:
    event = {"mark": str(root.parent / "mark")}
    with LambdaFunction("functions.dies_once", task_root=root, environment={}) as function:
        crash, after = function.invoke(event), function.invoke(event)
    assert crash.crashed
    assert b"exit status 3" in crash.payload
    assert json.loads(after.payload) == "alive"


def test_a_crash_leaves_no_child_behind_not_even_one_with_its_own_session(
    root: Path, tmp_path: Path
) -> None:
    with LambdaFunction(
        "functions.leaves_a_child_and_dies", task_root=root, environment={}
    ) as function:
        assert function.invoke({"pid": str(tmp_path / "pid")}).crashed
        assert not family(int((tmp_path / "pid").read_text()))


def test_closing_ends_an_invocation_that_is_under_way(root: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with (
        ThreadPoolExecutor(1) as pool,
        LambdaFunction("functions.hangs", task_root=root, environment={}) as function,
    ):
        under_way = pool.submit(function.invoke, {"pid": str(pid)})
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.01)
        function.close()
        assert under_way.result().crashed
    assert not family(int(pid.read_text()))


@pytest.mark.parametrize("sandbox", [False, True], ids=["open", "sandboxed"])
def test_the_time_out_kills_every_process_of_the_function(
    root: Path, tmp_path: Path, *, sandbox: bool
) -> None:
    try:
        function = LambdaFunction(
            "functions.hangs", task_root=root, environment={}, timeout_s=1, sandbox=sandbox
        )
    except ToolError as error:
        pytest.skip(str(error))
    with function:
        invocation = function.invoke({"pid": str(tmp_path / "pid")})
    assert invocation.timed_out
    assert b"timed out after 1.00 seconds" in invocation.payload
    if not sandbox:  # in the sandbox the number belongs to another namespace
        assert not family(int((tmp_path / "pid").read_text()))


def test_memory_over_the_limit_kills_as_the_kernel_does(root: Path) -> None:
    with LambdaFunction(
        "functions.grows", task_root=root, environment={}, memory_mb=128, timeout_s=20
    ) as function:
        invocation = function.invoke({})
    assert invocation.crashed
    assert b"signal: 9" in invocation.payload


def test_nothing_runs_between_invocations(root: Path, tmp_path: Path) -> None:
    ticks = tmp_path / "ticks"
    log = tmp_path / "log"
    with LambdaFunction("functions.ticks", task_root=root, environment={}, log=log) as function:
        function.invoke({"file": str(ticks)})
        frozen = ticks.stat().st_size
        time.sleep(0.2)
        assert ticks.stat().st_size == frozen
    assert "ticking" in log.read_text()


def test_the_sandbox_lets_it_write_below_tmp_only(sandboxed: LambdaFunction, root: Path) -> None:
    folders = ["/tmp", str(root), "/dev/shm", str(Path.home()), "/"]  # noqa: S108 - what is tested
    tried = json.loads(sandboxed.invoke({"folders": folders}).payload)
    Path("/tmp/greenroom-sandbox-probe").unlink()  # noqa: S108 - as above
    assert tried.pop("/tmp") == "written"  # noqa: S108 - as above
    assert set(tried.values()) == {"OSError"}


def test_a_machine_without_unshare_gets_an_explanation(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(ToolError, match="needs `unshare`"):
        LambdaFunction("functions.counts", task_root=root, environment={}, sandbox=True)


def test_a_machine_that_forbids_the_sandbox_says_why(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "unshare"
    fake.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ToolError, match="Operation not permitted"):
        LambdaFunction("functions.counts", task_root=root, environment={}, sandbox=True)
