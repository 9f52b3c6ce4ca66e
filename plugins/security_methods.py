"""Probes of methods that should not be there, and requests that make errors show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.security_ask import Ask, with_query
from greenroom.validators.result import Severity
from greenroom.validators.security import Tally
from greenroom.validators.security_probes import PROBES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.security_ask import Asker, Baseline
    from greenroom.validators.security import Exchange, Probed

NO_METHOD = "GREENROOM"
"""A method that does not exist."""
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
_JSON = ("Content-Type", "application/json")
_BODIES = (b'{"greenroom": [1, ', b"{}", b'[null, {"greenroom": 1e999}]', b'"\xff"')
"""JSON that is broken, that lacks what is needed, that is of another type, that is not UTF-8."""
_OK = range(200, 300)
_NO_SUCH_METHOD = frozenset({405, 501})


def probe_methods(asker: Asker, base: Baseline) -> Iterator[Probed]:
    """Try methods; those that change anything go to paths that do not exist alone."""
    yield _trace(asker, base)
    yield _put(asker, base)
    yield _delete(asker, base)
    yield _connect(asker, base)
    yield _override(asker, base)


def _refused(asker: Asker, base: Baseline, tally: Tally, seen: Exchange) -> bool:
    """Count an answer, or a connection that the server ended while it still serves others.

    An error of the server (501: not implemented) is a refusal as well. Tell whether to look on.
    """
    ended = seen.closed and asker.get(base.paths[0]).status in _OK
    if ended or seen.status >= 500:  # noqa: PLR2004 - HTTP's server errors
        tally.examined += 1
        return True
    return not tally.saw(seen)


def _trace(asker: Asker, base: Baseline) -> Probed:
    tally = Tally(PROBES["GR-S040"])
    seen = asker(Ask(base.paths[0], "TRACE", (("X-Greenroom", asker.token),)))
    if not _refused(asker, base, tally, seen) and asker.token in seen.text:
        tally.hit(seen, "the answer repeats the request")
    return tally.done()


def _put(asker: Asker, base: Baseline) -> Probed:
    tally = Tally(PROBES["GR-S041"], why="every path is answered alike: PUT cannot be told from it")
    path, text = f"/greenroom-{asker.token}-put.txt", f"greenroom {asker.token}"
    put = asker(Ask(path, "PUT", (("Content-Type", "text/plain"),), text.encode()))
    if _refused(asker, base, tally, put):
        return tally.done()
    if put.status not in _OK:
        return tally.done()
    got = asker.get(path)
    asker(Ask(path, "DELETE"))
    if text in got.text and text not in base.lost.text:
        tally.hit(put, f"answered {put.status}, and GET returns what was written")
    elif put.status == 201:  # noqa: PLR2004 - HTTP's Created
        tally.hit(put, "answered 201", Severity.MEDIUM)
    elif base.catch_all or not base.lost.usable:
        tally.examined = 0
    elif asker(Ask(path, "POST")).status not in _OK:
        tally.hit(put, f"answered {put.status}", Severity.MEDIUM)
    return tally.done()


def _delete(asker: Asker, base: Baseline) -> Probed:
    why = "every path is answered alike: DELETE cannot be told from it"
    tally = Tally(PROBES["GR-S042"], why=why)
    seen = asker(Ask(f"/greenroom-{asker.token}-delete", "DELETE"))
    if _refused(asker, base, tally, seen) or seen.status not in _OK:
        return tally.done()
    if base.catch_all or not base.lost.usable:
        tally.examined = 0
    else:
        tally.hit(seen, f"answered {seen.status}")
    return tally.done()


def _connect(asker: Asker, base: Baseline) -> Probed:
    why = "any method is answered alike: CONNECT cannot be told from it"
    tally = Tally(PROBES["GR-S043"], why=why)
    seen = asker(Ask("/", "CONNECT"))
    if _refused(asker, base, tally, seen) or seen.status not in _OK:
        return tally.done()
    if asker(Ask("/", NO_METHOD)).status in _OK:
        tally.examined = 0
    else:
        tally.hit(seen, f"answered {seen.status}")
    return tally.done()


def _override(asker: Asker, base: Baseline) -> Probed:
    tally = Tally(PROBES["GR-S044"])
    for name in OVERRIDES:
        seen = asker.get(base.paths[0], (name, NO_METHOD))
        if seen.status in _NO_SUCH_METHOD:
            tally.examined += 1
            tally.hit(seen, f"{name}: {NO_METHOD} is answered {seen.status}")
        else:
            tally.saw(seen)
    path = f"/greenroom-{asker.token}-override"
    post, delete = asker(Ask(path, "POST")), asker(Ask(path, "DELETE"))
    # Where both are answered alike, an override cannot be seen.
    if post.usable and delete.usable and post.status != delete.status:
        for name in OVERRIDES:
            seen = asker(Ask(path, "POST", ((name, "DELETE"),)))
            if tally.saw(seen) and seen.status == delete.status:
                tally.hit(seen, f"{name}: DELETE is answered {seen.status}, as DELETE is")
    return tally.done()


def provoke(asker: Asker, base: Baseline) -> None:
    """Send what services stumble over; what comes back is judged with every other answer."""
    for path in base.paths:
        for body in _BODIES:
            asker(Ask(path, "POST", (_JSON,), body))
        asker(Ask(path, "POST", (("Content-Type", "greenroom/none"),), b"\x00\xff"))
        asker(Ask(path, NO_METHOD))
        asker.get(with_query(path, "id=%27%22%3C&id[]=1&page=-1&limit=x&%ff=%00"))
        asker.get(path, ("Accept", "greenroom/none"), ("Cookie", "session=%00%ff"))
    asker.get(f"/greenroom-{asker.token}/%ff%00%27")
    asker.get(f"/greenroom-{asker.token}.php")
    asker.get(f"/greenroom-{asker.token}.aspx")
