"""The Lambda function that answers deployment hooks: ``greenroom.plugins.hook.handler``.

Whatever the suite does, exactly one answer is given before the function's time is up. CodeDeploy
and CodePipeline are told by a call, ECS by the function's own answer. Configured by table [hook] of
the settings file and by environment variables (docs/hook.md):

GREENROOM_HOOK_ARGS     pytest's arguments, shell-quoted, paths below the task's root; they replace
                        the settings' suites (``suites``)
GREENROOM_HOOK_EVENT    the lifecycle event's name (CodeDeploy's own event does not carry it)
GREENROOM_HOOK_REPORT   the folder of the reports, one folder per execution below it (in /tmp)
GREENROOM_HOOK_RESERVE  seconds kept for the answer (20)
GREENROOM_HOOK_PASS     names of AWS_ variables that the suite gets although they are withheld from
                        it: the suite does not need the credentials that answer in its name

Every other variable goes through to the suite.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.plugins.gate_place import Place
from greenroom.plugins.gate_tell import answer_event
from greenroom.plugins.paths import added_paths
from greenroom.plugins.report_place import file_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIDY_S = 0.3
_REPORT = "GREENROOM_HOOK_REPORT"
_REPORTS = Path(tempfile.gettempdir(), "greenroom-reports")
_PARENT_KIB = 160 * 1024
_LEAST_SHARE = 0.6


class Context(Protocol):
    """What is used of Lambda's context object."""

    aws_request_id: str
    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before Lambda ends the function."""
        ...


def handler(event: object, context: Context) -> dict[str, Any]:
    """Answer one hook event; raises `GreenroomError` only where nobody could be told.

    That makes Lambda deliver the event again, which is one more chance to report.
    """
    ends = time.monotonic() + context.get_remaining_time_in_millis() / 1000
    work = Path(tempfile.gettempdir(), f"greenroom-{secrets.token_hex(8)}")
    places: list[Place] = []

    def place_of(key: str) -> Place:
        places.append(_place(os.environ, context, ends, work, key))
        return places[-1]

    outcome = answer_event(event, place_of)
    # A function that is used again must not fill its /tmp with reports that nobody can look into.
    _tidy(work, *(place.report for place in places if not place.keeps_report))
    if outcome.error is not None:
        raise outcome.error
    return outcome.payload


def _place(
    environ: Mapping[str, str], context: Context, ends: float, work: Path, key: str
) -> Place:
    """Return what the function's configuration says of the place; raises `SettingsError`."""
    root = Path(environ.get("LAMBDA_TASK_ROOT") or Path.cwd()).resolve()
    reports = environ.get(_REPORT, "")
    return Place(
        environ=environ,
        root=root,
        report=Path(reports or _REPORTS, file_name(key)),
        keeps_report=bool(reports),
        work=work,
        ends=ends,
        owner=f"{context.aws_request_id}-{secrets.token_hex(4)}",
        arguments=environ.get("GREENROOM_HOOK_ARGS") or None,
        paths=(str(root), *added_paths()),
        memory_kib=_memory_kib(environ),
        function=context.invoked_function_arn,
        echo=getattr(sys.stdout, "buffer", None),
    )


def _tidy(*folders: Path) -> None:
    """Remove ``folders``, as far as that takes no time: the answer is what matters."""
    removers = [
        threading.Thread(target=shutil.rmtree, args=(folder, True), daemon=True)
        for folder in folders
    ]
    ends = time.monotonic() + _TIDY_S
    for remover in removers:
        remover.start()
    for remover in removers:
        remover.join(timeout=max(ends - time.monotonic(), 0.0))


def _memory_kib(environ: Mapping[str, str]) -> int:
    """Return the suite's share of the function's memory, this process's own left out."""
    text = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    whole = int(text) * 1024 if text.isdecimal() else 0
    return max(whole - _PARENT_KIB, int(whole * _LEAST_SHARE))
