"""Readers of a hook event's JSON: each returns what it promises or raises a `SettingsError`."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from typing import Any, TypeAlias

from greenroom.validators.errors import SettingsError

Json: TypeAlias = Mapping[str, Any]
"""A JSON object."""

HINT = (
    "expected one of: a CodeDeploy hook (DeploymentId and LifecycleEventHookExecutionId), a "
    "CodeDeploy deployment that waits (EventBridge or SNS, or deploymentId and "
    "deploymentWaitType), an ECS hook (lifecycleStage), an ECS PAUSE hook (EventBridge, or "
    "serviceDeploymentArn and hookId), a CodePipeline job, a CodePipeline approval (SNS)"
)
_MOST_KEYS = 12
_SECRET = {"token", "value", "Message"}


def only(given: Json, key: str, value: str, hint: str) -> None:
    """Refuse all but one value: of the others' events nobody waits."""
    if given.get(key) != value:
        raise SettingsError(f"nothing waits when {key} is {short(given.get(key))}", hint=hint)


def an_object(given: object) -> Json:
    """Return ``given``, which is an object."""
    if isinstance(given, Mapping):
        return given
    raise SettingsError(f"not a deployment hook's event: a {type(given).__name__}", hint=HINT)


def parsed(text: str, where: str) -> object:
    """Return the JSON value in ``text``."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise SettingsError(f"{where} is not JSON", hint=HINT) from None


def text_of(given: Json, key: str) -> str:
    """Return the text under ``key``, which is not empty; secrets do not show in the error."""
    value = given.get(key)
    if isinstance(value, str) and value:
        return value
    seen = type(value).__name__ if key in _SECRET else short(value)
    raise SettingsError(f"the hook event has no {key}: {seen}", hint=HINT)


def name_of(given: Json, key: str) -> str:
    """Return the text under ``key``; empty where there is none."""
    value = given.get(key)
    return value if isinstance(value, str) else ""


def short(value: object) -> str:
    """Return ``value`` as a message may show it."""
    return reprlib.repr(value)


def unknown(given: Json) -> SettingsError:
    """Return the error for an object of no known kind."""
    seen = ", ".join(map(short, list(given)[:_MOST_KEYS])) or "nothing in it"
    return SettingsError(f"not a deployment hook's event: an object with {seen}", hint=HINT)
