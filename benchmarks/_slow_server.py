"""A lean HTTP/1.1 server whose answers take a given time: ``python -m benchmarks._slow_server MS``.

It prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading

BODY = json.dumps(
    {
        "id": 7,
        "name": "the green room",
        "tags": ["a", "b", "c"],
        "items": [{"id": n, "name": f"item {n}", "price": n * 1.5} for n in range(40)],
    }
).encode()
"""About 2 KB, as an answer of an API."""
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Revision: v2\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


class _Answers(asyncio.Protocol):
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while b"\r\n\r\n" in self._seen:
            self._seen = self._seen.partition(b"\r\n\r\n")[2]
            if self._seconds:
                asyncio.get_running_loop().call_later(self._seconds, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_HEAD + BODY)


async def _serve(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Answers(seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()

    def until_closed() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=until_closed, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000))
