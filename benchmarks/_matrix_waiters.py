"""Who waits for a hook's verdict in the fault matrix, each as a service over HTTP.

A waiter hears what a service would: calls of its operations, or what the function returns. What is
heard a second time is answered as the service's model says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from greenroom.rehearsal.api import CodeDeployApi
from greenroom.rehearsal.clock import ScaledClock
from greenroom.rehearsal.engine import DeploymentGroup, DeploymentRequest, Engine
from greenroom.rehearsal.lifecycle import Lifecycle
from tests.support.aws import AwsEndpoint
from tests.support.deployments import MemoryPlane, appspec
from tests.support.faults import FaultProxy, Pass, Refusal

if TYPE_CHECKING:
    from benchmarks._matrix_fault import Fault
    from tests.support.faults import Script, Step

Json: TypeAlias = Mapping[str, Any]
Deliver: TypeAlias = Callable[[Json], None]
"""Deliver an event to the function, as often as Lambda and the fault do, and wait for its end."""

_DEPLOYMENT = "arn:aws:ecs:us-east-1:123456789012:service-deployment/c/s/d"
_SERVICE = "arn:aws:ecs:us-east-1:123456789012:service/c/s"
_OLD, _NEW = (f"arn:aws:ecs:us-east-1:123456789012:service-revision/c/s/{n}" for n in "12")
_HOOK_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A verdict that was told; ``at`` is in monotonic seconds."""

    word: str
    at: float
    accepted: bool


@dataclass(slots=True)
class World:
    """One waiter and one fault: ``environment`` is for the function.

    `run` makes the waiter ask for its verdict, and returns when all is over.
    """

    fault: Fault
    environment: dict[str, str]
    run: Callable[[Deliver], None] = lambda _: None
    heard: list[Heard] = field(default_factory=list)
    delivery: int = 0
    """How many times an event has been delivered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, word: str, *, accepted: bool) -> None:
        """Note that ``word`` was told now."""
        with self.lock:
            self.heard.append(Heard(word, time.monotonic(), accepted))

    def script(self, ok: Step) -> Script:
        """Return what the service does with calls that it would answer with ``ok``."""
        fault = self.fault
        if fault.first_delivery is not None:
            broken = fault.first_delivery
            return lambda _: broken if self.delivery < 2 else ok  # noqa: PLR2004 - the second
        return fault.service(ok) if fault.service else ok


@dataclass(frozen=True, slots=True)
class Waiter:
    """One column of the matrix: its words are for *ship* and for everything else.

    ``asynchronous`` deliveries are repeated after an error of the function.
    """

    name: str
    words: tuple[str, str]
    open: Callable[[Fault], Any]
    asynchronous: bool = True
    a_function: bool = True
    settings: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def word(self, fault: Fault) -> str:
        """Return what has to be told."""
        return self.words[0 if fault.passes else 1]

    def takes(self, fault: Fault) -> bool:
        """Tell whether there is anything to show."""
        if fault.own_settings and self.settings:
            return False
        return self.a_function or not (fault.needs_function or fault.about_services)


# CodeDeploy's hook, by the rehearsal's engine


class _Asynchronously:
    """Invokes the function in a thread of its own, as the engine expects."""

    def __init__(self) -> None:
        self.deliver: Deliver = lambda _: None
        self.threads: list[threading.Thread] = []

    def invoke(self, _: str, event: Json) -> None:
        thread = threading.Thread(target=self.deliver, args=(event,))
        thread.start()
        self.threads.append(thread)


@contextmanager
def _codedeploy(fault: Fault) -> Iterator[World]:
    hooks = _Asynchronously()
    group = DeploymentGroup(
        application="trivia",
        name="api",
        appspec=appspec(Lifecycle.AFTER_ALLOW_TEST_TRAFFIC),
        hook_timeout_s=_HOOK_TIMEOUT_S,
        termination_wait_s=0,
    )
    engine = Engine(group, MemoryPlane(), hooks, ScaledClock())
    world = World(fault, {})
    script = world.script(Pass())
    with (
        CodeDeployApi(engine) as api,
        FaultProxy(api.url, {"PutLifecycleEventHookExecutionStatus": script}) as proxy,
    ):
        world.environment = proxy.environment

        def run(deliver: Deliver) -> None:
            hooks.deliver = deliver
            started = time.monotonic()
            deployment = engine.create_deployment(DeploymentRequest())
            while not hooks.threads:
                time.sleep(0.01)
            for thread in hooks.threads:
                thread.join()
            snapshot = engine.snapshot(deployment)
            for answer in snapshot.answers:
                at = started + (answer.at - snapshot.created).total_seconds()
                world.heard.append(
                    Heard("Succeeded" if answer.succeeded else "Failed", at, accepted=True)
                )
            if not snapshot.answers:
                engine.stop(deployment)
            engine.wait(deployment, timeout_s=30)

        world.run = run
        yield world


# ECS's hook: the function's own answer


def ecs_event(details: Json | None = None) -> dict[str, Any]:
    """Return what ECS sends at POST_TEST_TRAFFIC_SHIFT; ``details`` are what it was answered."""
    return {
        "executionId": "execution-1",
        "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
        "resourceArn": _DEPLOYMENT,
        "executionDetails": {"serviceArn": _SERVICE, "targetServiceRevisionArn": _NEW},
        **({"hookDetails": details} if details else {}),
    }


def _described(hook: str = "") -> dict[str, Any]:
    pause = {"hookId": "hook-1", "targetType": "PAUSE", "status": hook}
    return {
        "serviceDeployments": [
            {
                "serviceDeploymentArn": _DEPLOYMENT,
                "serviceArn": _SERVICE,
                "sourceServiceRevisions": [{"arn": _OLD}],
                "targetServiceRevision": {"arn": _NEW},
                "status": "IN_PROGRESS",
                **({"lifecycleHookDetails": [pause]} if hook else {}),
            }
        ]
    }


@contextmanager
def _ecs(fault: Fault) -> Iterator[World]:
    world = World(fault, {})
    script = world.script(_described())
    with AwsEndpoint({"ecs.DescribeServiceDeployments": script}) as aws:
        world.environment = aws.environment
        world.run = lambda deliver: deliver(ecs_event())
        yield world


# Waiters that are told by one call


@dataclass(frozen=True, slots=True)
class _Told:
    """A service that is told by ``calls``: each operation's answer, and its word for the members.

    ``over`` is the refusal of whatever is told after that; ``asked`` are its other operations,
    answered from what was told (empty at first).
    """

    event: Json
    calls: Mapping[str, tuple[Json, Callable[[Json], str]]]
    over: str
    asked: Mapping[str, Callable[[str], Json]]

    @contextmanager
    def open(self, fault: Fault) -> Iterator[World]:
        """Serve it."""
        world = World(fault, {})
        told: list[str] = []

        def telling(answer: Json, word: Callable[[Json], str]) -> Callable[[Json], Step]:
            def tell(members: Json) -> Step:
                with world.lock:
                    first = not told
                    told.append(word(members))
                world.hear(word(members), accepted=first)
                return answer if first else Refusal(self.over)

            return tell

        answers: dict[str, Script] = {
            name: world.script(telling(answer, word)) for name, (answer, word) in self.calls.items()
        }
        for name, answer in self.asked.items():
            answers[name] = lambda _, answer=answer: answer(told[0] if told else "")
        with AwsEndpoint(answers) as aws:
            world.environment = aws.environment
            world.run = lambda deliver: deliver(self.event)
            yield world


def _always(word: str) -> Callable[[Json], str]:
    return lambda _: word


_PAUSE = _Told(
    event={
        "detail-type": "ECS Hook State Change",
        "detail": {
            "eventName": "HOOK_AWAITING_ACTION",
            "serviceDeploymentArn": _DEPLOYMENT,
            "serviceArn": _SERVICE,
            "hookId": "hook-1",
            "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
        },
    },
    calls={
        "ecs.ContinueServiceDeployment": (
            {"serviceDeploymentArn": _DEPLOYMENT},
            lambda members: str(members.get("action", "no action: CONTINUE")),
        )
    },
    over="InvalidParameterException",
    asked={
        "ecs.DescribeServiceDeployments": lambda told: _described(
            {"CONTINUE": "SUCCEEDED", "ROLLBACK": "FAILED"}.get(told, "AWAITING_ACTION")
        )
    },
)
_READY = _Told(
    event={
        "detail-type": "CodeDeploy Deployment State-change Notification",
        "detail": {
            "deploymentId": "d-READY1234",
            "state": "READY",
            "application": "trivia",
            "deploymentGroup": "api",
        },
    },
    calls={
        "codedeploy.ContinueDeployment": ({}, _always("ContinueDeployment")),
        "codedeploy.StopDeployment": (
            {"status": "Succeeded"},
            lambda members: (
                "StopDeployment" if members.get("autoRollbackEnabled") else "Stop, no rollback"
            ),
        ),
    },
    over="DeploymentAlreadyCompletedException",
    asked={
        "codedeploy.GetDeployment": lambda told: {
            "deploymentInfo": {
                "deploymentId": "d-READY1234",
                "status": {"": "Ready", "ContinueDeployment": "Succeeded"}.get(told, "Stopped"),
                "creator": "user",
                "previousRevision": {"revisionType": "AppSpecContent"},
            }
        }
    },
)


def _pipeline(status: str, **ids: str) -> dict[str, Any]:
    latest = {"status": status or "InProgress", **ids}
    action = {"actionName": "Gate", "latestExecution": latest}
    return {"stageStates": [{"stageName": "Production", "actionStates": [action]}]}


_JOB = _Told(
    event={"CodePipeline.job": {"id": "11111111-2222-3333-4444-555555555555", "data": {}}},
    calls={
        f"codepipeline.{name}": ({}, _always(name))
        for name in ("PutJobSuccessResult", "PutJobFailureResult")
    },
    over="InvalidJobStateException",
    asked={
        "codepipeline.GetJobDetails": lambda _: {
            "jobDetails": {
                "id": "11111111-2222-3333-4444-555555555555",
                "data": {
                    "pipelineContext": {
                        "pipelineName": "trivia",
                        "stage": {"name": "Production"},
                        "action": {"name": "Gate", "actionExecutionId": "run-1"},
                    }
                },
            }
        },
        "codepipeline.GetPipelineState": lambda told: _pipeline(
            {"PutJobSuccessResult": "Succeeded", "PutJobFailureResult": "Failed"}.get(told, ""),
            actionExecutionId="run-1",
        ),
    },
)
_APPROVAL = _Told(
    event={
        "approval": {
            "pipelineName": "trivia",
            "stageName": "Production",
            "actionName": "Gate",
            "token": "11111111-2222-3333-4444-555555555555",
        }
    },
    calls={
        "codepipeline.PutApprovalResult": (
            {"approvedAt": 1.7e9},
            lambda members: str(members["result"]["status"]),
        )
    },
    over="ApprovalAlreadyCompletedException",
    asked={
        "codepipeline.GetPipelineState": lambda told: _pipeline(
            {"Approved": "Succeeded", "Rejected": "Failed"}.get(told, ""),
            externalExecutionId="11111111-2222-3333-4444-555555555555",
        )
    },
)


@contextmanager
def _nobody(fault: Fault) -> Iterator[World]:
    with ExitStack():
        yield World(fault, {}, run=lambda deliver: deliver({}))


_FIRST = {"first/test_first.py": "def test_first():\n    assert 1 + 1 == 2\n"}
_PARTS = """
[hook.events.POST_TEST_TRAFFIC_SHIFT]
suites = ["first", "suites"]
one_by_one = true
"""

CODEDEPLOY = Waiter("CodeDeploy hook", ("Succeeded", "Failed"), _codedeploy)
ECS = Waiter("ECS hook", ("SUCCEEDED", "FAILED"), _ecs, asynchronous=False)
IN_PROGRESS = Waiter(
    "ECS IN_PROGRESS",
    ("SUCCEEDED", "FAILED"),
    _ecs,
    asynchronous=False,
    settings=_PARTS,
    files=_FIRST,
)
PAUSE = Waiter("ECS PAUSE", ("CONTINUE", "ROLLBACK"), _PAUSE.open)
READY = Waiter("CodeDeploy ready-wait", ("ContinueDeployment", "StopDeployment"), _READY.open)
JOB = Waiter("CodePipeline job", ("PutJobSuccessResult", "PutJobFailureResult"), _JOB.open)
APPROVAL = Waiter("CodePipeline approval", ("Approved", "Rejected"), _APPROVAL.open)
EXIT = Waiter("exit status", ("0", "not 0"), _nobody, asynchronous=False, a_function=False)

WAITERS = (CODEDEPLOY, ECS, IN_PROGRESS, PAUSE, READY, JOB, APPROVAL, EXIT)
