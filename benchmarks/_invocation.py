"""One hook's answer to one event, under the real Lambda runtime client and a real endpoint."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.rehearsal.lambda_runtime import LambdaFunction
from greenroom.validators.errors import ToolError
from tests.support.codedeploy import Answer, CodeDeployEndpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 8
RESERVE_S = 3
MEMORY_MB = 512
EVENT = {"DeploymentId": "d-BENCH", "LifecycleEventHookExecutionId": "execution-1"}
GREENROOM = "greenroom.plugins.hook.handler"
_HEARD = frozenset({Answer.ACCEPT, Answer.ALREADY_COMPLETED})


@dataclass(frozen=True, slots=True)
class Hook:
    """A function: ``handler``, the ``files`` below its root, and its ``environment``."""

    handler: str
    files: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = TIMEOUT_S

    @property
    def ours(self) -> bool:
        """Whether Greenroom answers."""
        return self.handler == GREENROOM


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one hook reported; ``at`` is the report's time as a share of the deadline."""

    status: str | None
    tries: int
    heard: bool
    at: float | None
    late: bool

    @property
    def shown(self) -> str:
        """The status as the table shows it."""
        if self.status is None:
            return "none"
        return self.status if self.heard else f"{self.status} (tried {self.tries}x)"

    @property
    def shown_at(self) -> str:
        """The time as the table shows it."""
        return "-" if self.at is None else f"{self.at:.0%}"


def observe(hook: Hook, *answers: Answer, sandbox: bool) -> Outcome:
    """Let ``hook`` answer one event to an endpoint that does ``answers``."""
    with (
        tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder,
        CodeDeployEndpoint(*answers) as endpoint,
        function_of(hook, Path(folder), endpoint, sandbox=sandbox) as function,
    ):
        invocation = function.invoke(EVENT)
    heard = [call for call in endpoint.calls if call.answer in _HEARD]
    call = next(iter([*heard, *reversed(endpoint.calls)]), None)
    at = (call.at - invocation.started) / hook.timeout_s if call else None
    return Outcome(
        status=call.status if call else None,
        tries=len(endpoint.calls),
        heard=bool(heard),
        at=at,
        late=at is None or at > 1 or (not heard and invocation.timed_out),
    )


def function_of(
    hook: Hook, folder: Path, endpoint: CodeDeployEndpoint, *, sandbox: bool
) -> LambdaFunction:
    """Write the function's files below ``folder`` and return it, not yet started."""
    task = folder / "task"
    for name, text in hook.files.items():
        (task / name).parent.mkdir(parents=True, exist_ok=True)
        (task / name).write_text(text, encoding="utf-8")
    own = {
        "GREENROOM_HOOK_RESERVE": str(RESERVE_S),
        "GREENROOM_HOOK_REPORT": str(folder / "reports"),
    }
    return LambdaFunction(
        hook.handler,
        task_root=task,
        environment={**endpoint.environment, **(own if hook.ours else {}), **hook.environment},
        timeout_s=hook.timeout_s,
        memory_mb=MEMORY_MB,
        sandbox=sandbox,
    )


def sandbox_is_allowed() -> bool:
    """Tell whether this machine lets functions have a read-only file system."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            LambdaFunction("none.none", task_root=Path(folder), environment={}, sandbox=True)
        except ToolError:
            return False
    return Path(tempfile.gettempdir()) == Path("/tmp")  # noqa: S108 - Lambda's only writable folder


def where(*, sandbox: bool) -> str:
    """Say where the functions ran."""
    return "read-only sandbox" if sandbox else "no sandbox: this machine does not allow one"
