"""Reads ``security:`` of a suite, and does what it says: the built-in penetration probes.

Grammar (``?`` optional)::

    security   = all | {probes?, paths?, headers?, auth?, rate_limit?, plain_http?, except?,
                        waivers?, max_requests?}
    probes     = all | [GROUP, …]                 ? all
    GROUP      = headers | cookies | cors | tls | methods | leaks | redirects | host | listing
               | files | auth | rate_limit
    paths      = [PATH, …]                        ? ["/"]
    auth       = {paths: [PATH, …], headers?, methods?: [METHOD, …]}
    rate_limit = {path: PATH, requests: 2 - 1000, method?: METHOD}
    plain_http = URL
    except     = [ID of a probe, …]
    waivers    = FILE                             see `greenroom.plugins.waiver_file`
    max_requests = 10 - 5000                      ? 500
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from greenroom.plugins.security_auth import AuthOrder, RateOrder
from greenroom.plugins.security_run import MOST_REQUESTS, SecurityOrder, observe_security
from greenroom.plugins.suite_limits import read_limits
from greenroom.plugins.suite_request import read_headers
from greenroom.plugins.suite_yaml import Scalar
from greenroom.plugins.waiver_file import read_waivers
from greenroom.validators.result_waiver import waive
from greenroom.validators.security import METRICS, STRICT, Group, judge_security, results_of
from greenroom.validators.security_probes import GROUPS, PROBES

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.finding import Finding
    from greenroom.validators.threshold import Threshold

SECURITY_KEYS = (
    *("probes", "paths", "headers", "auth", "rate_limit", "plain_http", "except", "waivers"),
    "max_requests",
)
AUTH_KEYS = ("paths", "headers", "methods")
RATE_KEYS = ("path", "requests", "method")
ALL = "all"
RATE_MOST = 1000
REQUESTS_LEAST, REQUESTS_MOST = 10, 5000
_METHOD = re.compile(r"[A-Z]{3,20}")


@dataclass(frozen=True, slots=True)
class SecurityWork:
    """The probes of one target, what is expected of them, and the file of accepted results."""

    order: SecurityOrder
    limits: tuple[Threshold, ...] = STRICT
    waivers: str = ""

    @property
    def alone(self) -> bool:
        """A service under attack may be slow for whoever measures it meanwhile."""
        return True

    def run(self, place: Workplace) -> Finding:
        """Probe the target and judge what was found."""
        waivers = read_waivers(place.path(self.waivers, "waivers")) if self.waivers else ()
        facts = observe_security(self.order, place.site, place.until)
        waived = waive(results_of(facts), waivers, place.today)
        return judge_security(facts, self.limits, waived)


def read_security(fields: Fields, node: Node, expect: Node | None) -> SecurityWork:
    """Read one check; raises `SettingsError` at the place of whatever is wrong."""
    limits = STRICT if expect is None else read_limits(fields, expect, METRICS)
    if isinstance(node, Scalar):
        _all(fields, node, "security")
        return SecurityWork(SecurityOrder(), limits)
    found = fields.mapping(node, "security", SECURITY_KEYS)
    order = SecurityOrder(
        groups=_groups(fields, found),
        paths=_paths(fields, found["paths"].value) if "paths" in found else ("/",),
        headers=read_headers(fields, found["headers"].value) if "headers" in found else (),
        auth=_auth(fields, found["auth"].value) if "auth" in found else None,
        rate=_rate(fields, found["rate_limit"].value) if "rate_limit" in found else None,
        plain_http=_plain(fields, found["plain_http"].value) if "plain_http" in found else "",
        left_out=_ids(fields, found["except"].value) if "except" in found else (),
        most=_most(fields, found.get("max_requests")),
    )
    _consistent(fields, node, order)
    waivers = fields.filled(found["waivers"].value, "waivers") if "waivers" in found else ""
    return SecurityWork(order, limits, waivers)


def _consistent(fields: Fields, node: Node, order: SecurityOrder) -> None:
    """Refuse what would examine nothing, or what is given and would not be used."""
    needed = {Group.AUTH: order.auth, Group.RATE_LIMIT: order.rate}
    for group, given in needed.items():
        if given is not None and group not in order.groups:
            hint = f"add {group.value} to probes"
            raise fields.error(node.place, f"{group.value} is given, and not among probes", hint)
        if given is None and group in order.groups and len(order.groups) < len(Group):
            hint = f"give {group.value}: {{…}} with its path"
            raise fields.error(node.place, f"probes name {group.value}, which is not given", hint)
    chosen = [probe.id for group in order.groups for probe in GROUPS[group]]
    if set(chosen) <= set(order.left_out):
        raise fields.error(node.place, "every probe is left out", "nothing would be examined")


def _most(fields: Fields, entry: Entry | None) -> int:
    if entry is None:
        return MOST_REQUESTS
    return fields.whole(entry.value, "max_requests", REQUESTS_LEAST, REQUESTS_MOST)


def _groups(fields: Fields, found: dict[str, Entry]) -> tuple[Group, ...]:
    if "probes" not in found:
        return tuple(Group)
    node = found["probes"].value
    if isinstance(node, Scalar):
        _all(fields, node, "probes")
        return tuple(Group)
    listed = (fields.choice(Group, item, "a probe") for item in fields.items(node, "probes"))
    return tuple(dict.fromkeys(listed))


def _all(fields: Fields, node: Scalar, what: str) -> None:
    if node.value != ALL:
        known = ", ".join(Group)
        raise fields.error(node.place, f"{what} must be all or a list", f"groups: {known}")


def _paths(fields: Fields, node: Node) -> tuple[str, ...]:
    return tuple(_path(fields, item) for item in fields.items(node, "paths"))


def _path(fields: Fields, node: Node) -> str:
    path = fields.filled(node, "a path")
    if not path.startswith("/") or not path.isprintable() or set("# ") & set(path):
        hint = "it is joined to the suite's target"
        raise fields.error(node.place, f"the path {path!r} must start with / and hold no #", hint)
    return path


def _auth(fields: Fields, node: Node) -> AuthOrder:
    found = fields.mapping(node, "auth", AUTH_KEYS)
    methods = fields.items(found["methods"].value, "methods") if "methods" in found else ()
    return AuthOrder(
        paths=_paths(fields, fields.required(found, "paths", node, "auth")),
        headers=read_headers(fields, found["headers"].value) if "headers" in found else (),
        methods=tuple(_method(fields, item) for item in methods),
    )


def _rate(fields: Fields, node: Node) -> RateOrder:
    found = fields.mapping(node, "rate_limit", RATE_KEYS)
    requests = fields.required(found, "requests", node, "rate_limit")
    return RateOrder(
        path=_path(fields, fields.required(found, "path", node, "rate_limit")),
        requests=fields.whole(requests, "requests", 2, RATE_MOST),
        method=_method(fields, found["method"].value) if "method" in found else "GET",
    )


def _method(fields: Fields, node: Node) -> str:
    method = fields.text(node, "a method")
    if not _METHOD.fullmatch(method):
        raise fields.error(node.place, f"{method!r} is no method", "for example: POST")
    return method


def _plain(fields: Fields, node: Node) -> str:
    url = fields.filled(node, "plain_http").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path or parts.query:
        hint = "for example: http://green.test.example.com"
        raise fields.error(node.place, "plain_http must be an http:// origin", hint)
    return url


def _ids(fields: Fields, node: Node) -> tuple[str, ...]:
    return tuple(_id(fields, item) for item in fields.items(node, "except"))


def _id(fields: Fields, node: Node) -> str:
    name = fields.text(node, "a probe's id")
    if name not in PROBES:
        known = f"probes: {', '.join(PROBES)}"
        raise fields.error(node.place, f"there is no probe {name!r}", known)
    return name
