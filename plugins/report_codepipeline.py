"""Tells CodePipeline: the result of a Lambda invoke action, or of a manual approval.

Limits are those of the API's model. The role needs codepipeline:PutJobSuccessResult and
codepipeline:PutJobFailureResult, or codepipeline:PutApprovalResult, and what
`greenroom.plugins.pipeline_state` needs to see what stands when somebody was before us.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from greenroom.plugins.aws_process import CallError
from greenroom.plugins.pipeline_state import (
    FAILED,
    SUCCEEDED,
    ActionRun,
    insist_on,
    run_of_job,
    unknown,
)
from greenroom.plugins.reporting import ALREADY_COMPLETED, Answer, Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.hook_waiters import PipelineApprovalEvent, PipelineJobEvent

FAILURE_TYPE = "failure-type"
"""The fact of an `Answer` that names CodePipeline's kind of failure; JobFailed where it is none."""

_TYPES = frozenset({"JobFailed", "ConfigurationError", "PermissionError", "SystemUnavailable"})
_MESSAGE = 5000
_SUMMARY = 2048
_EXECUTION = 1500
_APPROVAL = 512
_VALUE = 1000
_ALL_VALUES = 8192
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9@_-]+")


class PipelineJobReporter:
    """Answers for one job; its pipeline gets the answer's facts as output variables."""

    def __init__(self, event: PipelineJobEvent, aws: Aws) -> None:
        self._event = event
        self._aws = aws

    def report(self, answer: Answer, *, until: float) -> Told:
        """Report by ``until`` (monotonic).

        Raises `ServiceError` where CodePipeline refuses, or where the action did not end this way
        before, or may not have.
        """
        status = _status(answer)
        try:
            if answer.succeeded:
                self._succeed(answer, until)
            else:
                self._put("put_job_failure_result", self._failure(answer), until)
        except CallError as error:
            if error.code != "InvalidJobStateException":
                raise
            self._insist_on(status, until)
            return Told("CodePipeline", status, ALREADY_COMPLETED)
        return Told("CodePipeline", status)

    def _insist_on(self, status: str, until: float) -> None:
        try:
            run = run_of_job(self._aws, self._event.execution_id, until=until)
            insist_on(self._aws, run, status, until=until)
        except CallError as error:
            raise unknown(error) from error

    def _succeed(self, answer: Answer, until: float) -> None:
        success = {"executionDetails": self._execution(answer)}
        variables = output_variables(answer)
        try:
            self._put("put_job_success_result", {**success, "outputVariables": variables}, until)
        except CallError as error:
            # The limit is the whole pipeline's: what other actions said may leave no room for ours.
            if error.code != "OutputVariablesSizeExceededException":
                raise
            self._put("put_job_success_result", success, until)

    def _put(self, operation: str, members: Mapping[str, Any], until: float) -> None:
        job = {"jobId": self._event.execution_id, **members}
        self._aws.insist("codepipeline", operation, job, until=until)

    def _execution(self, answer: Answer) -> dict[str, Any]:
        return {
            "summary": cut(_said(answer), _SUMMARY),
            "externalExecutionId": cut(self._event.deployment, _EXECUTION),
            "percentComplete": 100,
        }

    def _failure(self, answer: Answer) -> dict[str, Any]:
        kind = answer.facts.get(FAILURE_TYPE, "")
        details = {
            "type": kind if kind in _TYPES else "JobFailed",
            "message": cut(_said(answer), _MESSAGE),
            "externalExecutionId": cut(self._event.deployment, _EXECUTION),
        }
        return {"failureDetails": details}


class PipelineApprovalReporter:
    """Approves or rejects one manual approval action."""

    def __init__(self, event: PipelineApprovalEvent, aws: Aws) -> None:
        self._event = event
        self._aws = aws

    def report(self, answer: Answer, *, until: float) -> Told:
        """Report by ``until`` (monotonic).

        Raises `ServiceError` where CodePipeline refuses, or where somebody else did not answer this
        way before, or may not have.
        """
        status = "Approved" if answer.succeeded else "Rejected"
        members = {
            "pipelineName": self._event.pipeline,
            "stageName": self._event.stage,
            "actionName": self._event.action,
            "result": {"summary": cut(_said(answer), _APPROVAL), "status": status},
            "token": self._event.token,
        }
        try:
            self._aws.insist("codepipeline", "put_approval_result", members, until=until)
        except CallError as error:
            if error.code != "ApprovalAlreadyCompletedException":
                raise self._without_token(error) from None
        else:
            return Told("CodePipeline", status)
        self._insist_on(_status(answer), until)
        return Told("CodePipeline", status, ALREADY_COMPLETED)

    def _insist_on(self, status: str, until: float) -> None:
        event = self._event
        run = ActionRun(event.pipeline, event.stage, event.action, event.token)
        try:
            insist_on(self._aws, run, status, until=until)
        except CallError as error:
            raise unknown(self._without_token(error)) from None

    def _without_token(self, error: CallError) -> CallError:
        """Return ``error`` as it may be logged: the service repeats what it refuses."""
        message = str(error).replace(self._event.token, "***")
        return CallError(message, hint=error.hint, code=error.code, again=error.again)


def output_variables(answer: Answer) -> dict[str, str]:
    """Return the answer's facts as CodePipeline takes them, within one action's fair share."""
    facts = {"verdict": answer.verdict.value, "report": answer.link, **answer.facts}
    variables: dict[str, str] = {}
    left = _ALL_VALUES
    for name, value in facts.items():
        key, text = _NOT_IN_NAMES.sub("_", name), cut(value, _VALUE)
        left -= len(key.encode()) + len(text.encode())
        if key and text and left >= 0:
            variables[key] = text
    return variables


def cut(text: str, most: int) -> str:
    """Return ``text`` in at most ``most`` characters, told as cut where it is."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _said(answer: Answer) -> str:
    """Return verdict, link and reasons as one text: what is cut off is the last reasons."""
    head = f"{answer.verdict.words} ({answer.link})" if answer.link else answer.verdict.words
    return "\n".join((head, *answer.reasons))


def _status(answer: Answer) -> str:
    """Return the status of an action that was answered like this."""
    return SUCCEEDED if answer.succeeded else FAILED
