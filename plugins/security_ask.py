"""Sends the requests of penetration probes: bounded in number, size and time, and recorded."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import httpx

from greenroom.plugins.allowed import origin_of
from greenroom.plugins.http import Limits, answer_of, below
from greenroom.plugins.http_failures import BodyTooLargeError, failure_of
from greenroom.plugins.redaction import is_sensitive
from greenroom.validators.errors import ServiceError
from greenroom.validators.security import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from greenroom.plugins.workplace import Site

MOST_BODY = 1024 * 1024
"""Bytes of an answer that are read."""
LOOKED_AT = 256 * 1024
"""Bytes of an answer that are kept while the probes run, and looked at."""
_ONE_S = 10.0
"""Seconds that one request may take."""
_KEPT = 512
"""Characters of each answer's body that the record keeps."""
_HOPS = 4
_OK = range(200, 300)
_ABSENT = frozenset({404, 405, 410})

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: ``headers`` are added to the check's own unless it is ``bare``.

    ``private`` answers may hold secrets that nobody has named: their bodies are not recorded.
    ``url`` takes the place of the path below the target.
    """

    path: str
    method: str = "GET"
    headers: Headers = ()
    content: bytes | None = None
    bare: bool = False
    private: bool = False
    url: str = ""


class Asker:
    """Asks one target, at most ``most`` times, until ``until``.

    ``token`` is random, and stands as ``RANDOM`` in everything that is told. ``asked`` keeps every
    exchange. Cookies that a server sets are not sent back: each request stands alone.
    ``exhausted`` says which bound was reached, empty where none was.
    """

    def __init__(self, site: Site, headers: Headers, most: int, until: float) -> None:
        self.token = secrets.token_hex(8)
        self.asked: list[Exchange] = []
        self.exhausted = ""
        self.redactor = site.redactor
        self.target = site.base
        self.until = until
        self._headers = headers
        self._most = most
        self._private = False
        recording = replace(site, record=self._recorder(site.record))
        self._client = recording.client(Limits(_ONE_S, MOST_BODY))
        self._answer: httpx.Response | None = None
        self._client.event_hooks = {"response": [self._keep]}

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def get(self, path: str, *headers: tuple[str, str]) -> Exchange:
        """Ask for ``path``."""
        return self(Ask(path, headers=headers))

    def __call__(self, ask: Ask) -> Exchange:
        """Ask; a connection that broke is tried once more, as an idle one may have been closed."""
        exchange = self._once(ask)
        if exchange.closed:
            exchange = self._once(ask)
        self.asked.append(exchange)
        return exchange

    def shown(self, text: str) -> str:
        """Return ``text`` without secrets, and the same in each run."""
        return self.redactor.url(text).replace(self.token, "RANDOM")

    def _once(self, ask: Ask) -> Exchange:
        shown = self.shown(ask.url or ask.path)
        left = min(self.until - time.monotonic(), _ONE_S)
        if left <= 0 or len(self.asked) >= self._most:
            why = "the check's time is over" if left <= 0 else f"over {self._most:,} requests"
            self.exhausted = f"requests were not sent: {why}"
            return Exchange(ask.method, shown, None, self.exhausted)
        self._client.cookies.clear()
        self._private, self._answer = ask.private, None
        try:
            self._client.request(
                ask.method,
                ask.url or below(self._client, ask.path),
                headers=list(self._sent(ask)),
                content=ask.content,
                timeout=left,
            )
        except (httpx.RequestError, httpx.InvalidURL) as error:
            # An answer whose Location httpx cannot read is an answer, and worth a look.
            if self._answer is None:
                return self._failed(ask, shown, error)
        assert self._answer is not None  # noqa: S101 - else the request had failed
        answer = answer_of(self._answer)
        return Exchange(ask.method, shown, replace(answer, body=answer.body[:LOOKED_AT]))

    def _keep(self, response: httpx.Response) -> None:
        response.read()
        self._answer = response

    def _sent(self, ask: Ask) -> Headers:
        own = {name.lower() for name, _ in ask.headers}
        base = self.harmless if ask.bare else self._headers
        return (*((name, value) for name, value in base if name.lower() not in own), *ask.headers)

    @property
    def harmless(self) -> Headers:
        """The check's headers that are no credentials."""
        return tuple(
            (name, value)
            for name, value in self._headers
            if not is_sensitive(name) and self.redactor.text(value) == value
        )

    def _failed(self, ask: Ask, shown: str, error: Exception) -> Exchange:
        failure = self.shown(failure_of(error).reason)
        return Exchange(
            ask.method,
            shown,
            None,
            failure,
            too_large=isinstance(error, BodyTooLargeError),
            closed=isinstance(error, httpx.RemoteProtocolError | httpx.ReadError)
            and not isinstance(error, BodyTooLargeError),
        )

    def _recorder(
        self, record: Callable[[dict[str, Any]], None]
    ) -> Callable[[dict[str, Any]], None]:
        def shortened(exchange: dict[str, Any]) -> None:
            if answer := exchange["response"]:
                body = "(not kept)" if self._private else answer["body"][:_KEPT]
                cut = answer["truncated"] or body != answer["body"]
                exchange |= {"response": answer | {"body": body, "truncated": cut}}
            record(exchange)

        return shortened


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the target answers when it is not attacked.

    ``pages`` were answered 2xx, and ``paths`` are what was asked for each; ``lost`` is a random
    path. ``notes`` name paths that gave no page.
    """

    pages: tuple[Exchange, ...]
    paths: tuple[str, ...]
    lost: Exchange
    notes: tuple[str, ...] = ()

    @property
    def catch_all(self) -> bool:
        """Whether a path that does not exist is answered like one that does."""
        return self.lost.status in _OK


def baseline(asker: Asker, paths: Iterable[str]) -> Baseline:
    """Ask for ``paths`` and for a random one; raises `ServiceError` where none answers 2xx."""
    asked = [pair for path in dict.fromkeys(paths) for pair in _followed(asker, path)]
    pages = {path: exchange for path, exchange in asked if exchange.status in _OK}
    seen = [exchange for _, exchange in asked]
    if not pages:
        said = "; ".join(one_line(exchange) for exchange in seen[:3])
        raise ServiceError(
            f"the target answers none of the paths with 2xx: {said}",
            hint="what does not answer was not examined: name `paths` that do, "
            "with the `headers` that they need",
        )
    notes = [f"{one_line(one)}: not examined" for one in seen if one.status not in range(200, 400)]
    lost = asker.get(f"/greenroom-{asker.token}")
    if lost.status in _OK:
        notes.append("a random path is answered 2xx: only what an answer holds counts here")
    elif lost.usable and lost.status not in _ABSENT:
        notes.append(
            f"a random path is answered {lost.status}: of paths that are answered alike "
            "(by a firewall, or before logging in) it is not known what is behind"
        )
    return Baseline(tuple(pages.values()), tuple(pages), lost, tuple(notes))


def _followed(asker: Asker, path: str) -> list[tuple[str, Exchange]]:
    """Ask for ``path``, and for where its answers redirect to below the target."""
    asked = [(path, asker.get(path))]
    for _ in range(_HOPS):
        location = asked[-1][1].header("location")
        if asked[-1][1].status not in range(300, 400) or not location:
            break
        base = asker.target
        url = urljoin(f"{base}{path}", location)
        prefix = urlsplit(base).path
        if origin_of(url) != origin_of(base) or not urlsplit(url).path.startswith(f"{prefix}/"):
            break
        parts = urlsplit(url)
        path = parts.path.removeprefix(prefix) + (f"?{parts.query}" if parts.query else "")
        asked.append((path, asker.get(path)))
    return asked


def one_line(exchange: Exchange) -> str:
    """Return the request and what came of it."""
    return f"{exchange.line}: {exchange.failure or f'answered {exchange.status}'}"


def with_query(path: str, query: str) -> str:
    """Return ``path`` with one more query."""
    return f"{path}{'&' if '?' in path else '?'}{query}"
