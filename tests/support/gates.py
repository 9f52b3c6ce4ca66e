"""A hook's place for tests: a project with settings and suites, and an event delivered to it."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenroom.plugins.gate_place import Place
from greenroom.plugins.gate_tell import Outcome, answer_event, answer_script
from greenroom.plugins.reporting import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from greenroom.plugins.hand_off import Invitation

DEPLOYMENT = "d-ABCDEFGHI"
EXECUTION = "eyJlbmNyeXB0ZWREYXRhIjoi"
CODEDEPLOY = {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": EXECUTION}
SERVICE_DEPLOYMENT = "arn:aws:ecs:eu-west-1:123456789012:service-deployment/cluster/service/d1"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:CodeDeployHook_gate"
PASSING = "def test_it():\n    assert True\n"
FAILING = "def test_it():\n    assert False, 'four was expected'\n"


def ecs_event(stage: str, **more: object) -> dict[str, Any]:
    """Return an ECS hook's event at ``stage``."""
    return {
        "executionId": "execution-1",
        "lifecycleStage": stage,
        "resourceArn": SERVICE_DEPLOYMENT,
        "executionDetails": {"serviceArn": "service", "targetServiceRevisionArn": "new"},
        **more,
    }


@dataclass(slots=True)
class Project:
    """A function's folder: ``suites/NAME.py`` and greenroom.toml; each run leaves a line behind."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def settings(self, text: str) -> None:
        """Write greenroom.toml."""
        (self.root / "greenroom.toml").write_text(text, encoding="utf-8")

    def suite(self, name: str = "it", text: str = PASSING) -> None:
        """Write a suite that says that it ran."""
        folder = self.root / "suites"
        folder.mkdir(exist_ok=True)
        ran = f"open({str(self.root / 'ran')!r}, 'a').write({name + chr(10)!r})\n"
        (folder / f"test_{name}.py").write_text(ran + text, encoding="utf-8")

    @property
    def ran(self) -> list[str]:
        """The suites that ran, in order."""
        path = self.root / "ran"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def deliver(self, event: Mapping[str, Any], *, seconds: float = 40, **more: Any) -> Outcome:  # noqa: ANN401 - fields of a place
        """Deliver ``event`` to a hook that has ``seconds``."""
        return answer_event(event, lambda key: self._place(key, seconds, more))

    def script(self, *, seconds: float = 40) -> Outcome:
        """Run the hook as a script."""
        return answer_script(self._place("script", seconds, {}))

    def invited(self, invitation: Invitation, *, seconds: float = 40) -> Outcome:
        """Run the hook in a build that was handed the gate."""
        more = {"invitation": invitation, "owner": invitation.owner}
        return self.deliver(invitation.delivery, seconds=seconds, **more)

    def place(self, *, seconds: float = 40) -> Place:
        """Return a place of one's own, to look at its time."""
        return self._place("own", seconds, {})

    def _place(self, key: str, seconds: float, more: dict[str, Any]) -> Place:
        name = f"{key.replace('/', '_')}-{secrets.token_hex(4)}"
        usual = {
            "environ": {**os.environ, "GREENROOM_HOOK_RESERVE": "5", **self.environ},
            "root": self.root,
            "report": self.root / "reports" / name,
            "work": self.root / "work" / name,
            "ends": time.monotonic() + seconds,
            "owner": f"request-{name}",
            "function": FUNCTION,
        }
        return Place(**{**usual, **more})


def opened(outcome: Outcome) -> bool:
    """Tell whether the gate is open, by this answer, and whoever waits knows it."""
    answered = isinstance(outcome.answer, Answer) and outcome.answer.succeeded
    return answered and outcome.error is None and not outcome.errors
