"""Probes of endpoints that must refuse: who has no credentials, and who asks too often."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from greenroom.plugins.security_ask import Ask, Headers
from greenroom.plugins.security_methods import NO_METHOD
from greenroom.validators.security import TOO_MANY, Tally
from greenroom.validators.security_probes import PROBES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.security_ask import Asker
    from greenroom.validators.security import Exchange, Probed

_OK = range(200, 300)
_REFUSALS = frozenset({401, 403, 407, *range(300, 400)})
_ABSENT = 404
_UNAVAILABLE = 503
_TOKEN_LIKE = re.compile(r"[0-9A-Za-z+/=_-]{16,}|\d+")
_SECRET_LEAST = 8
_CLIENTS = (
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Real-IP", "203.0.113.8"),
    ("True-Client-IP", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.10"),
)
"""Addresses of documentation (RFC 5737), as a client may claim them."""


@dataclass(frozen=True, slots=True)
class AuthOrder:
    """``paths`` that need credentials; ``headers`` are credentials that they accept.

    ``methods`` are tried without credentials beside HEAD and one that does not exist.
    """

    paths: tuple[str, ...]
    headers: Headers = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RateOrder:
    """How often to ask for what."""

    path: str
    requests: int
    method: str = "GET"


def probe_auth(asker: Asker, order: AuthOrder) -> Iterator[Probed]:
    """Ask for protected paths as one who may not."""
    none = Tally(PROBES["GR-S080"], whole=True)
    why = "no path of auth refuses requests without credentials"
    broken, methods, tricks = (Tally(PROBES[f"GR-S08{n}"], why=why) for n in (1, 2, 3))
    for path in order.paths:
        if not _refuses(asker, order, path, none):
            continue
        for headers in _broken(asker, order.headers):
            _judge(asker, broken, Ask(path, headers=headers), Ask(path, headers=headers))
        for method in dict.fromkeys(("HEAD", NO_METHOD, *order.methods)):
            _judge(asker, methods, Ask(path, method), Ask(_absent(asker), method))
        for trick, control in zip(_tricks(path), _tricks(_absent(asker)), strict=True):
            _judge(asker, tricks, trick, control)
    yield from (none.done(), broken.done(), methods.done(), tricks.done())


def _absent(asker: Asker) -> str:
    return f"/greenroom-{asker.token}"


def _refuses(asker: Asker, order: AuthOrder, path: str, tally: Tally) -> bool:
    """Ask with credentials, so that it is known that something is there, and then without."""
    if order.headers:
        control = asker(Ask(path, headers=order.headers, private=True))
        if control.status not in _OK:
            what = control.failure or f"answered {control.status}"
            tally.failed.append(f"{control.line}: {what} with the credentials of auth")
            return False
    seen = asker(Ask(path, bare=True, private=True))
    if seen.status in _OK:
        tally.examined += 1
        tally.hit(seen, f"answered {seen.status} without credentials")
        return False
    if not order.headers and _respelt(seen, path):
        tally.failed.append(
            f"{seen.unusable}, to another spelling of it: name that one, or headers"
        )
        return False
    refused = seen.status in _REFUSALS or (seen.status == _ABSENT and bool(order.headers))
    if refused:
        tally.examined += 1
    else:
        unknown = "; give auth its headers, so that it is known to exist" if seen.usable else ""
        tally.failed.append(f"{seen.unusable}, which is no refusal{unknown}")
    return refused


def _respelt(seen: Exchange, path: str) -> bool:
    """Tell whether an answer redirects to the path itself: a slash, a language or a host more."""
    if seen.status not in range(300, 400):
        return False
    own, there = (urlsplit(one).path.rstrip("/").lower() for one in (path, seen.header("location")))
    return bool(own) and there.endswith(own)


def _judge(asker: Asker, tally: Tally, trick: Ask, control: Ask) -> None:
    """Try ``trick``; what answers 2xx with what ``control`` gets as well served nothing."""
    seen = asker(replace(trick, bare=True, private=True))
    if not tally.saw(seen) or seen.status not in _OK:
        return
    if control != trick and not _served(asker, tally, _shape(seen, trick), control):
        return
    told = ", ".join(name for name, _ in trick.headers)
    tally.hit(seen, f"answered {seen.status}{f' with {told}' if told else ''}")


def _served(asker: Asker, tally: Tally, shape: str, control: Ask) -> bool:
    """Tell whether an answer of ``shape`` is another than ``control`` gets, who gets nothing."""
    first, second = (asker(replace(control, bare=True, private=True)) for _ in range(2))
    if first.status not in _OK:
        return True
    shapes = (_shape(first, control), _shape(second, control))
    if shape not in shapes and shapes[0] != shapes[1]:
        tally.failed.append(f"{first.line}: another answer each time: nothing can be told from it")
    return shape not in shapes and shapes[0] == shapes[1]


def _shape(seen: Exchange, ask: Ask) -> str:
    """Return the body without what differs each time: numbers, tokens, and the path itself."""
    text = seen.text
    for echo in (ask.path, *(value for _, value in ask.headers)):
        text = text.replace(echo, "*")
    return _TOKEN_LIKE.sub("*", text)


def _broken(asker: Asker, given: Headers) -> Iterator[Headers]:
    """Return credentials that nobody may accept."""
    for value in ("", "Bearer", "Bearer null", "Bearer undefined", "Basic Og==", "Basic YWRtaW46"):
        yield (("Authorization", value),)
    yield (("Authorization", f"Bearer {_unsigned({'sub': 'admin', 'exp': 4102444800})}"),)
    for at, (name, value) in enumerate(given):
        for changed in (_changed(value), _without_signature(value)):
            if changed and changed != value:
                # Of something short, the whole output would be redacted.
                if len(changed) >= _SECRET_LEAST:
                    asker.redactor.add(changed)
                yield (*given[:at], (name, changed), *given[at + 1 :])


def _changed(value: str) -> str:
    """Change a character near the end: the last one may hold bits that mean nothing."""
    at = max(len(value) - 6, 0)
    other = "A" if value[at : at + 1] != "A" else "B"
    return f"{value[:at]}{other}{value[at + 1 :]}"


def _without_signature(value: str) -> str:
    """Return a JWT with the same claims and no signature, empty where ``value`` holds none."""
    scheme, _, token = value.rpartition(" ")
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return ""
    return f"{scheme} {_encoded({'alg': 'none', 'typ': 'JWT'})}.{parts[1]}.".strip()


def _unsigned(claims: dict[str, object]) -> str:
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{_encoded(claims)}."


def _encoded(value: dict[str, object]) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _tricks(path: str) -> tuple[Ask, ...]:
    """Return other ways of writing ``path``, and of naming it in a header."""
    plain, mark, query = path.partition("?")
    bare = plain.rstrip("/")
    letter = f"/%{ord(bare[1:2] or 'x'):02x}{bare[2:]}"
    written = (
        *(f"{bare}/" if plain == bare else bare, f"/{plain}", f"/%2e{plain}", f"{bare}/%2e"),
        *(f"/x/%2e%2e{plain}", f"{bare};x", f"{bare}/..;/", f"{bare}%2f", f"{bare}%20"),
        *(f"{bare}.json", plain.upper(), letter),
    )
    headers = ("X-Original-URL", "X-Rewrite-URL")
    return (
        *(Ask(f"{one}{mark}{query}") for one in written),
        *(Ask("/", headers=((name, path),)) for name in headers),
    )


def probe_rate_limit(asker: Asker, order: RateOrder) -> Iterator[Probed]:
    """Ask until the limit is reached; then, whether another name of the client evades it."""
    present = Tally(PROBES["GR-S090"], whole=True)
    evaded = Tally(PROBES["GR-S091"], why="no limit was reached")
    ask = Ask(order.path, order.method)
    if _reached(asker, ask, order.requests, present):
        _evade(asker, ask, evaded)
    yield from (present.done(), evaded.done())


def _reached(asker: Asker, ask: Ask, requests: int, tally: Tally) -> bool:
    """Ask until an answer is refused as one too many; tell whether one was."""
    seen = asker(ask)
    for _ in range(requests - 1):
        if _limited(seen) or not _is_there(seen, tally):
            break
        seen = asker(ask)
    if _limited(seen):
        tally.examined += 1
    elif _is_there(seen, tally):
        tally.hit(seen, f"{requests:,} requests, and none was refused")
    return _limited(seen)


def _is_there(seen: Exchange, tally: Tally) -> bool:
    there = seen.usable and seen.status != _ABSENT
    if there:
        tally.examined += 1
    else:
        tally.failed = [f"{seen.unusable}: there is nothing to limit"]
    return there


def _evade(asker: Asker, ask: Ask, tally: Tally) -> None:
    for header in _CLIENTS:
        seen = asker(replace(ask, headers=(header,)))
        if _limited(seen):
            tally.examined += 1
        elif tally.saw(seen) and _limited(asker(ask)):
            tally.hit(seen, f"{header[0]}: {header[1]} is not limited")


def _limited(seen: Exchange) -> bool:
    later = seen.status == _UNAVAILABLE and bool(seen.header("retry-after"))
    return seen.status == TOO_MANY or later
