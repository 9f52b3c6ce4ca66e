"""CodePipeline is told the result of a job, or of a manual approval, within the API's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
STATE = "codepipeline.GetPipelineState"
DETAILS = "codepipeline.GetJobDetails"
RUN = "run-1"
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


def job_details(run: str = RUN) -> dict[str, Any]:
    action = {"name": "Gate", "actionExecutionId": run}
    context = {"pipelineName": "trivia", "stage": {"name": "Production"}, "action": action}
    return {"jobDetails": {"id": JOB.execution_id, "data": {"pipelineContext": context}}}


def state(status: str, **ids: str) -> dict[str, Any]:
    others = [{"actionName": "Other", "latestExecution": {"status": "Abandoned"}}]
    ours = {"actionName": "Gate", "latestExecution": {"status": status, **ids}}
    stage = {"stageName": "Production", "actionStates": [*others, ours]}
    return {"pipelineName": "trivia", "stageStates": [{"stageName": "Build"}, stage]}


def job_over(described: Step, details: Step) -> dict[str, Any]:
    over = Refusal("InvalidJobStateException")
    return {SUCCESS: over, FAILURE: over, DETAILS: details, STATE: described}


@pytest.mark.parametrize(
    ("answer", "status"),
    [(SHIP, "Succeeded"), (DO_NOT_SHIP, "Failed")],
    ids=["ship", "do-not-ship"],
)
def test_a_job_that_ended_the_same_way_was_completed_before(
    aws: Aws, service: AwsEndpoint, answer: Answer, status: str
) -> None:
    under_way, over = (state(each, actionExecutionId=RUN) for each in ("InProgress", status))
    service.answer({**job_over(over, job_details()), STATE: [under_way, over]})
    told = PipelineJobReporter(JOB, aws).report(answer, until=soon())
    assert told == Told("CodePipeline", status, ALREADY_COMPLETED)
    assert service.of(STATE) == [{"name": "trivia"}] * 2


NOT_SAID = "does not say how it ended"


@pytest.mark.parametrize(
    ("answer", "answers", "said"),
    [
        (
            SHIP,
            job_over(state("Failed", actionExecutionId=RUN), job_details()),
            "late: it is Failed",
        ),
        (
            DO_NOT_SHIP,
            job_over(state("Succeeded", actionExecutionId=RUN), job_details()),
            "is Succeeded",
        ),
        (SHIP, job_over(state("Succeeded", actionExecutionId="run-2"), job_details()), NOT_SAID),
        (SHIP, job_over(state("Succeeded"), job_details()), NOT_SAID),
        (SHIP, job_over(state("InProgress", actionExecutionId=RUN), job_details()), NOT_SAID),
        (SHIP, job_over({"stageStates": []}, job_details()), NOT_SAID),
        (SHIP, job_over(Fault.DENY, job_details()), "not known: .*GetPipelineState"),
        (SHIP, job_over(state("Succeeded"), job_details(run="")), "to which action the job"),
        (SHIP, job_over(state("Succeeded"), {}), "to which action the job"),
        (SHIP, job_over(state("Succeeded"), Fault.DENY), "not known: .*GetJobDetails"),
    ],
    ids=[
        "failed-before",
        "succeeded-before",
        "run-again",
        "no-run",
        "in-progress",
        "no-stage",
        "state-denied",
        "no-run-of-job",
        "no-pipeline-of-job",
        "details-denied",
    ],
)
def test_a_job_that_ended_the_other_way_or_nobody_knows_how_is_an_error(
    aws: Aws, service: AwsEndpoint, answer: Answer, answers: dict[str, Any], said: str
) -> None:
    service.answer(answers)
    with pytest.raises(ServiceError, match=said) as refused:
        PipelineJobReporter(JOB, aws).report(answer, until=soon(3))
    assert refused.value.hint


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


DECIDED = Refusal("ApprovalAlreadyCompletedException", f"{TOKEN} was used")


@pytest.mark.parametrize("key", ["token", "externalExecutionId"])
@pytest.mark.parametrize(
    ("answer", "status"),
    [(SHIP, "Succeeded"), (DO_NOT_SHIP, "Failed")],
    ids=["approved", "rejected"],
)
def test_an_approval_that_somebody_gave_the_same_way_was_completed_before(
    aws: Aws, service: AwsEndpoint, answer: Answer, status: str, key: str
) -> None:
    service.answer({APPROVAL: DECIDED, STATE: state(status, **{key: TOKEN})})
    told = PipelineApprovalReporter(REQUEST, aws).report(answer, until=soon())
    word = "Approved" if answer.succeeded else "Rejected"
    assert told == Told("CodePipeline", word, ALREADY_COMPLETED)


@pytest.mark.parametrize(
    ("answer", "described", "said"),
    [
        (SHIP, state("Failed", token=TOKEN), "trivia/Production/Gate came too late: it is Failed"),
        (DO_NOT_SHIP, state("Succeeded", token=TOKEN), "came too late: it is Succeeded"),
        (SHIP, state("Succeeded", token=RUN), NOT_SAID),
        (SHIP, state("Succeeded"), NOT_SAID),
        (SHIP, Refusal("PipelineNotFoundException", TOKEN), "not known: .*PipelineNotFound"),
    ],
    ids=["rejected-before", "approved-before", "asked-again", "no-request", "no-pipeline"],
)
def test_an_approval_that_went_the_other_way_or_nobody_knows_how_is_an_error(
    aws: Aws, service: AwsEndpoint, answer: Answer, described: Step, said: str
) -> None:
    service.answer({APPROVAL: DECIDED, STATE: described})
    with pytest.raises(ServiceError, match=said) as refused:
        PipelineApprovalReporter(REQUEST, aws).report(answer, until=soon(2))
    assert TOKEN not in refused.value.explain()
    assert refused.value.__cause__ is None


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
