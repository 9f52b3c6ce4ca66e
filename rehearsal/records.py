"""The one record of a rehearsal: artifact stage, hooks and deployment joined."""

from __future__ import annotations

import contextlib
import platform
import shlex
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import RecordError, ToolError
from greenroom.validators.record import Check, RunRecord, Source, merge
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Gate, Kind, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from greenroom.validators.finding import Finding

_OF_ONE_RUN = frozenset({"event", "deployment", "execution"})
_ID = "rehearsal.toml::deployment"


@dataclass(frozen=True, slots=True)
class Took:
    """When a rehearsal began and ended (ISO 8601 in UTC), and how many seconds that were."""

    started: str
    finished: str
    seconds: float


@dataclass(frozen=True, slots=True)
class HookRun:
    """One hook that was invoked: its lifecycle event, and the folder its documents belong in."""

    event: str
    folder: Path

    def record(self) -> RunRecord:
        """Return the hook's run record, or one that never ships if it left none."""
        return read_record(self.folder / "run.json", f"the hook of {self.event} left no run record")

    def to_json(self) -> dict[str, Any]:
        """Return the timeline's form; verdict and report are null where there is no record."""
        left = (self.folder / "run.json").is_file()
        return {
            "event": self.event,
            "verdict": self.record().verdict.value if left else None,
            "report": str(self.folder / "report.html") if left else None,
        }


def collect(executions: Iterable[tuple[str, Path]], folder: Path) -> tuple[HookRun, ...]:
    """Move the documents of each event's hook execution to ``folder/EVENT``.

    An opaque execution id is no name that a person would look for. Raises `ToolError` if documents
    cannot be moved.
    """
    runs = []
    for event, documents in executions:
        runs.append(HookRun(event, folder / event))
        if documents.is_dir():
            _move(documents, folder / event)
    return tuple(runs)


def _move(documents: Path, to: Path) -> None:
    try:
        to.parent.mkdir(exist_ok=True)
        documents.rename(to)
    except OSError as error:
        raise ToolError(
            f"{documents} cannot be moved to {to}: {error}",
            hint="leave the report's folder alone while a rehearsal runs; see to its permissions",
        ) from error


def remove_empty(folder: Path) -> None:
    """Remove ``folder`` and what is below it, as far as they are folders without a file."""
    for path in sorted(folder.glob("**"), reverse=True):
        with contextlib.suppress(OSError):
            path.rmdir()


def relative(story: dict[str, Any], root: Path) -> dict[str, Any]:
    """Return a timeline whose reports are named from ``root``: a page can be moved with them."""
    hooks = [
        hook | {"report": hook["report"] and Path(hook["report"]).relative_to(root).as_posix()}
        for hook in story["hooks"]
    ]
    return story | {"hooks": hooks}


def read_record(path: Path, reason: str) -> RunRecord:
    """Return the record at ``path``, or one that never ships and gives ``reason`` or the defect."""
    try:
        return RunRecord.loads(path.read_bytes())
    except OSError:
        problem = reason
    except RecordError as error:
        problem = f"{path.name}: {error}"
    return unrecorded(problem)


def unrecorded(problem: str) -> RunRecord:
    """Return a record that never ships because of ``problem``."""
    now = datetime.now(UTC).isoformat()
    return RunRecord(uuid.uuid4().hex, now, Expected(), problems=(problem,), finished=now)


def deployment_check(finding: Finding, seconds: float) -> Check:
    """Return the deployment itself as a blocking check."""
    return Check(
        id=_ID,
        name="the deployment succeeds and production never notices",
        kind=Kind.MONITOR,
        stage=Stage.ENVIRONMENT,
        gate=Gate.BLOCK,
        finding=finding,
        duration_s=seconds,
        source=Source("rehearsal.toml", 1),
    )


def joined(
    parts: dict[str, RunRecord], check: Check | None, deployment: dict[str, Any], took: Took
) -> RunRecord:
    """Join the parts of a rehearsal and the check of its deployment, if there was one."""
    record = merge(parts)
    more = (check,) if check else ()
    ids = (*record.expected.checks, *(each.id for each in more))
    return replace(
        record,
        expected=replace(record.expected, checks=ids),
        checks=(*record.checks, *more),
        started=took.started,
        finished=took.finished,
        duration_s=took.seconds,
        release={k: value for k, value in record.release.items() if k not in _OF_ONE_RUN},
        environment={**record.environment, **_environment(record, deployment["revision"])},
        deployment=deployment,
        reported=_reported(deployment),
    )


def _reported(deployment: dict[str, Any]) -> dict[str, str] | None:
    """Return the last answer that a hook gave to CodeDeploy; None where none ever answered."""
    answered = [hook for hook in deployment["hooks"] if hook["answer"]]
    if not answered:
        return None
    last = max(answered, key=lambda hook: str(hook["answer"]["at"]))
    return {"to": f"CodeDeploy ({last['event']})", **last["answer"]}


def _environment(record: RunRecord, revision: str) -> Mapping[str, str]:
    root = record.environment.get("root", "DIR")
    return {
        "greenroom": version("greenroom"),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "command": shlex.join(["greenroom", "rehearse", str(root), "--revision", revision]),
    }
