"""A steady background load through the production listener, and the count of its answers.

Open loop: a request starts at each due time, whether or not the earlier ones were answered, so
that a slow revision cannot hide by slowing the load down. Every request has its own connection: no
keep-alive connection that closes at the wrong moment can be taken for a failed request.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from greenroom.rehearsal.envoy import REVISION_HEADER
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

_REMEMBERED = 20_000
_IN_FLIGHT = 1000
_START_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One production request's end: ``at`` is monotonic seconds.

    ``status`` is 0 and ``revision`` empty where there was no answer at all.
    """

    at: float
    status: int
    revision: str

    @property
    def failed(self) -> bool:
        """Anything but a 2xx or 3xx answer is a failure: the load asks for what exists."""
        return not 200 <= self.status < 400  # noqa: PLR2004 - HTTP's own classes


@dataclass(frozen=True, slots=True)
class Requests:
    """How many production requests were sent and what became of them."""

    total: int = 0
    failed: int = 0
    original: int = 0
    replacement: int = 0
    replacement_before_gate: int = 0

    def to_json(self) -> dict[str, int]:
        """Return the timeline's form of these counts."""
        return {
            "total": self.total,
            "failed": self.failed,
            "original": self.original,
            "replacement": self.replacement,
            "replacement_before_gate": self.replacement_before_gate,
        }


class Tally:
    """Counts answers by who gave them, and remembers the last ones; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: deque[Answer] = deque(maxlen=_REMEMBERED)
        self._counts = Requests()
        self._gate_open = False

    def add(self, answer: Answer) -> None:
        """Count one answer."""
        with self._lock:
            self._answers.append(answer)
            now, green = self._counts, answer.revision == "replacement"
            self._counts = Requests(
                total=now.total + 1,
                failed=now.failed + answer.failed,
                original=now.original + (answer.revision == "original"),
                replacement=now.replacement + green,
                replacement_before_gate=now.replacement_before_gate
                + (green and not self._gate_open),
            )

    def open_gate(self) -> None:
        """Note that production traffic may reach the replacement from now on."""
        with self._lock:
            self._gate_open = True

    @property
    def counts(self) -> Requests:
        """What was counted so far."""
        with self._lock:
            return self._counts

    def since(self, moment: float) -> list[Answer]:
        """Return the remembered answers that came at or after ``moment`` (monotonic seconds)."""
        with self._lock:
            return [answer for answer in self._answers if answer.at >= moment]


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """``rate`` requests a second, to ``paths`` in turn, each given up after ``timeout_s``."""

    paths: tuple[str, ...]
    rate: float = 50.0
    timeout_s: float = 10.0


class Load:
    """Sends a plan's requests to ``url`` from a thread of its own until it is closed."""

    def __init__(self, url: str, plan: LoadPlan, tally: Tally) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._plan = plan
        self._tally = tally
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="greenroom-load", daemon=True)

    def start(self) -> Self:
        """Begin; return once the first request has succeeded. Raises `ToolError` if it does not."""
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._tally.counts.total and time.monotonic() < deadline:
            time.sleep(0.01)
        counts = self._tally.counts
        if not counts.total or counts.failed:
            self.close()
            seen = "failed" if counts.failed else f"was not answered within {_START_S:g} s"
            raise ToolError(
                f"the first production request, GET {self._plan.paths[0]}, {seen}",
                hint="the paths of [load] must succeed on the original revision; see its log",
            )
        return self

    def close(self) -> None:
        """Send no more, and wait for the answers that are due (bounded by the plan's time-out)."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(self._plan.timeout_s + 1)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        asyncio.run(self._send_all())

    async def _send_all(self) -> None:
        flying: set[asyncio.Task[None]] = set()
        paths = itertools.cycle(self._plan.paths)
        due = time.monotonic()
        while not self._stop.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += 1 / self._plan.rate
            if len(flying) >= _IN_FLIGHT:
                self._tally.add(Answer(time.monotonic(), 0, ""))
                continue
            task = asyncio.create_task(self._send(next(paths)))
            flying.add(task)
            task.add_done_callback(flying.discard)
        await asyncio.gather(*flying)

    async def _send(self, path: str) -> None:
        status, revision = 0, ""
        # Whatever is raised, there was no whole answer: counted as failed below.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(self._plan.timeout_s):
                status, revision = await self._exchange(path)
        self._tally.add(Answer(time.monotonic(), status, revision))

    async def _exchange(self, path: str) -> tuple[int, str]:
        """Return status and answering revision of one whole answer."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            request = f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nConnection: close\r\n\r\n"
            writer.write(request.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.split("\r\n")
            headers = _headers(lines[1:])
            await _read_body(reader, headers)
            return _status(lines[0]), headers.get(REVISION_HEADER, "")
        finally:
            writer.close()


def _status(line: str) -> int:
    """Return the status of a response's first line; raises ValueError if it is none."""
    protocol, _, rest = line.partition(" ")
    if not protocol.startswith("HTTP/1."):
        raise ValueError(line)
    return int(rest[:3])


def _headers(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    """Read to the body's end; raises IncompleteReadError if it is cut short."""
    if "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
        return
    rest = await reader.read()
    if headers.get("transfer-encoding", "").lower() == "chunked" and not rest.endswith(
        b"0\r\n\r\n"
    ):
        raise asyncio.IncompleteReadError(rest, None)
