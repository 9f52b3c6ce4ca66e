"""What an ``http`` mapping may say beside method, headers and body.

::

    query:            {NAME: VALUE | [VALUE, …], …}           added to the path's own
    cookies:          {NAME: VALUE, …}
    follow_redirects: true | false | {most?: 1 - 20, hosts?: same | any | [HOST | *.DOMAIN, …]}
    accept_encoding:  gzip | deflate | identity | [those, …]
    http2:            true
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import quote

from greenroom.plugins.http_sending import REDIRECTS_MOST, Redirects, Sending
from greenroom.plugins.suite_body import read_pairs
from greenroom.plugins.suite_model import Auth
from greenroom.plugins.suite_request import HEADER_NAME, joined
from greenroom.plugins.suite_yaml import Mapping, Scalar

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_model import Request
    from greenroom.plugins.suite_yaml import Entry, Node

    Pairs = tuple[tuple[str, str], ...]

REDIRECT_KEYS = ("most", "hosts")
SAME, ANY = "same", "any"
ENCODINGS = ("gzip", "deflate", "identity")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9:._-]+")
_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]*")
"""The characters of RFC 6265: no blank, quote, comma, semicolon or backslash."""


def completed(
    fields: Fields, found: dict[str, Entry], request: Request, auth: Auth | None
) -> Request:
    """Return ``request`` with what the ``http`` mapping ``found``, and ``auth``, say beside it."""
    auth = auth or Auth()
    _refuse_two(fields, found, auth)
    query = read_pairs(fields, found["query"].value, "query") if "query" in found else ()
    cookies = _cookies(fields, found["cookies"].value) if "cookies" in found else ()
    coding = _codings(fields, found["accept_encoding"].value) if "accept_encoding" in found else ()
    sending = Sending(
        redirects=_redirects(fields, found.get("follow_redirects")),
        cookies=(*cookies, *auth.cookies),
        signature=auth.signature,
        http2="http2" in found and _http2(fields, found["http2"].value),
    )
    return replace(
        request,
        path=_with_query(request.path, (*query, *auth.query)),
        headers=joined(request.headers, (*coding, *auth.headers)),
        sending=None if sending == Sending() else sending,
        secrets=auth.secrets,
    )


def _refuse_two(fields: Fields, found: dict[str, Entry], auth: Auth) -> None:
    """Refuse headers that auth or another key would take the place of."""
    given = found["headers"].value if "headers" in found else None
    taken = {name.lower(): "auth" for name, _ in auth.headers}
    taken |= {"authorization": "auth"} if auth.signature else {}
    taken |= {"cookie": "cookies"} if "cookies" in found or auth.cookies else {}
    taken |= {"accept-encoding": "accept_encoding"} if "accept_encoding" in found else {}
    for entry in given.entries if isinstance(given, Mapping) else ():
        if (key := taken.get(entry.key.lower())) is not None:
            hint = "keep one; auth: none is without the defaults' own" if key == "auth" else ""
            raise fields.error(entry.place, f"both {key} and the header {entry.key}", hint)


def _with_query(path: str, pairs: Pairs) -> str:
    if not pairs:
        return path
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    if "?" not in path:
        return f"{path}?{query}"
    return f"{path}{query}" if path.endswith(("?", "&")) else f"{path}&{query}"


def _cookies(fields: Fields, node: Node) -> Pairs:
    pairs = []
    for entry in fields.entries(node, "cookies"):
        value = fields.filled(entry.value, f"cookie {entry.key}")
        if not HEADER_NAME.fullmatch(entry.key):
            raise fields.error(entry.place, f"{entry.key!r} is not a cookie's name")
        if not _COOKIE.fullmatch(value):
            raise fields.error(
                entry.value.place,
                f"cookie {entry.key} can hold no blank, comma, semicolon, quote or backslash",
                "encode the value as the service expects it",
            )
        pairs.append((entry.key, value))
    return tuple(pairs)


def _redirects(fields: Fields, entry: Entry | None) -> Redirects:
    if entry is None or not isinstance(entry.value, Mapping):
        return Redirects()
    found = fields.mapping(entry.value, "follow_redirects", REDIRECT_KEYS)
    most = REDIRECTS_MOST
    if "most" in found:
        most = fields.whole(found["most"].value, "most", 1, REDIRECTS_MOST)
    hosts = _hosts(fields, found["hosts"].value) if "hosts" in found else ("*",)
    return Redirects(most, hosts)


def _hosts(fields: Fields, node: Node) -> tuple[str, ...]:
    if isinstance(node, Scalar):
        if node.value not in {SAME, ANY}:
            raise fields.error(node.place, "hosts must be same, any, or a list of hosts")
        return () if node.value == SAME else ("*",)
    hosts = []
    for item in fields.items(node, "hosts"):
        host = fields.filled(item, "a host").lower()
        if not _HOST.fullmatch(host):
            raise fields.error(
                item.place, f"{host!r} is no host", "as example.org or *.example.org"
            )
        hosts.append(host)
    return tuple(hosts)


def _codings(fields: Fields, node: Node) -> Pairs:
    items = (node,) if isinstance(node, Scalar) else fields.items(node, "accept_encoding")
    names = []
    for item in items:
        if not isinstance(item, Scalar) or item.value not in ENCODINGS:
            known = ", ".join(ENCODINGS)
            raise fields.error(item.place, f"accept_encoding must be any of: {known}")
        names.append(item.raw)
    return (("Accept-Encoding", ", ".join(names)),)


def _http2(fields: Fields, node: Node) -> bool:
    wanted = fields.flag(node, "http2")
    if wanted and find_spec("h2") is None:
        raise fields.error(
            node.place, "http2 needs the package h2", 'pip install "greenroom[http2]"'
        )
    return wanted
