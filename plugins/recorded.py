"""Records what a test's own httpx client asks, by the client's event hooks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from greenroom.plugins.http_exchange import RECORDED, Steps, request_json, response_json
from greenroom.plugins.running import scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from greenroom.plugins.redaction import Redactor

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)

_EXCHANGE = "greenroom.recorded"
_KEPT = 8 * RECORDED
"""Bytes of a body, as it came, that are kept to show its beginning."""


def recorded(client: Client) -> Client:
    """Record each exchange of ``client`` with the test that runs at that time; return the client.

    Nothing else of the client changes: its time-outs, redirects and proxies are its own. Each
    answer is recorded as far as it was read; an answer that did not come is recorded as such.
    """
    hooks: dict[str, list[Callable[..., Any]]] = client.event_hooks
    if isinstance(client, httpx.AsyncClient):
        ask, answer = _ask_async, _answer_async
    else:
        ask, answer = _ask, _answer
    client.event_hooks = {
        "request": [*hooks["request"], ask],
        "response": [answer, *hooks["response"]],
    }
    return client


def _ask(request: httpx.Request) -> None:
    where = scene()
    exchange = _Exchange(request, where.redactor)
    request.extensions[_EXCHANGE] = exchange
    where.recording.own.append(exchange.record)


def _answer(response: httpx.Response) -> None:
    exchange = response.request.extensions.get(_EXCHANGE)
    if isinstance(exchange, _Exchange) and isinstance(response.stream, httpx.SyncByteStream):
        exchange.answered(response)
        response.stream = _Heard(response.stream, exchange)


async def _ask_async(request: httpx.Request) -> None:
    _ask(request)


async def _answer_async(response: httpx.Response) -> None:
    exchange = response.request.extensions.get(_EXCHANGE)
    if isinstance(exchange, _Exchange) and isinstance(response.stream, httpx.AsyncByteStream):
        exchange.answered(response)
        response.stream = _HeardAsync(response.stream, exchange)


class _Exchange:
    """One request and what came of it; ``record`` is the record's form, filled in as it comes."""

    def __init__(self, request: httpx.Request, redactor: Redactor) -> None:
        self._redactor = redactor
        self._begun = time.monotonic()
        self._raw = bytearray()
        self._whole = True
        self._response: httpx.Response | None = None
        self.record: dict[str, Any] = {
            "request": request_json(request, _Direct(), redactor),
            "response": None,
            "error": "no answer came",
            "elapsed_ms": 0.0,
            "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }

    def answered(self, response: httpx.Response) -> None:
        """Note that an answer begins."""
        self._response = httpx.Response(response.status_code, headers=response.headers)
        self.record["error"] = None
        self._note(whole=False)

    def heard(self, chunk: bytes) -> None:
        """Note a piece of the body as it comes over the wire."""
        fits = chunk[: _KEPT - len(self._raw)]
        self._raw += fits
        self._whole = self._whole and len(fits) == len(chunk)

    def ended(self, *, whole: bool) -> None:
        """Note that nothing more will be read; ``whole``: nothing more would have come."""
        self._note(whole=whole and self._whole)

    def _note(self, *, whole: bool) -> None:
        assert self._response is not None  # noqa: S101 - it has begun
        body, decoded = _decoded(self._response.headers, bytes(self._raw))
        shown = response_json(self._response, body, self._redactor, whole=whole and decoded)
        self.record["response"] = shown
        self.record["elapsed_ms"] = round((time.monotonic() - self._begun) * 1000, 3)


class _Heard(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, exchange: _Exchange) -> None:
        self._stream = stream
        self._exchange = exchange
        self._whole = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            self._exchange.heard(chunk)
            yield chunk
        self._whole = True

    def close(self) -> None:
        self._stream.close()
        self._exchange.ended(whole=self._whole)


class _HeardAsync(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, exchange: _Exchange) -> None:
        self._stream = stream
        self._exchange = exchange
        self._whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._exchange.heard(chunk)
            yield chunk
        self._whole = True

    async def aclose(self) -> None:
        await self._stream.aclose()
        self._exchange.ended(whole=self._whole)


class _Direct:
    """The way of a client that is not ours."""

    address = ""

    def shown(self, url: httpx.URL) -> str:
        return str(url)


def _decoded(headers: httpx.Headers, raw: bytes) -> tuple[bytes, bool]:
    """Return the beginning of a body decompressed, and whether it could be."""
    answer = httpx.Response(200, headers=headers, stream=Steps(raw))
    body = bytearray()
    try:
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > _KEPT:
                return bytes(body), False
    except httpx.DecodingError:
        return bytes(body), False
    return bytes(body), True
