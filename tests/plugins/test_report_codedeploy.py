"""Reports by unmodified boto3 to a real endpoint that answers as it is told."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from greenroom.plugins.aws import codedeploy_client, explained, may_succeed_later
from greenroom.plugins.hook_events import CodeDeployEvent
from greenroom.plugins.report_codedeploy import CodeDeployReporter
from greenroom.validators.errors import ServiceError
from tests.support.codedeploy import Answer, CodeDeployEndpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENT = CodeDeployEvent("d-TEST", "e-1")
URL = "http://127.0.0.1:1"


def use(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def report(*, succeeded: bool = True, within: float = 3) -> str:
    reporter = CodeDeployReporter(EVENT, reserve_s=within)
    return reporter.report(succeeded=succeeded, until=time.monotonic() + within)


@pytest.mark.parametrize(
    ("script", "calls", "said"),
    [
        ([Answer.ACCEPT], 1, "accepted"),
        ([Answer.THROTTLE, Answer.THROTTLE, Answer.ACCEPT], 3, "accepted"),
        ([Answer.FAIL, Answer.ACCEPT], 2, "accepted"),
        ([Answer.RESET, Answer.ACCEPT], 2, "accepted"),
        ([Answer.SILENT, Answer.ACCEPT], 2, "accepted"),
        ([Answer.DENY, Answer.ACCEPT], 2, "accepted"),
        ([Answer.ALREADY_COMPLETED], 1, "already completed"),
    ],
    ids=["at-once", "throttled", "500", "reset", "silent", "permission-lag", "already-completed"],
)
def test_the_report_gets_through(
    monkeypatch: pytest.MonkeyPatch, script: list[Answer], calls: int, said: str
) -> None:
    with CodeDeployEndpoint(*script) as endpoint:
        use(monkeypatch, endpoint.environment)
        assert report(succeeded=False) == said
    assert [call.status for call in endpoint.calls] == ["Failed"] * calls


@pytest.mark.parametrize(
    ("answer", "least", "hint"),
    [
        (Answer.UNKNOWN_ID, 1, "check the ids"),
        (Answer.DENY, 2, "allow codedeploy:PutLifecycleEventHookExecutionStatus"),
        (Answer.THROTTLE, 2, "throttling"),
        (Answer.FAIL, 2, "the service failed"),
        (Answer.RESET, 2, "could not be reached"),
        (Answer.SILENT, 2, "could not be reached"),
    ],
)
def test_what_does_not_get_through_is_explained_within_the_time(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, least: int, hint: str
) -> None:
    with CodeDeployEndpoint(answer) as endpoint:
        use(monkeypatch, endpoint.environment)
        with pytest.raises(ServiceError) as refused:
            report(within=1.5)
    assert hint in refused.value.hint
    assert len(endpoint.calls) >= least


def test_an_answer_that_drips_for_ever_ends_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with CodeDeployEndpoint(Answer.DRIP) as endpoint:
        use(monkeypatch, endpoint.environment)
        with pytest.raises(ServiceError, match="did not answer in time"):
            report(within=1)


def test_nobody_listening_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    with CodeDeployEndpoint() as endpoint, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        use(monkeypatch, endpoint.environment)
        monkeypatch.setenv("AWS_ENDPOINT_URL_CODEDEPLOY", f"http://127.0.0.1:{port}")
        with pytest.raises(ServiceError, match="EndpointConnectionError"):
            report(within=0.5)


def test_an_invalid_endpoint_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    with CodeDeployEndpoint() as endpoint:
        use(monkeypatch, endpoint.environment)
        monkeypatch.setenv("AWS_ENDPOINT_URL_CODEDEPLOY", "not an address")
        with pytest.raises(ServiceError, match="no client for CodeDeploy"):
            report(within=1)


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(ServiceError) as refused:
        codedeploy_client(connect_s=1, read_s=1)
    assert "greenroom[aws]" in refused.value.hint


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
