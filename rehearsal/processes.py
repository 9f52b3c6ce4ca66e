"""Starts outside programs: command logged, output kept, time bounded, whole process group ended."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Self

from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GRACE_S = 3.0
"""How long a program may take to end after SIGTERM before its group is killed."""
_TAIL_BYTES = 2000
_WITHHELD = ("AWS_", "GREENROOM_", "PYTEST_")


class Program:
    """A program that runs in a process group of its own until it is closed.

    Its command and output go to ``log``. Its environment is ours without what belongs to AWS,
    Greenroom or pytest (a rehearsal must not reach a real account), plus ``environment``.
    Raises `ToolError` if the program is missing.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.command = tuple(command)
        self.log = log
        self._grace_s = grace_s
        self._closed = False
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            output.write(f"$ {shlex.join(self.command)}\n".encode())
            output.flush()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the user's own command, no shell
                    self.command,
                    cwd=cwd,
                    env=scrubbed(os.environ) | dict(environment or {}),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ToolError(
                    f"cannot start {self.command[0]}: {error.strerror or error}",
                    hint="install it, or correct the command in rehearsal.toml",
                ) from error

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int:
        """Return the exit status; raises `ToolError` if the program does not end in time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ToolError(
                f"{self.command[0]} did not end within {seconds:g} s", hint=f"see {self.log}"
            ) from error

    def tail(self) -> str:
        """Return the end of what the program wrote."""
        with self.log.open("rb") as output:
            output.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            return output.read().decode(errors="replace").strip()

    def close(self) -> None:
        """End the program: SIGTERM, a grace, SIGKILL to what is left of its group.

        An interruption while waiting shortens the grace and never spares the group. A second call
        does nothing: the group's id may be another's by then.
        """
        if self._closed:
            return
        try:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._grace_s)
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._closed = True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` without credentials for AWS and settings meant for this process."""
    return {k: v for k, v in environment.items() if not k.startswith(_WITHHELD)}


class ReservedPort:
    """A free port of 127.0.0.1 that nobody else gets until it is released to its program."""

    def __init__(self) -> None:
        self._holder = socket.socket()
        self._holder.bind(("127.0.0.1", 0))
        self.number = int(self._holder.getsockname()[1])

    def release(self) -> None:
        """Let the port go; harmless if it has gone."""
        self._holder.close()


def await_answer(program: Program, url: str, *, seconds: float, what: str) -> None:
    """Return once ``url`` answers 200; raises `ToolError` if the program ends or time runs out."""
    import httpx  # noqa: PLC0415 - costs 150 ms, and most commands never start a program

    deadline = time.monotonic() + seconds
    seen = "no answer"
    with httpx.Client(timeout=1, trust_env=False) as client:
        while time.monotonic() < deadline:
            if program.status is not None:
                raise ToolError(
                    f"{what} ended with status {program.status} before it answered: "
                    f"{program.tail()}",
                    hint=f"see {program.log}",
                )
            try:
                answer = client.get(url)
            except httpx.HTTPError as error:
                seen = f"{type(error).__name__}: {error}"
            else:
                if answer.status_code == httpx.codes.OK:
                    return
                seen = f"status {answer.status_code}"
            time.sleep(0.02)
    raise ToolError(
        f"{what} did not answer {url} with 200 within {seconds:g} s ({seen})",
        hint=f"see {program.log}",
    )
