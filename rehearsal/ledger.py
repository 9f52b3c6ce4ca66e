"""What is known of one running deployment, shared between its thread, its hooks and its callers."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.rehearsal.lifecycle import (
    Event,
    EventRecord,
    EventStatus,
    HookAnswer,
    Lifecycle,
    RefusedError,
    Snapshot,
    Status,
    TrafficPoint,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from greenroom.rehearsal.lifecycle import Creator, Failure, Rollback, RollbackEvent
    from greenroom.rehearsal.ports import Clock

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What stays the same about a deployment from its creation on."""

    deployment_id: str
    config_name: str
    description: str
    creator: Creator
    auto_rollback: frozenset[RollbackEvent]
    revision: str


@dataclass(frozen=True, slots=True)
class StopRequest:
    """A wish to stop; ``rollback`` is ``None`` where the deployment's own setting counts."""

    rollback: bool | None


class Ledger:
    """The mutable state of one deployment; every method is safe from any thread.

    Only the deployment's own thread changes events, traffic and status. Others leave a hook's
    answer or a stop request here and set ``wake``. Listeners are told in the deployment's thread,
    outside the lock, in the order in which things happened; one that raises is logged, no more.
    """

    def __init__(
        self, identity: Identity, clock: Clock, listeners: Iterable[Callable[[Event], None]]
    ) -> None:
        self.identity = identity
        self.wake = threading.Event()
        self.settled = threading.Event()
        self._clock = clock
        self._listeners = tuple(listeners)
        self._lock = threading.Lock()
        self._status = Status.CREATED
        self._times: dict[str, datetime] = {"created": clock.now()}
        self._events = {name: EventRecord(name) for name in Lifecycle}
        self._traffic: list[TrafficPoint] = []
        self._hooks: dict[str, Lifecycle] = {}
        self._answers: dict[str, HookAnswer] = {}
        self._open_hook: str | None = None
        self._stop: StopRequest | None = None
        self._closing = False
        self._error: Failure | None = None
        self._rollback: Rollback | None = None
        self._untold: list[Event] = []
        self._quiet = False

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """Tell the listeners at the end what happens meanwhile, so that nothing waits for them."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False
            self._tell()

    def begin(self) -> None:
        """Start the deployment."""
        with self._lock:
            self._times["started"] = self._clock.now()
            self._status = Status.IN_PROGRESS
            self._note()
        self._tell()

    def bake(self) -> None:
        """Say that all traffic is on the replacement and that the original waits for its end."""
        with self._lock:
            self._status = Status.BAKING
            self._note()
        self._tell()

    def start(self, name: Lifecycle) -> None:
        """Mark lifecycle event ``name`` as being in progress."""
        with self._lock:
            record = EventRecord(name, EventStatus.IN_PROGRESS, start=self._clock.now())
            self._events[name] = record
            self._note(record)
        self._tell()

    def end(self, name: Lifecycle) -> None:
        """Mark lifecycle event ``name`` as having succeeded."""
        with self._lock:
            record = dataclasses.replace(
                self._events[name], status=EventStatus.SUCCEEDED, end=self._clock.now()
            )
            self._events[name] = record
            self._note(record)
        self._tell()

    def shifted(self, percent: int) -> None:
        """Note that ``percent`` of production traffic goes to the replacement from now on."""
        with self._lock:
            self._traffic.append(TrafficPoint(self._clock.now(), percent))
            self._note()
        self._tell()

    def close(
        self, status: Status, error: Failure | None = None, rollback: Rollback | None = None
    ) -> None:
        """Give the deployment its one final status.

        The event in progress, if any, has failed; those that are pending are skipped.
        """
        with self._lock:
            now = self._clock.now()
            self._times["completed"] = now
            self._status, self._error, self._rollback = status, error, rollback
            self._open_hook = None
            for event in self._unfinished():
                self._events[event.name] = _cut_short(event, now, error)
                self._note(self._events[event.name])
            self._note()
        self._tell()

    def _unfinished(self) -> list[EventRecord]:
        open_states = (EventStatus.PENDING, EventStatus.IN_PROGRESS)
        return [event for event in self._events.values() if event.status in open_states]

    def commit(self) -> StopRequest | None:
        """Pass the point of no return, after which nobody can stop; not if somebody just did."""
        with self._lock:
            self._closing = self._stop is None
            return self._stop

    @property
    def committed(self) -> bool:
        """Whether the point of no return is passed: the original may be gone."""
        return self._closing

    @property
    def stop_request(self) -> StopRequest | None:
        """The request to stop, if there is one."""
        return self._stop

    @property
    def installing(self) -> bool:
        """Whether the installation ever began: before it there is nothing to roll back."""
        return self._events[Lifecycle.INSTALL].start is not None

    def stop(self, rollback: bool | None) -> None:  # noqa: FBT001 - a tri-state as the API has it
        """Ask the deployment to stop; the first request counts."""
        with self._lock:
            if self._closing or self._status.final:
                raise RefusedError(
                    "DeploymentAlreadyCompletedException", "The deployment is already complete."
                )
            self._stop = self._stop or StopRequest(rollback)
        self.wake.set()

    def expect(self, token: str, event: Lifecycle) -> None:
        """Wait for the answer to ``token``, the hook of ``event``, from now on and no other."""
        with self._lock:
            self._hooks[token] = event
            self._open_hook = token

    def answer(self, token: str) -> HookAnswer | None:
        """Return what the hook of ``token`` reported; ``None`` while it has not answered."""
        return self._answers.get(token)

    def forget(self) -> None:
        """Accept no answer any more."""
        with self._lock:
            self._open_hook = None

    def put(self, token: str, *, succeeded: bool) -> None:
        """Take a hook's one answer."""
        with self._lock:
            if token not in self._hooks:
                raise RefusedError(
                    "InvalidLifecycleEventHookExecutionIdException",
                    "The lifecycle event hook execution ID belongs to no hook of the deployment.",
                )
            if token != self._open_hook or token in self._answers:
                raise RefusedError(
                    "LifecycleEventAlreadyCompletedException",
                    "The lifecycle event is already completed.",
                )
            self._answers[token] = HookAnswer(self._hooks[token], self._clock.now(), succeeded)
        self.wake.set()

    def snapshot(self) -> Snapshot:
        """Return everything that is known now."""
        with self._lock:
            return Snapshot(
                deployment_id=self.identity.deployment_id,
                status=self._status,
                config_name=self.identity.config_name,
                description=self.identity.description,
                creator=self.identity.creator,
                auto_rollback=self.identity.auto_rollback,
                revision=self.identity.revision,
                created=self._times["created"],
                started=self._times.get("started"),
                completed=self._times.get("completed"),
                events=tuple(self._events.values()),
                traffic=tuple(self._traffic),
                answers=tuple(self._answers.values()),
                error=self._error,
                rollback=self._rollback,
                settled=self.settled.is_set(),
            )

    def _note(self, record: EventRecord | None = None) -> None:
        """Keep for the listeners what has just changed; the caller holds the lock."""
        event = Event(
            at=self._clock.now(),
            deployment_id=self.identity.deployment_id,
            deployment_status=self._status,
            lifecycle=record.name if record else None,
            status=record.status if record else None,
            replacement=self._traffic[-1].replacement if self._traffic else 0,
        )
        self._untold.append(event)

    def _tell(self) -> None:
        if self._quiet:
            return
        with self._lock:
            events, self._untold = self._untold, []
        for event in events:
            for listener in self._listeners:
                self._tell_one(listener, event)

    @staticmethod
    def _tell_one(listener: Callable[[Event], None], event: Event) -> None:
        try:
            listener(event)
        except Exception:  # noqa: BLE001 - a listener only watches: whatever it raises changes no deployment
            _log.exception("a listener failed on %s", event)


def _cut_short(event: EventRecord, now: datetime, error: Failure | None) -> EventRecord:
    """Return ``event`` as a deployment's end leaves it."""
    if event.status is EventStatus.PENDING:
        return dataclasses.replace(event, status=EventStatus.SKIPPED)
    message = error.message if error else ""
    return dataclasses.replace(event, status=EventStatus.FAILED, end=now, message=message)
