"""The process that calls AWS: what its parent hears, whatever becomes of the call."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from greenroom.plugins.aws_process import TIMED_OUT, Aws, CallError
from tests.support.aws import AwsEndpoint, Fault
from tests.support.codedeploy import Answer, CodeDeployEndpoint
from tests.support.servers import Reply, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.aws import Script

PUT = "put_lifecycle_event_hook_execution_status"
MEMBERS = {
    "deploymentId": "d-1",
    "lifecycleEventHookExecutionId": "execution-1",
    "status": "Succeeded",
}

SLOW_BOTO3 = """
import sys, time
time.sleep(2)
sys.path.remove(__file__.rpartition("/")[0])
del sys.modules["boto3"]
import boto3
client = boto3.client
"""
HANGS_ONCE = """
import pathlib, sys, time
mark = pathlib.Path(__file__).with_name("hung")
if not mark.exists():
    mark.touch()
    time.sleep(60)
sys.path.remove(__file__.rpartition("/")[0])
del sys.modules["boto3"]
import boto3
client = boto3.client
"""
JSON = {"Content-Type": "application/x-amz-json-1.1"}
LOCAL = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
}
Connect: TypeAlias = "Callable[..., tuple[Aws, CodeDeployEndpoint]]"


@pytest.fixture
def connect() -> Iterator[Callable[..., tuple[Aws, CodeDeployEndpoint]]]:
    """Return a function that makes an endpoint with a script, and an `Aws` that calls it."""
    opened: list[Any] = []

    def make(*script: Answer, patience_s: float = 0.5) -> tuple[Aws, CodeDeployEndpoint]:
        endpoint = CodeDeployEndpoint(*script).__enter__()
        environ = {**os.environ, **endpoint.environment}
        aws = Aws(environ, prepared=("codedeploy",), patience_s=patience_s)
        opened.extend([aws, endpoint])
        return aws, endpoint

    yield make
    for one in opened:
        one.__exit__(None, None, None)


def soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


@pytest.mark.parametrize(
    ("answer", "code", "later"),
    [
        (Answer.THROTTLE, "ThrottlingException", True),
        (Answer.DENY, "AccessDeniedException", True),
        (Answer.FAIL, "InternalFailure", True),
        (Answer.SILENT, "ReadTimeoutError", True),
        (Answer.RESET, "ConnectionClosedError", True),
        (Answer.UNKNOWN_ID, "InvalidLifecycleEventHookExecutionIdException", False),
    ],
)
def test_a_refused_call_says_why_and_whether_to_try_again(
    connect: Connect,
    answer: Answer,
    code: str,
    later: bool,  # noqa: FBT001 - a parameter of cases
) -> None:
    aws, _ = connect(answer)
    with pytest.raises(CallError) as caught:
        aws.call("codedeploy", PUT, MEMBERS, until=soon())
    assert (caught.value.code, caught.value.again) == (code, later)
    assert "codedeploy:PutLifecycleEventHookExecutionStatus" in str(caught.value)
    assert caught.value.hint


def test_a_call_is_made_once_and_insisting_makes_it_until_it_succeeds(connect: Connect) -> None:
    aws, endpoint = connect(Answer.THROTTLE, Answer.DENY, Answer.RESET, Answer.ACCEPT)
    answer = aws.insist("codedeploy", PUT, MEMBERS, until=soon())
    assert answer == {"lifecycleEventHookExecutionId": "execution-1"}
    assert len(endpoint.calls) == 4


def test_what_cannot_succeed_is_not_tried_again(connect: Connect) -> None:
    aws, endpoint = connect(Answer.UNKNOWN_ID)
    with pytest.raises(CallError, match="InvalidLifecycleEventHookExecutionId"):
        aws.insist("codedeploy", PUT, MEMBERS, until=soon())
    assert len(endpoint.calls) == 1


def test_insisting_ends_when_the_time_is_spent(connect: Connect) -> None:
    aws, endpoint = connect(Answer.FAIL)
    with pytest.raises(CallError, match="InternalFailure"):
        aws.insist("codedeploy", PUT, MEMBERS, until=soon(6))
    assert len(endpoint.calls) > 1


def test_an_answer_that_drips_without_end_keeps_nobody_waiting(
    connect: Connect,
) -> None:
    aws, _ = connect(Answer.DRIP, Answer.ACCEPT)
    with pytest.raises(CallError) as caught:
        aws.call("codedeploy", PUT, MEMBERS, until=soon(2))
    assert (caught.value.code, caught.value.again) == (TIMED_OUT, True)
    assert aws.call("codedeploy", PUT, MEMBERS, until=soon())


def test_a_stopped_process_is_replaced(connect: Connect) -> None:
    aws, _ = connect(Answer.ACCEPT)
    aws.call("codedeploy", PUT, MEMBERS, until=soon())
    worker = aws._worker  # noqa: SLF001 - the process is what this is about
    assert worker is not None
    os.kill(worker._process.pid, signal.SIGSTOP)  # noqa: SLF001 - as above
    with pytest.raises(CallError, match="not answered in time"):
        aws.call("codedeploy", PUT, MEMBERS, until=soon(1))
    assert aws.insist("codedeploy", PUT, MEMBERS, until=soon())
    assert aws._worker is not worker  # noqa: SLF001 - as above


def test_a_slow_start_is_waited_for_and_not_begun_anew(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "boto3.py").write_text(SLOW_BOTO3)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    aws, endpoint = connect(Answer.ACCEPT)
    with pytest.raises(CallError, match="not answered in time"):
        aws.call("codedeploy", PUT, MEMBERS, until=soon(0.5))
    worker = aws._worker  # noqa: SLF001 - the process is what this is about
    assert aws.insist("codedeploy", PUT, MEMBERS, until=soon())
    assert aws._worker is worker  # noqa: SLF001 - as above
    assert endpoint.calls


def test_a_call_that_times_out_costs_no_other_call_its_answer(connect: Connect) -> None:
    aws, _ = connect(Answer.SILENT)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(aws.call, "codedeploy", PUT, MEMBERS, until=soon())
        with pytest.raises(CallError, match="not answered in time"):
            aws.call("codedeploy", PUT, MEMBERS, until=soon(0.5))
        error = other.exception()
    assert isinstance(error, CallError)
    assert error.code == "ReadTimeoutError"


def test_a_killed_process_is_replaced_and_the_call_made_again(connect: Connect) -> None:
    aws, _ = connect(Answer.ACCEPT)
    worker = aws._worker  # noqa: SLF001 - the process is what this is about
    assert worker is not None
    os.kill(worker._process.pid, signal.SIGKILL)  # noqa: SLF001 - as above
    assert aws.insist("codedeploy", PUT, MEMBERS, until=soon())


def test_no_region_is_told_as_what_it_is() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with Aws(environ) as aws, pytest.raises(CallError) as caught:
        aws.insist("codedeploy", PUT, MEMBERS, until=soon())
    assert "region" in str(caught.value)
    assert "AWS_REGION" in caught.value.hint


def test_an_unknown_operation_is_an_error_not_a_wait() -> None:
    environ = {**os.environ, "AWS_REGION": "us-east-1"}
    with Aws(environ) as aws, pytest.raises(CallError) as caught:
        aws.insist("codedeploy", "no_such_operation", {}, until=soon())
    assert (caught.value.code, caught.value.again) == ("NoOperation", False)


def test_a_web_page_is_no_answer_of_an_operation_that_has_none() -> None:
    asked = ("codedeploy", "continue_deployment", {"deploymentId": "d-1"})
    script: Script = [Fault.GARBAGE, {}]
    with (
        AwsEndpoint({"codedeploy.ContinueDeployment": script}) as service,
        Aws({**os.environ, **service.environment}) as aws,
    ):
        with pytest.raises(CallError, match="not by AWS") as caught:
            aws.call(*asked, until=soon())
        assert (caught.value.code, caught.value.again) == ("NotAcknowledged", True)
        assert aws.insist(*asked, until=soon()) == {}


def test_calls_of_many_threads_get_their_own_answers(connect: Connect) -> None:
    aws, endpoint = connect(Answer.ACCEPT, patience_s=5)

    def put(number: int) -> str:
        members = {**MEMBERS, "lifecycleEventHookExecutionId": f"execution-{number}"}
        answer = aws.call("codedeploy", PUT, members, until=soon())
        return str(answer["lifecycleEventHookExecutionId"])

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(put, range(64)))
    assert answers == [f"execution-{number}" for number in range(64)]
    assert len(endpoint.calls) == 64


def test_insisting_in_vain_raises_what_the_service_said_and_not_that_time_ran_out(
    connect: Connect,
) -> None:
    aws, _ = connect(Answer.DENY, Answer.DENY, Answer.SILENT, patience_s=5)
    with pytest.raises(CallError) as caught:
        aws.insist("codedeploy", PUT, MEMBERS, until=soon(4))
    assert caught.value.code == "AccessDeniedException"


def test_nobody_starts_it_again_once_it_is_closed(connect: Connect) -> None:
    aws, _ = connect(Answer.SILENT)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(aws.insist, "codedeploy", PUT, MEMBERS, until=soon(30))
        time.sleep(0.5)
        aws.close()
        with pytest.raises(CallError):
            call.result(timeout=20)
    with pytest.raises(CallError, match="not asked any more"):
        aws.call("codedeploy", PUT, MEMBERS, until=soon())
    assert aws._worker is None  # noqa: SLF001 - a process that nobody would end


def test_a_process_that_hangs_while_it_starts_is_replaced(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("greenroom.plugins.aws_process._SHORTEST_START_S", 1.0)
    (tmp_path / "boto3.py").write_text(HANGS_ONCE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    aws, endpoint = connect(Answer.ACCEPT)
    assert aws.insist("codedeploy", PUT, MEMBERS, until=soon(16))
    assert endpoint.accepted == ["Succeeded"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"null", headers=JSON),
        Reply(b"[]", headers=JSON),
        Reply(b"<html>no</html>", 403, {"Content-Type": "text/html"}),
        Reply(b"", 407),
        Reply(b"<html>no</html>", 404, {"Content-Type": "text/html"}),
    ],
    ids=["null", "list", "403", "407", "404"],
)
def test_an_answer_that_is_not_the_service_s_is_not_the_last_word(reply: Reply) -> None:
    accepted = Reply(b'{"lifecycleEventHookExecutionId": "execution-1"}', headers=JSON)
    replies = iter([reply, *[accepted] * 5])
    with serving(lambda _: next(replies)) as served:
        environ = {**os.environ, **LOCAL, "AWS_ENDPOINT_URL_CODEDEPLOY": served.url}
        with Aws(environ, patience_s=1) as aws:
            answer = aws.insist("codedeploy", PUT, MEMBERS, until=soon())
    assert answer == {"lifecycleEventHookExecutionId": "execution-1"}
