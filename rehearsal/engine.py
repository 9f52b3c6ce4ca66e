"""The deployment engine: CodeDeploy's ECS blue/green lifecycle on whatever the ports stand for.

Public interface
    DeploymentGroup(application, name, appspec=None, config_name=…, configs={}, alarms=(),
                    auto_rollback=all events, hook_timeout_s=3600, termination_wait_s=300,
                    alarm_poll_s=5)                        times in seconds of deployment time
    DeploymentRequest(appspec=None, config_name=None, auto_rollback=None, description="")
    Engine(group, plane, hooks, clock, listeners=(), chance=None)
        .create_deployment(request) -> deployment id       returns at once, deploys in a thread
        .wait(id, timeout_s=None) -> Snapshot              until it and its rollback have ended
        .snapshot(id) -> Snapshot                          now; frozen
        .put_status(id, execution_id, succeeded=bool)      a hook's one answer
        .stop(id, rollback=None)                           None: as the deployment's setting says
Snapshot, Event and the enums stand in `greenroom.rehearsal.lifecycle`; every refusal is a
`RefusedError` whose ``code`` is the exception's name in CodeDeploy's model.

What a deployment does
    Alarms that fire at the start end it before anything happens. Then the eight events of
    `Lifecycle` happen in order; an event that has no hook succeeds. A hook is invoked with
    ``{"DeploymentId", "LifecycleEventHookExecutionId"}`` and must be answered by `put_status`
    within the hook time-out. From the first shift of production traffic to the end, alarms are
    polled. After AfterAllowTraffic the deployment is Baking for the termination wait; then the
    original is stopped, from which moment on nobody can stop the deployment or roll it back.
How it ends
    Succeeded; Failed (a hook, the data plane, an unreadable alarm); Stopped (an alarm, a request).
    The last two roll back if the group's or the request's ``auto_rollback`` says so and the
    installation had begun: traffic goes back to the original first, then the replacement is
    stopped, under a deployment id of its own. If traffic cannot be sent back, the replacement keeps
    running and the rollback is Failed.
Listeners are called in the deployment's thread with every `Event`, and should return at once.
"""

from __future__ import annotations

import random
import string
import threading
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from greenroom.rehearsal.deployment import Deployment, Plan, World
from greenroom.rehearsal.ledger import Identity, Ledger
from greenroom.rehearsal.lifecycle import Creator, Event, RefusedError, RollbackEvent, Snapshot
from greenroom.rehearsal.traffic import Shift, shift_named
from greenroom.validators.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from greenroom.rehearsal.appspec import AppSpec
    from greenroom.rehearsal.ports import Alarm, Clock, DataPlane, Hooks

ID_LENGTH = 9
"""How many letters and digits follow ``d-`` in a deployment id."""
_TOKEN_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentGroup:
    """What all deployments of one service have in common; times in seconds of deployment time."""

    application: str
    name: str
    appspec: AppSpec | None = None
    """The revision of a request that brings none."""
    config_name: str = "CodeDeployDefault.ECSAllAtOnce"
    configs: Mapping[str, Shift] = field(default_factory=lambda: MappingProxyType({}))
    """Custom deployment configurations, beside the predefined ones."""
    alarms: tuple[Alarm, ...] = ()
    auto_rollback: frozenset[RollbackEvent] = frozenset(RollbackEvent)
    hook_timeout_s: float = 3600
    termination_wait_s: float = 300
    alarm_poll_s: float = 5

    def __post_init__(self) -> None:
        """Refuse times that make no sense."""
        for name in ("hook_timeout_s", "termination_wait_s", "alarm_poll_s"):
            seconds = getattr(self, name)
            least = "0 or more" if name == "termination_wait_s" else "more than 0"
            if not 0 <= seconds < float("inf") or (seconds == 0 and least != "0 or more"):
                raise SettingsError(
                    f"deployment group {self.name}: {name} is {seconds}",
                    hint=f"use {least} seconds",
                )

    @property
    def target_id(self) -> str:
        """The one deployment target's id: ``cluster:service``, as CodeDeploy writes it."""
        return f"{self.application}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRequest:
    """What one deployment wants; ``None`` is the group's default."""

    appspec: AppSpec | None = None
    config_name: str | None = None
    auto_rollback: frozenset[RollbackEvent] | None = None
    description: str = ""


class Engine:
    """Deploys for one deployment group, one deployment at a time; safe from any thread."""

    def __init__(  # noqa: PLR0913 - the ports it acts on, each given once by the composition root
        self,
        group: DeploymentGroup,
        plane: DataPlane,
        hooks: Hooks,
        clock: Clock,
        listeners: Iterable[Callable[[Event], None]] = (),
        *,
        chance: random.Random | None = None,
    ) -> None:
        self.group = group
        self._world = World(plane, hooks, clock)
        self._listeners = tuple(listeners)
        self._chance = chance or random.SystemRandom()
        self._lock = threading.Lock()
        self._ledgers: dict[str, Ledger] = {}
        self._active: str | None = None

    def create_deployment(self, request: DeploymentRequest) -> str:
        """Start a deployment in a thread of its own and return its id."""
        appspec = request.appspec or self.group.appspec
        if appspec is None:
            raise RefusedError("RevisionRequiredException", "The revision was not specified.")
        config = request.config_name or self.group.config_name
        plan = Plan(
            appspec=appspec,
            shift=self._shift(config),
            alarms=self.group.alarms,
            hook_timeout_s=self.group.hook_timeout_s,
            termination_wait_s=self.group.termination_wait_s,
            alarm_poll_s=self.group.alarm_poll_s,
        )
        ledger = self._open(request, appspec, config)
        thread = threading.Thread(
            target=self._run, args=(plan, ledger), name=ledger.identity.deployment_id, daemon=True
        )
        thread.start()
        return ledger.identity.deployment_id

    def wait(self, deployment_id: str, timeout_s: float | None = None) -> Snapshot:
        """Return the deployment once it and its rollback, if any, have ended.

        Raises `ToolError` if that takes more than ``timeout_s`` seconds of real time.
        """
        ledger = self._ledger(deployment_id)
        if not ledger.settled.wait(timeout_s):
            raise ToolError(
                f"deployment {deployment_id} did not end within {timeout_s:g} s",
                hint="allow more time, or a larger time scale",
            )
        return ledger.snapshot()

    def snapshot(self, deployment_id: str) -> Snapshot:
        """Return the deployment as it is now."""
        return self._ledger(deployment_id).snapshot()

    def put_status(self, deployment_id: str, execution_id: str, *, succeeded: bool) -> None:
        """Take the answer of the hook that was invoked with ``execution_id``; each hook has one."""
        self._deploying(deployment_id).put(execution_id, succeeded=succeeded)

    def stop(self, deployment_id: str, *, rollback: bool | None = None) -> None:
        """Ask a deployment to stop; ``rollback`` overrides the deployment's own setting."""
        self._deploying(deployment_id).stop(rollback)

    def _shift(self, config: str) -> Shift:
        try:
            return shift_named(config, self.group.configs)
        except SettingsError as error:
            code = "DeploymentConfigDoesNotExistException"
            raise RefusedError(code, str(error), hint=error.hint) from error

    def _open(self, request: DeploymentRequest, appspec: AppSpec, config: str) -> Ledger:
        """Make the one active deployment's ledger, unless there is one."""
        rollback = request.auto_rollback
        with self._lock:
            if self._active is not None:
                raise RefusedError(
                    "DeploymentLimitExceededException",
                    f"The deployment group {self.group.name} already has an active deployment "
                    f"{self._active}.",
                )
            identity = Identity(
                deployment_id=self._new_id(),
                config_name=config,
                description=request.description,
                creator=Creator.USER,
                auto_rollback=self.group.auto_rollback if rollback is None else rollback,
                revision=appspec.text,
            )
            self._active = identity.deployment_id
            return self._add(identity)

    def _open_rollback(self, ledger: Ledger) -> Ledger:
        with self._lock:
            trigger = ledger.identity
            identity = Identity(
                deployment_id=self._new_id(),
                config_name=trigger.config_name,
                description=f"Rolls back {trigger.deployment_id}",
                creator=Creator.ROLLBACK,
                auto_rollback=frozenset(),
                revision=trigger.revision,
            )
            return self._add(identity)

    def _add(self, identity: Identity) -> Ledger:
        ledger = Ledger(identity, self._world.clock, self._listeners)
        self._ledgers[identity.deployment_id] = ledger
        return ledger

    def _run(self, plan: Plan, ledger: Ledger) -> None:
        opened = [ledger]

        def open_rollback() -> Ledger:
            opened.append(self._open_rollback(ledger))
            return opened[-1]

        try:
            Deployment(self._world, plan, ledger, self._new_token).run(open_rollback)
        finally:
            with self._lock:
                self._active = None
            for each in opened:
                each.settled.set()

    def _ledger(self, deployment_id: str) -> Ledger:
        with self._lock:
            ledger = self._ledgers.get(deployment_id)
        if ledger is None:
            raise RefusedError(
                "DeploymentDoesNotExistException",
                f"The deployment {deployment_id} could not be found.",
            )
        return ledger

    def _deploying(self, deployment_id: str) -> Ledger:
        """Return the ledger of a deployment that has hooks and can be stopped."""
        ledger = self._ledger(deployment_id)
        if ledger.identity.creator is Creator.ROLLBACK:
            raise RefusedError(
                "UnsupportedActionForDeploymentTypeException",
                f"The deployment {deployment_id} is a rollback: it has no hooks, and no stop.",
            )
        return ledger

    def _new_id(self) -> str:
        letters = self._chance.choices(string.ascii_uppercase + string.digits, k=ID_LENGTH)
        return f"d-{''.join(letters)}"

    def _new_token(self) -> str:
        return self._chance.randbytes(_TOKEN_BYTES).hex()
