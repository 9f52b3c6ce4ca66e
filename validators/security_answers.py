"""What answers give away without being attacked: their headers, cookies and bodies. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.json_values import printable
from greenroom.validators.result import Severity
from greenroom.validators.security import Tally
from greenroom.validators.security_probes import PROBES
from greenroom.validators.security_signatures import (
    DATABASE_ERRORS,
    DEBUG_PAGES,
    MILD_PAGES,
    TRACES,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from greenroom.validators.security import Exchange, Probed

_HALF_A_YEAR = 180 * 24 * 3600
_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)
_META_POLICY = re.compile(
    r"<meta[^>]{1,200}http-equiv=[\"']?content-security-policy", re.IGNORECASE
)
_OPEN_SOURCES = frozenset({"*", "http:", "https:", "data:"})
_BANNERS = ("x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator")
_SHOWN = 120


def judge_headers(pages: Iterable[Exchange], *, secure: bool) -> Iterator[Probed]:
    """Judge the headers of pages that were answered; ``secure``: over https."""
    given = tuple(pages)
    html = tuple(page for page in given if page.html)
    bodies = tuple(page for page in given if page.answer is not None and page.answer.body)
    policies = tuple(page for page in html if page.header("content-security-policy"))
    yield _each("GR-S001", given if secure else (), _hsts, "the target is plain http")
    yield _each("GR-S002", html, _policy, "no path answered an HTML page")
    yield _each("GR-S003", policies, _weak, "no HTML page has a policy")
    yield _each("GR-S004", bodies, _guessed, "no path answered a body")
    yield _each("GR-S005", html, _framed, "no path answered an HTML page")
    yield _each("GR-S006", html, _referrer, "no path answered an HTML page")


def _each(
    probe: str, pages: Iterable[Exchange], judge: Callable[[Exchange], str], why: str
) -> Probed:
    tally = Tally(PROBES[probe], why=why)
    for page in pages:
        if tally.saw(page) and (seen := judge(page)):
            tally.hit(page, seen)
    return tally.done()


def _hsts(page: Exchange) -> str:
    value = page.header("strict-transport-security")
    if not value:
        return "no Strict-Transport-Security"
    age = _MAX_AGE.search(value)
    return "" if age and int(age[1]) >= _HALF_A_YEAR else f"Strict-Transport-Security: {value}"


def _policy(page: Exchange) -> str:
    if page.header("content-security-policy") or _META_POLICY.search(page.text):
        return ""
    return "no Content-Security-Policy"


def _policies(page: Exchange) -> Iterator[Mapping[str, list[str]]]:
    """Return each policy's directives; every one of several policies holds."""
    for policy in page.header("content-security-policy").split(","):
        words = [directive.lower().split() for directive in policy.split(";")]
        yield {name: sources for name, *sources in filter(None, reversed(words))}


def _weak(page: Exchange) -> str:
    weaknesses = [_weakness(policy) for policy in _policies(page)]
    return "" if not all(weaknesses) else weaknesses[0]


def _weakness(policy: Mapping[str, list[str]]) -> str:
    sources = policy.get("script-src", policy.get("default-src"))
    if sources is None:
        return "neither script-src nor default-src"
    if "'strict-dynamic'" in sources:
        return ""
    exact = any(source.startswith(("'nonce-", "'sha")) for source in sources)
    wide = [one for one in sources if one in _OPEN_SOURCES or one == "'unsafe-eval'"]
    wide += ["'unsafe-inline'"] if "'unsafe-inline'" in sources and not exact else []
    return f"scripts from {', '.join(wide)}" if wide else ""


def _guessed(page: Exchange) -> str:
    value = page.header("x-content-type-options")
    if value.split(",")[0].strip().lower() == "nosniff":
        return ""
    return f"X-Content-Type-Options: {value}" if value else "no X-Content-Type-Options"


def _framed(page: Exchange) -> str:
    ancestors = [policy["frame-ancestors"] for policy in _policies(page) if _frames(policy)]
    if any(not _OPEN_SOURCES & set(sources) for sources in ancestors):
        return ""
    options = {one.strip().upper() for one in page.header("x-frame-options").split(",")}
    if not ancestors and options <= {"DENY", "SAMEORIGIN"}:
        return ""
    return "neither frame-ancestors nor X-Frame-Options keeps other sites from framing it"


def _frames(policy: Mapping[str, list[str]]) -> bool:
    return "frame-ancestors" in policy


def _referrer(page: Exchange) -> str:
    value = page.header("referrer-policy")
    if not value:
        return "no Referrer-Policy"
    last = value.split(",")[-1].strip().lower()
    return f"Referrer-Policy: {value}" if last in {"unsafe-url", ""} else ""


@dataclass(frozen=True, slots=True)
class _Cookie:
    """One Set-Cookie; attribute names are lower case."""

    name: str
    value: str
    attributes: Mapping[str, str]

    @property
    def deletes(self) -> bool:
        age = self.attributes.get("max-age", "")
        return not self.value or (age.lstrip("-").isdigit() and int(age) <= 0)

    @property
    def shown(self) -> str:
        rest = [f"{key}={value}" if value else key for key, value in self.attributes.items()]
        return "; ".join((f"{self.name}=[redacted]", *rest))


def judge_cookies(exchanges: Iterable[Exchange]) -> Iterator[Probed]:
    """Judge every cookie that was set, each name and its attributes once; values are not shown."""
    seen: dict[str, tuple[_Cookie, Exchange]] = {}
    for exchange in exchanges:
        for cookie in _cookies(exchange):
            if not cookie.deletes:
                seen.setdefault(cookie.shown, (cookie, exchange))
    cookies = tuple(seen.values())
    own = tuple(pair for pair in cookies if not re.search("csrf|xsrf", pair[0].name.lower()))
    prefixed = tuple(pair for pair in cookies if pair[0].name.startswith(("__Host-", "__Secure-")))
    yield _each_cookie("GR-S010", cookies, lambda one: "secure" not in one.attributes)
    yield _each_cookie("GR-S011", own, lambda one: "httponly" not in one.attributes)
    yield _each_cookie("GR-S012", cookies, _site)
    yield _each_cookie("GR-S013", prefixed, _prefix)


def _cookies(exchange: Exchange) -> Iterator[_Cookie]:
    for name, value in exchange.answer.headers if exchange.answer else ():
        if name == "set-cookie":
            pair, *rest = value.split(";")
            parted = [one.partition("=") for one in rest]
            named, _, content = pair.partition("=")
            attributes = {key.strip().lower(): text.strip() for key, _, text in parted}
            yield _Cookie(named.strip(), content.strip(), attributes)


def _each_cookie(
    probe: str,
    cookies: Iterable[tuple[_Cookie, Exchange]],
    judge: Callable[[_Cookie], bool | Severity],
) -> Probed:
    tally = Tally(PROBES[probe], unit="cookies", why="no such cookie was set")
    for cookie, exchange in cookies:
        tally.examined += 1
        if found := judge(cookie):
            severity = found if isinstance(found, Severity) else None
            tally.hit(exchange, f"Set-Cookie: {cookie.shown}", severity)
    return tally.done()


def _site(cookie: _Cookie) -> bool | Severity:
    site = cookie.attributes.get("samesite", "").lower()
    if site == "none" and "secure" not in cookie.attributes:
        return Severity.MEDIUM
    return site not in {"none", "lax", "strict"}


def _prefix(cookie: _Cookie) -> bool:
    attributes = cookie.attributes
    if "secure" not in attributes:
        return True
    host = cookie.name.startswith("__Host-")
    return host and ("domain" in attributes or attributes.get("path") != "/")


def judge_leaks(exchanges: Iterable[Exchange]) -> Iterator[Probed]:
    """Judge what every complete answer tells of the service's inside."""
    answered = tuple(one for one in exchanges if one.answer is not None)
    texts = tuple((one, one.text) for one in answered)
    yield _matching("GR-S050", texts, TRACES)
    yield _matching("GR-S051", texts, DEBUG_PAGES)
    yield _matching("GR-S052", texts, DATABASE_ERRORS)
    yield _banners(answered)


def _matching(
    probe: str,
    texts: Iterable[tuple[Exchange, str]],
    patterns: Mapping[str, re.Pattern[str]],
) -> Probed:
    """Report each thing once, where it was first seen."""
    tally = Tally(PROBES[probe], why="no complete answer")
    found: set[str] = set()
    searched: set[str] = set()
    for exchange, text in texts:
        tally.examined += 1
        # Many answers are the same page.
        for name in patterns.keys() - found if text not in searched else ():
            if match := patterns[name].search(text):
                found.add(name)
                severity = Severity.LOW if name in MILD_PAGES else None
                tally.hit(exchange, f"{name}: {printable(match[0])[:_SHOWN]}", severity)
        searched.add(text)
    return tally.done()


def _banners(answered: Iterable[Exchange]) -> Probed:
    tally = Tally(PROBES["GR-S053"], why="no complete answer")
    found: set[str] = set()
    for exchange in answered:
        tally.examined += 1
        for name in ("server", *_BANNERS):
            value = exchange.header(name)
            tells = value and (name in _BANNERS or re.search(r"\d", value))
            if tells and name not in found:
                found.add(name)
                tally.hit(exchange, f"{name}: {value[:_SHOWN]}")
    return tally.done()
