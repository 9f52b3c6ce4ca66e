"""What the gate has to know of those who wait: one function for each difference between them."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

from greenroom.plugins.deployment_facts import DeploymentFacts, codedeploy_facts, ecs_facts
from greenroom.plugins.hook_events import (
    CodeDeployEvent,
    EcsEvent,
    EcsPauseEvent,
    PipelineApprovalEvent,
    PipelineJobEvent,
    ReadyWaitEvent,
)
from greenroom.plugins.report_ecs import state_of
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_events import Waiter
    from greenroom.plugins.script_event import ScriptEvent


KEY = "greenroomKey"
"""Where an event that is handed on tells the ledger's name of what it is about."""

_MINUTE_S = 60.0
_ARN_PARTS = 7
_DIGITS = 12


def key_of(hook: Waiter | ScriptEvent, function: str) -> str:
    """Return the ledger's name of what is decided, the same for each delivery of it.

    ECS hooks of recurring stages are told apart by the weights, parts of a suite by number, and
    several hooks of one stage by their ``function`` (an ARN, with a version or alias or without).
    """
    if not isinstance(hook, EcsEvent):
        return hook.execution_id
    try:
        part = part_in(state_of(hook))
    except SettingsError:  # told where it is decided
        part = 0
    unqualified = ":".join(function.split(":")[:_ARN_PARTS])
    own = hashlib.sha256(unqualified.encode()).hexdigest()[:_DIGITS]
    step = (hook.stage, hook.test_weight, hook.production_weight, part, own)
    return "/".join([hook.execution_id, *map(str, step)])


def longest_wait_s(hook: Waiter | ScriptEvent) -> float:
    """Return how long the waiter waits at most, less the minutes that answering may take.

    CodeDeploy waits one hour for a lifecycle event hook, CodePipeline 20 minutes for a function.
    """
    match hook:
        case CodeDeployEvent():
            return 57 * _MINUTE_S
        case PipelineJobEvent():
            return 18 * _MINUTE_S
        case _:
            return math.inf


def part_in(state: Mapping[str, Any] | None) -> int:
    """Return the number of the suite's part that is next, from 0; raises `SettingsError`."""
    part = (state or {}).get("part", 0)
    if type(part) is int and part >= 0:
        return part
    raise SettingsError(f"hookDetails name part {part!r}", hint="leave hookDetails to the hook")


def service_of(hook: Waiter | ScriptEvent) -> str:
    """Return the service that is told by a call; empty for a waiter that is answered."""
    match hook:
        case CodeDeployEvent() | ReadyWaitEvent():
            return "codedeploy"
        case EcsPauseEvent():
            return "ecs"
        case PipelineJobEvent() | PipelineApprovalEvent():
            return "codepipeline"
        case _:
            return ""


def ask_facts(aws: Aws, hook: Waiter | ScriptEvent, *, until: float) -> DeploymentFacts:
    """Ask what is known of the deployment; nothing is, where there is no deployment."""
    match hook:
        case CodeDeployEvent() | ReadyWaitEvent():
            return codedeploy_facts(aws, hook.deployment, until=until)
        case EcsEvent() | EcsPauseEvent():
            return ecs_facts(aws, hook.deployment, until=until)
        case _:
            return DeploymentFacts()
