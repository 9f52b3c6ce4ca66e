"""What the deployment engine needs of the world; the data plane and the tests provide it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from datetime import datetime


class Clock(Protocol):
    """Deployment time: real time, real time sped up, or a simulated one."""

    def now(self) -> datetime:
        """Return the present moment of deployment time, in UTC."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait up to ``seconds`` of deployment time for ``event``; tell whether it was set."""
        ...


class DataPlane(Protocol):
    """The two revisions and the load balancer in front of them."""

    def start_replacement(self) -> None:
        """Start the green revision; return once it answers, else raise `ToolError`."""
        ...

    def allow_test_traffic(self) -> None:
        """Point the test listener at the green revision."""
        ...

    def shift(self, percent: int) -> None:
        """Send ``percent`` (0 to 100) of production traffic to green, the rest to blue."""
        ...

    def stop_original(self) -> None:
        """End the blue revision after its requests in flight."""
        ...

    def stop_replacement(self) -> None:
        """End the green revision after its requests in flight; also when it never started."""
        ...


class Hooks(Protocol):
    """Where hook functions run."""

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        """Deliver ``event`` to ``function`` asynchronously and return at once."""
        ...


class Alarm(Protocol):
    """One alarm that is watched while traffic shifts and bakes."""

    @property
    def name(self) -> str:
        """The alarm's name, as the deployment's error message gives it."""
        ...

    def firing(self) -> bool:
        """Tell whether the alarm is in its ALARM state now."""
        ...
