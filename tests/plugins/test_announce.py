"""Announcing against moto's S3, SNS, SQS and EventBridge: what arrives, and what fails alone."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from greenroom.plugins.announce import Announced, Audience, announce
from greenroom.plugins.announcement import body
from greenroom.plugins.aws_process import Aws
from greenroom.plugins.report_place import HookRun, ReportPlace
from tests.support.aws import AwsEndpoint, Fault, FaultProxy, Pass
from tests.support.hook_results import RESULT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.faults import Script

REGION, ACCOUNT = "us-east-1", "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:announced"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/announced"
PLACE = ReportPlace.of("s3://announced/reports", HookRun("d-1", "AfterInstall", "execution-1"))
EVERYBODY = Audience(PLACE, (TOPIC, BUS))
DOCUMENTS = {
    "report.html": "<!DOCTYPE html>" + "x" * 300,
    "run.json": "{}",
    "junit.xml": "<testsuites/>",
    "events.jsonl": "",
    "pytest.log": "x" * 100,
}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Return the address of moto's services with a bucket, a topic, a bus and queues for both."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client("s3", url).create_bucket(Bucket="announced")
    client("sns", url).create_topic(Name="announced")
    client("events", url).create_event_bus(Name="announced")
    for name in ("from-topic", "from-bus"):
        client("sqs", url).create_queue(QueueName=name)
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
    client("sns", url).subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"{queue}from-topic")
    pattern = json.dumps({"source": ["greenroom"], "detail": {"verdict": ["do-not-ship"]}})
    events = client("events", url)
    events.put_rule(Name="verdicts", EventBusName="announced", EventPattern=pattern)
    target = {"Id": "queue", "Arn": f"{queue}from-bus"}
    events.put_targets(Rule="verdicts", EventBusName="announced", Targets=[target])
    yield url
    server.stop()


def client(service: str, url: str) -> Any:  # noqa: ANN401 - boto3 has no common type
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - moto takes any
    )


@pytest.fixture
def report(tmp_path: Path) -> Path:
    folder = tmp_path / "report"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    return folder


def announced(
    url: str, folder: Path | None, audience: Audience = EVERYBODY, *, seconds: float = 60
) -> Announced:
    """Announce the result; what fails is insisted on for a shorter time than usual."""
    environ = {
        **os.environ,
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    with Aws(environ, patience_s=2) as aws:
        until = time.monotonic() + seconds
        return announce(RESULT, folder, audience, aws, until=until, insist_s=6)


def through(url: str, folder: Path, scripts: dict[str, Script]) -> Announced:
    with FaultProxy(url, scripts) as proxy:
        return announced(proxy.url, folder)


def received(url: str, queue: str) -> list[dict[str, Any]]:
    sqs = client("sqs", url)
    address = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def test_documents_topic_and_bus_get_the_verdict(moto: str, report: Path) -> None:
    done = announced(moto, report)
    assert done.problems == ()
    assert done.messages == (TOPIC, BUS)
    order = ["events.jsonl", "run.json", "junit.xml", "pytest.log", "report.html"]
    assert done.uploaded == tuple(PLACE.uri(name) for name in order)
    page = client("s3", moto).get_object(Bucket="announced", Key=PLACE.key("report.html"))
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["Body"].read().decode() == DOCUMENTS["report.html"]
    (message,) = received(moto, "from-topic")
    assert message["Subject"].startswith("[Greenroom] DO NOT SHIP: trivia-api")
    assert json.loads(message["Message"])["reasons"] == list(RESULT.answer.reasons)
    assert message["MessageAttributes"]["verdict"]["Value"] == "do-not-ship"
    (event,) = received(moto, "from-bus")
    assert event["detail-type"] == "Greenroom Verdict"
    assert event["detail"]["link"] == RESULT.answer.link


def test_a_missing_bucket_is_said_in_the_messages_and_stops_nobody(moto: str, report: Path) -> None:
    place = replace(PLACE, bucket="missing")
    done = announced(moto, report, Audience(place, (TOPIC, BUS)))
    assert (done.uploaded, done.messages) == ((), (TOPIC, BUS))
    assert len(done.problems) == len(DOCUMENTS)
    assert all("NoSuchBucket" in problem for problem in done.problems)
    (message,) = received(moto, "from-topic")
    assert json.loads(message["Message"])["report_problems"] == list(done.problems)
    assert "run.json (2 bytes) was not uploaded" in body(RESULT, done.problems)
    received(moto, "from-bus")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "code"),
    [(Fault.DENY, "AccessDenied"), (Fault.SILENT, "ReadTimeoutError")],
    ids=str,
)
def test_a_store_that_refuses_leaves_time_for_the_messages(
    moto: str, report: Path, fault: Fault, code: str
) -> None:
    done = through(moto, report, {"PUT /announced": fault})
    assert (done.uploaded, done.messages) == ((), (TOPIC, BUS))
    assert len(done.problems) == len(DOCUMENTS)
    assert any(code in problem or "not answered in time" in problem for problem in done.problems)
    assert len(received(moto, "from-topic")) == len(received(moto, "from-bus")) == 1


@pytest.mark.slow
def test_one_document_that_fails_does_not_stop_the_others(moto: str, report: Path) -> None:
    done = through(moto, report, {"PUT .*junit.xml": Fault.DENY})
    (problem,) = done.problems
    assert problem.startswith("junit.xml (13 bytes) was not uploaded to s3://announced/reports/d-1")
    assert "(allow s3:PutObject in the role's policy)" in problem
    assert len(done.uploaded) == len(DOCUMENTS) - 1


@pytest.mark.slow
def test_a_topic_that_fails_does_not_keep_the_bus_from_hearing(moto: str, report: Path) -> None:
    scripts: dict[str, Script] = {
        "Publish": Fault.DENY,
        "PutEvents": [Fault.THROTTLE, Fault.RESET, Pass()],
    }
    done = through(moto, report, scripts)
    assert done.messages == (BUS,)
    (problem,) = done.problems
    assert problem.startswith(f"no message to {TOPIC}: sns:Publish failed: AccessDenied")
    received(moto, "from-bus")


def entries(*codes: str) -> list[dict[str, Any]]:
    """Answers of EventBridge: an entry that failed with each code, at last one that did not."""
    failed = [
        {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": "no"}]}
        for code in codes
    ]
    return [*failed, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}]


def test_an_answer_of_200_whose_entry_failed_is_a_problem_and_no_message() -> None:
    script = entries("NotAuthorizedForSourceException")
    with AwsEndpoint({"events.PutEvents": script}) as bus:
        done = announced(bus.url, None, Audience(notify=(BUS,)))
    assert done.messages == ()
    assert done.problems == (f"no message to {BUS}: NotAuthorizedForSourceException: no",)


def test_an_entry_that_may_be_put_again_is() -> None:
    script = entries("ThrottlingException", "InternalFailure")
    with AwsEndpoint({"events.PutEvents": script}) as bus:
        done = announced(bus.url, None, Audience(notify=(BUS,)))
        assert len(bus.of("events.PutEvents")) == 3
    assert (done.messages, done.problems) == ((BUS,), ())


def test_without_time_nothing_is_tried_and_everything_is_said(report: Path) -> None:
    done = announced("http://127.0.0.1:1", report, seconds=0)
    assert (done.uploaded, done.messages) == ((), ())
    assert len(done.problems) == len(DOCUMENTS) + 2
    assert all(problem.endswith("no time is left") for problem in done.problems)


def test_what_is_no_document_stays_at_home(moto: str, report: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    (report / "linked.json").symlink_to(secret)
    (report / "core").write_text("x")
    (report / ".run.json.part.json").write_text("x")
    (report / "allure.json").mkdir()
    with (report / "big.log").open("wb") as big:
        big.truncate(51 * 1024 * 1024)
    done = announced(moto, report, Audience(PLACE))
    assert {uri.rpartition("/")[2] for uri in done.uploaded} == set(DOCUMENTS)
    assert done.problems == ("big.log (53,477,376 bytes) is larger than 52,428,800 bytes",)


@pytest.mark.parametrize(
    ("audience", "problem"),
    [
        (Audience(PLACE), "the report folder cannot be read: "),
        (Audience(notify=("arn:aws:sqs:a:b:c",)), "no message to arn:aws:sqs:a:b:c: neither"),
        (Audience(notify=("nonsense",)), "no message to nonsense: neither"),
    ],
    ids=["no-folder", "queue", "no-arn"],
)
def test_wrong_settings_are_problems(tmp_path: Path, audience: Audience, problem: str) -> None:
    (found,) = announced("http://127.0.0.1:1", tmp_path / "none", audience).problems
    assert found.startswith(problem)


def test_whatever_breaks_is_said_and_not_raised() -> None:
    broken: Any = object()
    done = announce(RESULT, None, EVERYBODY, broken, until=time.monotonic() + 5)
    assert done.problems[0].startswith("the announcement broke off: AttributeError")
