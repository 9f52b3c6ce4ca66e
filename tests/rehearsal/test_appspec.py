"""AppSpec files: what is refused, and where; then every accepted spelling."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from greenroom.rehearsal.appspec import function_name, parse_appspec, read_appspec
from greenroom.rehearsal.lifecycle import Lifecycle
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: api
          ContainerPort: 8080
"""


def refusal(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as refused:
        parse_appspec(text, "appspec.yaml")
    return refused.value


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (HEAD + "Hooks:\n  - BeforeInstal: f\n", "appspec.yaml:11:5: unknown lifecycle event"),
        (HEAD + "Hooks:\n  - AllowTraffic: f\n", "appspec.yaml:11:5: no hook can run at Allow"),
        (HEAD + "Hooks:\n  - AfterInstall:\n", "appspec.yaml:11:5: the hook of AfterInstall is N"),
        (HEAD + "Hooks:\n  - AfterInstall: ':v1'\n", "appspec.yaml:11:5: the hook of AfterInst"),
        (HEAD + "Hooks:\n  - AfterInstall\n", "appspec.yaml:11:5: an item of Hooks is str"),
        (
            HEAD + "Hooks:\n  - AfterInstall: f\n    BeforeInstall: g\n",
            "appspec.yaml:11:5: an item of Hooks has 2 keys",
        ),
        (
            HEAD + "Hooks:\n  - AfterInstall: f\n  - AfterInstall: g\n",
            "appspec.yaml:12:5: AfterInstall has two hooks",
        ),
        (HEAD + "Hooks: f\n", "appspec.yaml: Hooks is str, not a map"),
        (HEAD + "Hook: []\n", "appspec.yaml:10:1: unknown section 'Hook'"),
        (HEAD + "resources: []\n", "appspec.yaml:10:1: section 'resources' stands twice"),
        (HEAD.replace("0.0", "2.0"), "appspec.yaml:1:1: unknown version 2.0"),
        (HEAD.replace("0.0", "true"), "appspec.yaml:1:1: unknown version True"),
        (HEAD.replace("version: 0.0\n", ""), "appspec.yaml: no version"),
        ("version: 0.0\n", "appspec.yaml: 0 resources in Resources"),
        (HEAD.replace("ECS::Service", "Lambda::Function"), "appspec.yaml:3:5: resource 'TargetS"),
        (HEAD.replace("TaskDefinition:", "Task:"), "appspec.yaml:3:5: Properties of 'TargetSe"),
        (HEAD.replace("8080", "http"), "appspec.yaml:3:5: ContainerPort 'http' is no port"),
        (HEAD.replace("8080", "65536"), "appspec.yaml:3:5: ContainerPort 65536 is no port"),
        (HEAD.replace("8080", "true"), "appspec.yaml:3:5: ContainerPort True is no port"),
        ("", "appspec.yaml: an AppSpec is nothing, not a map"),
        ("- a\n", "appspec.yaml: an AppSpec is CommentedSeq, not a map"),
    ],
)
def test_a_wrong_appspec_is_refused_where_it_is_wrong(text: str, start: str) -> None:
    assert str(refusal(text)).startswith(start)


def test_an_unknown_event_lists_those_that_can_have_a_hook() -> None:
    hint = refusal(HEAD + "Hooks:\n  - Install: f\n").hint
    assert hint == (
        "use one of: BeforeInstall, AfterInstall, AfterAllowTestTraffic, BeforeAllowTraffic, "
        "AfterAllowTraffic"
    )


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (HEAD + "version: 1.0\n", "appspec.yaml:10:1: found duplicate key"),
        (HEAD + "Hooks: [\n", "appspec.yaml:11:1: "),
        (HEAD + "Hooks: \x07\n", "appspec.yaml: "),
        ('{"version": 0.0,\n "version": 1.0}', "appspec.yaml: key 'version' stands twice"),
        ('{"version": 0.0,\n nothing}', "appspec.yaml:2:2: Expecting property name"),
        ('{"version": 0.0, "Resources": [{"A": {"Type": "x"}}]}', "appspec.yaml: resource 'A' is"),
    ],
    ids=["yaml-twice", "yaml-cut", "yaml-control", "json-twice", "json-broken", "json-type"],
)
def test_text_that_cannot_be_read_is_refused(text: str, start: str) -> None:
    assert str(refusal(text)).startswith(start)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["absent", "binary"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "appspec.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"appspec\.yaml: cannot be read"):
        read_appspec(path)


@pytest.mark.parametrize("version", ["0.0", "'0.0'", "1.0", '"1.0"', "0", "1"])
def test_a_version_is_a_number_or_text(version: str) -> None:
    assert parse_appspec(HEAD.replace("0.0", version)).version in ("0.0", "1.0")


HOOKS = [
    "Hooks:\n  - AfterInstall: one\n  - BeforeInstall: two\n",
    "hooks:\n  - AfterInstall: one\n  - BeforeInstall: two\n",
    "Hooks:\n  BeforeInstall: two\n  AfterInstall: one\n",
]


@pytest.mark.parametrize("hooks", HOOKS, ids=["list", "lower-case", "map"])
def test_hooks_come_in_lifecycle_order(hooks: str) -> None:
    found = [(hook.event, hook.function) for hook in parse_appspec(HEAD + hooks).hooks]
    assert found == [(Lifecycle.BEFORE_INSTALL, "two"), (Lifecycle.AFTER_INSTALL, "one")]


def test_the_service_is_read_with_its_placeholder() -> None:
    service = parse_appspec(HEAD).service
    assert (service.name, service.task_definition) == ("TargetService", "<TASK_DEFINITION>")
    assert (service.container_name, service.container_port) == ("api", 8080)
    assert service.platform_version is None


def test_json_says_the_same_as_yaml() -> None:
    properties = {
        "TaskDefinition": "<TASK_DEFINITION>",
        "LoadBalancerInfo": {"ContainerName": "api", "ContainerPort": 8080},
    }
    resource = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
    document = {"version": 0.0, "Resources": resource, "Hooks": [{"AfterInstall": "f"}]}
    read = parse_appspec(json.dumps(document, indent="\t"))
    assert read.service == parse_appspec(HEAD).service
    hook = read.hook(Lifecycle.AFTER_INSTALL)
    assert hook is not None
    assert hook.function == "f"


def test_a_file_keeps_its_text_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "appspec.yaml"
    path.write_text(HEAD)
    read = read_appspec(path)
    assert (read.text, read.hooks) == (HEAD, ())
    assert read.sha256 == hashlib.sha256(HEAD.encode()).hexdigest()


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("check", "check"),
        ("check:live", "check"),
        ("arn:aws:lambda:us-east-1:000000000000:function:check", "check"),
        ("arn:aws:lambda:us-east-1:000000000000:function:check:7", "check"),
        ("000000000000:function:check", "check"),
        ("arn:aws:sns:us-east-1:000000000000:topic", ""),
        ("", ""),
    ],
)
def test_a_hook_is_a_name_or_an_arn(target: str, name: str) -> None:
    assert function_name(target) == name
