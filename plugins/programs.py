"""Runs outside programs: command logged, time and output bounded, environment given, family ended.

Every tool of the artifact stage is started here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from greenroom.plugins.processes import end_family, has_ended, waking_at_end
from greenroom.plugins.redaction import Redactor
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence

KEPT = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ", "USER", "SSL_CERT_FILE")
"""What a tool needs of our environment; anything else could change its verdict."""
_ERRORS_MOST = 64 * 1024
_LOOK_S = 0.2
_MARK = "_GREENROOM_PROGRAM"
"""In the environment of all that a program starts: by it, those whose parents ended are found."""
_LOG = logging.getLogger(__name__)
_OFF: ContextVar[threading.Event | None] = ContextVar("greenroom-called-off", default=None)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program did; ``status`` is negative for a signal, ``errors`` the end of its stderr.

    What it wrote is kept as it is: ``words`` alone are for people, and ``redactor`` reads them
    before they are cut.
    """

    command: tuple[str, ...]
    status: int
    output: bytes
    errors: str
    duration_s: float
    redactor: Redactor = field(default_factory=Redactor, compare=False, repr=False)

    @property
    def words(self) -> str:
        """How it ended, with the last words that it said."""
        ended = f"signal {-self.status}" if self.status < 0 else f"exit status {self.status}"
        said = self.errors.strip() or self.output[-_ERRORS_MOST:].decode("utf-8", "replace")
        last = self.redactor.text(said).strip()
        return f"{ended}: {last[-1000:]}" if last else ended


@contextlib.contextmanager
def calling_off(event: threading.Event) -> Iterator[None]:
    """End the programs that this thread runs when ``event`` is set: `ToolError` says so."""
    token = _OFF.set(event)
    try:
        yield
    finally:
        _OFF.reset(token)


def find_program(name: str, hint: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the program called ``name``: on the PATH first, else beside this Python.

    ``hint`` says how to get it; raises `ToolError` with it.
    """
    if found := shutil.which(name, path=environ.get("PATH")):
        return Path(found).absolute()
    if found := shutil.which(name, path=sysconfig.get_path("scripts")):
        return Path(found).absolute()
    raise ToolError(f"{name} is not installed", hint=hint)


def tool_environment(
    environ: Mapping[str, str] = os.environ, passed: Sequence[str] = (), **added: str
) -> dict[str, str]:
    """Return an environment of what a tool needs, what is ``passed``, and ``added``."""
    names = (*KEPT, *passed)
    return {name: environ[name] for name in names if name in environ} | added


def run_program(  # noqa: PLR0913 - all but the command are given by name
    command: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str],
    until: float,
    output_most: int = 64 * 1024 * 1024,
    redactor: Redactor | None = None,
    log: IO[bytes] | None = None,
) -> Ran:
    """Run ``command`` in ``folder`` to its end, at most until ``until`` (time.monotonic seconds).

    It reads nothing from standard input; its standard error goes to the empty file ``log`` if one
    is given. Whatever it started is ended with it. Raises `ToolError` where it cannot start, takes
    too long or writes more than ``output_most`` bytes. ``redactor`` keeps its secrets out of the
    log, of errors and of `Ran.words`.
    """
    redactor = redactor or Redactor()
    started = time.monotonic()
    shown = shlex.join(map(redactor.text, command))
    mark = uuid.uuid4().hex
    _LOG.info("$ %s", shown)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as spool:
        errors = log or spool
        process = _start(command, folder, {**environ, _MARK: mark}, output, errors)
        try:
            _wait(process, (output, errors), until, output_most, shown)
        finally:
            end_family(process.pid, marker=f"{_MARK}={mark}")
            process.wait()
        return Ran(
            tuple(command),
            process.returncode,
            _all(output),
            _tail(errors).decode("utf-8", "replace"),
            time.monotonic() - started,
            redactor,
        )


def _start(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    output: IO[bytes],
    errors: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - a tool's own or the user's own command, no shell
            list(command),
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        missing = f"the folder {folder}" if not folder.is_dir() else command[0]
        raise ToolError(f"{missing} does not exist", hint="install it, or correct it") from error
    except (OSError, ValueError) as error:
        raise ToolError(
            f"{command[0]} cannot be started: {error}", hint="see that it is a program for here"
        ) from error


def _wait(
    process: subprocess.Popen[bytes],
    spools: tuple[IO[bytes], ...],
    until: float,
    most: int,
    shown: str,
) -> None:
    started = time.monotonic()
    off = _OFF.get()
    with waking_at_end(process.pid) as sleep:
        while not has_ended(process):
            left = until - time.monotonic()
            if left <= 0:
                seconds = time.monotonic() - started
                raise ToolError(
                    f"no end after {seconds:.1f} s: {shown}", hint="give it more time: `timeout:`"
                )
            if off is not None and off.is_set():
                raise ToolError(f"called off: {shown}", hint="the run was stopped")
            _bound(spools, most, shown)
            sleep(min(left, _LOOK_S))
    _bound(spools, most, shown)


def _bound(spools: tuple[IO[bytes], ...], most: int, shown: str) -> None:
    if any(os.fstat(spool.fileno()).st_size > most for spool in spools):
        raise ToolError(
            f"more than {most:,} bytes of output: {shown}",
            hint="have it say less; a static check may raise `most:`",
        )


def _all(spool: IO[bytes]) -> bytes:
    spool.seek(0)
    return spool.read()


def _tail(spool: IO[bytes]) -> bytes:
    spool.seek(max(0, os.fstat(spool.fileno()).st_size - _ERRORS_MOST))
    return spool.read()
