"""Probes of what a browser would be led into, and of what is served by mistake."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from greenroom.plugins.security_ask import Ask, with_query
from greenroom.validators.result import Severity
from greenroom.validators.security import Tally
from greenroom.validators.security_probes import PROBES
from greenroom.validators.security_signatures import FILES, LISTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.security_ask import Asker, Baseline
    from greenroom.validators.security import Exchange, Probed

OUTSIDE = "greenroom.invalid"
"""A host that cannot exist (RFC 2606): nobody is ever sent there."""
PARAMETERS = (
    *("next", "url", "redirect", "redirect_url", "redirect_uri", "return", "return_to", "returnTo"),
    *("returnUrl", "ReturnUrl", "continue", "dest", "destination", "goto", "target", "to", "u"),
    *("forward", "callback", "rurl"),
)
_FORMS = ("https://{host}/", "//{host}/", "/\\{host}/", "https:{host}/")
_FOLDERS = ("/static/", "/assets/", "/uploads/", "/files/", "/images/", "/backup/")
_META = re.compile(
    r"<meta[^>]{0,100}http-equiv=[\"']?refresh[^>]{0,100}url=[\"']?([^\"'>\s]+)", re.IGNORECASE
)
_REFRESH = re.compile(r"url\s*=\s*[\"']?([^\"';\s]+)", re.IGNORECASE)
_FORWARDED = (
    ("X-Forwarded-Host", OUTSIDE),
    ("X-Host", OUTSIDE),
    ("Forwarded", f"host={OUTSIDE}"),
)
_KEPT = re.compile(r"\bpublic\b|\bs?-?max-?age=[1-9]", re.IGNORECASE)
_RANGE = ("Range", "bytes=0-65535")
_OK = range(200, 300)


def probe_cors(asker: Asker, base: Baseline) -> Iterator[Probed]:
    """Ask for each page as a script of another origin would."""
    any_origin, null, wildcard = (Tally(PROBES[f"GR-S02{n}"]) for n in range(3))
    host = urlsplit(asker.target).hostname or ""
    told: set[str] = set()
    for path in base.paths:
        for origin in (f"https://{OUTSIDE}", f"https://{host}.{OUTSIDE}", f"https://not{host}"):
            seen = asker.get(path, ("Origin", origin))
            trusted = any_origin.saw(seen) and _allowed(seen) == origin
            if trusted and path not in told:
                told.add(path)
                any_origin.hit(seen, _cors_text(seen), _cors_severity(seen))
            if wildcard.saw(seen) and _allowed(seen) == "*" and _with_credentials(seen):
                wildcard.hit(seen, _cors_text(seen))
        seen = asker.get(path, ("Origin", "null"))
        if null.saw(seen) and _allowed(seen) == "null":
            null.hit(seen, _cors_text(seen), _cors_severity(seen))
    yield from (any_origin.done(), null.done(), wildcard.done())


def _allowed(seen: Exchange) -> str:
    return seen.header("access-control-allow-origin")


def _with_credentials(seen: Exchange) -> bool:
    return seen.header("access-control-allow-credentials").lower() == "true"


def _cors_text(seen: Exchange) -> str:
    credentials = ", with credentials" if _with_credentials(seen) else ""
    return f"Access-Control-Allow-Origin: {_allowed(seen)}{credentials}"


def _cors_severity(seen: Exchange) -> Severity:
    return Severity.HIGH if _with_credentials(seen) else Severity.MEDIUM


def probe_redirects(asker: Asker, base: Baseline) -> Iterator[Probed]:
    """Name a host outside in every usual parameter, each by a name of its own."""
    tally = Tally(PROBES["GR-S060"])
    paths = [with_query(path, _outside(form)) for path in base.paths for form in _FORMS]
    for path in (*paths, f"//{OUTSIDE}/%2e%2e"):
        seen = asker.get(path)
        if not tally.saw(seen):
            continue
        for place in _leads_to(seen):
            host = _host_of(place)
            if host.endswith(f".{OUTSIDE}"):
                tally.hit(seen, f"the parameter {host.partition('.')[0]} leads to {place}")
            elif host == OUTSIDE:
                tally.hit(seen, f"the path leads to {place}")
    # The parameters are 20, and the one that matters is named; one form of it is enough.
    found = {
        (hit.path.partition("?")[0], hit.seen.partition(" leads to ")[0]): hit
        for hit in reversed(tally.hits)
    }
    tally.hits = [
        replace(hit, line=f"GET {path}", path=path) for (path, _), hit in reversed(found.items())
    ]
    yield tally.done()


def _outside(form: str) -> str:
    return "&".join(f"{name}={form.format(host=f'{name}.{OUTSIDE}')}" for name in PARAMETERS)


def _leads_to(seen: Exchange) -> Iterator[str]:
    """Return where a browser would go on to."""
    if seen.status in range(300, 400) and seen.header("location"):
        yield seen.header("location")
    if found := _REFRESH.search(seen.header("refresh")):
        yield found[1]
    if seen.html and (found := _META.search(seen.text)):
        yield found[1]


def _host_of(place: str) -> str:
    """Return the host that a browser would take from ``place``: to it a backslash is a slash."""
    straight = re.sub(r"^(https?:)?[/\\]*(?=[^/\\])", r"//", place.replace("\t", ""), count=1)
    absolute = re.match(r"(?i)https?:|[/\\]{2}", place)
    return (urlsplit(straight).hostname or "") if absolute else ""


def probe_host(asker: Asker, base: Baseline) -> Iterator[Probed]:
    """Ask for the first page under the name of another host."""
    tally = Tally(PROBES["GR-S061"])
    # A parameter of its own keeps what a cache might store away from everybody else.
    path = with_query(base.paths[0], f"greenroom={asker.token}")
    for name, value in (("Host", OUTSIDE), *_FORWARDED):
        seen = asker.get(path, (name, value))
        if tally.saw(seen) and (where := _believed(seen)):
            kept = _KEPT.search(seen.header("cache-control")) and name != "Host"
            kept = kept and name.lower() not in seen.header("vary").lower()
            cached = ", and caches may keep it" if kept else ""
            severity = Severity.HIGH if kept else None
            tally.hit(seen, f"{name}: {value} is in {where}{cached}", severity)
    yield tally.done()


def _believed(seen: Exchange) -> str:
    if OUTSIDE in seen.header("location"):
        return "Location"
    if OUTSIDE in seen.header("set-cookie"):
        return "Set-Cookie"
    return "the page" if OUTSIDE in seen.text else ""


def probe_listing(asker: Asker, base: Baseline) -> Iterator[Probed]:
    """Ask for folders: those of the pages, and usual ones."""
    tally = Tally(PROBES["GR-S062"])
    plain = [path.partition("?")[0] for path in base.paths]
    own = [path[: path.rfind("/") + 1] for path in plain]
    for path in dict.fromkeys((*own, *_FOLDERS)):
        seen = asker.get(path)
        if tally.saw(seen) and (found := LISTINGS.search(seen.text)):
            tally.hit(seen, found[0])
    yield tally.done()


def probe_files(asker: Asker, base: Baseline) -> Iterator[Probed]:
    """Ask for files that nobody should get; a file is known by what it holds.

    What the answer to a random path holds as well tells nothing. Contents are not recorded.
    """
    tallies = {file.probe: Tally(PROBES[file.probe]) for file in FILES}
    for file in FILES:
        tally = tallies[file.probe]
        headers = (_RANGE,) if file.archive else ()
        seen = asker(Ask(file.path, headers=headers, private=True))
        if base.catch_all and file.content.search(base.lost.text):
            tally.failed.append(f"{seen.line}: a random path is answered with what is looked for")
            continue
        if seen.too_large and base.lost.usable and not base.catch_all:
            tally.examined += 1
            tally.hit(seen, "an answer larger than is read", file.severity)
        elif tally.saw(seen) and seen.status in _OK and file.content.search(seen.text):
            size = len(seen.answer.body) if seen.answer else 0
            tally.hit(seen, f"{size:,} bytes that look like {file.path}", file.severity)
    yield from (tally.done() for tally in tallies.values())
