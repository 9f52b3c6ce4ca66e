from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
import pytest

from greenroom.plugins.mock_aws import REGION, LocalAws
from greenroom.validators.errors import ServiceError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    service = LocalAws.start()
    yield service
    service.close()


@pytest.fixture
def service(running: LocalAws) -> LocalAws:
    running.reset()
    return running


def test_a_server_that_cannot_start_shows_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.plugins.mock_aws._SERVER", "raise SystemExit('no port')")
    with pytest.raises(ToolError, match="moto's server did not start: no port"):
        LocalAws.start()


def test_a_server_that_ended_is_an_error() -> None:
    service = LocalAws.start()
    service.close()
    with pytest.raises(ServiceError, match="the local AWS does not answer"):
        service.calls()


def test_a_recording_that_is_cut_is_an_error(
    service: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_ask", lambda *_: b'{"method": ')
    with pytest.raises(ServiceError, match="not readable"):
        service.calls()


def test_what_moto_refuses_is_an_error(service: LocalAws) -> None:
    with pytest.raises(ServiceError, match=r"answered 4\d\d to /moto-api/nothing"):
        service._ask("POST", "/moto-api/nothing")  # noqa: SLF001 - no public call is refused


def test_the_users_own_settings_reach_nothing(
    service: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("NO_PROXY", "theirs")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", "theirs")
    before = dict(os.environ)
    with service.in_environment():
        names = {name for name in os.environ if name.startswith("AWS_")}
        assert names == set(service.environment)
        assert os.environ["NO_PROXY"] == "theirs,127.0.0.1,localhost"
        boto3.client("s3").create_bucket(Bucket="ours")
        assert service.client("s3").list_buckets()["Buckets"][0]["Name"] == "ours"
    assert dict(os.environ) == before
    assert vars(boto3)["DEFAULT_SESSION"] == "theirs"


def test_the_environment_comes_back_after_an_error(service: LocalAws) -> None:
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), service.in_environment():
        _ = 1 / 0
    assert dict(os.environ) == before


def test_calls_name_their_service_and_operation(service: LocalAws) -> None:
    service.client("s3").create_bucket(Bucket="photos")
    service.client("sns").create_topic(Name="news")
    service.client("dynamodb").list_tables()
    assert [(call.service, call.operation, call.path) for call in service.calls()] == [
        ("s3", "", "/photos"),
        ("sns", "CreateTopic", "/"),
        ("dynamodb", "ListTables", "/"),
    ]
    assert b"Name=news" in service.calls()[1].body


def test_a_reset_empties_everything(service: LocalAws) -> None:
    service.client("sqs").create_queue(QueueName="jobs")
    service.reset()
    assert service.calls() == ()
    assert "QueueUrls" not in service.client("sqs").list_queues()


def test_a_client_made_before_reaches_neither_amazon_nor_a_retry(service: LocalAws) -> None:
    client = boto3.client("sqs", REGION, aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106 - no secret
    with service.in_environment() as refused, pytest.raises(ServiceError, match="was refused: sqs"):
        client.list_queues()
    assert refused == [f"POST sqs.{REGION}.amazonaws.com"]


def test_what_is_not_amazon_is_let_through(service: LocalAws) -> None:
    with service.in_environment() as refused:
        assert boto3.client("s3").list_buckets()["Buckets"] == []
    assert refused == []
