"""Runs a suite as a supervised process and judges nothing but its complete run record.

The caller outlives whatever the suite does: pytest gets a session of its own, bounded memory, a
bounded log and a deadline; then its whole family of processes is ended. A verdict comes only from a
complete record that this very run wrote; how the process ended can make it worse, never better.

Imports the standard library and the core only: it runs in the small parent process of the Lambda
function.
"""

from __future__ import annotations

import secrets
import signal
import stat
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import IO, TYPE_CHECKING

from greenroom.plugins.documents import EVENTS, JUNIT, PAGE, RECORD
from greenroom.plugins.processes import end_family, has_ended, waking_at_end
from greenroom.plugins.suite_process import Suite, keep_log, marker, start
from greenroom.validators.errors import GreenroomError, RecordError
from greenroom.validators.record import RunRecord
from greenroom.validators.vocabulary import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greenroom.plugins.redaction import Redactor

GRACE_S = 2.0
"""How long pytest may take to leave after its complete record appeared."""

LAST_WORDS_S = 2.0
"""How long before its deadline a suite is asked to stop, so that it can record what it knows."""

_LOOK_S = 0.02
_LAST_BREATH_S = 1.0
_COMPLAINT = 65536
_COMPLAINTS = ("ERROR", "python -m pytest: error:")
_UNUSABLE_COMMAND_LINE = 4
_PLUGINS_HINT = "plugins are not loaded by themselves in a hook: if one is missing, add -p NAME"
_LARGEST_RECORD = 64 * 1024 * 1024


class Ending(StrEnum):
    """How the supervised process came to its end."""

    EXITED = "exited"
    """By itself, with an exit status or by a signal."""
    LINGERED = "lingered"
    """Its record was complete, but it did not leave in time: something was left running."""
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True)
class Supervised:
    """The answer: ``reasons`` are empty only for *ship*.

    ``exit_status`` is negative for a signal, None if the process did not end by itself.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    ending: Ending
    exit_status: int | None
    record: Path | None
    log: Path | None
    checks: int = 0
    failed: int = 0
    """Checks that did not pass, whatever their gate."""
    seconds: float = 0.0


def supervise(
    suite: Suite,
    *,
    seconds: float,
    cancel: threading.Event | None = None,
    echo: IO[bytes] | None = None,
    redactor: Redactor | None = None,
) -> Supervised:
    """Run ``suite`` for at most ``seconds``; setting ``cancel`` ends it early.

    Its output goes to ``pytest.log`` beside the record, and to ``echo``, without what ``redactor``
    knows.

    When this returns, no process of the suite is left that this machine lets us find, but for one
    that the kernel itself cannot end within half a second.
    """
    began = time.monotonic()
    deadline = began + seconds
    run_id = secrets.token_hex(16)
    suite.report.mkdir(parents=True, exist_ok=True)
    for stale in (RECORD, EVENTS, PAGE, JUNIT):
        (suite.report / stale).unlink(missing_ok=True)
    log = suite.report / "pytest.log"
    with log.open("wb", buffering=0) as output:
        process = start(suite, run_id, seconds)
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        keeper = threading.Thread(
            target=keep_log,
            args=(process.stdout, [output, *filter(None, [echo])], redactor),
            daemon=True,
        )
        keeper.start()
        try:
            ending = _watch(process, _Look(suite.report / RECORD, run_id), deadline, cancel)
        finally:
            status = _end(process, run_id)
            keeper.join(timeout=_LAST_BREATH_S)
    judged = _judge(suite.report / RECORD, run_id, ending, status, log)
    return replace(judged, seconds=time.monotonic() - began)


def attempt(
    describe: Callable[[], Suite],
    *,
    seconds: float,
    cancel: threading.Event | None = None,
    echo: IO[bytes] | None = None,
    redactor: Redactor | None = None,
) -> Supervised:
    """Run the suite that ``describe`` returns; whatever is raised becomes a reason not to ship."""
    try:
        suite = describe()
        suite.work.mkdir(parents=True, exist_ok=True)
        return supervise(suite, seconds=seconds, cancel=cancel, echo=echo, redactor=redactor)
    except Exception as error:  # noqa: BLE001 - nothing at all may keep the answer from being given
        return undecided(explained(error))


def undecided(reason: str) -> Supervised:
    """Return the result of a suite that could not even be started."""
    return Supervised(
        verdict=Verdict.COULD_NOT_DECIDE,
        reasons=(reason,),
        ending=Ending.NOT_STARTED,
        exit_status=None,
        record=None,
        log=None,
    )


def explained(error: Exception) -> str:
    """Return what a person needs to know of ``error``, whoever raised it."""
    return error.explain() if isinstance(error, GreenroomError) else repr(error)


def _end(process: subprocess.Popen[bytes], run_id: str) -> int:
    """Kill whatever is left; return the exit status (that of a kill, if it cannot even die)."""
    end_family(process.pid, marker=marker(run_id))
    try:
        return process.wait(timeout=_LAST_BREATH_S)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL


class _Look:
    """Tells whether the record is complete, reading the file only when it has changed."""

    def __init__(self, path: Path, run_id: str) -> None:
        self._path = path
        self._run_id = run_id
        self._seen: tuple[int, int, int] | None = None
        self._complete = False

    def complete(self) -> bool:
        """Whether this run's record is there and finished."""
        try:
            state = self._path.stat()
        except OSError:
            return False
        mark = (state.st_ino, state.st_mtime_ns, state.st_size)
        if mark != self._seen:
            self._seen = mark
            record, _ = _read(self._path, self._run_id)
            self._complete = record is not None and record.complete
        return self._complete


def _watch(
    process: subprocess.Popen[bytes],
    look: _Look,
    deadline: float,
    cancel: threading.Event | None,
) -> Ending:
    """Wait for the end, the grace after a complete record, the deadline or the cancellation."""
    cancel = cancel or threading.Event()
    asked = max(deadline - LAST_WORDS_S, time.monotonic() + (deadline - time.monotonic()) / 2)
    grace_ends: float | None = None
    with waking_at_end(process.pid) as rest:
        while not has_ended(process):
            now = time.monotonic()
            if grace_ends is None and look.complete():
                grace_ends = min(now + GRACE_S, deadline)
            if grace_ends is not None and now >= grace_ends:
                return Ending.LINGERED
            if grace_ends is None and now >= asked:
                return _last_words(process, deadline, Ending.TIMED_OUT)
            if cancel.is_set():
                end = min(deadline, time.monotonic() + LAST_WORDS_S)
                return _last_words(process, end, Ending.INTERRUPTED)
            rest(_LOOK_S)
    return Ending.EXITED


def _last_words(process: subprocess.Popen[bytes], end: float, ending: Ending) -> Ending:
    """Ask pytest to stop, and let it record what it knows until ``end``."""
    process.send_signal(signal.SIGTERM)
    while not has_ended(process) and time.monotonic() < end:
        time.sleep(_LOOK_S)
    return ending


def _read(path: Path, run_id: str) -> tuple[RunRecord | None, str]:
    """Return this run's record, or None and why there is none."""
    try:
        record = RunRecord.loads(_content(path))
    except FileNotFoundError:
        return None, "the suite left no run record"
    except (OSError, RecordError, RecursionError) as error:
        return None, f"the run record cannot be read: {error}"
    if record.run_id != run_id:
        return None, "the run record is another run's"
    return record, ""


def _content(path: Path) -> bytes:
    """Return the file's bytes: a suite could put a pipe there, or more than the memory holds."""
    state = path.stat()
    if not stat.S_ISREG(state.st_mode) or state.st_size > _LARGEST_RECORD:
        raise RecordError(f"not a file of at most {_LARGEST_RECORD} bytes")
    return path.read_bytes()


def _judge(path: Path, run_id: str, ending: Ending, status: int, log: Path) -> Supervised:
    record, problem = _read(path, run_id)
    against = _against(ending, status)
    if record is None:
        verdict = Verdict.COULD_NOT_DECIDE
        reasons = tuple(filter(None, [against, problem, _complaint(log)]))
    else:
        decision = record.decision()
        verdict = decision.verdict
        reasons = tuple(reason.text for reason in decision.reasons)
        if not record.checks and (complaint := _complaint(log)):
            reasons = (complaint, *reasons)
        # A status that tells no more than the record's own reasons is left out.
        if against and (verdict is Verdict.SHIP or status <= 0 or ending is not Ending.EXITED):
            reasons = (against, *reasons)
        if against and verdict is Verdict.SHIP:
            verdict = Verdict.COULD_NOT_DECIDE
    if status == _UNUSABLE_COMMAND_LINE and not (record and record.checks):
        reasons = (*reasons, _PLUGINS_HINT)
    return Supervised(
        verdict=verdict,
        reasons=reasons,
        ending=ending,
        exit_status=status if ending is Ending.EXITED else None,
        record=path if record is not None else None,
        log=log,
        checks=len(record.checks) if record else 0,
        failed=sum(check.outcome is not Outcome.PASSED for check in record.checks) if record else 0,
    )


def _against(ending: Ending, status: int) -> str:
    """Return what the end itself says against shipping; empty for an orderly one."""
    if ending is Ending.TIMED_OUT:
        return "the suite did not finish before its deadline"
    if ending is Ending.INTERRUPTED:
        return "the run was interrupted"
    if ending is Ending.EXITED and status < 0:
        return f"pytest was killed by signal {-status} ({signal.strsignal(-status)})"
    if ending is Ending.EXITED and status > 0:
        return f"pytest ended with exit status {status}"
    return ""


def _complaint(log: Path) -> str:
    """Return pytest's own last error line: of a run without a check it is all there is."""
    try:
        with log.open("rb") as output:
            output.seek(max(log.stat().st_size - _COMPLAINT, 0))
            lines = output.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in reversed(lines) if line.startswith(_COMPLAINTS)), "")
