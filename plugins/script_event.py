"""A hook that is a script: CodeDeploy's agent on EC2 and on premises, CI, a shell.

Nobody sent an event; the exit status is the report. CodeDeploy's agent tells a script where it is
by variables: LIFECYCLE_EVENT, DEPLOYMENT_ID, APPLICATION_NAME, DEPLOYMENT_GROUP_NAME.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.lifecycle import LifecycleEvent, lifecycle_event

if TYPE_CHECKING:
    from collections.abc import Mapping

_FACTS = {
    "DEPLOYMENT_ID": "deployment",
    "APPLICATION_NAME": "application",
    "DEPLOYMENT_GROUP_NAME": "deployment-group",
}


@dataclass(frozen=True, slots=True)
class ScriptEvent:
    """Whoever started the command and looks at its exit status."""

    event: LifecycleEvent | None
    release: Mapping[str, str]

    @property
    def deployment(self) -> str:
        """The deployment's id, empty outside a deployment."""
        return self.release.get("deployment", "")

    @property
    def execution_id(self) -> str:
        """What is decided: this event of this deployment; empty where neither is known."""
        return f"{self.deployment}/{self.event.value}" if self.event and self.deployment else ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ScriptEvent:
        """Return what the agent's variables tell; raises `SettingsError` for an unknown event."""
        name = environ.get("LIFECYCLE_EVENT")
        event = lifecycle_event(name, "LIFECYCLE_EVENT") if name else None
        release = {ours: environ[theirs] for theirs, ours in _FACTS.items() if environ.get(theirs)}
        return cls(event, release)
