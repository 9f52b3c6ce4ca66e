"""Events of CodePipeline, each from its JSON; `plugins.hook_events` tells them apart.

All raise `SettingsError` for what is missing or wrong. A job's credentials are never kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from greenroom.plugins.hook_fields import Json, an_object, name_of, parsed, text_of
from greenroom.plugins.hook_waiters import PipelineApprovalEvent, PipelineJobEvent
from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import LifecycleEvent, lifecycle_event

JOB = "CodePipeline.job"
"""The one key of a job's event."""


def pipeline_job(given: Json) -> PipelineJobEvent:
    """Return the job of a Lambda invoke action."""
    job: Any = an_object(given[JOB])
    identity = text_of(job, "id")
    at = job
    for key in ("data", "actionConfiguration", "configuration"):
        at = at.get(key)
        if not isinstance(at, Mapping):
            return PipelineJobEvent(identity)
    parameters = _parameters(at.get("UserParameters"), "UserParameters")
    event = _event(parameters, "UserParameters", LifecycleEvent.PIPELINE_ACTION)
    return PipelineJobEvent(identity, event, parameters)


def pipeline_approval(given: Json) -> PipelineApprovalEvent:
    """Return the request that a manual approval action publishes."""
    approval = an_object(given["approval"])
    parameters = _parameters(approval.get("customData"), "customData")
    event = _event(parameters, "customData", LifecycleEvent.PIPELINE_APPROVAL)
    return replace(approval_request(approval), event=event)


def approval_request(approval: Json) -> PipelineApprovalEvent:
    """Return the request for approval, its custom data left out."""
    return PipelineApprovalEvent(
        pipeline=text_of(approval, "pipelineName"),
        stage=text_of(approval, "stageName"),
        action=text_of(approval, "actionName"),
        token=text_of(approval, "token"),
        link=name_of(approval, "externalEntityLink"),
    )


def _parameters(given: object, where: str) -> Json:
    """Return the object in a text, or the text itself under ``text``."""
    text = given.strip() if isinstance(given, str) else ""
    if not text.startswith("{"):
        return {"text": text} if text else {}
    return an_object(parsed(text, where))


def _event(parameters: Json, where: str, usual: LifecycleEvent) -> LifecycleEvent:
    if "event" in parameters:
        return lifecycle_event(parameters["event"], where)
    try:
        return lifecycle_event(parameters.get("text"), where)
    except SettingsError:
        return usual
