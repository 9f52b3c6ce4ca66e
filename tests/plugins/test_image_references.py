"""The images that files name: compose, task definitions, templates and appspecs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.image_references import find_images
from greenroom.validators.errors import SettingsError
from tests.support.moto_server import MotoServer
from tests.support.servers import refused_url

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
Parameters:
  Image: {Type: String}
  Tag: {Type: String, Default: build-7}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /app/image}
Resources:
  R:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: %s
"""


def images(
    folder: Path, text: str, name: str = "file.yaml", **given: str
) -> list[tuple[str, int, bool]]:
    """Return text, line and whether it is known of each image."""
    (folder / name).write_text(text)
    return [
        (use.text, use.location.line, not use.undecided)
        for use in find_images(folder / name, name, given)
    ]


def test_a_file_that_is_no_yaml_is_refused_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"file\.yaml:2:"):
        images(tmp_path, "services:\n  web: {image: [\n")


@pytest.mark.parametrize(
    "text", ["[]", "version: 0.0", "services: []", "services: {web: 1}", "Resources: {A: 1}"]
)
def test_a_file_without_images_has_none(text: str, tmp_path: Path) -> None:
    assert images(tmp_path, text) == []


def test_a_compose_file_names_one_for_each_service(tmp_path: Path) -> None:
    text = (
        "services:\n  web:\n    image: app:${TAG:-1}\n  db: {image: 'db:${V}'}\n"
        "  own: {build: .}\n  two: {extends: web}\n  bare: {ports: ['80']}\n"
    )

    assert images(tmp_path, text) == [
        ("app:1", 3, True),
        ("db:${V}", 4, True),
        ("service own", 5, False),
        ("service two", 6, False),
        ("service bare", 7, False),
    ]
    assert images(tmp_path, text, TAG="2", V="3")[:2] == [("app:2", 3, True), ("db:3", 4, True)]


@pytest.mark.parametrize("within", [False, True], ids=["definition", "described"])
def test_a_task_definition_names_one_for_each_container(within: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    containers = {"containerDefinitions": [{"image": "app:1"}, {"image": "<IMAGE1_NAME>"}]}
    text = json.dumps({"taskDefinition": containers} if within else containers, indent=1)

    found = images(tmp_path, text, "task.json")

    assert [(image, known) for image, _, known in found] == [
        ("app:1", True),
        ("<IMAGE1_NAME>", False),
    ]
    assert images(tmp_path, text, "task.json", IMAGE1_NAME="app:2")[1][0] == "app:2"


@pytest.mark.parametrize(
    ("value", "text", "known"),
    [
        ("app:1", "app:1", True),
        ("!Ref Image", "${Image}", False),
        ("!Ref Stored", "${Stored}", False),
        ("!Ref Tag", "build-7", True),
        ("!Sub '${AWS::AccountId}/app:${Tag}'", "${AWS::AccountId}/app:build-7", True),
        ("!Sub ['${Host}/app:${T}', {Host: here, T: !Ref Image}]", "here/app:${T}", True),
        ("!Join [':', [app, !Ref Tag]]", "app:build-7", True),
        ("!Join [':', [app, !Ref Image]]", "app:${Image}", True),
        ("!ImportValue app", "${Fn::ImportValue}", False),
        ("!Sub 'app:${!Tag}'", "app:${!Tag}", True),
        ("[app]", "a list or mapping", False),
        ("", "nothing", False),
        ("${" * 100_000, f"{'${' * 30}…", False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_template_computes_what_it_can(
    value: str,
    text: str,
    known: bool,  # noqa: FBT001 - a parameter
    tmp_path: Path,
) -> None:
    assert images(tmp_path, TEMPLATE % value) == [(text, 11, known)]


def test_a_parameter_that_is_given_has_a_value(tmp_path: Path) -> None:
    assert images(tmp_path, TEMPLATE % "!Ref Image", Image="app:9") == [("app:9", 11, True)]


def test_functions_name_theirs_and_the_image_of_a_build_is_none(tmp_path: Path) -> None:
    text = """\
Resources:
  F: {Type: "AWS::Serverless::Function", Properties: {PackageType: Image, ImageUri: "app:1"}}
  G: {Type: "AWS::Lambda::Function", Properties: {PackageType: Image, Code: {ImageUri: "app:2"}}}
  H: {Type: "AWS::Serverless::Function", Properties: {PackageType: Image}}
  B: {Type: "AWS::CodeBuild::Project", Properties: {Environment: {Image: "aws/standard:7.0"}}}
"""
    found = [("app:1", 2, True), ("app:2", 3, True), ("function H", 4, False)]
    assert images(tmp_path, text) == found


def test_resources_of_a_loop_and_services_of_app_runner_name_theirs(tmp_path: Path) -> None:
    text = """\
Resources:
  Fn::ForEach::Each:
    - Name
    - [a, b]
    - F${Name}: {Type: "AWS::Lambda::Function", Properties: {Code: {ImageUri: "${Name}:1"}}}
  R:
    Type: AWS::AppRunner::Service
    Properties: {SourceConfiguration: {ImageRepository: {ImageIdentifier: "app:2"}}}
"""
    assert images(tmp_path, text) == [("${Name}:1", 5, True), ("app:2", 8, True)]


APPSPEC = """\
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "%s"
"""


def test_an_appspec_names_those_of_its_task_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MotoServer() as aws:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        task = aws.client("ecs").register_task_definition(
            family="trivia", containerDefinitions=[{"name": "web", "image": "app:1", "memory": 64}]
        )["taskDefinition"]["taskDefinitionArn"]

        assert images(tmp_path, APPSPEC % task) == [("app:1", 6, True)]


def test_an_appspec_whose_task_definition_is_not_known_is_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", refused_url())
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    assert images(tmp_path, APPSPEC % "trivia:1") == [("trivia:1", 6, False)]
    assert images(tmp_path, APPSPEC % "<TASK_DEFINITION>") == [("<TASK_DEFINITION>", 6, False)]
    assert images(tmp_path, "Resources: [{F: {Properties: {Name: f}}}, 1]") == []
