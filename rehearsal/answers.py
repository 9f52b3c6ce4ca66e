"""Snapshots of deployments in the output shapes of CodeDeploy's model (JSON 1.1)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from greenroom.rehearsal.lifecycle import EventStatus, Lifecycle, Status

if TYPE_CHECKING:
    from datetime import datetime

    from greenroom.rehearsal.engine import DeploymentGroup
    from greenroom.rehearsal.lifecycle import EventRecord, Snapshot

Json = dict[str, Any]

_TARGET_STATUS = {
    Status.CREATED: "Pending",
    Status.IN_PROGRESS: "InProgress",
    Status.BAKING: "InProgress",
    Status.SUCCEEDED: "Succeeded",
    Status.FAILED: "Failed",
    Status.STOPPED: "Failed",
}
_OVERVIEW = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")


def deployment_info(snapshot: Snapshot, group: DeploymentGroup) -> Json:
    """Return ``snapshot`` as CodeDeploy's ``DeploymentInfo``."""
    target = _TARGET_STATUS[snapshot.status]
    return _without_none(
        {
            "applicationName": group.application,
            "deploymentGroupName": group.name,
            "deploymentConfigName": snapshot.config_name,
            "deploymentId": snapshot.deployment_id,
            "revision": _revision(snapshot.revision),
            "status": snapshot.status.value,
            "errorInformation": _error(snapshot),
            "createTime": _seconds(snapshot.created),
            "startTime": _seconds(snapshot.started),
            "completeTime": _seconds(snapshot.completed),
            "deploymentOverview": {state: int(state == target) for state in _OVERVIEW},
            "description": snapshot.description or None,
            "creator": snapshot.creator.value,
            "ignoreApplicationStopFailures": False,
            "autoRollbackConfiguration": {
                "enabled": bool(snapshot.auto_rollback),
                "events": sorted(event.value for event in snapshot.auto_rollback),
            },
            "updateOutdatedInstancesOnly": False,
            "rollbackInfo": _rollback(snapshot),
            "deploymentStyle": {
                "deploymentType": "BLUE_GREEN",
                "deploymentOption": "WITH_TRAFFIC_CONTROL",
            },
            "instanceTerminationWaitTimeStarted": snapshot.status is Status.BAKING,
            "blueGreenDeploymentConfiguration": {
                "terminateBlueInstancesOnDeploymentSuccess": {
                    "action": "TERMINATE",
                    "terminationWaitTimeInMinutes": int(group.termination_wait_s // 60),
                },
                "deploymentReadyOption": {
                    "actionOnTimeout": "CONTINUE_DEPLOYMENT",
                    "waitTimeInMinutes": 0,
                },
            },
            "deploymentStatusMessages": [],
            "computePlatform": "ECS",
        }
    )


def deployment_target(snapshot: Snapshot, group: DeploymentGroup) -> Json:
    """Return ``snapshot`` as CodeDeploy's ``DeploymentTarget``: the ECS service."""
    service = f"{group.application}/{group.name}"
    return {
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": snapshot.deployment_id,
            "targetId": group.target_id,
            "targetArn": f"arn:aws:ecs:us-east-1:000000000000:service/{service}",
            "lastUpdatedAt": _seconds(_last_change(snapshot)),
            "lifecycleEvents": [_lifecycle_event(event) for event in snapshot.events],
            "status": _TARGET_STATUS[snapshot.status],
            "taskSetsInfo": _task_sets(snapshot),
        },
    }


def _lifecycle_event(event: EventRecord) -> Json:
    diagnostics = None
    if event.status is EventStatus.FAILED:
        diagnostics = {"errorCode": "UnknownError", "message": event.message}
    return _without_none(
        {
            "lifecycleEventName": event.name.value,
            "diagnostics": diagnostics,
            "startTime": _seconds(event.start),
            "endTime": _seconds(event.end),
            "status": event.status.value,
        }
    )


def _task_sets(snapshot: Snapshot) -> list[Json]:
    """Return both revisions with their share of production traffic."""
    share = snapshot.traffic[-1].replacement if snapshot.traffic else 0
    installed = snapshot.events[list(Lifecycle).index(Lifecycle.INSTALL)].status
    blue = int(snapshot.status is not Status.SUCCEEDED)
    green = int(installed is EventStatus.SUCCEEDED and not snapshot.rolled_back)
    return [
        _task_set("Blue", "ACTIVE", blue, 100 - share),
        _task_set("Green", "PRIMARY" if share == 100 else "ACTIVE", green, share),  # noqa: PLR2004 - percent
    ]


def _task_set(label: str, status: str, count: int, percent: int) -> Json:
    return {
        "identifer": f"ecs-svc/{label.lower()}",  # spelled so in CodeDeploy's model
        "desiredCount": count,
        "pendingCount": 0,
        "runningCount": count,
        "status": status if count else "DRAINING",
        "trafficWeight": float(percent),
        "targetGroup": {"name": label.lower()},
        "taskSetLabel": label,
    }


def _revision(text: str) -> Json:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {
        "revisionType": "AppSpecContent",
        "appSpecContent": {"content": text, "sha256": digest},
    }


def _error(snapshot: Snapshot) -> Json | None:
    error = snapshot.error
    return {"code": error.code.value, "message": error.message} if error else None


def _rollback(snapshot: Snapshot) -> Json | None:
    rollback = snapshot.rollback
    if rollback is None:
        return None
    return _without_none(
        {
            "rollbackDeploymentId": rollback.deployment_id or None,
            "rollbackTriggeringDeploymentId": rollback.triggered_by or None,
            "rollbackMessage": rollback.message,
        }
    )


def _last_change(snapshot: Snapshot) -> datetime:
    moments = [point.at for point in snapshot.traffic]
    for event in snapshot.events:
        moments += [moment for moment in (event.start, event.end) if moment]
    return max(moments, default=snapshot.created)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else round(moment.timestamp(), 3)


def _without_none(members: Json) -> Json:
    return {name: value for name, value in members.items() if value is not None}
