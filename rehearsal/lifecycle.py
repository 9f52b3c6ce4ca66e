"""The facts of one CodeDeploy ECS blue/green deployment: its events, states and what is told of it.

All times are moments of deployment time (see `greenroom.rehearsal.ports.Clock`), in UTC; all
percentages are of production traffic that goes to the replacement (green) revision, 0 to 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from datetime import datetime


class Lifecycle(StrEnum):
    """The lifecycle events of an ECS deployment, in the order in which they happen."""

    BEFORE_INSTALL = "BeforeInstall"
    INSTALL = "Install"
    AFTER_INSTALL = "AfterInstall"
    ALLOW_TEST_TRAFFIC = "AllowTestTraffic"
    AFTER_ALLOW_TEST_TRAFFIC = "AfterAllowTestTraffic"
    BEFORE_ALLOW_TRAFFIC = "BeforeAllowTraffic"
    ALLOW_TRAFFIC = "AllowTraffic"
    AFTER_ALLOW_TRAFFIC = "AfterAllowTraffic"

    @property
    def hookable(self) -> bool:
        """Whether a hook function can be bound to this event."""
        return self not in _SERVICE_EVENTS


_SERVICE_EVENTS = frozenset(
    {Lifecycle.INSTALL, Lifecycle.ALLOW_TEST_TRAFFIC, Lifecycle.ALLOW_TRAFFIC}
)


class EventStatus(StrEnum):
    """How far one lifecycle event is."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class Status(StrEnum):
    """How far a deployment is; the last three are final."""

    CREATED = "Created"
    IN_PROGRESS = "InProgress"
    BAKING = "Baking"
    """All traffic is on the replacement; the original still runs, alarms are watched."""
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def final(self) -> bool:
        """Whether a deployment keeps this status for good."""
        return self in _FINAL


_FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.STOPPED})


class ErrorCode(StrEnum):
    """Why a deployment ended without success, in CodeDeploy's words."""

    ALARM_ACTIVE = "ALARM_ACTIVE"
    ECS_UPDATE_ERROR = "ECS_UPDATE_ERROR"
    HOOK_EXECUTION_FAILURE = "HOOK_EXECUTION_FAILURE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    MANUAL_STOP = "MANUAL_STOP"
    TIMEOUT = "TIMEOUT"


class RollbackEvent(StrEnum):
    """What makes CodeDeploy roll back by itself."""

    DEPLOYMENT_FAILURE = "DEPLOYMENT_FAILURE"
    DEPLOYMENT_STOP_ON_ALARM = "DEPLOYMENT_STOP_ON_ALARM"
    DEPLOYMENT_STOP_ON_REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"


class Creator(StrEnum):
    """Who created a deployment."""

    USER = "user"
    ROLLBACK = "codeDeployRollback"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One lifecycle event of one deployment; ``start`` and ``end`` as far as they happened."""

    name: Lifecycle
    status: EventStatus = EventStatus.PENDING
    start: datetime | None = None
    end: datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class TrafficPoint:
    """From ``at`` on, ``replacement`` percent of production traffic went to green."""

    at: datetime
    replacement: int


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What the hook of ``event`` reported by `Engine.put_status`, and when."""

    event: Lifecycle
    at: datetime
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a deployment ended without success."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True)
class Rollback:
    """A deployment's side of a rollback; ids are empty where there is none.

    ``deployment_id`` is the deployment that rolls this one back, ``triggered_by`` the one that this
    one rolls back; ``message`` says what happened, or why no rollback took place.
    """

    message: str
    deployment_id: str = ""
    triggered_by: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What a listener hears: a change of a lifecycle event, of the traffic, or of the deployment.

    ``lifecycle`` and ``status`` are ``None`` where the change is the deployment's own status or a
    traffic shift within `Lifecycle.ALLOW_TRAFFIC`.
    """

    at: datetime
    deployment_id: str
    deployment_status: Status
    lifecycle: Lifecycle | None
    status: EventStatus | None
    replacement: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One deployment at one moment; ``settled`` once it and its rollback, if any, have ended.

    ``answers`` are those of hooks that reported, in order: a hook that stayed silent has none.
    """

    deployment_id: str
    status: Status
    config_name: str
    description: str
    creator: Creator
    auto_rollback: frozenset[RollbackEvent]
    revision: str
    created: datetime
    started: datetime | None
    completed: datetime | None
    events: tuple[EventRecord, ...]
    traffic: tuple[TrafficPoint, ...]
    answers: tuple[HookAnswer, ...]
    error: Failure | None
    rollback: Rollback | None
    settled: bool

    @property
    def rolled_back(self) -> bool:
        """Whether a rollback deployment was started for this one."""
        return self.rollback is not None and bool(self.rollback.deployment_id)


class RefusedError(ServiceError):
    """The engine refuses a call; ``code`` is the exception's name in CodeDeploy's model."""

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
