"""The one record of a rehearsal: artifact stage, hooks and deployment joined."""

from __future__ import annotations

import platform
import uuid
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_process import RUN_KEY
from greenroom.validators.errors import RecordError
from greenroom.validators.record import Check, RunRecord, Source, merge
from greenroom.validators.verdict import Expected
from greenroom.validators.vocabulary import Gate, Kind, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from greenroom.validators.finding import Finding

_ID = "rehearsal.toml::deployment"


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


def read_record(path: Path, reason: str) -> RunRecord:
    """Return the record at ``path``, or one that never ships and gives ``reason`` or the defect."""
    try:
        return RunRecord.loads(path.read_bytes())
    except OSError:
        problem = reason
    except RecordError as error:
        problem = f"{path.name}: {error}"
    return RunRecord(run_id=_new_id(), started="", expected=Expected(), problems=(problem,))


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
    parts: dict[str, RunRecord], check: Check | None, deployment: dict[str, Any], finished: str
) -> RunRecord:
    """Join the parts of a rehearsal and the check of its deployment, if there was one."""
    started = min(filter(None, (part.started for part in parts.values())), default=finished)
    dated = {
        name: replace(part, started=part.started or started, finished=part.finished or finished)
        for name, part in parts.items()
    }
    record = merge(dated)
    more = (check,) if check else ()
    ids = (*record.expected.checks, *(each.id for each in more))
    return replace(
        record,
        expected=replace(record.expected, checks=ids),
        checks=(*record.checks, *more),
        release={key: value for key, value in record.release.items() if key != RUN_KEY},
        environment={**_environment(), **record.environment},
        deployment=deployment,
    )


def _environment() -> Mapping[str, str]:
    return {
        "greenroom": version("greenroom"),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
    }


def _new_id() -> str:
    return uuid.uuid4().hex
