"""The gate's flow, with real suites in real processes: one answer, and only from evidence."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from greenroom.plugins.gate_answers import Pending
from greenroom.plugins.reporting import Answer
from greenroom.validators.vocabulary import Verdict
from tests.support.aws import AwsEndpoint, Refusal
from tests.support.gates import (
    CODEDEPLOY,
    DEPLOYMENT,
    EXECUTION,
    FAILING,
    SERVICE_DEPLOYMENT,
    Project,
    ecs_event,
    opened,
)
from tests.support.servers import Asked, Reply, json_reply, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from greenroom.plugins.gate_tell import Outcome

LOCAL = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
}
Serve: TypeAlias = "Callable[[Mapping[str, Any]], AwsEndpoint]"
PUT = "codedeploy.PutLifecycleEventHookExecutionStatus"
HANGING = "import time\ndef test_it():\n    time.sleep(60)\n"
EVENTS = """
[hook.events.AfterAllowTestTraffic]
suites = ["suites/test_smoke.py"]
[hook.events.BeforeAllowTraffic]
suites = ["suites/test_contract.py"]
"""
PARTS = """
[hook.events.POST_TEST_TRAFFIC_SHIFT]
suites = ["suites/test_one.py", "suites/test_two.py"]
one_by_one = true
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def serve(project: Project) -> Iterator[Serve]:
    """Return a function that serves CodeDeploy with these answers, and a hook's report."""
    opened: list[AwsEndpoint] = []

    def start(answers: Mapping[str, Any]) -> AwsEndpoint:
        endpoint = AwsEndpoint({PUT: accepted, **answers}).__enter__()
        opened.append(endpoint)
        project.environ |= endpoint.environment
        return endpoint

    yield start
    for endpoint in opened:
        endpoint.__exit__(None, None, None)


def accepted(members: Mapping[str, Any]) -> dict[str, Any]:
    return {"lifecycleEventHookExecutionId": members["lifecycleEventHookExecutionId"]}


def deployment(**info: object) -> dict[str, Any]:
    return {"codedeploy.GetDeployment": {"deploymentInfo": {"deploymentId": DEPLOYMENT, **info}}}


def at(event: str, status: str = "InProgress") -> dict[str, Any]:
    listed = [{"lifecycleEventName": event, "status": status}]
    target = {"deploymentTargetType": "ECSTarget", "ecsTarget": {"lifecycleEvents": listed}}
    return {
        "codedeploy.ListDeploymentTargets": {"targetIds": ["cluster:service"]},
        "codedeploy.BatchGetDeploymentTargets": {"deploymentTargets": [target]},
    }


def statuses(endpoint: AwsEndpoint) -> list[str]:
    return [members["status"] for members in endpoint.accepted(PUT)]


def answer_in(outcome: Outcome) -> Answer:
    assert isinstance(outcome.answer, Answer)
    return outcome.answer


def reasons(outcome: Outcome) -> str:
    return "\n".join(answer_in(outcome).reasons)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[hook]\nledgr = 's3://x'\n", "unknown key ledgr"),
        ("[hook\n", "greenroom.toml"),
        ("[hook.events.BeforeInstall]\nbudget = 'soon'\n", "not a duration"),
    ],
    ids=["unknown key", "not TOML", "no duration"],
)
def test_broken_settings_are_reported_as_failed(
    project: Project, serve: Serve, settings: str, said: str
) -> None:
    endpoint = serve({})
    project.suite()
    project.settings(settings)
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(endpoint) == ["Failed"]
    assert said in reasons(outcome)
    assert project.ran == []


def test_an_event_that_codedeploy_does_not_name_fails_closed(
    project: Project, serve: Serve
) -> None:
    denied = Refusal("AccessDeniedException", "not authorized")
    endpoint = serve({"codedeploy.ListDeploymentTargets": denied})
    project.suite("smoke")
    project.settings(EVENTS)
    outcome = project.deliver(CODEDEPLOY, seconds=14)
    assert statuses(endpoint) == ["Failed"]
    assert "ListDeploymentTargets" in reasons(outcome)
    assert project.ran == []


def test_an_event_without_a_suite_fails_closed(project: Project, serve: Serve) -> None:
    endpoint = serve(at("AfterInstall"))
    project.suite("smoke")
    project.settings(EVENTS)
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(endpoint) == ["Failed"]
    assert "no suite is set for AfterInstall" in reasons(outcome)
    assert project.ran == []


@pytest.mark.parametrize(
    ("configured", "suite"), [("BeforeAllowTraffic", "contract"), ("", "smoke")]
)
def test_the_suite_of_the_event_runs_whoever_named_it(
    project: Project, serve: Serve, configured: str, suite: str
) -> None:
    endpoint = serve({**at("AfterAllowTestTraffic"), **deployment(applicationName="trivia")})
    project.suite("smoke")
    project.suite("contract")
    project.settings(EVENTS)
    project.environ["GREENROOM_HOOK_EVENT"] = configured
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(endpoint) == ["Succeeded"]
    assert project.ran == [suite]
    assert outcome.result
    assert outcome.result.record
    release = json.loads(outcome.result.record.read_text())["release"]
    assert (release["application"], release["deployment"]) == ("trivia", DEPLOYMENT)


def test_a_rollback_ends_the_suite_and_is_never_failed(project: Project, serve: Serve) -> None:
    endpoint = serve(deployment(creator="codeDeployRollback"))
    project.suite("slow", HANGING)
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(endpoint) == ["Succeeded"]
    assert "a rollback" in reasons(outcome)
    assert answer_in(outcome).verdict is not Verdict.SHIP


@pytest.mark.parametrize(("policy", "status"), [("gate", "Failed"), ("pass", "Succeeded")])
def test_a_first_deployment_passes_only_where_the_settings_say_so(
    project: Project, serve: Serve, policy: str, status: str
) -> None:
    endpoint = serve(deployment(creator="user"))
    project.suite(text=FAILING)
    project.settings(f'[hook]\nfirst_deployment = "{policy}"\n')
    project.deliver(CODEDEPLOY)
    assert statuses(endpoint) == [status]
    assert project.ran == (["it"] if policy == "gate" else [])


def test_a_later_deployment_is_gated_whatever_the_policy(project: Project, serve: Serve) -> None:
    earlier = {"previousRevision": {"revisionType": "AppSpecContent"}}
    endpoint = serve(deployment(creator="user", **earlier))
    project.suite(text=FAILING)
    project.settings('[hook]\nfirst_deployment = "pass"\n')
    project.deliver(CODEDEPLOY)
    assert statuses(endpoint) == ["Failed"]


def test_a_suite_that_cannot_fit_is_refused_at_once(project: Project, serve: Serve) -> None:
    endpoint = serve({})
    project.suite()
    project.settings('[hook.events.BeforeInstall]\nbudget = "10m"\n')
    project.environ["GREENROOM_HOOK_EVENT"] = "BeforeInstall"
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(endpoint) == ["Failed"]
    assert "budget of 600 s does not fit" in reasons(outcome)
    assert project.ran == []


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (at("AfterInstall", "Failed"), "completed as Failed"),
        (at("BeforeInstall", "Succeeded"), "what is not known"),
        ({}, "what is not known"),
        (at("AfterInstall", "Succeeded"), ""),
    ],
    ids=["another verdict", "another event", "nobody knows", "the same verdict"],
)
def test_an_event_completed_before_is_an_error_unless_its_verdict_was_the_same(
    project: Project, serve: Serve, events: dict[str, Any], said: str
) -> None:
    done = Refusal("LifecycleEventAlreadyCompletedException", "completed")
    serve({**events, PUT: done})
    project.suite()
    project.environ["GREENROOM_HOOK_EVENT"] = "AfterInstall"
    outcome = project.deliver(CODEDEPLOY)
    assert opened(outcome) is (not said)
    assert said in "\n".join(outcome.errors)
    assert outcome.error is None


def test_a_suite_in_parts_goes_on_until_one_fails_or_all_are_done(project: Project) -> None:
    project.suite("one")
    project.suite("two", FAILING)
    project.settings(PARTS)
    first = project.deliver(ecs_event("POST_TEST_TRAFFIC_SHIFT"))
    assert first.payload["hookStatus"] == "IN_PROGRESS"
    assert first.payload["callBackDelay"] > 0
    again = ecs_event("POST_TEST_TRAFFIC_SHIFT", hookDetails=first.payload["hookDetails"])
    assert project.deliver(again).payload == {"hookStatus": "FAILED"}
    project.suite("two")
    assert project.deliver(again).payload == {"hookStatus": "SUCCEEDED"}
    assert project.ran == ["one", "two", "two"]


def test_a_first_part_that_fails_is_the_answer(project: Project) -> None:
    project.suite("one", FAILING)
    project.suite("two")
    project.settings(PARTS)
    outcome = project.deliver(ecs_event("POST_TEST_TRAFFIC_SHIFT"))
    assert outcome.payload == {"hookStatus": "FAILED"}
    assert project.ran == ["one"]


@pytest.mark.parametrize(
    "state", [{"part": 2}, {"part": -1}, {"part": "1"}, "broken", {"build": "b"}], ids=str
)
def test_a_state_that_is_not_ours_is_failed(project: Project, state: object) -> None:
    project.suite("one")
    project.suite("two")
    project.settings(PARTS)
    ours = {"deployment": SERVICE_DEPLOYMENT, "stage": "POST_TEST_TRAFFIC_SHIFT", "state": state}
    event = ecs_event("POST_TEST_TRAFFIC_SHIFT", hookDetails={"greenroom": ours})
    assert project.deliver(event).payload["hookStatus"] == "FAILED"
    assert project.ran == []


def test_a_script_answers_by_its_exit_status_alone(project: Project) -> None:
    project.suite("smoke", FAILING)
    project.settings(EVENTS)
    project.environ["LIFECYCLE_EVENT"] = "AfterAllowTestTraffic"
    outcome = project.script()
    assert outcome.told
    assert (outcome.told.to, outcome.told.status) == ("exit status", "1")
    assert not opened(outcome)
    assert project.ran == ["smoke"]


def test_a_script_of_an_unknown_event_is_an_error(project: Project) -> None:
    project.environ["LIFECYCLE_EVENT"] = "Sometime"
    assert "unknown lifecycle event" in str(project.script().error)


@pytest.mark.parametrize("event", [{}, {"a": 1}, {"detail-type": "Scheduled Event"}], ids=str)
def test_an_event_that_nobody_waits_for_is_refused_with_the_known_ones(
    project: Project, event: dict[str, Any]
) -> None:
    outcome = project.deliver(event)
    assert outcome.error is not None
    assert "CodePipeline" in reasons(outcome)
    assert not isinstance(outcome.answer, Pending)


PARAMETRIZED = """
import os, pytest
@pytest.mark.parametrize("token", [os.environ["MY_TOKEN"]])
def test_it(token):
    assert token
"""
TARGETED = """
def test_it(target):
    assert target.get("/").status_code == 200
"""


def test_the_hook_waits_until_its_target_answers(project: Project, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    project.suite(text=TARGETED)
    project.environ["GREENROOM_TARGET"] = f"http://127.0.0.1:{port}"
    serve = f"h.test(h.SimpleHTTPRequestHandler, port={port})"
    serving = f"import time; time.sleep(2); import http.server as h; {serve}"
    with subprocess.Popen([sys.executable, "-c", serving], cwd=tmp_path) as server:
        outcome = project.deliver(ecs_event("POST_TEST_TRAFFIC_SHIFT"))
        server.kill()
    assert outcome.payload == {"hookStatus": "SUCCEEDED"}


def test_a_target_that_never_answers_is_not_waited_for_without_end(project: Project) -> None:
    project.suite(text=TARGETED)
    project.environ["GREENROOM_TARGET"] = "http://127.0.0.1:9"
    outcome = project.deliver(ecs_event("POST_TEST_TRAFFIC_SHIFT"), seconds=13)
    assert outcome.payload == {"hookStatus": "FAILED"}
    assert "the target was not ready" in reasons(outcome)


@pytest.mark.parametrize(
    "settings",
    [EVENTS, '[hook]\nledger = "s3://nowhere"\n', "[hook\n", '[hook]\nhand_off = "gates"\n'],
    ids=["the event is unknown", "no ledger", "broken settings", "to be handed off"],
)
def test_nothing_refuses_a_rollback(project: Project, serve: Serve, settings: str) -> None:
    endpoint = serve(deployment(creator="codeDeployRollback"))
    project.settings(settings)
    project.suite("smoke", FAILING)
    project.deliver(CODEDEPLOY, seconds=25)
    assert statuses(endpoint) == ["Succeeded"]


def test_a_stage_that_nobody_knows_is_named(project: Project) -> None:
    project.settings(EVENTS)
    outcome = project.deliver(ecs_event("SOME_NEW_STAGE"))
    assert outcome.payload == {"hookStatus": "FAILED"}
    assert "no suite is set for SOME_NEW_STAGE" in reasons(outcome)


def test_settings_without_end_are_told_like_any_other_mistake(
    project: Project, serve: Serve
) -> None:
    endpoint = serve({})
    project.settings(f"a = {'[' * 5000}{']' * 5000}\n")
    outcome = project.deliver(CODEDEPLOY)
    assert statuses(endpoint) == ["Failed"]
    assert outcome.misconfigured


def test_the_password_of_an_event_s_target_is_told_nobody(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    target = "http://bob:PwInEventTarget2@127.0.0.1:9/${release.nope}"
    project.settings(f'[hook.events.POST_TEST_TRAFFIC_SHIFT]\ntarget = "{target}"\n')
    outcome = project.deliver(ecs_event("POST_TEST_TRAFFIC_SHIFT"))
    assert "release.nope" in reasons(outcome)
    assert "PwInEventTarget2" not in reasons(outcome) + capsys.readouterr().out


def test_a_secret_in_a_test_s_id_neither_shows_nor_spoils_the_verdict(project: Project) -> None:
    project.settings('secrets = ["MY_TOKEN"]\n')
    project.environ |= {"MY_TOKEN": "TopSecretTok5"}
    project.suite(text=PARAMETRIZED)
    outcome = project.deliver(ecs_event("POST_TEST_TRAFFIC_SHIFT"))
    assert outcome.payload == {"hookStatus": "SUCCEEDED"}
    assert outcome.result
    assert outcome.result.record
    assert "TopSecretTok5" not in outcome.result.record.read_text()


@pytest.mark.parametrize("answer", [[], None, {"deploymentInfo": None}, {"deploymentInfo": []}])
def test_no_nonsense_about_the_deployment_keeps_the_answer_back(
    project: Project, answer: object
) -> None:
    def reply(asked: Asked) -> Reply:
        put = asked.headers["x-amz-target"].endswith("ExecutionStatus")
        return json_reply({"lifecycleEventHookExecutionId": EXECUTION} if put else answer)

    project.suite(text=FAILING)
    with serving(reply) as served:
        project.environ |= {**LOCAL, "AWS_ENDPOINT_URL_CODEDEPLOY": served.url}
        outcome = project.deliver(CODEDEPLOY)
    assert outcome.told
    assert (outcome.told.status, outcome.told.result) == ("Failed", "accepted")
