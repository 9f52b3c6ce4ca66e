"""What the services know of a deployment: whether it is a rollback, the first one, and of what.

Sources: CodeDeploy's GetDeployment (``creator`` is ``codeDeployRollback`` in a rollback,
``previousRevision`` is missing where nothing was deployed before), ListDeploymentTargets and
BatchGetDeploymentTargets (``lifecycleEvents``); ECS' DescribeServiceDeployments (``status``,
``sourceServiceRevisions``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import ServiceError
from greenroom.validators.lifecycle import LifecycleEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greenroom.plugins.aws_process import Aws

_ROLLBACK = "codeDeployRollback"
_UNDER_WAY = "InProgress"
_TARGETS = ("instanceTarget", "lambdaTarget", "ecsTarget", "cloudFormationTarget")
_HOOKABLE = {event.value: event for event in LifecycleEvent}
_FACTS = {
    "applicationName": "application",
    "deploymentGroupName": "deployment-group",
    "deploymentConfigName": "deployment-config",
}


@dataclass(frozen=True, slots=True)
class DeploymentFacts:
    """``release`` holds short texts for the run record: application, task-definition, ... ."""

    rollback: bool = False
    first: bool = False
    release: Mapping[str, str] = field(default_factory=dict)


def codedeploy_facts(aws: Aws, deployment_id: str, *, until: float) -> DeploymentFacts:
    """Ask CodeDeploy for the deployment; raises `ServiceError`."""
    answer = aws.call("codedeploy", "get_deployment", {"deploymentId": deployment_id}, until=until)
    info = answer.get("deploymentInfo", {})
    release = {ours: str(info[theirs]) for theirs, ours in _FACTS.items() if info.get(theirs)}
    return DeploymentFacts(
        rollback=info.get("creator") == _ROLLBACK,
        first=bool(info) and "previousRevision" not in info,
        release=release | _revision(info.get("revision", {})),
    )


def ecs_facts(aws: Aws, service_deployment: str, *, until: float) -> DeploymentFacts:
    """Ask ECS for the service deployment; raises `ServiceError`."""
    found = described(aws.call, service_deployment, until=until)
    revision = found.get("targetServiceRevision", {}).get("arn", "")
    return DeploymentFacts(
        rollback=str(found.get("status", "")).startswith("ROLLBACK"),
        first=not found.get("sourceServiceRevisions"),
        release={"service-revision": revision} if revision else {},
    )


def described(
    ask: Callable[..., dict[str, Any]], service_deployment: str, *, until: float
) -> dict[str, Any]:
    """Return what ECS knows of the service deployment; raises `ServiceError`.

    ``ask`` is `Aws.call` or `Aws.insist`.
    """
    members = {"serviceDeploymentArns": [service_deployment]}
    answer = ask("ecs", "describe_service_deployments", members, until=until)
    found = answer.get("serviceDeployments") or []
    if not found:
        raise ServiceError(
            f"ECS does not know the service deployment {service_deployment}",
            hint="check the ARN and the region",
        )
    return dict(found[0])


def event_under_way(
    aws: Aws, deployment_id: str, *, until: float, insist: bool = True
) -> LifecycleEvent:
    """Return the lifecycle event that CodeDeploy is at; raises `ServiceError` unless it is one."""
    answer = _targets(aws.insist if insist else aws.call, deployment_id, until)
    seen = {
        event["lifecycleEventName"]
        for event in _lifecycle_events(answer)
        if event.get("status") == _UNDER_WAY
    } & set(_HOOKABLE)
    if len(seen) == 1:
        return _HOOKABLE[seen.pop()]
    told = "no lifecycle event" if not seen else " and ".join(sorted(seen))
    raise ServiceError(
        f"CodeDeploy does not say which lifecycle event this is: {told} in progress",
        hint="name it in the function's configuration: GREENROOM_HOOK_EVENT",
    )


def status_of(aws: Aws, deployment_id: str, event: str, *, until: float) -> str:
    """Return what CodeDeploy holds of ``event``: Succeeded, Failed, …; empty if it is unknown."""
    events = _lifecycle_events(_targets(aws.call, deployment_id, until))
    return next((str(e["status"]) for e in events if e.get("lifecycleEventName") == event), "")


def _targets(
    ask: Callable[..., dict[str, Any]], deployment_id: str, until: float
) -> dict[str, Any]:
    named = {"deploymentId": deployment_id}
    listed = ask("codedeploy", "list_deployment_targets", named, until=until)
    members = {**named, "targetIds": listed.get("targetIds", [])[:1]}
    return ask("codedeploy", "batch_get_deployment_targets", members, until=until)


def _lifecycle_events(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for target in answer.get("deploymentTargets", []):
        for kind in _TARGETS:
            yield from target.get(kind, {}).get("lifecycleEvents", [])


def _revision(revision: Mapping[str, Any]) -> dict[str, str]:
    """Return what the AppSpec says is deployed, where it can be read as JSON."""
    content = revision.get("appSpecContent") or revision.get("string") or {}
    try:
        resources = json.loads(content.get("content", ""))["Resources"]
        listed = resources if isinstance(resources, list) else [resources]
        properties = [one["Properties"] for entry in listed for one in entry.values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    found = {}
    for given in properties:
        for theirs, ours in (("TaskDefinition", "task-definition"), ("Name", "function")):
            if isinstance(given.get(theirs), str):
                found[ours] = given[theirs]
        if isinstance(given.get("TargetVersion"), str | int):
            found["target-version"] = str(given["TargetVersion"])
    return found
