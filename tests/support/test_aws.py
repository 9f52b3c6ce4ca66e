"""The scriptable AWS endpoint, and the faults before somebody else's, as boto3 meets them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.aws import After, AwsEndpoint, Fault, FaultProxy, Pass, Refusal, Unheard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws import Script

DESCRIBE = "ecs.DescribeServiceDeployments"
CONTINUE = "ecs.ContinueServiceDeployment"
SUCCESS = "codepipeline.PutJobSuccessResult"
ARN = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/back-up"
JOB = "11111111-2222-3333-4444-555555555555"


def client(service: str, url: str) -> Any:  # noqa: ANN401 - boto3 has no common type
    limits = Config(read_timeout=0.5, connect_timeout=1, retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client(  # type: ignore[call-overload]
        service, endpoint_url=url, region_name="us-east-1", config=limits, **keys
    )


@contextmanager
def erring() -> Iterator[list[str]]:
    """Expect an error of botocore's; give its code."""
    codes: list[str] = []
    with pytest.raises((ClientError, BotoCoreError)) as caught:
        yield codes
    answer: dict[str, Any] = getattr(caught.value, "response", None) or {}
    codes.append(answer.get("Error", {}).get("Code") or type(caught.value).__name__)


def test_one_endpoint_serves_several_services_and_keeps_every_call() -> None:
    answers: dict[str, Script] = {DESCRIBE: {"serviceDeployments": []}, SUCCESS: {}}
    with AwsEndpoint(answers) as aws:
        described = client("ecs", aws.url).describe_service_deployments(serviceDeploymentArns=["a"])
        client("codepipeline", aws.url).put_job_success_result(jobId=JOB)
    assert described["serviceDeployments"] == []
    assert aws.of(DESCRIBE) == [{"serviceDeploymentArns": ["a"]}]
    assert aws.accepted(SUCCESS) == [{"jobId": JOB}]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (Fault.THROTTLE, "ThrottlingException"),
        (Fault.DENY, "AccessDeniedException"),
        (Fault.FAIL, "InternalFailure"),
        (Fault.SILENT, "ReadTimeoutError"),
        (Fault.RESET, "ConnectionClosedError"),
        (Refusal("JobNotFoundException"), "JobNotFoundException"),
        (After(0.1, Refusal("InvalidJobStateException")), "InvalidJobStateException"),
        (After(2, {}), "ReadTimeoutError"),
        (lambda _: Fault.DENY, "AccessDeniedException"),
    ],
    ids=[
        "throttle",
        "deny",
        "500",
        "silent",
        "reset",
        "modelled",
        "modelled-later",
        "late",
        "function",
    ],
)
def test_every_fault_is_what_boto3_calls_it_and_the_next_step_follows(step: Any, code: str) -> None:  # noqa: ANN401 - a step
    with AwsEndpoint({SUCCESS: [step, {}]}) as aws:
        pipeline = client("codepipeline", aws.url)
        with erring() as codes:
            pipeline.put_job_success_result(jobId=JOB)
        pipeline.put_job_success_result(jobId=JOB)
    assert codes == [code]
    assert [call.accepted for call in aws.calls][-1]


def test_botocore_takes_any_page_of_a_proxy_for_an_answer_without_members() -> None:
    with AwsEndpoint({DESCRIBE: Fault.GARBAGE}) as aws:
        answer = client("ecs", aws.url).describe_service_deployments(serviceDeploymentArns=["a"])
    assert set(answer) == {"ResponseMetadata"}


def test_a_call_can_be_performed_and_its_answer_lost() -> None:
    with AwsEndpoint({SUCCESS: Unheard(Fault.RESET, {})}) as aws, erring() as codes:
        client("codepipeline", aws.url).put_job_success_result(jobId=JOB)
    assert codes == ["ConnectionClosedError"]
    assert len(aws.accepted(SUCCESS)) == 1


def test_what_the_model_forbids_is_refused_and_told_at_the_end() -> None:
    told = pytest.raises(AssertionError, match="'Shipped' is not one of")
    with told, AwsEndpoint({CONTINUE: {"serviceDeploymentArn": "a"}}) as aws, erring() as codes:
        client("ecs", aws.url).continue_service_deployment(
            serviceDeploymentArn="a", hookId="h", action="Shipped"
        )
    assert codes == ["ValidationException"]


def test_an_answer_that_the_model_does_not_know_is_told_at_the_end() -> None:
    with (
        pytest.raises(AssertionError, match="unknown to"),
        AwsEndpoint({DESCRIBE: {"x": 1}}) as aws,
    ):
        client("ecs", aws.url).describe_service_deployments(serviceDeploymentArns=["a"])


def test_an_error_that_the_operation_never_raises_is_told_at_once() -> None:
    with pytest.raises(AssertionError, match="never answers"):
        AwsEndpoint({SUCCESS: [{}, Refusal("NoSuchException")]})


def test_an_operation_without_a_script_is_unknown() -> None:
    with AwsEndpoint({SUCCESS: {}}) as aws:
        with erring() as known:
            client("codepipeline", aws.url).get_pipeline_state(name="p")
        with erring() as other:
            client("ecs", aws.url).list_clusters()
    assert known == other == ["UnknownOperationException"]


def test_query_and_rest_json_are_spoken_too() -> None:
    schedule = {
        "Name": "back-up",
        "ScheduleExpression": "at(2030-01-01T00:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:lambda:x", "RoleArn": "arn:aws:iam::123456789012:role/back-up"},
    }
    answers: dict[str, Script] = {
        "sts.GetCallerIdentity": [{"Account": "123456789012"}, Fault.DENY],
        "scheduler.CreateSchedule": [{"ScheduleArn": ARN}, Refusal("ConflictException")],
    }
    with AwsEndpoint(answers) as aws:
        sts, scheduler = client("sts", aws.url), client("scheduler", aws.url)
        assert sts.get_caller_identity()["Account"] == "123456789012"
        assert scheduler.create_schedule(**schedule)["ScheduleArn"] == ARN
        with erring() as denied:
            sts.get_caller_identity()
        with erring() as refused:
            scheduler.create_schedule(**schedule)
    assert (denied, refused) == (["AccessDenied"], ["ConflictException"])
    assert aws.of("scheduler.CreateSchedule")[0]["Name"] == "back-up"


def test_a_proxy_passes_on_what_has_no_fault() -> None:
    faults: dict[str, Script] = {"PutJobSuccess": [Fault.THROTTLE, Unheard(Fault.SILENT, Pass())]}
    with AwsEndpoint({SUCCESS: {}}) as aws, FaultProxy(aws.url, faults) as way:
        pipeline = client("codepipeline", way.url)
        with erring() as first:
            pipeline.put_job_success_result(jobId=JOB)
        with erring() as second:
            pipeline.put_job_success_result(jobId=JOB)
    assert (first, second) == (["ThrottlingException"], ["ReadTimeoutError"])
    assert len(aws.accepted(SUCCESS)) == 1
    assert way.lines[0].endswith("CodePipeline_20150709.PutJobSuccessResult")
