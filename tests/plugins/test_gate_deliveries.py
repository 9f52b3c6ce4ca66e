"""The gate with a ledger: deliveries share one verdict, builds take over, back-ups answer."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.aws_process import Aws
from greenroom.plugins.gate_answers import Pending
from greenroom.plugins.hand_off import Invitation
from greenroom.plugins.hook_ledger import open_ledger
from greenroom.plugins.hook_ledger_wait import DIED
from greenroom.plugins.reporting import Answer
from tests.support.aws import AwsEndpoint, Refusal
from tests.support.gates import CODEDEPLOY, DEPLOYMENT, EXECUTION, FAILING, Project, ecs_event
from tests.support.ledgers import SHIP
from tests.support.moto_server import MotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.plugins.gate_tell import Outcome
    from greenroom.plugins.hook_ledger import Ledger

PUT = "codedeploy.PutLifecycleEventHookExecutionStatus"
COMPLETED = Refusal("LifecycleEventAlreadyCompletedException")
SCHEDULE = "scheduler.CreateSchedule"
START = "codebuild.StartBuild"
BUILDS = "codebuild.BatchGetBuilds"
LONG = 'hand_off = "gates"\nback_up_role = "arn:aws:iam::123456789012:role/back-up"\n'
SERVICES: dict[str, Any] = {
    PUT: [{"lifecycleEventHookExecutionId": EXECUTION}, COMPLETED],
    "codedeploy.GetDeployment": {"deploymentInfo": {"deploymentId": DEPLOYMENT}},
    SCHEDULE: {"ScheduleArn": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"},
    START: {"build": {"id": "gates:1"}},
    BUILDS: {"builds": [{"id": "gates:1", "buildStatus": "IN_PROGRESS"}]},
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


@pytest.fixture
def ledger(project: Project) -> Iterator[Ledger]:
    with Aws(project.environ) as aws:
        yield open_ledger(project.environ["GREENROOM_HOOK_LEDGER"], aws)


def soon() -> float:
    return time.monotonic() + 20


def heard(endpoint: AwsEndpoint) -> list[str]:
    return [members["status"] for members in endpoint.of(PUT)]


def answer_in(outcome: Outcome) -> Answer:
    assert isinstance(outcome.answer, Answer)
    return outcome.answer


def test_a_later_delivery_reports_the_recorded_verdict(
    project: Project, endpoint: AwsEndpoint
) -> None:
    outcomes = [project.deliver(CODEDEPLOY) for _ in range(3)]
    assert [outcome.errors for outcome in outcomes] == [(), (), ()]
    assert heard(endpoint) == ["Succeeded"] * 3
    assert project.ran == ["it"]


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


def test_nothing_is_reported_while_another_delivery_is_at_work(
    project: Project, endpoint: AwsEndpoint, ledger: Ledger
) -> None:
    ledger.claim(EXECUTION, owner="first", lease_ends=time.time() + 600, until=soon())
    project.environ["GREENROOM_HOOK_RESERVE"] = "1"
    outcome = project.deliver(CODEDEPLOY, seconds=7)
    assert isinstance(outcome.answer, Pending)
    assert (heard(endpoint), project.ran) == ([], [])


def test_a_delivery_that_died_is_reported_as_failed_without_a_second_run(
    project: Project, endpoint: AwsEndpoint, ledger: Ledger
) -> None:
    ledger.claim(EXECUTION, owner="first", lease_ends=time.time() - 60, until=soon())
    assert answer_in(project.deliver(CODEDEPLOY)).reasons == (DIED,)
    assert (heard(endpoint), project.ran) == (["Failed"], [])


def test_without_a_ledger_in_reach_the_suite_does_not_run(
    project: Project, endpoint: AwsEndpoint
) -> None:
    project.environ["GREENROOM_HOOK_LEDGER"] = "s3://no-such-bucket-anywhere"
    assert "NoSuchBucket" in answer_in(project.deliver(CODEDEPLOY)).reasons[0]
    assert (heard(endpoint), project.ran) == (["Failed"], [])


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


@pytest.mark.parametrize("late", ["back-up", "ended"])
def test_a_build_that_gives_no_verdict_is_answered_for(
    project: Project, endpoint: AwsEndpoint, late: str
) -> None:
    project.settings(f"[hook]\n{LONG}")
    project.deliver(CODEDEPLOY)
    variables = endpoint.of(START)[0]["environmentVariablesOverride"]
    detail = {
        "build-status": "STOPPED",
        "build-id": "arn:aws:codebuild:us-east-1:123456789012:build/gates:1",
        "project-name": "gates",
        "additional-information": {"environment": {"environment-variables": variables}},
    }
    ended = {"source": "aws.codebuild", "detail-type": "CodeBuild Build State Change"}
    back_up = {"greenroom": "back-up", "delivery": CODEDEPLOY, "answer_by": 1.0}
    project.deliver(back_up if late == "back-up" else {**ended, "detail": detail})
    assert heard(endpoint) == ["Failed"]
    assert not answer_in(project.invited(invitation_in(endpoint))).succeeded
    assert project.ran == []


def test_a_long_gate_that_cannot_be_handed_off_fails_for_everybody(
    project: Project, endpoint: AwsEndpoint
) -> None:
    project.settings('[hook]\nhand_off = "gates"\n')
    for _ in range(2):
        assert "needs a back-up" in answer_in(project.deliver(CODEDEPLOY)).reasons[0]
    assert heard(endpoint) == ["Failed", "Failed"]
    assert endpoint.of(START) == []


def test_an_ecs_hook_asks_again_until_the_build_has_decided(
    project: Project, endpoint: AwsEndpoint, ledger: Ledger
) -> None:
    project.settings(f"[hook]\n{LONG}")
    event = ecs_event("POST_TEST_TRAFFIC_SHIFT")
    first = project.deliver(event).payload
    assert first["hookStatus"] == "IN_PROGRESS"
    again = {**event, "hookDetails": first["hookDetails"]}
    second = project.deliver(again).payload
    assert second["hookStatus"] == "IN_PROGRESS"
    key = second["hookDetails"]["greenroom"]["state"]["key"]
    ledger.record(key, SHIP, until=soon())
    third = project.deliver({**event, "hookDetails": second["hookDetails"]}).payload
    assert third["hookStatus"] == "SUCCEEDED"
    assert len(endpoint.of(START)) == 1
