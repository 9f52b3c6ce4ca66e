"""botocore's errors in our words: what to do, and whether the same call may succeed later."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from greenroom.plugins.aws import ask_aws, explained, may_succeed_later
from greenroom.plugins.aws_process import Aws, CallError
from greenroom.plugins.aws_worker import Clients, Limits
from greenroom.validators.errors import ServiceError
from tests.support.servers import refused_url
from tests.support.waiting import soon

URL = "http://127.0.0.1:1"


def client_error(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutLifecycleEventHookExecutionStatus")  # type: ignore[arg-type] # the rest of an answer is not needed


@pytest.mark.parametrize(
    ("error", "again", "hint"),
    [
        (client_error("ThrottlingException"), True, "throttling"),
        (client_error("AccessDeniedException"), True, "allow codedeploy:Put"),
        (client_error("InternalFailure", 500), True, "the service failed"),
        (client_error("ExpiredTokenException"), False, "valid AWS credentials"),
        (client_error("DeploymentDoesNotExistException"), False, "check the ids"),
        (NoCredentialsError(), False, "valid AWS credentials"),
        (EndpointConnectionError(endpoint_url=URL), True, "could not be reached"),
        (ConnectionClosedError(endpoint_url=URL), True, "could not be reached"),
        (ReadTimeoutError(endpoint_url=URL), True, "could not be reached"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_kind_of_error_is_mapped(error: ClientError, *, again: bool, hint: str) -> None:
    mapped = explained(error, "codedeploy:PutLifecycleEventHookExecutionStatus")
    assert may_succeed_later(error) is again
    assert hint in mapped.hint
    assert "codedeploy:PutLifecycleEventHookExecutionStatus failed" in str(mapped)


@pytest.mark.parametrize(
    ("url", "said"),
    [("not an address", "no client for ecs"), (refused_url(), "EndpointConnectionError")],
    ids=["invalid", "nobody-listens"],
)
def test_an_endpoint_that_cannot_be_called_is_explained(url: str, said: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    environ = {**os.environ, **keys, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}
    with Aws(environ) as aws, pytest.raises(CallError, match=said) as refused:
        aws.call("ecs", "list_clusters", {}, until=soon())
    assert refused.value.hint


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ServiceError) as refused:
        Clients(Limits(connect_s=1, read_s=1)).get("ecs")
    assert "greenroom[aws]" in refused.value.hint


def ask_from_a_thread(_: int) -> str:
    with pytest.raises(ServiceError) as caught:
        ask_aws("ecr", "describe_repositories", "ecr:DescribeRepositories")
    return str(caught.value)


def test_several_threads_ask_at_once_in_the_region_that_any_sdk_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", refused_url())
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(ask_from_a_thread, range(8)))
    known = "ecr:DescribeRepositories failed: EndpointConnectionError"
    assert [one.startswith(known) for one in said] == [True] * 8


def test_without_boto3_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert "greenroom[aws]" in ask_from_a_thread(0)


def test_an_address_that_is_none_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert "ecr:DescribeRepositories failed: Invalid endpoint" in ask_from_a_thread(0)
