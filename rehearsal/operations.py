"""The operations of CodeDeploy that the rehearsal offers: parsed input in, output shape out.

A refusal is a `RefusedError` whose ``code`` is the name of an exception in CodeDeploy's model.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from greenroom.rehearsal.answers import deployment_info, deployment_target
from greenroom.rehearsal.appspec import parse_appspec
from greenroom.rehearsal.engine import ID_LENGTH, DeploymentRequest
from greenroom.rehearsal.lifecycle import RefusedError, RollbackEvent, Snapshot, Status
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.rehearsal.appspec import AppSpec
    from greenroom.rehearsal.engine import Engine

Json: TypeAlias = dict[str, Any]

_DEPLOYMENT_ID = re.compile(rf"d-[A-Z0-9]{{{ID_LENGTH}}}")
_HOOK_RESULTS = {"Succeeded": True, "Failed": False}


def perform(engine: Engine, operation: str, given: Json) -> Json:
    """Carry out ``operation`` with the members ``given`` and return its output."""
    if operation not in _OPERATIONS:
        raise RefusedError(
            "UnknownOperationException",
            f"The rehearsal does not offer {operation or 'an unnamed operation'}; "
            f"it offers {', '.join(_OPERATIONS)}.",
        )
    return _OPERATIONS[operation](engine, given)


def _create_deployment(engine: Engine, given: Json) -> Json:
    _check_name(given.get("applicationName"), engine.group.application, "Application")
    _check_name(given.get("deploymentGroupName"), engine.group.name, "DeploymentGroup")
    _refuse_foreign(given)
    request = DeploymentRequest(
        appspec=_revision(given.get("revision")),
        config_name=_config_name(given.get("deploymentConfigName")),
        auto_rollback=_auto_rollback(given.get("autoRollbackConfiguration")),
        description=_description(given.get("description")),
    )
    return {"deploymentId": engine.create_deployment(request)}


def _get_deployment(engine: Engine, given: Json) -> Json:
    return {"deploymentInfo": deployment_info(_snapshot(engine, given), engine.group)}


def _list_deployment_targets(engine: Engine, given: Json) -> Json:
    _started(engine, given)
    return {"targetIds": [engine.group.target_id]}


def _get_deployment_target(engine: Engine, given: Json) -> Json:
    snapshot = _started(engine, given)
    _check_target(engine, given.get("targetId"))
    return {"deploymentTarget": deployment_target(snapshot, engine.group)}


def _batch_get_deployment_targets(engine: Engine, given: Json) -> Json:
    snapshot = _started(engine, given)
    targets = given.get("targetIds")
    if not targets:
        _check_target(engine, None)
    if not isinstance(targets, list):
        raise RefusedError("InvalidDeploymentTargetIdException", "targetIds is no list.")
    if len(targets) > 1:
        raise RefusedError(
            "DeploymentTargetListSizeExceededException",
            "An Amazon ECS deployment has exactly one target.",
        )
    _check_target(engine, targets[0])
    return {"deploymentTargets": [deployment_target(snapshot, engine.group)]}


def _put_status(engine: Engine, given: Json) -> Json:
    deployment_id = _deployment_id(given)
    engine.snapshot(deployment_id)
    status = given.get("status")
    if not isinstance(status, str) or status not in _HOOK_RESULTS:
        raise RefusedError(
            "InvalidLifecycleEventHookExecutionStatusException",
            f"A hook reports Succeeded or Failed, not {status!r}.",
        )
    token = given.get("lifecycleEventHookExecutionId")
    if not isinstance(token, str) or not token:
        raise RefusedError(
            "InvalidLifecycleEventHookExecutionIdException",
            "The lifecycle event hook execution ID is missing.",
        )
    engine.put_status(deployment_id, token, succeeded=_HOOK_RESULTS[status])
    return {"lifecycleEventHookExecutionId": token}


def _stop_deployment(engine: Engine, given: Json) -> Json:
    rollback = given.get("autoRollbackEnabled")
    if rollback is not None and not isinstance(rollback, bool):
        raise RefusedError("SerializationException", "autoRollbackEnabled is no boolean.")
    engine.stop(_deployment_id(given), rollback=rollback)
    return {"status": "Pending", "statusMessage": "The deployment stops as soon as it can."}


_OPERATIONS: dict[str, Callable[[Engine, Json], Json]] = {
    "CreateDeployment": _create_deployment,
    "GetDeployment": _get_deployment,
    "ListDeploymentTargets": _list_deployment_targets,
    "GetDeploymentTarget": _get_deployment_target,
    "BatchGetDeploymentTargets": _batch_get_deployment_targets,
    "PutLifecycleEventHookExecutionStatus": _put_status,
    "StopDeployment": _stop_deployment,
}


def _deployment_id(given: Json) -> str:
    value = given.get("deploymentId")
    if value is None or value == "":
        raise RefusedError("DeploymentIdRequiredException", "The deployment ID was not specified.")
    if not isinstance(value, str) or not _DEPLOYMENT_ID.fullmatch(value):
        raise RefusedError(
            "InvalidDeploymentIdException", f"The deployment ID {value!r} is invalid."
        )
    return value


def _snapshot(engine: Engine, given: Json) -> Snapshot:
    return engine.snapshot(_deployment_id(given))


def _started(engine: Engine, given: Json) -> Snapshot:
    snapshot = _snapshot(engine, given)
    if snapshot.status is Status.CREATED:
        raise RefusedError("DeploymentNotStartedException", "The deployment has not started.")
    return snapshot


def _check_target(engine: Engine, target: object) -> None:
    if not target:
        raise RefusedError("DeploymentTargetIdRequiredException", "No target ID was specified.")
    if not isinstance(target, str):
        raise RefusedError("InvalidDeploymentTargetIdException", f"{target!r} is no target ID.")
    if target != engine.group.target_id:
        raise RefusedError(
            "DeploymentTargetDoesNotExistException",
            f"The target {target!r} does not belong to the deployment; "
            f"its target is {engine.group.target_id!r}.",
        )


def _check_name(value: object, expected: str, what: str) -> None:
    if not value:
        raise RefusedError(f"{what}NameRequiredException", f"The {what} name was not specified.")
    if not isinstance(value, str):
        raise RefusedError(f"Invalid{what}NameException", f"The {what} name is no text.")
    if value != expected:
        raise RefusedError(
            f"{what}DoesNotExistException",
            f"No {what} found for name: {value}; the rehearsal has {expected}.",
        )


def _refuse_foreign(given: Json) -> None:
    """Refuse what would be ignored, though it is meant to change the deployment."""
    if given.get("overrideAlarmConfiguration") is not None:
        raise RefusedError(
            "InvalidAlarmConfigException", "The rehearsal's alarms are those of its settings."
        )
    if given.get("targetInstances") is not None:
        raise RefusedError(
            "InvalidTargetInstancesException", "An Amazon ECS deployment has no instances."
        )


def _revision(revision: object) -> AppSpec | None:
    """Return the AppSpec of an AppSpecContent revision; ``None`` for the group's own."""
    if revision is None:
        return None
    content = _appspec_content(revision)
    text = content.get("content")
    if not isinstance(text, str) or not text:
        raise RefusedError("InvalidRevisionException", "The revision has no AppSpec content.")
    digest = content.get("sha256")
    if digest is not None and digest != hashlib.sha256(text.encode()).hexdigest():
        raise RefusedError(
            "InvalidRevisionException", "The revision's sha256 is not that of its content."
        )
    try:
        return parse_appspec(text)
    except SettingsError as error:
        raise RefusedError("InvalidRevisionException", error.explain()) from error


def _appspec_content(revision: object) -> Json:
    kinds = {"AppSpecContent": "appSpecContent", "String": "string"}
    member = kinds.get(str(revision.get("revisionType"))) if isinstance(revision, dict) else None
    if not isinstance(revision, dict) or member is None:
        raise RefusedError(
            "InvalidRevisionException", "The rehearsal takes revisions of type AppSpecContent."
        )
    content = revision.get(member)
    return content if isinstance(content, dict) else {}


def _config_name(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise RefusedError("InvalidDeploymentConfigNameException", f"{value!r} is no name.")


def _auto_rollback(value: object) -> frozenset[RollbackEvent] | None:
    if value is None:
        return None
    known = {event.value: event for event in RollbackEvent}
    events = value.get("events", []) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(events, list):
        raise RefusedError("InvalidAutoRollbackConfigException", "The configuration is no map.")
    wrong = [event for event in events if not isinstance(event, str) or event not in known]
    if wrong or (value.get("enabled") and not events):
        raise RefusedError(
            "InvalidAutoRollbackConfigException",
            f"Unknown or missing events {wrong}; use {', '.join(known)}.",
        )
    return frozenset(known[event] for event in events) if value.get("enabled") else frozenset()


def _description(value: object) -> str:
    return "" if value is None else str(value)
