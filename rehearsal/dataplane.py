"""The two revisions as processes, with Envoy in front of them: what the engine acts on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from greenroom.rehearsal.envoy import Envoy, Upstreams, find_binary
from greenroom.rehearsal.processes import Program, await_answer, free_port
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.rehearsal.load import Tally
    from greenroom.rehearsal.settings import RehearsalSettings, Revision


class LocalPlane:
    """Fulfils `greenroom.rehearsal.ports.DataPlane` on this machine; safe between threads.

    Construction starts the original revision and Envoy, with all production traffic on the
    original; raises `ToolError` if either does not start. Logs go to ``folder``.
    """

    def __init__(
        self, settings: RehearsalSettings, replacement: Revision, *, folder: Path, tally: Tally
    ) -> None:
        self._service = settings.service
        self._root = settings.root
        self._revision = replacement
        self._folder = folder
        self._tally = tally
        self._lock = threading.RLock()
        self._closed = False
        self._replacement: Program | None = None
        self._port = free_port()
        self._before_gate: int | None = None
        binary = find_binary()
        original_port = free_port()
        self._original = self._start("original", settings.original, original_port)
        try:
            self._await("original", self._original, original_port)
            timeout = self._service.request_timeout_s
            upstreams = Upstreams(original_port, self._port, timeout)
            self.envoy = Envoy(upstreams, folder=folder, binary=binary)
        except BaseException:
            self._original.close()
            raise

    def start_replacement(self) -> None:
        """Start the green revision and return once it answers."""
        with self._lock:
            if self._closed:
                raise ToolError("the rehearsal was ended", hint="run it again")
            program = self._start("replacement", self._revision, self._port)
            self._replacement = program
        self._await("replacement", program, self._port)

    def allow_test_traffic(self) -> None:
        """Point the test listener at green."""
        self.envoy.allow_test_traffic()

    def shift(self, percent: int) -> None:
        """Send ``percent`` of production traffic to green."""
        if percent and self._before_gate is None:
            self._before_gate = self.envoy.replacement_requests()
            self._tally.open_gate()
        self.envoy.shift(percent)

    def stop_original(self) -> None:
        """End blue after its requests in flight."""
        self.envoy.drain("original")
        self._original.close()

    def stop_replacement(self) -> None:
        """End green after its requests in flight."""
        with self._lock:
            program, self._replacement = self._replacement, None
        if program is not None:
            self.envoy.drain("replacement")
            program.close()

    def replacement_before_gate(self) -> int:
        """Return how many production requests Envoy had sent to green when the gate opened.

        If it never opened: until now.
        """
        if self._before_gate is not None:
            return self._before_gate
        return self.envoy.replacement_requests()

    def close(self) -> None:
        """End everything that runs; nothing starts any more."""
        with self._lock:
            self._closed = True
            programs = [self._original, self._replacement]
        try:
            self.envoy.close()
        finally:
            _close_all([program for program in programs if program is not None])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, role: str, revision: Revision, port: int) -> Program:
        return Program(
            self._service.filled(port=port, revision=revision.name),
            log=self._folder / f"{role}.log",
            cwd=self._root,
            environment=revision.environment,
        )

    def _await(self, role: str, program: Program, port: int) -> None:
        url = f"http://127.0.0.1:{port}{self._service.ready}"
        what = f"the {role} revision"
        await_answer(program, url, seconds=self._service.start_timeout_s, what=what)


def _close_all(programs: list[Program]) -> None:
    """Close each program, even if an earlier one's close is interrupted."""
    if programs:
        try:
            programs[0].close()
        finally:
            _close_all(programs[1:])
