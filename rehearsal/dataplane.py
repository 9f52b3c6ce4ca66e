"""The two revisions as processes, with Envoy in front of them: what the engine acts on."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from greenroom.rehearsal.envoy import Envoy, Upstreams
from greenroom.rehearsal.interruption import undisturbed
from greenroom.rehearsal.processes import Program, await_answer, free_port
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.rehearsal.load import Tally
    from greenroom.rehearsal.settings import RehearsalSettings, Revision


class LocalPlane:
    """Fulfils `greenroom.rehearsal.ports.DataPlane` on this machine; safe between threads.

    Logs go to ``folder``. `close` ends whatever was started, however far `start` came.
    """

    def __init__(
        self, settings: RehearsalSettings, replacement: Revision, *, folder: Path, tally: Tally
    ) -> None:
        self._service = settings.service
        self._root = settings.root
        self._folder = folder
        self._tally = tally
        self._lock = threading.Lock()
        self._closed = False
        self._running: dict[str, Program] = {}
        self._revisions = {"original": settings.original, "replacement": replacement}
        self._ports = {"original": free_port(), "replacement": free_port()}
        self._before_gate: int | None = None
        upstreams = Upstreams(
            self._ports["original"], self._ports["replacement"], self._service.request_timeout_s
        )
        self.envoy = Envoy(upstreams, folder=folder)

    def start(self) -> Self:
        """Start the original revision and Envoy, all production traffic on the original."""
        self._start("original")
        self.envoy.start()
        return self

    def start_replacement(self) -> None:
        """Start the green revision and return once it answers."""
        self._start("replacement")

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
        self._stop("original")

    def stop_replacement(self) -> None:
        """End green after its requests in flight."""
        self._stop("replacement")

    def replacement_before_gate(self) -> int:
        """Return how many production requests Envoy had sent to green when the gate opened.

        If it never opened: until now. Raises `ToolError` if Envoy is gone, gate or no gate: what
        was counted without a load balancer says nothing about a revision.
        """
        until_now = self.envoy.replacement_requests()
        return until_now if self._before_gate is None else self._before_gate

    def close(self) -> None:
        """End everything that runs; nothing starts any more."""
        with self._lock:
            self._closed = True
        with ExitStack() as stack:
            for program in self._running.values():
                stack.callback(program.close)
            stack.callback(self.envoy.close)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, role: str) -> None:
        revision, port = self._revisions[role], self._ports[role]
        with undisturbed(), self._lock:
            if self._closed:
                raise ToolError("the rehearsal was ended", hint="run it again")
            program = self._running[role] = Program(
                self._service.filled(port=port, revision=revision.name),
                log=self._folder / f"{role}.log",
                cwd=self._root,
                environment=revision.environment,
            )
        url = f"http://127.0.0.1:{port}{self._service.ready}"
        what, seconds = f"the {role} revision", self._service.start_timeout_s
        await_answer(program, url, seconds=seconds, what=what)

    def _stop(self, role: str) -> None:
        """End a revision that was started; harmless if it was not."""
        if role in self._running:
            self.envoy.drain(role)
            self._running[role].close()
