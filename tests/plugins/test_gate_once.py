"""Each execution is decided once: duplicates, hand-offs and bypasses through the whole flow."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from greenroom.plugins.aws_process import Aws
from greenroom.plugins.gate_answers import Pending
from greenroom.plugins.gate_tell import answer_event
from greenroom.plugins.gate_waiters import KEY, key_of
from greenroom.plugins.hand_off import Invitation
from greenroom.plugins.hook_events import EcsEvent, parse_event
from greenroom.plugins.hook_ledger import open_ledger
from greenroom.plugins.reporting import Answer
from tests.support.aws import AwsEndpoint, Fault, Refusal
from tests.support.gates import CODEDEPLOY, EXECUTION, FAILING, FUNCTION, Project, ecs_event, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_s3.client import S3Client

    from greenroom.plugins.gate_tell import Outcome

FAILURE = "codepipeline.PutJobFailureResult"
PIPELINE_JOB = {"CodePipeline.job": {"id": "11111111-2222-3333-4444-555555555555", "data": {}}}
PARTS = """
[hook.events.POST_TEST_TRAFFIC_SHIFT]
suites = ["suites/test_one.py", "suites/test_two.py"]
one_by_one = true
"""
PUT = "codedeploy.PutLifecycleEventHookExecutionStatus"
STAGE = "POST_TEST_TRAFFIC_SHIFT"
HANDED = """
[hook]
ledger = "s3://gates/l"
hand_off = "gates"
back_up_role = "arn:aws:iam::123456789012:role/back-up"
"""
BUILD = "gates:0a1b2c"


def accepted(members: Mapping[str, Any]) -> dict[str, Any]:
    return {"lifecycleEventHookExecutionId": members["lifecycleEventHookExecutionId"]}


def bypass(user: str) -> dict[str, Any]:
    value = {"reason": "the payment provider is down", "expires": _in(hours=1)}
    version = {
        "Name": "/greenroom/bypass/trivia",
        "Type": "String",
        "Version": 1,
        "Value": json.dumps(value),
        "LastModifiedUser": user,
        "LastModifiedDate": time.time(),
    }
    return {
        "ssm.GetParameterHistory": {"Parameters": [version]},
        "sts.GetCallerIdentity": {"Arn": "arn:aws:sts::123456789012:assumed-role/hook/hook"},
    }


def _in(*, hours: int) -> str:
    moment = time.gmtime(time.time() + hours * 3600)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)


@pytest.fixture
def build() -> dict[str, Any]:
    """The build that was started, as CodeBuild answers."""
    return {"id": BUILD, "buildStatus": "IN_PROGRESS"}


@pytest.fixture
def aws(build: dict[str, Any]) -> Iterator[AwsEndpoint]:
    answers = {
        PUT: accepted,
        FAILURE: {},
        "scheduler.CreateSchedule": {
            "ScheduleArn": "arn:aws:scheduler:eu-west-1:123456789012:schedule/g/s"
        },
        "codebuild.StartBuild": lambda _: {"build": build},
        "codebuild.BatchGetBuilds": lambda _: {"builds": [build]},
        **bypass("arn:aws:sts::123456789012:assumed-role/admin/jo"),
    }
    with AwsEndpoint(answers) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto(server: str) -> Iterator[str]:
    """The address of moto's S3 with an empty bucket."""
    s3(server).create_bucket(Bucket="gates")
    yield server
    for one in s3(server).list_objects_v2(Bucket="gates").get("Contents", ()):
        s3(server).delete_object(Bucket="gates", Key=one["Key"])
    s3(server).delete_bucket(Bucket="gates")


def s3(address: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - moto takes any
    )


@pytest.fixture
def project(tmp_path: Path, moto: str, aws: AwsEndpoint) -> Project:
    """A project whose ledger is a bucket of moto's."""
    made = Project(tmp_path)
    made.environ |= {**aws.environment, "AWS_ENDPOINT_URL_S3": moto}
    made.settings('[hook]\nledger = "s3://gates/l"\n')
    made.suite()
    return made


def statuses(aws: AwsEndpoint) -> list[str]:
    return [members["status"] for members in aws.accepted(PUT)]


def reasons(outcome: Outcome) -> str:
    assert isinstance(outcome.answer, Answer)
    return "\n".join(outcome.answer.reasons)


def claim(project: Project, *, ends: float) -> None:
    """Claim the execution for somebody who never answers."""
    with Aws({**os.environ, **project.environ}) as caller:
        ledger = open_ledger("s3://gates/l", caller)
        until = time.monotonic() + 20
        ledger.claim(EXECUTION, owner="another", lease_ends=ends, until=until)


@pytest.mark.parametrize(
    ("text", "status"), [(FAILING, "Failed"), ("def test_it(): pass", "Succeeded")]
)
def test_a_second_delivery_reports_the_recorded_verdict_and_runs_nothing(
    project: Project, aws: AwsEndpoint, text: str, status: str
) -> None:
    project.suite(text=text)
    first, second = project.deliver(CODEDEPLOY), project.deliver(CODEDEPLOY)
    assert statuses(aws) == [status, status]
    assert project.ran == ["it"]
    assert reasons(first) == reasons(second)


def test_a_delivery_after_the_first_has_died_is_failed_without_a_run(
    project: Project, aws: AwsEndpoint
) -> None:
    claim(project, ends=time.time() - 60)
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(aws) == ["Failed"]
    assert "the first delivery ended without a verdict" in reasons(outcome)
    assert project.ran == []


def test_a_delivery_while_the_first_is_at_work_leaves_the_answer_to_it(
    project: Project, aws: AwsEndpoint
) -> None:
    claim(project, ends=time.time() + 600)
    outcome = project.deliver(CODEDEPLOY, seconds=16)
    assert isinstance(outcome.answer, Pending)
    assert outcome.error is None
    assert (statuses(aws), project.ran) == ([], [])


def test_ecs_is_told_to_ask_again_while_the_first_is_at_work(project: Project) -> None:
    event = ecs_event(STAGE)
    project.settings(HANDED)
    started = project.deliver(event)
    assert project.deliver(event, seconds=16).payload["hookStatus"] == "IN_PROGRESS"
    assert started.payload["hookStatus"] == "IN_PROGRESS"


def test_without_the_ledgers_word_the_gate_stays_shut(project: Project, aws: AwsEndpoint) -> None:
    project.settings('[hook]\nledger = "s3://no-such-bucket"\n')
    outcome = project.deliver(CODEDEPLOY, seconds=20)
    assert statuses(aws) == ["Failed"]
    assert "NoSuchBucket" in reasons(outcome)
    assert project.ran == []


def started(aws: AwsEndpoint, number: int = 0) -> Invitation:
    """Return what the build is given that was started as the n-th."""
    build = aws.of("codebuild.StartBuild")[number]
    variables = {one["name"]: one["value"] for one in build["environmentVariablesOverride"]}
    invitation = Invitation.from_environ(variables)
    assert invitation is not None
    return invitation


def handed_off(project: Project, aws: AwsEndpoint) -> Invitation:
    """Deliver an event that is handed off; return what its build is given."""
    project.settings(HANDED)
    outcome = project.deliver(CODEDEPLOY)
    assert isinstance(outcome.answer, Pending)
    return started(aws)


def test_a_handed_off_gate_is_answered_by_its_build(project: Project, aws: AwsEndpoint) -> None:
    invitation = handed_off(project, aws)
    assert (statuses(aws), project.ran) == ([], [])
    project.invited(invitation)
    assert statuses(aws) == ["Succeeded"]
    assert project.ran == ["it"]


def test_the_back_up_answers_failed_if_nobody_else_did(project: Project, aws: AwsEndpoint) -> None:
    invitation = handed_off(project, aws)
    (schedule,) = aws.of("scheduler.CreateSchedule")
    project.deliver(json.loads(schedule["Target"]["Input"]))
    assert statuses(aws) == ["Failed"]
    project.invited(invitation)
    assert statuses(aws) == ["Failed", "Failed"]
    assert project.ran == []


def test_the_back_up_repeats_the_verdict_that_the_build_gave(
    project: Project, aws: AwsEndpoint
) -> None:
    project.invited(handed_off(project, aws))
    (schedule,) = aws.of("scheduler.CreateSchedule")
    project.deliver(json.loads(schedule["Target"]["Input"]))
    assert statuses(aws) == ["Succeeded", "Succeeded"]


@pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT", "FAULT", "SUCCEEDED"])
def test_a_build_that_ended_without_a_verdict_is_failed_at_once(
    project: Project, aws: AwsEndpoint, status: str
) -> None:
    invitation = handed_off(project, aws)
    delivery = {"name": "GREENROOM_HOOK_DELIVERY", "value": json.dumps(dict(invitation.delivery))}
    environment = {"environment-variables": [delivery]}
    detail = {
        "build-status": status,
        "build-id": BUILD,
        "additional-information": {"environment": environment},
    }
    outcome = project.deliver({"detail-type": "CodeBuild Build State Change", "detail": detail})
    assert statuses(aws) == ["Failed"]
    assert f"the build ended ({status}) without a verdict" in reasons(outcome)


def test_a_gate_that_cannot_be_handed_off_is_failed_at_once(
    project: Project, aws: AwsEndpoint
) -> None:
    project.settings('[hook]\nledger = "s3://gates/l"\nhand_off = "gates"\n')
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(aws) == ["Failed"]
    assert "back_up_role" in reasons(outcome)


def test_ecs_asks_again_until_the_build_has_answered(
    project: Project, aws: AwsEndpoint, build: dict[str, Any]
) -> None:
    project.settings(HANDED)
    first = project.deliver(ecs_event(STAGE)).payload
    again = ecs_event(STAGE, hookDetails=first["hookDetails"])
    assert project.deliver(again).payload == first
    project.invited(started(aws))
    build["buildStatus"] = "SUCCEEDED"
    assert project.deliver(again).payload == {"hookStatus": "SUCCEEDED"}
    assert project.ran == ["it"]


def test_ecs_hears_failed_of_a_build_that_ended_without_a_verdict(
    project: Project, build: dict[str, Any]
) -> None:
    project.settings(HANDED)
    first = project.deliver(ecs_event(STAGE)).payload
    build["buildStatus"] = "SUCCEEDED"
    again = ecs_event(STAGE, hookDetails=first["hookDetails"])
    assert project.deliver(again).payload == {"hookStatus": "FAILED"}


def test_a_bypass_opens_the_gate_and_is_no_green(
    project: Project, aws: AwsEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    project.settings('[hook]\nbypass = "/greenroom/bypass/trivia"\n')
    project.suite(text=FAILING)
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(aws) == ["Succeeded"]
    assert "BYPASSED" in reasons(outcome)
    (record,) = project.root.glob("reports/*/run.json")
    told = json.loads(record.read_text())
    assert (told["verdict"], told["bypass"]["by"]) == ("could-not-decide", "jo")
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["bypassed"], line["Bypassed"], line["Ship"]) == (True, 1, 0)
    assert project.ran == []


def test_a_bypass_by_nobody_in_particular_does_not_count(project: Project) -> None:
    refused = {**bypass("arn:aws:iam::123456789012:root"), PUT: accepted}
    project.settings('[hook]\nbypass = "/greenroom/bypass/trivia"\n')
    project.suite(text=FAILING)
    with AwsEndpoint(refused) as other:
        project.environ |= other.environment
        project.deliver(CODEDEPLOY)
        assert [members["status"] for members in other.accepted(PUT)] == ["Failed"]
    assert project.ran == ["it"]


def test_documents_go_up_after_the_report(project: Project, aws: AwsEndpoint, moto: str) -> None:
    project.settings('[hook]\nupload = "s3://gates/reports"\n')
    project.deliver(CODEDEPLOY)
    listed = s3(moto).list_objects_v2(Bucket="gates", Prefix="reports/")["Contents"]
    keys = [one["Key"] for one in listed]
    assert {key.rpartition("/")[2] for key in keys} >= {"report.html", "run.json", "junit.xml"}
    assert all("d-ABCDEFGHI" in key for key in keys)
    assert statuses(aws) == ["Succeeded"]


def test_a_denied_schedule_is_failed_at_once(project: Project, aws: AwsEndpoint) -> None:
    denied = Refusal("AccessDeniedException", "not authorized")
    project.settings(HANDED)
    with AwsEndpoint({PUT: accepted, "scheduler.CreateSchedule": denied}) as other:
        project.environ |= other.environment
        outcome = project.deliver(CODEDEPLOY, seconds=14)
        assert [members["status"] for members in other.accepted(PUT)] == ["Failed"]
    assert "CreateSchedule" in reasons(outcome)
    assert aws.of("codebuild.StartBuild") == []


def test_two_scripts_never_share_a_verdict(project: Project) -> None:
    project.environ |= {"LIFECYCLE_EVENT": "ValidateService", "DEPLOYMENT_ID": "d-ABCDEFGHI"}
    assert opened(project.script())
    project.suite(text=FAILING)
    assert not opened(project.script())
    assert project.ran == ["it", "it"]


def test_two_functions_at_one_stage_never_share_a_verdict(project: Project) -> None:
    event = ecs_event(STAGE)
    assert project.deliver(event).payload == {"hookStatus": "SUCCEEDED"}
    project.suite(text=FAILING)
    assert project.deliver(event, function=f"{FUNCTION}-load").payload == {"hookStatus": "FAILED"}
    assert project.deliver(event, function=f"{FUNCTION}:live").payload == {
        "hookStatus": "SUCCEEDED"
    }
    assert project.ran == ["it", "it"]


def test_a_part_that_is_handed_off_is_the_part_that_the_build_runs(
    project: Project, aws: AwsEndpoint
) -> None:
    project.settings(f"{HANDED}\n{PARTS}")
    project.suite("one")
    project.suite("two")
    payload: dict[str, Any] = {}
    for number in range(2):
        event = ecs_event(STAGE, hookDetails=payload.get("hookDetails", {}))
        payload = project.deliver(event).payload
        invitation = started(aws, number)
        project.invited(invitation)
        event = ecs_event(STAGE, hookDetails=payload["hookDetails"])
        payload = project.deliver(event).payload
    assert payload == {"hookStatus": "SUCCEEDED"}
    assert project.ran == ["one", "two"]


@pytest.mark.parametrize(
    ("event", "within"),
    [(CODEDEPLOY, "58m"), (PIPELINE_JOB, "19m")],
    ids=["CodeDeploy", "pipeline"],
)
def test_nothing_is_handed_off_for_longer_than_anybody_waits(
    project: Project, aws: AwsEndpoint, event: dict[str, Any], within: str
) -> None:
    project.settings(f'{HANDED}\nanswer_within = "{within}"\n')
    assert "nobody waits for longer" in reasons(project.deliver(event))
    assert aws.of("codebuild.StartBuild") == []


def test_no_secret_reaches_waiter_or_ledger(
    project: Project, aws: AwsEndpoint, moto: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project.settings('secrets = ["API_KEY"]\n[hook]\nledger = "s3://gates/l"\n')
    project.environ["API_KEY"] = "ahf8Ohgh2Eey"
    outcome = project.deliver(PIPELINE_JOB, arguments=("no-such-suite-ahf8Ohgh2Eey",))
    stored = s3(moto).list_objects_v2(Bucket="gates")["Contents"]
    entries = [s3(moto).get_object(Bucket="gates", Key=one["Key"])["Body"].read() for one in stored]
    assert "[redacted]" in reasons(outcome)
    told = f"{aws.of(FAILURE)}{entries}{capsys.readouterr().out}{outcome}"
    logs = [path.read_text() for path in project.root.glob("reports/*/pytest.log")]
    assert "ahf8Ohgh2Eey" not in f"{told}{logs}"
    assert len(aws.accepted(FAILURE)) == 1


def test_an_ecs_hook_that_passed_is_not_held_up_by_a_silent_bus(
    project: Project, aws: AwsEndpoint
) -> None:
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/releases"
    project.settings(f'[hook]\nnotify = ["{bus}"]\n')
    aws.answer({"events.PutEvents": Fault.SILENT})
    place = project.place(seconds=60)
    outcome = answer_event(ecs_event(STAGE), lambda _: place)
    assert outcome.payload == {"hookStatus": "SUCCEEDED"}
    assert place.ends - time.monotonic() > 5  # of the 60 s that the function has


def test_an_event_cannot_name_a_verdict_that_is_another_s(project: Project) -> None:
    event = ecs_event(STAGE)
    assert project.deliver(event).payload == {"hookStatus": "SUCCEEDED"}
    project.suite(text=FAILING)
    first = parse_event(event)
    assert isinstance(first, EcsEvent)
    named = {KEY: key_of(first, FUNCTION)}
    forged = {**event, "executionId": "execution-2", **named}
    assert project.deliver(forged).payload == {"hookStatus": "FAILED"}
    assert project.ran == ["it", "it"]
