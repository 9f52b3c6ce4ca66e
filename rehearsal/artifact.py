"""The artifact stage of a rehearsal: its suites in a supervised pytest process."""

from __future__ import annotations

import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.plugins.suite_process import Suite
from greenroom.plugins.supervisor import attempt
from greenroom.rehearsal.processes import scrubbed
from greenroom.rehearsal.records import read_record, unrecorded
from greenroom.validators.vocabulary import Verdict

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
    return _record_of(answer)


def _record_of(answer: Supervised) -> RunRecord:
    """Return the record that the supervisor accepted, never better than its verdict."""
    reason = f"the artifact stage: {'; '.join(answer.reasons)}"
    if answer.record is None:
        return unrecorded(reason)
    record = read_record(answer.record, reason)
    if record.verdict is Verdict.SHIP and answer.verdict is not Verdict.SHIP:
        return replace(record, problems=(*record.problems, reason))
    return record


def _supervised(suite: Suite, seconds: float) -> Supervised:
    """Supervise ``suite`` in a thread, which no interruption can stop before it has cleaned up."""
    cancel = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(attempt, lambda: suite, seconds=seconds, cancel=cancel)
        try:
            return answer.result()
        finally:
            cancel.set()
