from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from greenroom.rehearsal.appspec import parse_appspec
from greenroom.rehearsal.clock import ScaledClock
from greenroom.rehearsal.hooks import Addresses, LambdaHooks, check_functions, functions_of
from greenroom.rehearsal.settings import Function, RehearsalSettings
from greenroom.validators.errors import SettingsError, ToolError

EXAMPLE = Path(__file__).parents[2] / "examples" / "trivia"
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
AT = Addresses("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3")
APPSPEC = """
version: 0.0
Resources: [{T: {Type: AWS::ECS::Service, Properties: {TaskDefinition: t, LoadBalancerInfo: {
  ContainerName: c, ContainerPort: 80}}}}]
Hooks: [{AfterInstall: one}, {AfterAllowTestTraffic: one}, {AfterAllowTraffic: two}]
"""
HANDLER = """
import json, os, pathlib, time
FILE = pathlib.Path(os.environ["FILE"])
def keep(event, context):
    FILE.write_text(json.dumps({**os.environ}))
def crash_once(event, context):
    if not FILE.exists():
        FILE.write_text("crashed")
        os._exit(1)
    FILE.write_text("answered")
def sleep(event, context):
    FILE.write_text("asleep")
    time.sleep(60)
"""


def hooks_with(folder: Path, handler: str, clock: ScaledClock | None = None) -> LambdaHooks:
    """Functions ``one`` and ``two`` with a handler of their own."""
    (folder / "own.py").write_text(HANDLER)
    functions = {
        name: Function(
            name, handler=f"own.{handler}", environment={"FILE": str(folder / f"{name}.out")}
        )
        for name in ("one", "two")
    }
    settings = replace(RehearsalSettings.load_from(EXAMPLE), root=folder, functions=functions)
    hooks = LambdaHooks(clock or ScaledClock(1000))
    revision = settings.revision("good")
    appspec = parse_appspec(APPSPEC)
    hooks.provide(functions_of(settings, appspec, revision, at=AT, folder=folder))
    return hooks


def content(path: Path, wanted: str) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (path.exists() and wanted in path.read_text()):
        time.sleep(0.02)
    return path.read_text()


def test_a_function_that_is_not_configured_is_told_at_the_start() -> None:
    with pytest.raises(SettingsError, match=r"'one' is not in rehearsal\.toml") as caught:
        check_functions(RehearsalSettings.load_from(EXAMPLE), parse_appspec(APPSPEC))
    assert "[functions.one]" in caught.value.hint


def test_a_function_that_no_hook_names_is_told_at_the_start() -> None:
    text = (EXAMPLE / "appspec.yaml").read_text().replace("trivia-confirm", "trivia-validate")
    with pytest.raises(SettingsError, match="no hook names the function 'trivia-confirm'"):
        check_functions(RehearsalSettings.load_from(EXAMPLE), parse_appspec(text))


def test_an_unknown_function_cannot_be_invoked(tmp_path: Path) -> None:
    with hooks_with(tmp_path, "keep") as hooks, pytest.raises(ToolError, match="'three'") as caught:
        hooks.invoke("three", EVENT)
    assert caught.value.hint == "known functions: one, two"


def test_a_function_that_crashes_is_invoked_again(tmp_path: Path) -> None:
    with hooks_with(tmp_path, "crash_once") as hooks:
        hooks.invoke("one", EVENT)
        assert content(tmp_path / "one.out", "answered") == "answered"
        hooks.join()
    assert hooks.executions == [("one", "e-1")]


def test_closing_ends_a_function_that_does_not(tmp_path: Path) -> None:
    hooks = hooks_with(tmp_path, "sleep")
    hooks.invoke("one", EVENT)
    content(tmp_path / "one.out", "asleep")
    hooks.close()
    hooks.join()
    assert not [thread for thread in hooks._threads if thread.is_alive()]  # noqa: SLF001 - what is left


@pytest.mark.parametrize(
    ("function", "present", "absent"),
    [
        pytest.param(
            "one", '"GREENROOM_TARGET": "http://127.0.0.1:2"', "HOOK_EVENT", id="two-events"
        ),
        pytest.param(
            "two", '"GREENROOM_TARGET": "http://127.0.0.1:3"', "GREENROOM_HOOK_RESERVE", id="after"
        ),
    ],
)
def test_a_function_knows_codedeploy_target_and_release(
    tmp_path: Path, function: str, present: str, absent: str
) -> None:
    with hooks_with(tmp_path, "keep") as hooks:
        hooks.invoke(function, EVENT)
        told = content(tmp_path / f"{function}.out", "}")
    assert present in told
    assert absent not in told
    assert '"AWS_ENDPOINT_URL_CODEDEPLOY": "http://127.0.0.1:1"' in told
    assert '"GREENROOM_RELEASE_REVISION": "good"' in told
