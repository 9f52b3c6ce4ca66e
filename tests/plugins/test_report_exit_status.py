"""A command's exit status, and the reporter of each waiter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pytest

from greenroom.plugins.hook_events import (
    CodeDeployEvent,
    EcsEvent,
    EcsPauseEvent,
    PipelineApprovalEvent,
    PipelineJobEvent,
    ReadyWaitEvent,
    Waiter,
)
from greenroom.plugins.report_exit_status import ExitStatusReporter, exit_status
from greenroom.plugins.reporters import reporter_for
from greenroom.plugins.reporting import ANSWERED, Told
from tests.support.waiting import DO_NOT_SHIP, SHIP, UNDECIDED, soon

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.reporting import Answer

WAITERS: dict[type, Waiter] = {
    CodeDeployEvent: CodeDeployEvent("d-1", "e-1"),
    ReadyWaitEvent: ReadyWaitEvent("d-1"),
    EcsEvent: EcsEvent("e-1", "POST_SCALE_UP", "arn:d"),
    EcsPauseEvent: EcsPauseEvent("arn:d", "h-1"),
    PipelineJobEvent: PipelineJobEvent("j-1"),
    PipelineApprovalEvent: PipelineApprovalEvent("p", "s", "a", "t"),
}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (SHIP, "0"),
        (DO_NOT_SHIP, "1"),
        (UNDECIDED, "7"),
        (replace(DO_NOT_SHIP, succeeded=True), "0"),
        (replace(SHIP, succeeded=False), "7"),
    ],
    ids=["ship", "do-not-ship", "undecided", "bypassed", "shipped-but-refused"],
)
def test_only_an_answer_that_opens_the_gate_exits_with_0(answer: Answer, status: str) -> None:
    told = ExitStatusReporter().report(answer, until=soon())
    assert told == Told("exit status", status, ANSWERED)
    assert str(exit_status(answer)) == status


def test_every_waiter_has_a_reporter_of_its_own(aws: Aws) -> None:
    assert set(WAITERS) == set(get_args(Waiter))
    reporters = {type(reporter_for(waiter, aws)) for waiter in WAITERS.values()}
    assert len(reporters) == len(WAITERS)
