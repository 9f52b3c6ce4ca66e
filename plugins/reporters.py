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
from greenroom.plugins.report_ecs import EcsReporter, RecordedReporter
from greenroom.plugins.report_ecs_pause import EcsPauseReporter
from greenroom.plugins.report_exit_status import ExitStatusReporter
from greenroom.plugins.script_event import ScriptEvent

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_waiters import Waiter
    from greenroom.plugins.reporting import Reporter


def reporter_for(
    waiter: Waiter | ScriptEvent, aws: Aws | None, *, invited: bool = False
) -> Reporter:
    """Return the reporter that tells ``waiter``.

    Those that call AWS do so through ``aws``, which is None only where nobody is told by a call.
    ``invited`` tells that this is a build that a hook started.
    """
    if isinstance(waiter, ScriptEvent):
        return ExitStatusReporter()
    if isinstance(waiter, EcsEvent):
        return RecordedReporter() if invited else EcsReporter(waiter)
    assert aws is not None  # noqa: S101 - see above
    return _calling(waiter, aws)


def _calling(
    waiter: CodeDeployEvent
    | ReadyWaitEvent
    | EcsPauseEvent
    | PipelineJobEvent
    | PipelineApprovalEvent,
    aws: Aws,
) -> Reporter:
    match waiter:
        case CodeDeployEvent():
            return CodeDeployReporter(waiter, aws)
        case ReadyWaitEvent():
            return ReadyWaitReporter(waiter, aws)
        case EcsPauseEvent():
            return EcsPauseReporter(waiter, aws)
        case PipelineJobEvent():
            return PipelineJobReporter(waiter, aws)
        case PipelineApprovalEvent():
            return PipelineApprovalReporter(waiter, aws)
        case _:
            assert_never(waiter)
