"""CodePipeline is told the result of a job, or of a manual approval, within the API's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.hook_events import PipelineApprovalEvent, PipelineJobEvent
from greenroom.plugins.report_codepipeline import (
    FAILURE_TYPE,
    PipelineApprovalReporter,
    PipelineJobReporter,
    output_variables,
)
from greenroom.plugins.reporting import ACCEPTED, ALREADY_COMPLETED, Told
from greenroom.validators.errors import ServiceError
from tests.support.aws import Fault, Refusal
from tests.support.waiting import DO_NOT_SHIP, SHIP, UNDECIDED, soon

if TYPE_CHECKING:
    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.reporting import Answer
    from tests.support.aws import AwsEndpoint, Step

SUCCESS = "codepipeline.PutJobSuccessResult"
FAILURE = "codepipeline.PutJobFailureResult"
APPROVAL = "codepipeline.PutApprovalResult"
JOB = PipelineJobEvent("11111111-2222-3333-4444-555555555555", parameters={"execution": "x-1"})
TOKEN = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"  # noqa: S105 - of a test
REQUEST = PipelineApprovalEvent("trivia", "Production", "Gate", TOKEN)
LONG = ("x" * 6000,)


def test_ship_succeeds_with_the_facts_as_output_variables(aws: Aws, service: AwsEndpoint) -> None:
    service.answer({SUCCESS: [Fault.THROTTLE, Fault.DENY, {}]})
    told = PipelineJobReporter(JOB, aws).report(SHIP, until=soon())
    assert told == Told("CodePipeline", "Succeeded", ACCEPTED)
    (sent,) = service.accepted(SUCCESS)
    assert sent["jobId"] == JOB.execution_id
    assert sent["outputVariables"] == {"verdict": "ship", "checks": "22"}
    assert sent["executionDetails"]["externalExecutionId"] == "x-1"


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (DO_NOT_SHIP, "JobFailed", "do not ship (s3://reports/d-1/report.html)\ntrivia answers"),
        (UNDECIDED, "JobFailed", "could not decide\nno evidence"),
        (
            replace(UNDECIDED, facts={FAILURE_TYPE: "ConfigurationError"}),
            "ConfigurationError",
            "could not decide",
        ),
        (replace(DO_NOT_SHIP, facts={FAILURE_TYPE: "Whatever"}), "JobFailed", "do not ship"),
        (replace(DO_NOT_SHIP, reasons=LONG), "JobFailed", "do not ship"),
    ],
    ids=["do-not-ship", "undecided", "settings", "unknown-type", "too-long"],
)
def test_anything_else_fails_and_says_why(
    aws: Aws, service: AwsEndpoint, answer: Answer, kind: str, said: str
) -> None:
    service.answer({FAILURE: [Fault.FAIL, {}], SUCCESS: {}})
    told = PipelineJobReporter(JOB, aws).report(answer, until=soon())
    assert told == Told("CodePipeline", "Failed", ACCEPTED)
    details = service.accepted(FAILURE)[0]["failureDetails"]
    assert details["type"] == kind
    assert details["message"].startswith(said)
    assert details["externalExecutionId"] == "x-1"
    assert service.of(SUCCESS) == []


def test_variables_that_find_no_room_in_the_pipeline_are_left_out(
    aws: Aws, service: AwsEndpoint
) -> None:
    service.answer({SUCCESS: [Refusal("OutputVariablesSizeExceededException"), {}]})
    assert PipelineJobReporter(JOB, aws).report(SHIP, until=soon()).result == ACCEPTED
    assert "outputVariables" not in service.accepted(SUCCESS)[0]


@pytest.mark.parametrize(
    ("answer", "operation"), [(SHIP, SUCCESS), (DO_NOT_SHIP, FAILURE)], ids=["ship", "do-not-ship"]
)
def test_a_job_that_is_over_was_completed_before(
    aws: Aws, service: AwsEndpoint, answer: Answer, operation: str
) -> None:
    service.answer({operation: Refusal("InvalidJobStateException")})
    told = PipelineJobReporter(JOB, aws).report(answer, until=soon())
    assert told.result == ALREADY_COMPLETED


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (Refusal("JobNotFoundException"), "check the ids"),
        (Fault.DENY, "allow codepipeline:PutJobSuccessResult"),
        (Fault.FAIL, "the service failed"),
    ],
    ids=["unknown", "denied-for-ever", "500-for-ever"],
)
def test_what_does_not_get_through_is_explained(
    aws: Aws, service: AwsEndpoint, step: Step, hint: str
) -> None:
    service.answer({SUCCESS: step})
    with pytest.raises(ServiceError) as refused:
        PipelineJobReporter(JOB, aws).report(SHIP, until=soon(1.5))
    assert hint in refused.value.hint


def test_variables_keep_the_apis_names_and_a_fair_share_of_its_room() -> None:
    facts = {"a b/c": "1", "": "no name", "empty": "", "long": "y" * 3000}
    many = {f"fact-{number}": "z" * 900 for number in range(20)}
    variables = output_variables(replace(SHIP, facts={**facts, **many}))
    assert variables["a_b_c"] == "1"
    assert len(variables["long"]) == 1000
    assert {"", "empty", "report"}.isdisjoint(variables)
    assert sum(len(name) + len(value.encode()) for name, value in variables.items()) <= 8192


@pytest.mark.parametrize(
    ("answer", "status", "summary"),
    [
        (SHIP, "Approved", "ship"),
        (DO_NOT_SHIP, "Rejected", "do not ship (s3://reports/d-1/report.html)\ntrivia answers"),
        (replace(UNDECIDED, reasons=LONG), "Rejected", "could not decide\nxxx"),
    ],
    ids=["ship", "do-not-ship", "too-long"],
)
def test_an_approval_is_given_by_ship_alone(
    aws: Aws, service: AwsEndpoint, answer: Answer, status: str, summary: str
) -> None:
    service.answer({APPROVAL: [Fault.RESET, Fault.THROTTLE, {}]})
    told = PipelineApprovalReporter(REQUEST, aws).report(answer, until=soon())
    assert told == Told("CodePipeline", status, ACCEPTED)
    (sent,) = service.accepted(APPROVAL)
    assert sent["result"]["status"] == status
    assert sent["result"]["summary"].startswith(summary)
    assert (sent["pipelineName"], sent["stageName"]) == ("trivia", "Production")
    assert (sent["actionName"], sent["token"]) == ("Gate", TOKEN)


def test_an_approval_that_somebody_gave_was_completed_before(
    aws: Aws, service: AwsEndpoint
) -> None:
    service.answer({APPROVAL: Refusal("ApprovalAlreadyCompletedException")})
    told = PipelineApprovalReporter(REQUEST, aws).report(DO_NOT_SHIP, until=soon())
    assert told == Told("CodePipeline", "Rejected", ALREADY_COMPLETED)


@pytest.mark.parametrize(
    "step",
    [
        Refusal("InvalidApprovalTokenException", f"The token {TOKEN} is not valid"),
        Refusal("ValidationException", f"Value '{TOKEN}' at 'token' failed to satisfy"),
    ],
    ids=["invalid", "malformed"],
)
def test_the_token_never_shows_in_an_error(aws: Aws, service: AwsEndpoint, step: Step) -> None:
    service.answer({APPROVAL: step})
    with pytest.raises(ServiceError, match=r"\*\*\*") as refused:
        PipelineApprovalReporter(REQUEST, aws).report(SHIP, until=soon())
    assert TOKEN not in refused.value.explain()
    assert refused.value.__cause__ is None
