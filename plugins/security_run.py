"""Runs the built-in penetration probes at a target that may be attacked.

The order of things: control requests, the probes, the first control request again, and what asks
often last. A target that begins to refuse meanwhile (a firewall) was not examined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

from greenroom.plugins.allowed import Traffic
from greenroom.plugins.security_ask import Asker, Baseline, Headers, baseline, one_line
from greenroom.plugins.security_auth import AuthOrder, RateOrder, probe_auth, probe_rate_limit
from greenroom.plugins.security_methods import probe_methods, provoke
from greenroom.plugins.security_tls import probe_tls
from greenroom.plugins.security_web import (
    probe_cors,
    probe_files,
    probe_host,
    probe_listing,
    probe_redirects,
)
from greenroom.validators.errors import ServiceError
from greenroom.validators.security import Group, Probed, SecurityFacts
from greenroom.validators.security_answers import judge_cookies, judge_headers, judge_leaks

if TYPE_CHECKING:
    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.workplace import Site

MOST_REQUESTS = 500
Probing: TypeAlias = Callable[[Asker, Baseline], Iterable[Probed]]
_ACTIVE: dict[Group, Probing] = {
    Group.CORS: probe_cors,
    Group.METHODS: probe_methods,
    Group.REDIRECTS: probe_redirects,
    Group.HOST: probe_host,
    Group.LISTING: probe_listing,
    Group.FILES: probe_files,
}


@dataclass(frozen=True, slots=True)
class SecurityOrder:
    """What is looked for, and where.

    ``headers`` go with each request. ``plain_http`` is where plain http would serve, empty for the
    usual port. ``left_out`` are ids of probes. ``most`` is the number of requests at most,
    beside those of ``rate``.
    """

    groups: tuple[Group, ...] = tuple(Group)
    paths: tuple[str, ...] = ("/",)
    headers: Headers = ()
    auth: AuthOrder | None = None
    rate: RateOrder | None = None
    plain_http: str = ""
    left_out: tuple[str, ...] = ()
    most: int = MOST_REQUESTS

    @property
    def most_in_all(self) -> int:
        """The number of requests with those that look for a limit of their rate."""
        return self.most + (self.rate.requests if self.rate else 0)


def observe_security(order: SecurityOrder, site: Site, until: float) -> SecurityFacts:
    """Probe the target of ``site`` as ``order`` says, until then (time.monotonic seconds).

    Raises `SettingsError` where it must not be attacked, and `ServiceError` where none of the paths
    is answered 2xx, unless its certificate says why.
    """
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    site.allow.require(Traffic.SECURITY, site.base)
    with closing(Asker(site, order.headers, order.most_in_all, until)) as asker:
        probed, problems, notes = _probed(order, site, asker)
    problems += [asker.exhausted] if asker.exhausted else []
    kept = sorted(
        (one for one in probed if one.probe.id not in order.left_out), key=lambda one: one.probe.id
    )
    clean = partial(_clean, asker=asker)
    return SecurityFacts(
        probed=tuple(map(clean, kept)),
        version=version("greenroom"),
        at=at,
        problems=tuple(map(asker.shown, problems)),
        notes=tuple(map(asker.shown, (*notes, *_not_asked(order)))),
    )


def _probed(
    order: SecurityOrder, site: Site, asker: Asker
) -> tuple[list[Probed], list[str], tuple[str, ...]]:
    """Return what became of each probe, why that cannot be trusted, and notes."""
    probed: list[Probed] = []
    if Group.TLS in order.groups:
        probed += probe_tls(asker, site, order.plain_http)
    try:
        base = baseline(asker, order.paths)
    except ServiceError as error:
        if not any(one.hits for one in probed):
            raise
        return probed, [str(error)], ()
    for group, probe in _ACTIVE.items():
        if group in order.groups:
            probed += probe(asker, base)
    if Group.AUTH in order.groups and order.auth is not None:
        probed += probe_auth(asker, order.auth)
    if Group.LEAKS in order.groups:
        provoke(asker, base)
    problems = _turned(asker, base)
    probed += _passive(order, asker, base)
    if Group.RATE_LIMIT in order.groups and order.rate is not None:
        probed += probe_rate_limit(asker, order.rate)
    return probed, problems, base.notes


def _passive(order: SecurityOrder, asker: Asker, base: Baseline) -> Iterable[Probed]:
    """Judge what was answered anyway."""
    if Group.HEADERS in order.groups:
        yield from judge_headers(base.pages, secure=_is_secure(order, asker))
    if Group.COOKIES in order.groups:
        yield from judge_cookies(asker.asked)
    if Group.LEAKS in order.groups:
        yield from judge_leaks(asker.asked)


def _is_secure(order: SecurityOrder, asker: Asker) -> bool:
    """Tell whether the service is asked by https, or as behind a load balancer that is."""
    forwarded = any(
        name.lower() == "x-forwarded-proto" and value.lower() == "https"
        for name, value in order.headers
    )
    return forwarded or asker.target.lower().startswith("https:")


def _turned(asker: Asker, base: Baseline) -> list[str]:
    again = asker.get(base.paths[0])
    if again.status == base.pages[0].status:
        return []
    was = base.pages[0].status
    return [f"{one_line(again)} after the probes, {was} before: it refuses, or it broke"]


def _not_asked(order: SecurityOrder) -> Iterable[str]:
    if Group.AUTH in order.groups and order.auth is None:
        yield "auth: not examined: no paths were given that must refuse (auth: {paths: […]})"
    if Group.RATE_LIMIT in order.groups and order.rate is None:
        yield "rate_limit: not examined: not asked for (rate_limit: {path: …, requests: …})"
    if order.left_out:
        yield f"left out: {', '.join(order.left_out)}"


def _clean(probed: Probed, asker: Asker) -> Probed:
    """Return the probe's outcome without secrets, and the same in each run."""
    redactor: Redactor = asker.redactor
    hits = tuple(
        replace(
            hit,
            line=asker.shown(hit.line),
            path=asker.shown(hit.path),
            seen=redactor.text(asker.shown(hit.seen)),
        )
        for hit in probed.hits
    )
    return replace(probed, hits=hits, failed=tuple(map(asker.shown, probed.failed)))
