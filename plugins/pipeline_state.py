"""How an action of a pipeline that waits no longer has ended, as CodePipeline tells it.

Sources: GetPipelineState (``actionStates[].latestExecution``: ``status``, ``actionExecutionId``,
and of an approval ``token`` or ``externalExecutionId``) and, as a job does not know its pipeline,
GetJobDetails (``pipelineContext``). The role needs codepipeline:GetPipelineState, for jobs
codepipeline:GetJobDetails, too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws, CallError

SUCCEEDED = "Succeeded"
FAILED = "Failed"

_UNDER_WAY = "InProgress"
_IDS = ("actionExecutionId", "token", "externalExecutionId")
_LOOKS = 4
_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class ActionRun:
    """One run of an action; ``id`` is what CodePipeline knows it by: an approval's is a secret."""

    pipeline: str
    stage: str
    action: str
    id: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.pipeline}/{self.stage}/{self.action}"


def run_of_job(aws: Aws, job: str, *, until: float) -> ActionRun:
    """Return the run that waited for ``job``; raises `ServiceError`."""
    answer = aws.call("codepipeline", "get_job_details", {"jobId": job}, until=until)
    context = answer.get("jobDetails", {}).get("data", {}).get("pipelineContext", {})
    action = context.get("action", {})
    stage = context.get("stage", {}).get("name", "")
    run = ActionRun(
        str(context.get("pipelineName", "")),
        str(stage),
        str(action.get("name", "")),
        str(action.get("actionExecutionId", "")),
    )
    if not (run.pipeline and run.id):
        raise ServiceError(
            f"CodePipeline does not say to which action the job {job} belongs",
            hint="see in the pipeline's history how the action ended",
        )
    return run


def unknown(error: CallError) -> ServiceError:
    """Return what is to be said where CodePipeline was asked in vain."""
    return ServiceError(
        f"the action waits no longer, and how it ended is not known: {error}", hint=error.hint
    )


def insist_on(aws: Aws, run: ActionRun, status: str, *, until: float) -> None:
    """Return if ``run`` ended with ``status``; raises `ServiceError` if not, or if nobody knows."""
    stands = ended(aws, run, until=until)
    if stands == status:
        return
    if stands in {"", _UNDER_WAY}:
        raise ServiceError(
            f"{run} waits no longer, and CodePipeline does not say how it ended",
            hint="see the pipeline's history: the action may have been run again",
        )
    raise ServiceError(
        f"{status} of {run} came too late: it is {stands}",
        hint="somebody else, or the action's own time-out, was before this gate",
    )


def ended(aws: Aws, run: ActionRun, *, until: float) -> str:
    """Return the status of ``run``, empty if its pipeline shows another one; raises `CallError`.

    A status follows its answer after a moment: one in progress is looked at again.
    """
    for _ in range(_LOOKS - 1):
        status = _status(aws, run, until)
        if status != _UNDER_WAY or until - time.monotonic() < _PAUSE_S:
            return status
        time.sleep(_PAUSE_S)
    return _status(aws, run, until)


def _status(aws: Aws, run: ActionRun, until: float) -> str:
    named = {"name": run.pipeline}
    state = aws.call("codepipeline", "get_pipeline_state", named, until=until)
    latest = _latest(state, run)
    return str(latest.get("status", "")) if run.id in {latest.get(key) for key in _IDS} else ""


def _latest(state: dict[str, Any], run: ActionRun) -> dict[str, Any]:
    """Return the latest execution of the run's action; empty if there is none."""
    for stage in state.get("stageStates", []):
        for action in stage.get("actionStates", []):
            if (stage.get("stageName"), action.get("actionName")) == (run.stage, run.action):
                return dict(action.get("latestExecution", {}))
    return {}
