"""Hook events, as the services send them, and as nobody does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.plugins.hook_events import (
    BackUpEvent,
    BuildEndedEvent,
    CodeDeployEvent,
    DeploymentWait,
    EcsEvent,
    EcsPauseEvent,
    PipelineApprovalEvent,
    PipelineJobEvent,
    ReadyWaitEvent,
    Waiter,
    parse_event,
    waiter_in,
)
from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import LifecycleEvent

NEW = "arn:aws:ecs:eu-west-1:1:service-revision/c/s/2"
OLD = "arn:aws:ecs:eu-west-1:1:service-revision/c/s/1"
ARN = "arn:aws:ecs:eu-west-1:1:service-deployment/c/s/d"
TOKEN = "1a2b3c4d-573f-4ea7-a67e-000000000000"  # noqa: S105 - of a test
SECRET = "6CGtmAa3lzWtV7a"  # noqa: S105 - of a test
CODEDEPLOY = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
DETAILS = {"serviceArn": "arn:service", "targetServiceRevisionArn": NEW}
ECS: dict[str, Any] = {
    "executionId": "e-2",
    "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
    "resourceArn": ARN,
    "executionDetails": DETAILS,
    "hookDetails": {"asked": 1},
}
FLAT = {key: value for key, value in ECS.items() if key != "executionDetails"} | DETAILS
STATE_CHANGE = {
    "detail-type": "CodeDeploy Deployment State-change Notification",
    "source": "aws.codedeploy",
    "detail": {
        "application": "trivia",
        "deploymentGroup": "api",
        "deploymentId": "d-1",
        "state": "READY",
    },
}
TRIGGER = {
    "eventTriggerName": "ready",
    "applicationName": "trivia",
    "deploymentGroupName": "api",
    "deploymentId": "d-1",
    "status": "Ready",
}
HOOK_CHANGE = {
    "detail-type": "ECS Hook State Change",
    "source": "aws.ecs",
    "resources": [ARN],
    "detail": {
        "eventName": "HOOK_AWAITING_ACTION",
        "hookId": "ecs-pause-1",
        "hookType": "PAUSE",
        "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
        "serviceArn": "arn:service",
        "serviceDeploymentArn": ARN,
    },
}
APPROVAL = {
    "region": "us-east-2",
    "consoleLink": "https://console.example.org",
    "approval": {
        "pipelineName": "trivia",
        "stageName": "Production",
        "actionName": "Gate",
        "token": TOKEN,
        "expires": "2026-07-07T20:22Z",
        "externalEntityLink": "https://example.org",
        "customData": "Review it.",
    },
}


def sns(message: object) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": text}}]}


def job(parameters: object = None) -> dict[str, Any]:
    configuration = {"FunctionName": "gate"}
    if parameters is not None:
        text = parameters if isinstance(parameters, str) else json.dumps(parameters)
        configuration["UserParameters"] = text
    data = {
        "actionConfiguration": {"configuration": configuration},
        "artifactCredentials": {"secretAccessKey": SECRET},
    }
    return {"CodePipeline.job": {"id": "j-1", "accountId": "1", "data": data}}


def approval(custom: str) -> dict[str, Any]:
    return sns({**APPROVAL, "approval": {**APPROVAL["approval"], "customData": custom}})  # type: ignore[dict-item]


def build_ended(status: str, *variables: dict[str, str]) -> dict[str, Any]:
    environment = {"environment": {"environment-variables": list(variables)}}
    return {
        "detail-type": "CodeBuild Build State Change",
        "source": "aws.codebuild",
        "detail": {
            "build-status": status,
            "build-id": "arn:build",
            "project-name": "gates",
            "additional-information": environment,
        },
    }


def handed(event: object) -> dict[str, str]:
    return {"name": "GREENROOM_HOOK_DELIVERY", "type": "PLAINTEXT", "value": json.dumps(event)}


def test_a_codedeploy_event_has_two_ids_and_no_name() -> None:
    hook = parse_event({**CODEDEPLOY, "Combined": "x"})
    assert hook == CodeDeployEvent("d-1", "e-1")
    assert (hook.event, hook.release) == (None, {"deployment": "d-1"})


@pytest.mark.parametrize("event", [ECS, FLAT], ids=["nested", "flat"])
def test_both_shapes_of_an_ecs_event_say_the_same(event: dict[str, Any]) -> None:
    parsed = parse_event(event)
    assert parsed == EcsEvent(
        execution_id="e-2",
        stage="POST_TEST_TRAFFIC_SHIFT",
        deployment=ARN,
        service="arn:service",
        revision=NEW,
        details={"asked": 1},
    )
    assert parsed.release["service-revision"] == NEW
    assert parsed.event is LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC


def test_an_ecs_stage_that_is_not_known_is_nobodys_error() -> None:
    parsed = parse_event({"lifecycleStage": "BRAND_NEW", "resourceArn": ARN})
    assert parsed.event is None
    assert parsed.execution_id == f"{ARN}/BRAND_NEW"


@pytest.mark.parametrize(
    ("stage", "weights", "rollback"),
    [
        ("PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 100, NEW: 0}}, True),
        ("PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 100}}, False),
        ("PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 90, NEW: 10}}, False),
        ("PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 0, NEW: 100}}, False),
        ("TEST_TRAFFIC_SHIFT", {"testTrafficWeights": {OLD: 100, NEW: 0}}, True),
        ("PRE_PRODUCTION_TRAFFIC_SHIFT", {"productionTrafficWeights": {OLD: 100, NEW: 0}}, False),
        ("TEST_TRAFFIC_SHIFT", {"testTrafficWeights": {OLD: 50, NEW: 0}}, False),
        ("TEST_TRAFFIC_SHIFT", {}, False),
    ],
    ids=[
        "back",
        "target-not-named",
        "canary",
        "forward",
        "test-back",
        "before-the-shift",
        "nobody-has-all",
        "no-weights",
    ],
)
def test_a_rollback_takes_all_traffic_from_the_target(
    stage: str, weights: dict[str, Any], *, rollback: bool
) -> None:
    event = ECS | {"lifecycleStage": stage, "executionDetails": DETAILS | weights}
    parsed = parse_event(event)
    assert isinstance(parsed, EcsEvent)
    assert parsed.rollback is rollback


def test_the_targets_two_weights_tell_the_steps_of_a_shift_apart() -> None:
    weights = {"testTrafficWeights": {NEW: 100}, "productionTrafficWeights": {OLD: 90, NEW: 10}}
    parsed = parse_event(ECS | {"executionDetails": DETAILS | weights})
    assert isinstance(parsed, EcsEvent)
    assert (parsed.test_weight, parsed.production_weight) == (100, 10)


@pytest.mark.parametrize(
    "event", [STATE_CHANGE, TRIGGER, sns(TRIGGER)], ids=["eventbridge", "trigger", "sns"]
)
def test_a_deployment_that_codedeploy_says_is_ready_waits(event: dict[str, Any]) -> None:
    hook = parse_event(event)
    assert hook == ReadyWaitEvent("d-1", DeploymentWait.READY, "trivia", "api")
    assert hook.event is LifecycleEvent.DEPLOYMENT_READY
    assert hook.release["deployment-group"] == "api"


@pytest.mark.parametrize("wait", ["READY_WAIT", "TERMINATION_WAIT"])
def test_what_a_deployment_waits_for_can_be_said_outright(wait: str) -> None:
    hook = parse_event({"deploymentId": "d-1", "deploymentWaitType": wait})
    assert hook == ReadyWaitEvent("d-1", DeploymentWait(wait))
    assert hook.execution_id == f"d-1/{wait}"
    late = hook.event is LifecycleEvent.AFTER_ALLOW_TRAFFIC
    assert late is (wait == "TERMINATION_WAIT")


def test_a_pause_tells_its_hook_and_its_stage() -> None:
    hook = parse_event(HOOK_CHANGE)
    assert hook == EcsPauseEvent(ARN, "ecs-pause-1", "POST_TEST_TRAFFIC_SHIFT", "arn:service")
    assert hook.execution_id == "ecs-pause-1"
    assert hook.event is LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
    assert hook.release["deployment"] == ARN


def test_a_pause_can_be_named_by_hand() -> None:
    assert parse_event({"serviceDeploymentArn": ARN}) == EcsPauseEvent(ARN)
    assert parse_event({"serviceDeploymentArn": ARN, "hookId": "h"}) == EcsPauseEvent(ARN, "h")


@pytest.mark.parametrize(
    ("parameters", "event"),
    [
        (None, LifecycleEvent.PIPELINE_ACTION),
        ("", LifecycleEvent.PIPELINE_ACTION),
        ("some text", LifecycleEvent.PIPELINE_ACTION),
        ("AfterInstall", LifecycleEvent.AFTER_INSTALL),
        ({"event": "POST_SCALE_UP"}, LifecycleEvent.AFTER_INSTALL),
        ({"other": 1}, LifecycleEvent.PIPELINE_ACTION),
    ],
    ids=["none", "empty", "text", "name", "json", "json-without-event"],
)
def test_user_parameters_may_name_the_lifecycle_event(
    parameters: object, event: LifecycleEvent
) -> None:
    hook = parse_event(job(parameters))
    assert isinstance(hook, PipelineJobEvent)
    assert (hook.execution_id, hook.event) == ("j-1", event)


def test_a_job_without_configuration_is_a_job() -> None:
    bare = {"CodePipeline.job": {"id": "j-1", "data": {"actionConfiguration": None}}}
    assert parse_event(bare) == PipelineJobEvent("j-1")


def test_user_parameters_tell_of_the_release() -> None:
    hook = parse_event(job({"execution": "x-1", "release": {"image": "sha256:1", "count": 2}}))
    assert hook.release == {"deployment": "x-1", "pipeline-job": "j-1", "image": "sha256:1"}


def test_a_jobs_credentials_and_an_approvals_token_show_nowhere() -> None:
    request = parse_event(sns(APPROVAL))
    assert isinstance(request, PipelineApprovalEvent)
    assert request.token == TOKEN
    shown = repr([request, request.execution_id, request.release, parse_event(job())])
    assert TOKEN not in shown
    assert SECRET not in shown


def test_an_approval_is_asked_for_by_sns() -> None:
    hook = parse_event(sns(APPROVAL))
    assert hook.event is LifecycleEvent.PIPELINE_APPROVAL
    assert hook.deployment == "trivia/Production/Gate"
    assert hook.execution_id.startswith("trivia/Production/Gate/")
    assert hook == parse_event(APPROVAL)
    assert parse_event(approval("AfterInstall")).event is LifecycleEvent.AFTER_INSTALL


@pytest.mark.parametrize(
    "delivery", [CODEDEPLOY, ECS, job(), sns(APPROVAL)], ids=["codedeploy", "ecs", "job", "sns"]
)
def test_a_back_up_and_an_ended_build_are_about_an_earlier_delivery(
    delivery: dict[str, Any],
) -> None:
    first = parse_event(delivery)
    back_up = parse_event({"greenroom": "back-up", "delivery": delivery, "build": "b"})
    ended = parse_event(build_ended("FAILED", {"name": "A", "value": "a"}, handed(delivery)))
    assert isinstance(back_up, BackUpEvent)
    assert isinstance(ended, BuildEndedEvent)
    assert back_up.waiter == ended.waiter == first
    assert (ended.build, ended.status) == ("arn:build", "FAILED")
    for late in (back_up, ended):
        assert (late.execution_id, late.deployment) == (first.execution_id, first.deployment)
        assert (late.event, late.release) == (first.event, first.release)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("text", "a str"),
        ({}, "nothing in it"),
        ({"Something": []}, "an object with 'Something'"),
        ({"detail-type": "Scheduled Event", "lifecycleStage": "x"}, "'detail-type'"),
        ({"DeploymentId": "d-1"}, "no LifecycleEventHookExecutionId: None"),
        ({"DeploymentId": 7, "LifecycleEventHookExecutionId": "e"}, "no DeploymentId: 7"),
        ({"executionDetails": DETAILS}, "no lifecycleStage: None"),
        ({"deploymentId": "d-1", "deploymentWaitType": "x"}, "unknown deploymentWaitType 'x'"),
        (STATE_CHANGE | {"detail": {"state": "START"}}, "nothing waits when state is 'START'"),
        (TRIGGER | {"status": "Failed"}, "nothing waits when status is 'Failed'"),
        (HOOK_CHANGE | {"detail": {"eventName": "HOOK_FAILED"}}, "eventName is 'HOOK_FAILED'"),
        (HOOK_CHANGE | {"detail": None}, "a NoneType"),
        ({"serviceDeploymentArn": ARN, "hookId": ""}, "no hookId: ''"),
        ({"Records": []}, "one record"),
        ({"Records": [{"s3": {}}]}, "a NoneType"),
        (sns("no JSON"), "the SNS message is not JSON"),
        (sns(sns(CODEDEPLOY)), "an object with 'Records'"),
        (sns("[" * 100_000), "the SNS message is not JSON"),
        (job({"event": "Nonsense"}), "UserParameters: unknown lifecycle event 'Nonsense'"),
        (job("{broken"), "UserParameters is not JSON"),
        (approval('{"event": 5}'), "customData: unknown lifecycle event 5"),
        ({"approval": {"pipelineName": "p"}}, "no stageName"),
        ({"greenroom": "other", "delivery": CODEDEPLOY}, "greenroom is 'other'"),
        ({"greenroom": "back-up"}, "a NoneType"),
        ({"greenroom": "back-up", "delivery": {"greenroom": "back-up"}}, "'greenroom'"),
        (build_ended("IN_PROGRESS", handed(CODEDEPLOY)), "the build has not ended"),
        (build_ended("FAILED"), "no hook handed it anything"),
        (build_ended("FAILED", handed([])), "a list"),
    ],
)
def test_anything_else_is_refused_with_what_was_seen(event: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        parse_event(event)
    assert refused.value.hint


def test_an_unknown_event_is_refused_with_the_list_of_the_known() -> None:
    with pytest.raises(SettingsError) as refused:
        parse_event({"unknown": 1})
    for kind in ("CodeDeploy hook", "ECS hook", "PAUSE", "CodePipeline job", "approval"):
        assert kind in refused.value.hint


def test_a_wrong_token_is_refused_without_showing_it() -> None:
    wrong = {"approval": {**APPROVAL["approval"], "token": [TOKEN]}}  # type: ignore[dict-item]
    with pytest.raises(SettingsError, match="no token: list") as refused:
        parse_event(wrong)
    assert TOKEN not in refused.value.explain()


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (CODEDEPLOY, CodeDeployEvent),
        (job({"event": "Nonsense"}), PipelineJobEvent),
        (approval('{"event": "Nonsense"}'), PipelineApprovalEvent),
        ({"executionDetails": {}}, EcsEvent),
        ({"greenroom": "back-up", "delivery": job("{broken")}, PipelineJobEvent),
        ({"greenroom": "back-up", "delivery": CODEDEPLOY}, CodeDeployEvent),
        ({"greenroom": "back-up", "delivery": approval("{broken")}, PipelineApprovalEvent),
        ({"DeploymentId": "d-1"}, None),
        ({"CodePipeline.job": {}}, None),
        ({"approval": {}}, None),
        (STATE_CHANGE | {"detail": {"state": "START"}}, None),
        ({}, None),
        (7, None),
    ],
)
def test_who_waits_for_an_event_that_is_refused(event: object, kind: type[Waiter] | None) -> None:
    waiter = waiter_in(event)
    assert type(waiter) is (kind or type(None))


KEYS = st.sampled_from(
    [
        *CODEDEPLOY,
        *ECS,
        *DETAILS,
        *TRIGGER,
        *STATE_CHANGE,
        "CodePipeline.job",
        "Records",
        "Sns",
        "Message",
        "approval",
        "serviceDeploymentArn",
        "hookId",
        "deploymentWaitType",
        "greenroom",
        "delivery",
        "data",
        "id",
        "productionTrafficWeights",
    ]
)
WORDS = st.sampled_from(
    [
        "READY",
        "back-up",
        "PRODUCTION_TRAFFIC_SHIFT",
        "CodeBuild Build State Change",
        "ECS Hook State Change",
        "CodeDeploy Deployment State-change Notification",
        '{"event": 1}',
        "{",
    ]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_garbage_is_refused_and_nothing_worse(event: object) -> None:
    waiter = waiter_in(event)
    try:
        hook = parse_event(event)
    except SettingsError:
        return
    assert waiter is not None
    json.dumps([hook.execution_id, hook.deployment, hook.event, hook.release])
