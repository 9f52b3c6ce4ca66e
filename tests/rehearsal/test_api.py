"""The endpoint, asked by raw HTTP, by unmodified boto3 and by the AWS CLI."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest

from greenroom.rehearsal.api import CodeDeployApi
from greenroom.rehearsal.clock import ScaledClock
from greenroom.rehearsal.engine import DeploymentGroup, DeploymentRequest, Engine
from greenroom.rehearsal.lifecycle import Lifecycle, Status
from tests.support.deployments import (
    Answer,
    MemoryPlane,
    SwitchedAlarm,
    World,
    appspec,
    appspec_text,
)
from tests.support.shapes import errors, misfits, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_codedeploy.client import CodeDeployClient

AT_TEST = Lifecycle.AFTER_ALLOW_TEST_TRAFFIC
GROUP = {"applicationName": "trivia", "deploymentGroupName": "api"}
UNKNOWN = "d-NOSUCH123"


@functools.cache
def web() -> httpx.Client:
    """Return one client for all tests; each request has a connection of its own."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


class Endpoint:
    """The endpoint of one world, and two ways to ask it."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url

    @functools.cached_property
    def boto3(self) -> CodeDeployClient:
        return boto3.client(
            "codedeploy",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",  # noqa: S106 - the endpoint checks no credentials
        )

    def ask(self, name: str, **given: Any) -> httpx.Response:  # noqa: ANN401 - any JSON
        headers = {"X-Amz-Target": f"CodeDeploy_20141006.{name}"}
        return web().post(self.url, json=given, headers=headers)

    def refusal(self, name: str, **given: Any) -> str:  # noqa: ANN401 - any JSON
        """Return the code of a refusal that the model of the operation knows."""
        answer = self.ask(name, **given)
        assert answer.status_code == 400
        code: str = answer.json()["__type"]
        assert answer.json()["message"]
        assert code in errors(name)
        return code

    def deploy(self, **request: Any) -> str:  # noqa: ANN401 - any JSON
        """Deploy to the end and return the deployment's id."""
        given: dict[str, Any] = GROUP | request
        deployment = self.boto3.create_deployment(**given)["deploymentId"]
        self.world.engine.wait(deployment, timeout_s=30)
        return deployment


@pytest.fixture
def serve() -> Iterator[Callable[[World], Endpoint]]:
    with contextlib.ExitStack() as opened:
        yield lambda world: Endpoint(world, opened.enter_context(CodeDeployApi(world.engine)).url)


@pytest.fixture
def endpoint(serve: Callable[[World], Endpoint]) -> Endpoint:
    """An endpoint on which one deployment was rolled back at the test traffic's hook."""
    return serve(World({AT_TEST: Answer(succeeded=False)}))


ON_DEPLOYMENTS = [
    "GetDeployment",
    "ListDeploymentTargets",
    "GetDeploymentTarget",
    "BatchGetDeploymentTargets",
    "PutLifecycleEventHookExecutionStatus",
    "StopDeployment",
]


@pytest.mark.parametrize("name", ON_DEPLOYMENTS)
@pytest.mark.parametrize(
    ("deployment", "code"),
    [
        (None, "DeploymentIdRequiredException"),
        ("", "DeploymentIdRequiredException"),
        ("d-1", "InvalidDeploymentIdException"),
        (7, "InvalidDeploymentIdException"),
        (UNKNOWN, "DeploymentDoesNotExistException"),
    ],
    ids=["none", "empty", "malformed", "number", "unknown"],
)
def test_a_wrong_deployment_id_is_refused(
    endpoint: Endpoint, name: str, deployment: object, code: str
) -> None:
    given = {} if deployment is None else {"deploymentId": deployment}
    assert endpoint.refusal(name, **given) == code


@pytest.mark.parametrize("status", ["Success", "Pending", "Skipped", "Unknown", "", None, 1])
def test_a_hook_status_other_than_succeeded_or_failed_is_refused(
    endpoint: Endpoint, status: object
) -> None:
    code = endpoint.refusal(
        "PutLifecycleEventHookExecutionStatus",
        deploymentId=endpoint.deploy(),
        lifecycleEventHookExecutionId="x",
        status=status,
    )
    assert code == "InvalidLifecycleEventHookExecutionStatusException"


@pytest.mark.parametrize("token", [None, "", "unknown", 3])
def test_an_unknown_hook_execution_is_refused(endpoint: Endpoint, token: object) -> None:
    code = endpoint.refusal(
        "PutLifecycleEventHookExecutionStatus",
        deploymentId=endpoint.deploy(),
        lifecycleEventHookExecutionId=token,
        status="Succeeded",
    )
    assert code == "InvalidLifecycleEventHookExecutionIdException"


def test_boto3_raises_the_models_exception_for_a_second_answer(endpoint: Endpoint) -> None:
    deployment = endpoint.deploy()
    token = endpoint.world.hooks.invoked[0][1]["LifecycleEventHookExecutionId"]
    with pytest.raises(endpoint.boto3.exceptions.LifecycleEventAlreadyCompletedException):
        endpoint.boto3.put_lifecycle_event_hook_execution_status(
            deploymentId=deployment, lifecycleEventHookExecutionId=token, status="Succeeded"
        )


def test_a_rollback_refuses_answers_and_stops(endpoint: Endpoint) -> None:
    info = endpoint.boto3.get_deployment(deploymentId=endpoint.deploy())["deploymentInfo"]
    rollback = info["rollbackInfo"]["rollbackDeploymentId"]
    expected = "UnsupportedActionForDeploymentTypeException"
    assert endpoint.refusal("StopDeployment", deploymentId=rollback) == expected


def test_a_finished_deployment_refuses_to_stop(endpoint: Endpoint) -> None:
    code = endpoint.refusal("StopDeployment", deploymentId=endpoint.deploy())
    assert code == "DeploymentAlreadyCompletedException"


@pytest.mark.parametrize(
    ("targets", "code"),
    [
        ([], "DeploymentTargetIdRequiredException"),
        ("trivia:api", "InvalidDeploymentTargetIdException"),
        ([1], "InvalidDeploymentTargetIdException"),
        (["other"], "DeploymentTargetDoesNotExistException"),
        (["trivia:api", "other"], "DeploymentTargetListSizeExceededException"),
    ],
    ids=["none", "no-list", "number", "unknown", "two"],
)
def test_a_wrong_target_is_refused(endpoint: Endpoint, targets: object, code: str) -> None:
    deployment = endpoint.deploy()
    found = endpoint.refusal(
        "BatchGetDeploymentTargets", deploymentId=deployment, targetIds=targets
    )
    assert found == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"applicationName": ""}, "ApplicationNameRequiredException"),
        ({"applicationName": 1}, "InvalidApplicationNameException"),
        ({"applicationName": "quiz"}, "ApplicationDoesNotExistException"),
        ({"deploymentGroupName": None}, "DeploymentGroupNameRequiredException"),
        ({"deploymentGroupName": "web"}, "DeploymentGroupDoesNotExistException"),
        ({"deploymentConfigName": "Fast"}, "DeploymentConfigDoesNotExistException"),
        ({"deploymentConfigName": 1}, "InvalidDeploymentConfigNameException"),
        ({"autoRollbackConfiguration": 1}, "InvalidAutoRollbackConfigException"),
        ({"autoRollbackConfiguration": {"enabled": True}}, "InvalidAutoRollbackConfigException"),
        (
            {"autoRollbackConfiguration": {"enabled": True, "events": [["X"]]}},
            "InvalidAutoRollbackConfigException",
        ),
        ({"overrideAlarmConfiguration": {}}, "InvalidAlarmConfigException"),
        ({"targetInstances": {}}, "InvalidTargetInstancesException"),
        ({"revision": 1}, "InvalidRevisionException"),
        ({"revision": {"revisionType": "S3"}}, "InvalidRevisionException"),
        ({"revision": {"revisionType": "AppSpecContent"}}, "InvalidRevisionException"),
        (
            {"revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": "x"}}},
            "InvalidRevisionException",
        ),
    ],
)
def test_a_wrong_deployment_is_refused(
    endpoint: Endpoint, change: dict[str, object], code: str
) -> None:
    assert endpoint.refusal("CreateDeployment", **(GROUP | change)) == code


def test_a_revision_whose_digest_is_wrong_is_refused(endpoint: Endpoint) -> None:
    content = {"content": appspec_text(), "sha256": "0" * 64}
    revision = {"revisionType": "AppSpecContent", "appSpecContent": content}
    code = endpoint.refusal("CreateDeployment", **GROUP, revision=revision)
    assert code == "InvalidRevisionException"


def test_a_group_without_a_revision_asks_for_one(serve: Callable[[World], Endpoint]) -> None:
    endpoint = serve(World(appspec=None))
    assert endpoint.refusal("CreateDeployment", **GROUP) == "RevisionRequiredException"


def test_a_busy_group_refuses_a_second_deployment(serve: Callable[[World], Endpoint]) -> None:
    world = World({AT_TEST: Answer(after_s=20)})
    endpoint = serve(world)
    codes: list[str] = []
    world.at(10, lambda _: codes.append(endpoint.refusal("CreateDeployment", **GROUP)))
    endpoint.deploy()
    assert codes == ["DeploymentLimitExceededException"]


@pytest.mark.parametrize("name", ["DeleteEverything", ""])
def test_an_unknown_operation_names_the_offered_ones(endpoint: Endpoint, name: str) -> None:
    answer = endpoint.ask(name)
    assert answer.status_code == 400
    assert answer.json()["__type"] == "UnknownOperationException"
    assert "PutLifecycleEventHookExecutionStatus" in answer.json()["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"], ids=["cut", "list", "binary"])
def test_a_body_that_is_no_json_object_is_refused(endpoint: Endpoint, body: bytes) -> None:
    target = {"X-Amz-Target": "CodeDeploy_20141006.GetDeployment"}
    answer = web().post(endpoint.url, content=body, headers=target)
    assert answer.json()["__type"] == "SerializationException"


@pytest.mark.parametrize("length", ["99999999", "many"])
def test_a_body_of_a_wrong_length_is_refused_unread(endpoint: Endpoint, length: str) -> None:
    address = endpoint.url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(address, timeout=10)) as to:
        to.putrequest("POST", "/")
        to.putheader("Content-Length", length)
        to.endheaders()
        answer = to.getresponse()
        assert answer.status == 400
        assert json.load(answer)["__type"] == "SerializationException"


def test_a_stop_that_is_no_boolean_is_refused(endpoint: Endpoint) -> None:
    answer = endpoint.ask("StopDeployment", deploymentId=UNKNOWN, autoRollbackEnabled="yes")
    assert answer.json()["__type"] == "SerializationException"


def test_closing_an_endpoint_that_never_started_is_harmless() -> None:
    CodeDeployApi(World().engine).close()


ENDINGS = {
    "succeeded": lambda: World({AT_TEST: Answer()}),
    "rolled-back": lambda: World({AT_TEST: Answer(succeeded=False)}),
    "not-rolled-back": lambda: World({Lifecycle.BEFORE_INSTALL: Answer(succeeded=False)}),
    "timed-out": lambda: World({AT_TEST: Answer(succeeded=None)}),
    "alarm": lambda: World(alarm=SwitchedAlarm(on=True)),
    "broken": lambda: World(plane=MemoryPlane(broken=frozenset({"shift 100", "shift 0"}))),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("of", ["deployment", "rollback"])
def test_every_answer_fits_botocores_model(
    serve: Callable[[World], Endpoint], ending: str, of: str
) -> None:
    endpoint = serve(ENDINGS[ending]())
    deployment = endpoint.deploy(description="a release")
    rollback = endpoint.world.engine.snapshot(deployment).rollback
    if of == "rollback" and rollback and rollback.deployment_id:
        deployment = rollback.deployment_id
    asked: dict[str, dict[str, Any]] = {
        "GetDeployment": {},
        "ListDeploymentTargets": {},
        "GetDeploymentTarget": {"targetId": "trivia:api"},
        "BatchGetDeploymentTargets": {"targetIds": ["trivia:api"]},
    }
    for name, more in asked.items():
        answer = endpoint.ask(name, deploymentId=deployment, **more)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-amz-json-1.1"
        assert list(misfits(operation(name).output_shape, answer.json())) == []


def test_answers_in_the_middle_of_a_deployment_fit_too(serve: Callable[[World], Endpoint]) -> None:
    world = World({AT_TEST: Answer(succeeded=None)})
    endpoint = serve(world)
    found: list[Any] = []

    def look(deployment: str) -> None:
        token = world.hooks.invoked[0][1]["LifecycleEventHookExecutionId"]
        asked: dict[str, dict[str, Any]] = {
            "GetDeployment": {},
            "BatchGetDeploymentTargets": {"targetIds": ["trivia:api"]},
            "PutLifecycleEventHookExecutionStatus": {
                "lifecycleEventHookExecutionId": token,
                "status": "Succeeded",
            },
            "StopDeployment": {"autoRollbackEnabled": True},
        }
        for name, given in asked.items():
            answer = endpoint.ask(name, deploymentId=deployment, **given).json()
            found.append(answer)
            found.extend(misfits(operation(name).output_shape, answer))

    world.at(10, look)
    endpoint.deploy()
    info, targets, put, stopped = found
    events = targets["deploymentTargets"][0]["ecsTarget"]["lifecycleEvents"]
    assert info["deploymentInfo"]["status"] == "InProgress"
    assert [e["lifecycleEventName"] for e in events if e["status"] == "InProgress"] == [AT_TEST]
    assert put == {
        "lifecycleEventHookExecutionId": world.hooks.invoked[0][1]["LifecycleEventHookExecutionId"]
    }
    assert stopped["status"] == "Pending"


def test_boto3_reads_why_a_deployment_failed_and_what_rolled_it_back(endpoint: Endpoint) -> None:
    deployment = endpoint.deploy()
    info = endpoint.boto3.get_deployment(deploymentId=deployment)["deploymentInfo"]
    back = endpoint.boto3.get_deployment(deploymentId=info["rollbackInfo"]["rollbackDeploymentId"])[
        "deploymentInfo"
    ]
    assert info["status"] == "Failed"
    assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
    assert back["creator"] == "codeDeployRollback"
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    assert back["status"] == "Succeeded"


def test_boto3_waits_for_success_with_its_own_waiter(serve: Callable[[World], Endpoint]) -> None:
    endpoint = serve(World({AT_TEST: Answer()}))
    deployment = endpoint.deploy()
    endpoint.boto3.get_waiter("deployment_successful").wait(deploymentId=deployment)


@pytest.mark.parametrize("digest", [True, False], ids=["with-digest", "without"])
def test_boto3_deploys_a_revision_of_its_own(
    serve: Callable[[World], Endpoint], *, digest: bool
) -> None:
    endpoint = serve(World())
    text = appspec_text(Lifecycle.AFTER_INSTALL)
    content = {"content": text}
    if digest:
        content["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    deployment = endpoint.deploy(
        revision={"revisionType": "AppSpecContent", "appSpecContent": content},
        deploymentConfigName="CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
    )
    info = endpoint.boto3.get_deployment(deploymentId=deployment)["deploymentInfo"]
    assert info["revision"]["appSpecContent"]["content"] == text
    assert info["autoRollbackConfiguration"]["events"] == ["DEPLOYMENT_FAILURE"]
    assert [point.replacement for point in endpoint.world.engine.snapshot(deployment).traffic] == [
        *range(10, 101, 10)
    ]


def test_boto3_stops_a_deployment(serve: Callable[[World], Endpoint]) -> None:
    world = World({AT_TEST: Answer(succeeded=None)})
    endpoint = serve(world)
    world.at(5, lambda deployment: endpoint.boto3.stop_deployment(deploymentId=deployment))
    deployment = endpoint.deploy(autoRollbackConfiguration={"enabled": False, "events": []})
    info = endpoint.boto3.get_deployment(deploymentId=deployment)["deploymentInfo"]
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    assert "rollbackDeploymentId" not in info["rollbackInfo"]


def test_a_hook_that_finds_the_endpoint_by_its_environment_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class BotoHooks:
        def invoke(self, function: str, event: Mapping[str, Any]) -> None:
            threads.append(threading.Thread(target=self._report, args=(function, event)))
            threads[-1].start()

        def _report(self, function: str, event: Mapping[str, Any]) -> None:
            client = boto3.client("codedeploy", region_name="us-east-1")
            client.put_lifecycle_event_hook_execution_status(
                deploymentId=event["DeploymentId"],
                lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
                status="Failed" if function == "on-AfterAllowTraffic" else "Succeeded",
            )

    threads: list[threading.Thread] = []
    plane = MemoryPlane()
    spec = appspec(AT_TEST, Lifecycle.AFTER_ALLOW_TRAFFIC)
    group = DeploymentGroup(application="trivia", name="api", appspec=spec)
    engine = Engine(group, plane, BotoHooks(), ScaledClock(60))
    with CodeDeployApi(engine) as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CODEDEPLOY", api.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        ended = engine.wait(engine.create_deployment(DeploymentRequest()), timeout_s=50)
        for thread in threads:
            thread.join()
    assert ended.status is Status.FAILED
    assert [point.replacement for point in ended.traffic] == [100, 0]
    assert plane.log[-2:] == ["shift 0", "stop_replacement"]


def aws(endpoint: Endpoint, command: str, *options: str) -> dict[str, Any]:
    """Run one command of the AWS CLI; return its answer."""
    environment = {
        "AWS_ENDPOINT_URL_CODEDEPLOY": endpoint.url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [Path(sys.executable).with_name("aws"), "deploy", command, "--output", "json", *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_the_aws_cli_reads_a_deployment(endpoint: Endpoint) -> None:
    deployment = endpoint.deploy()
    answer = aws(endpoint, "get-deployment", "--deployment-id", deployment)
    assert answer["deploymentInfo"]["status"] == "Failed"


@pytest.mark.slow
def test_the_aws_cli_deploys_answers_for_a_hook_and_stops(
    serve: Callable[[World], Endpoint],
) -> None:
    silent = Answer(succeeded=None)
    world = World({Lifecycle.AFTER_INSTALL: silent, AT_TEST: silent})
    endpoint = serve(world)

    def put(deployment: str) -> None:
        token = world.hooks.invoked[0][1]["LifecycleEventHookExecutionId"]
        execution = ["--lifecycle-event-hook-execution-id", token, "--status", "Succeeded"]
        command = "put-lifecycle-event-hook-execution-status"
        answer = aws(endpoint, command, "--deployment-id", deployment, *execution)
        assert answer == {"lifecycleEventHookExecutionId": token}

    def stop(deployment: str) -> None:
        options = ["--deployment-id", deployment, "--auto-rollback-enabled"]
        assert aws(endpoint, "stop-deployment", *options)["status"] == "Pending"

    world.at(10, put)
    world.at(20, stop)
    names = ["--application-name", "trivia", "--deployment-group-name", "api"]
    created = aws(endpoint, "create-deployment", *names, "--description", "by the CLI")
    ended = world.engine.wait(created["deploymentId"], timeout_s=60)
    assert (ended.status, ended.rolled_back, ended.description) == ("Stopped", True, "by the CLI")
    assert [(answer.event, answer.succeeded) for answer in ended.answers] == [
        (Lifecycle.AFTER_INSTALL, True)
    ]
