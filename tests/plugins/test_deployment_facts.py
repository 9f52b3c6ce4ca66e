"""What the services know of a deployment, asked with real boto3; a doubt is never a fact."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.aws_process import Aws
from greenroom.plugins.deployment_facts import (
    codedeploy_facts,
    ecs_facts,
    event_under_way,
    status_of,
)
from greenroom.validators.errors import ServiceError
from greenroom.validators.lifecycle import LifecycleEvent
from tests.support.aws import AwsEndpoint, Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.aws import Script

DEPLOYMENT = "d-ABCDEFGHI"
ARN = "arn:aws:ecs:eu-west-1:123456789012:service-deployment/cluster/service/deployment"
LAMBDA_APPSPEC = {
    "version": 0.0,
    "Resources": [
        {
            "bot": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Name": "trivia-bot",
                    "Alias": "live",
                    "CurrentVersion": "6",
                    "TargetVersion": "7",
                },
            }
        }
    ],
}


@contextmanager
def asking(answers: Mapping[str, Script]) -> Iterator[tuple[Aws, float]]:
    """Give an `Aws` that asks an endpoint with these answers, and when that has to be over."""
    with (
        AwsEndpoint(answers) as endpoint,
        Aws({**os.environ, **endpoint.environment}, patience_s=1) as aws,
    ):
        yield aws, time.monotonic() + 20


def deployment(**info: object) -> dict[str, Any]:
    return {"codedeploy.GetDeployment": {"deploymentInfo": {"deploymentId": DEPLOYMENT, **info}}}


def targets(*events: tuple[str, str]) -> dict[str, Any]:
    listed = [{"lifecycleEventName": name, "status": status} for name, status in events]
    target = {"deploymentTargetType": "ECSTarget", "ecsTarget": {"lifecycleEvents": listed}}
    return {
        "codedeploy.ListDeploymentTargets": {"targetIds": ["cluster:service"]},
        "codedeploy.BatchGetDeploymentTargets": {"deploymentTargets": [target]},
    }


def test_a_deployment_that_cannot_be_asked_is_no_rollback_and_not_the_first() -> None:
    refused = {"codedeploy.GetDeployment": Refusal("AccessDeniedException", "not authorized")}
    with asking(refused) as (aws, until), pytest.raises(ServiceError, match="AccessDenied"):
        codedeploy_facts(aws, DEPLOYMENT, until=until)


def test_silence_ends_with_the_time() -> None:
    with (
        asking({"codedeploy.GetDeployment": Fault.SILENT}) as (aws, _),
        pytest.raises(ServiceError),
    ):
        codedeploy_facts(aws, DEPLOYMENT, until=time.monotonic() + 2)


@pytest.mark.parametrize(
    ("creator", "rollback"), [("user", False), ("autoscaling", False), ("codeDeployRollback", True)]
)
def test_a_rollback_is_known_by_its_creator(creator: str, *, rollback: bool) -> None:
    with asking(deployment(creator=creator)) as (aws, until):
        assert codedeploy_facts(aws, DEPLOYMENT, until=until).rollback is rollback


def test_the_first_deployment_has_no_previous_revision() -> None:
    earlier = {"previousRevision": {"revisionType": "AppSpecContent"}}
    with asking(deployment(creator="user")) as (aws, until):
        assert codedeploy_facts(aws, DEPLOYMENT, until=until).first
    with asking(deployment(creator="user", **earlier)) as (aws, until):
        assert not codedeploy_facts(aws, DEPLOYMENT, until=until).first


@pytest.mark.parametrize("kind", ["appSpecContent", "string"])
def test_the_revision_says_what_is_deployed(kind: str) -> None:
    named = {"applicationName": "trivia", "deploymentGroupName": "production"}
    content = {"revisionType": "AppSpecContent", kind: {"content": json.dumps(LAMBDA_APPSPEC)}}
    with asking(deployment(**named, revision=content)) as (aws, until):
        release = codedeploy_facts(aws, DEPLOYMENT, until=until).release
    assert release == {
        "application": "trivia",
        "deployment-group": "production",
        "function": "trivia-bot",
        "target-version": "7",
    }


@pytest.mark.parametrize("text", ["version: 0.0\n", "[]", '{"Resources": 4}', '{"Resources": [4]}'])
def test_a_revision_that_is_not_json_tells_nothing(text: str) -> None:
    content = {"revisionType": "AppSpecContent", "appSpecContent": {"content": text}}
    with asking(deployment(revision=content)) as (aws, until):
        assert codedeploy_facts(aws, DEPLOYMENT, until=until).release == {}


@pytest.mark.parametrize(
    "events",
    [
        (("AfterInstall", "Succeeded"), ("AllowTestTraffic", "Pending")),
        (("AfterInstall", "InProgress"), ("BeforeAllowTraffic", "InProgress")),
        (("SomethingNew", "InProgress"),),
        (),
    ],
    ids=["none", "two", "an unknown one", "no events"],
)
def test_an_event_that_is_not_one_and_known_is_not_guessed(events: tuple[Any, ...]) -> None:
    with asking(targets(*events)) as (aws, until), pytest.raises(ServiceError) as caught:
        event_under_way(aws, DEPLOYMENT, until=until)
    assert "does not say which lifecycle event" in str(caught.value)
    assert "GREENROOM_HOOK_EVENT" in caught.value.hint


def test_the_event_under_way_is_the_hooks() -> None:
    seen = targets(("AfterInstall", "Succeeded"), ("AfterAllowTestTraffic", "InProgress"))
    with asking(seen) as (aws, until):
        found = event_under_way(aws, DEPLOYMENT, until=until)
        assert found is LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
        assert status_of(aws, DEPLOYMENT, "AfterInstall", until=until) == "Succeeded"
        assert status_of(aws, DEPLOYMENT, "BeforeInstall", until=until) == ""


def test_an_unknown_service_deployment_is_said() -> None:
    nothing: dict[str, Any] = {"ecs.DescribeServiceDeployments": {"serviceDeployments": []}}
    with asking(nothing) as (aws, until), pytest.raises(ServiceError, match="does not know"):
        ecs_facts(aws, ARN, until=until)


@pytest.mark.parametrize(
    ("facts", "rollback", "first"),
    [
        ({"status": "IN_PROGRESS"}, False, True),
        ({"status": "ROLLBACK_IN_PROGRESS"}, True, True),
        ({"status": "IN_PROGRESS", "sourceServiceRevisions": [{"arn": "old"}]}, False, False),
    ],
)
def test_ecs_says_whether_it_rolls_back_and_from_what(
    facts: dict[str, Any], *, rollback: bool, first: bool
) -> None:
    told = {"serviceDeploymentArn": ARN, "targetServiceRevision": {"arn": "new"}, **facts}
    with asking({"ecs.DescribeServiceDeployments": {"serviceDeployments": [told]}}) as (aws, until):
        found = ecs_facts(aws, ARN, until=until)
    assert (found.rollback, found.first) == (rollback, first)
    assert found.release == {"service-revision": "new"}
