"""The artifact stage of a rehearsal: its suites in a supervised pytest process."""

from __future__ import annotations

import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.suite_process import Suite
from greenroom.plugins.supervisor import supervise
from greenroom.rehearsal.processes import scrubbed
from greenroom.rehearsal.records import read_record

if TYPE_CHECKING:
    from greenroom.plugins.supervisor import Supervised
    from greenroom.rehearsal.settings import RehearsalSettings, Revision
    from greenroom.validators.record import RunRecord


def run_artifact_stage(settings: RehearsalSettings, revision: Revision, folder: Path) -> RunRecord:
    """Run the artifact suites; return their record, or one that says why there is none.

    Documents go to ``folder``. Whatever the suites do, this ends within the stage's time-out.
    """
    told = revision.release_variables()
    with tempfile.TemporaryDirectory(prefix="greenroom-artifact-") as work:
        suite = Suite(
            arguments=settings.artifact.arguments,
            root=settings.root,
            report=folder,
            work=Path(work),
            environment={**scrubbed(os.environ), **revision.environment, **told},
        )
        answer = _supervised(suite, settings.artifact.timeout_s)
    reason = "; ".join(answer.reasons) or "it left no run record"
    return read_record(folder / "run.json", f"the artifact stage: {reason}")


def _supervised(suite: Suite, seconds: float) -> Supervised:
    """Supervise ``suite`` in a thread, which no interruption can stop before it has cleaned up."""
    cancel = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(supervise, suite, seconds=seconds, cancel=cancel)
        try:
            return answer.result()
        finally:
            cancel.set()
