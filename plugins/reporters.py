"""Which reporter tells which waiter."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from greenroom.plugins.hook_waiters import (
    CodeDeployEvent,
    EcsEvent,
    EcsPauseEvent,
    PipelineApprovalEvent,
    PipelineJobEvent,
    ReadyWaitEvent,
)
from greenroom.plugins.report_codedeploy import CodeDeployReporter
from greenroom.plugins.report_codedeploy_ready import ReadyWaitReporter
from greenroom.plugins.report_codepipeline import PipelineApprovalReporter, PipelineJobReporter
from greenroom.plugins.report_ecs import EcsReporter
from greenroom.plugins.report_ecs_pause import EcsPauseReporter

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_waiters import Waiter
    from greenroom.plugins.reporting import Reporter


def reporter_for(waiter: Waiter, aws: Aws) -> Reporter:
    """Return the reporter that tells ``waiter``; those that call AWS do so through ``aws``."""
    match waiter:
        case CodeDeployEvent():
            return CodeDeployReporter(waiter, aws)
        case ReadyWaitEvent():
            return ReadyWaitReporter(waiter, aws)
        case EcsEvent():
            return EcsReporter(waiter)
        case EcsPauseEvent():
            return EcsPauseReporter(waiter, aws)
        case PipelineJobEvent():
            return PipelineJobReporter(waiter, aws)
        case PipelineApprovalEvent():
            return PipelineApprovalReporter(waiter, aws)
        case _:
            assert_never(waiter)
