"""The gate with a ledger: what one delivery finds, in good and ill, is every delivery's answer."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.gate_answers import Pending
from greenroom.plugins.hand_off import Invitation
from greenroom.plugins.reporting import Answer
from tests.support.aws import AwsEndpoint, Refusal
from tests.support.gates import CODEDEPLOY, DEPLOYMENT, EXECUTION, FAILING, Project
from tests.support.moto_server import MotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.plugins.gate_tell import Outcome

PUT = "codedeploy.PutLifecycleEventHookExecutionStatus"
COMPLETED = Refusal("LifecycleEventAlreadyCompletedException")
SCHEDULE = "scheduler.CreateSchedule"
START = "codebuild.StartBuild"
LONG = 'hand_off = "gates"\nback_up_role = "arn:aws:iam::123456789012:role/back-up"\n'
SERVICES: dict[str, Any] = {
    PUT: [{"lifecycleEventHookExecutionId": EXECUTION}, COMPLETED],
    "codedeploy.GetDeployment": {"deploymentInfo": {"deploymentId": DEPLOYMENT}},
    SCHEDULE: {"ScheduleArn": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"},
    START: {"build": {"id": "gates:1"}},
}


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoServer]:
    with MotoServer() as server:
        yield server


@pytest.fixture
def endpoint() -> Iterator[AwsEndpoint]:
    with AwsEndpoint(SERVICES) as endpoint:
        yield endpoint


@pytest.fixture
def project(tmp_path: Path, moto: MotoServer, endpoint: AwsEndpoint) -> Project:
    """A function with a ledger and a suite that passes."""
    project = Project(tmp_path)
    project.environ |= {
        **endpoint.environment,
        "AWS_ENDPOINT_URL_S3": moto.url,
        "GREENROOM_HOOK_LEDGER": f"s3://{moto.bucket(f'gate-{secrets.token_hex(8)}')}",
        "GREENROOM_HOOK_EVENT": "AfterAllowTestTraffic",
    }
    project.suite()
    return project


def heard(endpoint: AwsEndpoint) -> list[str]:
    return [members["status"] for members in endpoint.of(PUT)]


def answer_in(outcome: Outcome) -> Answer:
    assert isinstance(outcome.answer, Answer)
    return outcome.answer


def test_a_verdict_stands_although_the_suite_would_pass_by_now(
    project: Project, endpoint: AwsEndpoint
) -> None:
    project.suite(text=FAILING)
    project.deliver(CODEDEPLOY)
    project.suite()
    assert "four was expected" in str(answer_in(project.deliver(CODEDEPLOY)).reasons)
    assert heard(endpoint) == ["Failed", "Failed"]
    assert project.ran == ["it"]


def test_a_trouble_of_the_one_that_decides_is_everybodys_answer(
    project: Project, endpoint: AwsEndpoint
) -> None:
    project.deliver(CODEDEPLOY, arguments="suites -k 'a")
    assert "No closing quotation" in answer_in(project.deliver(CODEDEPLOY)).reasons[0]
    assert heard(endpoint) == ["Failed", "Failed"]


def test_a_trouble_of_a_later_delivery_is_its_own(project: Project, endpoint: AwsEndpoint) -> None:
    project.deliver(CODEDEPLOY)
    assert answer_in(project.deliver(CODEDEPLOY, arguments="suites -k 'a")).succeeded
    assert heard(endpoint) == ["Succeeded", "Succeeded"]


def invitation_in(endpoint: AwsEndpoint) -> Invitation:
    [start] = endpoint.of(START)
    given = {one["name"]: one["value"] for one in start["environmentVariablesOverride"]}
    invitation = Invitation.from_environ(given)
    assert invitation is not None
    return invitation


def test_a_long_gate_is_answered_by_its_build_once(project: Project, endpoint: AwsEndpoint) -> None:
    project.settings(f"[hook]\n{LONG}")
    assert isinstance(project.deliver(CODEDEPLOY).answer, Pending)
    assert heard(endpoint) == []
    for _ in range(2):  # a build that is run again
        assert answer_in(project.invited(invitation_in(endpoint))).succeeded
    assert heard(endpoint) == ["Succeeded", "Succeeded"]
    assert project.ran == ["it"]


def test_a_long_gate_that_cannot_be_handed_off_fails_for_everybody(
    project: Project, endpoint: AwsEndpoint
) -> None:
    project.settings('[hook]\nhand_off = "gates"\n')
    for _ in range(2):
        assert "needs a back-up" in answer_in(project.deliver(CODEDEPLOY)).reasons[0]
    assert heard(endpoint) == ["Failed", "Failed"]
    assert endpoint.of(START) == []
