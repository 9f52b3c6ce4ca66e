"""What the gate asks the services about a deployment, beside everything else it does."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from greenroom.plugins.background import Background
from greenroom.plugins.deployment_facts import event_under_way
from greenroom.plugins.gate_waiters import ask_facts

if TYPE_CHECKING:
    import threading

    from greenroom.plugins.aws_process import Aws
    from greenroom.plugins.deployment_facts import DeploymentFacts
    from greenroom.plugins.hook_events import Waiter
    from greenroom.plugins.script_event import ScriptEvent
    from greenroom.validators.lifecycle import LifecycleEvent

_LONGEST_S = 5.0


class Lookups:
    """Asks from the start; ``rollback`` is set if the deployment turns out to be one.

    ``unnamed`` asks for the lifecycle event as well: CodeDeploy's event does not name it, and later
    the deployment will have gone on; ``needed`` insists on it. Nothing is asked for longer than
    until ``ends`` (monotonic seconds). ``problem`` says why the facts are not known.
    """

    def __init__(  # noqa: PLR0913 - all but two by name
        self,
        aws: Aws,
        hook: Waiter | ScriptEvent,
        *,
        ends: float,
        rollback: threading.Event,
        unnamed: bool,
        needed: bool,
    ) -> None:
        self._aws = aws
        self._needed = needed
        self._hook = hook
        self._ends = ends
        self._rollback = rollback
        self._facts = Background(self._ask_facts)
        self._name = Background(self._ask_name) if unnamed else None
        self._settled: bool | None = None
        self.problem = ""

    def facts(self, until: float) -> DeploymentFacts | None:
        """Return what is known of the deployment by ``until``; None if nothing is."""
        try:
            return self._facts.result(until)
        except Exception as error:  # noqa: BLE001 - a look-up must not keep the answer from being given
            self.problem = str(error) or repr(error)
            return None

    def name(self, until: float) -> LifecycleEvent | None:
        """Return the event that CodeDeploy is at; None if nobody asked. Raises `ServiceError`."""
        return self._name.result(until) if self._name is not None else None

    def name_by_now(self) -> LifecycleEvent | None:
        """Return the event if it is known already."""
        with contextlib.suppress(Exception):
            return self.name(time.monotonic())
        return None

    def is_rollback(self, until: float) -> bool:
        """Tell whether the deployment is known to be a rollback; ask once more if need be, once."""
        if self._settled is None:
            facts = self.facts(until) or self._asked_again(until)
            self._settled = facts is not None and facts.rollback
        return self._settled

    def _asked_again(self, until: float) -> DeploymentFacts | None:
        try:
            return ask_facts(self._aws, self._hook, until=until)
        except Exception:  # noqa: BLE001 - as above
            return None

    def _ask_facts(self) -> DeploymentFacts:
        facts = ask_facts(self._aws, self._hook, until=self._limit())
        if facts.rollback:
            self._rollback.set()
        return facts

    def _ask_name(self) -> LifecycleEvent:
        until, insist = self._limit(), self._needed
        return event_under_way(self._aws, self._hook.deployment, until=until, insist=insist)

    def _limit(self) -> float:
        return min(time.monotonic() + _LONGEST_S, self._ends)
