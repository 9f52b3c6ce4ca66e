"""Backends that deserve a verdict, and the hooks that give one.

Each backend stands for a release of the trivia API behind the test listener; exactly one is right.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._invocation import GREENROOM, TIMEOUT_S, Hook, Outcome, observe
from benchmarks._public_hooks import IN_PROCESS, IN_PROCESS_SUITE, REFERENCE, STATUS_IS_ENOUGH
from tests.support.servers import Reply, hostile, json_reply, serving, silent

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Iterator

OURS = "greenroom hook"
THEIRS = "reference hook"
_CONTRACT = (
    Path(__file__).parents[1] / "examples" / "trivia" / "contracts" / "categories.schema.json"
)
_SUITE = """
version: 1
name: trivia-api
stage: environment
defaults: {timeout: 1500ms}
checks:
  - name: lists four categories by contract
    tags: [contract]
    http: {get: /api/trivia/all}
    expect:
      status: 200
      json: {$: {length: 4}}
      schema: contracts/categories.schema.json
"""


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend: ``reply`` answers every request; without one, ``name`` says what happens."""

    name: str
    reply: Reply | None = None
    drips: bool = False

    @property
    def status(self) -> str:
        """What has to be reported."""
        return "Succeeded" if self.name == RIGHT else "Failed"

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve; yield the address."""
        if self.reply is None:
            with hostile(_drip if self.drips else silent) as url:
                yield url
            return
        reply = self.reply
        with serving(lambda _: reply) as served:
            yield served.url


def _category(name: str) -> dict[str, object]:
    question = {"id": f"{name}-1", "question": f"Which of these {name}?", "choices": ["a", "b"]}
    return {"name": name, "questions": [question]}


_NAMES = ("rivers", "numbers", "theatre", "planets", "birds")
_FOUR = [_category(name) for name in _NAMES[:4]]
RIGHT = "right answer: 4 categories"
SILENT = "accepts, never answers"
DRIP = "the right answer, 10 bytes a second"
BACKENDS = (
    Backend(RIGHT, json_reply(_FOUR)),
    Backend("five items", json_reply([_category(name) for name in _NAMES])),
    Backend("HTTP 500", json_reply(_FOUR, status=500)),
    Backend("[null,null,null,null]", json_reply([None] * 4)),
    Backend("a text of length 4", Reply(b"oops", 200, {"Content-Type": "text/plain"})),
    Backend('{"length": 4}', json_reply({"length": 4})),
    Backend(SILENT),
    Backend(DRIP, drips=True),
)


def _drip(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)
    body = json.dumps(_FOUR).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    connection.sendall(f"{head}\r\n".encode())
    for byte in body:
        connection.sendall(bytes([byte]))
        if over.wait(0.1):
            return


def hook(subject: str, target: str, timeout_s: float) -> Hook:
    """Return the hook of that name, pointed at ``target``."""
    theirs = {"TARGET": target, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if subject == OURS:
        files = {
            "suites/trivia.suite.yaml": _SUITE,
            "suites/contracts/categories.schema.json": _CONTRACT.read_text(encoding="utf-8"),
        }
        return Hook(GREENROOM, files, {"GREENROOM_TARGET": target}, timeout_s)
    return Hook("public_hook.handler", _PUBLIC[subject], theirs, timeout_s)


_PUBLIC = {
    THEIRS: {"public_hook.py": REFERENCE},
    "status 200 is enough": {"public_hook.py": STATUS_IS_ENOUGH},
    "in-process pytest": {"public_hook.py": IN_PROCESS, "suites/test_it.py": IN_PROCESS_SUITE},
}
SUBJECTS = (OURS, *_PUBLIC)


def judged(
    backend: Backend, subject: str, *, sandbox: bool, timeout_s: float = TIMEOUT_S
) -> Outcome:
    """Let the hook ``subject`` judge ``backend``."""
    with backend.running() as target:
        return observe(hook(subject, target, timeout_s), sandbox=sandbox)


def is_wrong(backend: Backend, outcome: Outcome) -> bool:
    """Tell whether the wrong status was reported; silence is told apart, as late."""
    return outcome.status not in {backend.status, None}
