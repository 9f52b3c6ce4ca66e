"""One HTTP exchange: an answer read in full within its limits, and both messages as recorded."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from greenroom.plugins.http_failures import BodyTooLargeError
from greenroom.plugins.network import close_after

if TYPE_CHECKING:
    import httpcore

    from greenroom.plugins.http_sending import SigV4
    from greenroom.plugins.redaction import Redactor

RECORDED = 8 * 1024
"""Characters of a body that a record keeps."""
CODINGS = frozenset({"gzip", "deflate"})
"""What is asked for: zlib reads both, and stops where it is told to."""
_KNOWN_CODINGS = CODINGS | {"br", "zstd"}
"""What httpx decodes where it can; anything else it leaves as it came."""
_DECODED_STEP = 1024
_GZIP = 31
"""zlib's word for the largest window with the head of gzip."""
_UNPACKED_MOST = 1024 * 1024
_KEPT = ("http_version",)
"""What is kept of what the connection tells beside an answer."""
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)


class Way(Protocol):
    """How a request got where it went.

    ``address`` is where connections lead whatever the host's name, or empty.
    """

    address: str

    def shown(self, url: httpx.URL) -> str:
        """Return ``url`` as people know it."""
        ...


class Sender(Way, Protocol):
    """A way to a target: the network, or the invocation of a function.

    ``base`` is the URL that paths of the target are joined to.
    """

    base: str

    def send(self, request: httpx.Request) -> httpcore.Response:
        """Send ``request`` within the present deadline (`greenroom.plugins.network.within`)."""
        ...

    def sign(self, request: httpx.Request, how: SigV4, redactor: Redactor) -> None:
        """Sign ``request`` within the present deadline."""
        ...


class Reading:
    """One response as far as it was read, so that a broken one can be recorded as well."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._head: httpcore.Response | None = None
        self._raw = bytearray()
        self._body: bytes | None = None

    def run(self, sender: Sender, request: httpx.Request) -> httpx.Response:
        """Send ``request`` and read the whole answer."""
        head = self._head = sender.send(request)
        try:
            for chunk in head.iter_stream():
                self._raw += chunk
                self._hold(len(self._raw), request)
            close_after(head)
        finally:
            head.close()
        answer = self._response(request)
        self._body = self._decoded(answer, request)
        return answer

    def to_json(self, redactor: Redactor) -> dict[str, Any] | None:
        """Return the record's form, or None if no answer began."""
        if self._head is None:
            return None
        whole = self._body is not None
        body = bytes(self._raw) if self._body is None else self._body
        answer = httpx.Response(self._head.status, headers=self._head.headers)
        return response_json(answer, body, redactor, whole=whole)

    def _response(self, request: httpx.Request) -> httpx.Response:
        assert self._head is not None  # noqa: S101 - called after the head was read
        return httpx.Response(
            self._head.status,
            headers=self._head.headers,
            stream=httpx.ByteStream(bytes(self._raw)),
            request=request,
            extensions={
                name: self._head.extensions[name] for name in _KEPT if name in self._head.extensions
            },
        )

    def _decoded(self, answer: httpx.Response, request: httpx.Request) -> bytes:
        """Return the body decompressed, at most as far as the limit allows."""
        named = answer.headers.get_list("content-encoding", split_commas=True)
        codings = [name for one in named if (name := one.strip().lower()) in _KNOWN_CODINGS]
        if not codings or not self._raw:
            return bytes(self._raw)
        # Each further coding would multiply what a step can grow to, and no server needs one.
        if len(codings) > 1 or codings[0] not in CODINGS:
            raise httpx.DecodingError(
                f"compressed as {', '.join(codings)}: one of gzip or deflate is read",
                request=request,
            )
        try:
            return self._inflated(codings[0], request)
        except zlib.error as error:
            raise httpx.DecodingError(str(error), request=request) from error

    def _inflated(self, coding: str, request: httpx.Request) -> bytes:
        """Return the body of one stream; raises `zlib.error` for what is none, or not its whole.

        What stands behind the stream is no part of the body.
        """
        window = _GZIP if coding == "gzip" else zlib.MAX_WBITS
        if coding == "deflate" and not _has_zlib_head(self._raw):
            window = -zlib.MAX_WBITS
        unpacking = zlib.decompressobj(window)
        body = unpacking.decompress(bytes(self._raw), self._max_body + 1)
        self._hold(len(body), request)
        if not unpacking.eof:
            raise zlib.error("the compressed data ends before its end")
        return body

    def _hold(self, size: int, request: httpx.Request) -> None:
        if size > self._max_body:
            raise BodyTooLargeError(
                f"the body is larger than {self._max_body:,} bytes", request=request
            )


class Steps(httpx.SyncByteStream):
    """Bytes in small steps, so that a compression bomb is noticed before it has grown."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Any:  # noqa: ANN401 - httpx names no type here
        for start in range(0, len(self._data), _DECODED_STEP):
            yield self._data[start : start + _DECODED_STEP]


def _has_zlib_head(data: bytes | bytearray) -> bool:
    """Tell ``deflate`` as RFC 9110 means it from the bare stream that some servers send."""
    return len(data) > 1 and data[0] & 15 == zlib.DEFLATED and (data[0] << 8 | data[1]) % 31 == 0


def response_json(
    answer: httpx.Response, body: bytes, redactor: Redactor, *, whole: bool
) -> dict[str, Any]:
    """Return the record's form of an answer whose ``body``, ``whole`` or not, was decoded."""
    text = _text(body, answer.headers)
    return {
        "status": answer.status_code,
        "headers": redactor.headers(answer.headers.multi_items()),
        "body": redactor.shown(redactor.excerpt(text, RECORDED, whole=whole)),
        "body_bytes": len(body),
        "truncated": not whole or len(text) > RECORDED,
    }


def request_json(request: httpx.Request, way: Way, redactor: Redactor) -> dict[str, Any]:
    """Return the record's form of a request."""
    try:
        body = redactor.excerpt(_text(_unpacked(request), request.headers), RECORDED)
        # A form is what a query is.
        body = redactor.shown(f"?{body}")[1:]
    except httpx.RequestNotRead:
        body = "(a stream)"
    return {
        "method": request.method,
        "url": redactor.url(way.shown(request.url)),
        "headers": redactor.headers(request.headers.multi_items()),
        "body": body or None,
        "address": way.address,
    }


def _unpacked(request: httpx.Request) -> bytes:
    """Return the body that is sent, decompressed as far as a record could hold it."""
    if request.headers.get("content-encoding") != "gzip":
        return request.content
    try:
        unpacked = zlib.decompressobj(_GZIP).decompress(request.content, _UNPACKED_MOST)
    except zlib.error:
        return request.content
    return unpacked or request.content


def _text(body: bytes, headers: httpx.Headers) -> str:
    """Read a body as text in the encoding it names, else UTF-8; what cannot be read is marked."""
    named = _CHARSET.search(headers.get("content-type", ""))
    try:
        return body.decode(named[1] if named else "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
