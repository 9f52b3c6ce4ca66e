"""The run record and the documents of a bypassed gate: nobody ran a check, and everybody sees it.

Its verdict is *could not decide*: no green without evidence. A process of its own makes it
(``python -m greenroom.plugins.bypass_record FOLDER``, the run as JSON on standard input), as the
hook's own process imports nothing that renders pages.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.documents import RECORD, Documents
from greenroom.plugins.own_process import run_module
from greenroom.validators.bypass import Bypass
from greenroom.validators.errors import ToolError
from greenroom.validators.record import RunRecord
from greenroom.validators.verdict import Expected

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_S = 20.0


@dataclass(frozen=True, slots=True)
class Bypassed:
    """What a bypassed run's record says: the bypass, of what, and what was told to whom."""

    bypass: Bypass
    release: Mapping[str, str] = field(default_factory=dict)
    reported: Mapping[str, Any] | None = None


def write_bypass_record(run: Bypassed, folder: Path, *, until: float) -> Path:
    """Write run record and documents of ``run`` into ``folder``; return the record's path.

    Raises `ToolError` if that did not succeed by ``until`` (monotonic seconds).
    """
    data = {
        "bypass": run.bypass.to_json(),
        "release": dict(run.release),
        "reported": dict(run.reported) if run.reported is not None else None,
    }
    end = min(until, time.monotonic() + _LONGEST_S)
    try:
        run_module(
            "greenroom.plugins.bypass_record",
            str(folder),
            until=end,
            given=json.dumps(data).encode(),
        )
    except ToolError as error:
        raise _unwritten(folder, str(error)) from error
    return folder / RECORD


def record_of(run: Bypassed, *, run_id: str, at: str) -> RunRecord:
    """Return the record of a run in which a person opened the gate at ``at`` (ISO 8601)."""
    return RunRecord(
        run_id=run_id,
        started=at,
        expected=Expected(),
        complete=True,
        finished=at,
        release=dict(run.release),
        environment=_environment(),
        reported=dict(run.reported) if run.reported is not None else None,
        bypass=run.bypass,
    )


def main(arguments: list[str]) -> None:
    """Write the documents of the run on standard input into the folder that is named."""
    data = json.load(sys.stdin)
    run = Bypassed(Bypass.from_json(data["bypass"]), data["release"], data["reported"])
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = record_of(run, run_id=secrets.token_hex(16), at=at)
    documents = Documents(Path(arguments[0]))
    unfinished = RunRecord(record.run_id, at, Expected(), bypass=run.bypass)
    documents.begin(unfinished)
    documents.event("bypassed", at, **run.bypass.to_json())
    documents.close()
    documents.finish(record)


def _environment() -> dict[str, str]:
    from importlib.metadata import version  # noqa: PLC0415 - slow, and not for the hook's process

    system = os.uname()
    return {
        "greenroom": version("greenroom"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "platform": f"{system.sysname} {system.release} {system.machine}",
        "command": "none: the gate was bypassed",
    }


def _unwritten(folder: Path, why: str) -> ToolError:
    return ToolError(
        f"the record of the bypass could not be written to {folder}: {why}",
        hint="the log line has who bypassed the gate, why and until when",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
