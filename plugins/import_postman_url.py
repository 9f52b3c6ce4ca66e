"""The address of a Postman request: where it goes, and its path and query as a suite has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.import_vault import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from greenroom.plugins.import_postman_templates import Templates

_LEADING = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_PARAMETER = re.compile(r":([A-Za-z_][A-Za-z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class Address:
    """``origin`` is the address without a path, or a template that nobody knows the value of.

    ``query`` are pairs, ``parameters`` the values of ``:name`` in the path.
    """

    origin: str
    path: str = "/"
    query: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()

    def learn(self, templates: Templates) -> None:
        """Make known what the query's names say is a secret."""
        for name, value in self.query:
            if "{{" not in value:
                templates.vault.learn_pairs(f"{name}={value}")
            elif is_secret_name(name):
                templates.conceal(value)

    def path_with(
        self, templates: Templates, where: str, query: Iterable[tuple[str, str]] = ()
    ) -> str:
        """Return path and query; the values of ``query`` are written already."""
        path = "/".join(self._segment(part, templates, where) for part in self.path.split("/"))
        pairs = [templates.pair(name, value, where) for name, value in self.query]
        pairs += [f"{templates.encoded(name, where)}={value}" for name, value in query]
        return f"{path}?{'&'.join(pairs)}" if pairs else path

    def _segment(self, part: str, templates: Templates, where: str) -> str:
        found = _PARAMETER.fullmatch(part)
        if found is None:
            return templates.encoded(part, where)
        value = dict(self.parameters).get(found[1], "")
        if not value:
            return templates.vault.setting(found[1], where)
        if is_secret_name(found[1]):
            return templates.credential(found[1], value, where)
        return templates.encoded(value, where)


def address_of(url: Any, known: Mapping[str, str]) -> Address:  # noqa: ANN401 - a JSON value
    """Return the address of a request's ``url``, a text or an object."""
    holder = url if isinstance(url, dict) else {}
    raw = url if isinstance(url, str) else str(holder.get("raw") or _assembled(holder))
    raw, _, query = _with_known_host(raw.strip(), known).partition("#")[0].partition("?")
    origin, path = _split(raw)
    listed = holder.get("query")
    pairs = _named(listed) if isinstance(listed, list) else _pairs(query)
    return Address(origin, path or "/", tuple(pairs), tuple(_named(holder.get("variable"))))


def _with_known_host(raw: str, known: Mapping[str, str]) -> str:
    """Return the address with the templates before its path replaced, where they are known."""
    scheme = raw.find("://")
    ends = raw.find("/", scheme + 3 if scheme >= 0 else 0)
    host, rest = (raw, "") if ends < 0 else (raw[:ends], raw[ends:])

    def value(found: re.Match[str]) -> str:
        return known.get(found[1], "").rstrip("/") or found[0]

    return _LEADING.sub(value, host) + rest


def _split(raw: str) -> tuple[str, str]:
    """Return origin and path; without a scheme it is http, as in Postman."""
    if not _LEADING.match(raw) and "://" not in raw:
        raw = f"http://{raw}"
    scheme, mark, rest = raw.rpartition("://") if "://" in raw else ("", "", raw)
    host, slash, path = rest.partition("/")
    origin = f"{scheme}{mark}{host.rpartition('@')[2]}"
    return (origin if "{{" in origin else origin.lower()), slash + path


def _assembled(url: dict[str, Any]) -> str:
    """Return the text of a `url` object that has its parts alone."""
    host = url.get("host")
    host = ".".join(map(str, host)) if isinstance(host, list) else str(host or "")
    parts = url.get("path")
    texts = [
        str(part.get("value", "")) if isinstance(part, dict) else str(part)
        for part in (parts if isinstance(parts, list) else str(parts or "").strip("/").split("/"))
    ]
    scheme = f"{url['protocol']}://" if url.get("protocol") else ""
    port = f":{url['port']}" if url.get("port") else ""
    return f"{scheme}{host}{port}/{'/'.join(texts)}"


def _named(listed: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a JSON value
    return [
        (str(one.get("key") or ""), str(one.get("value") or ""))
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and not one.get("disabled")
    ]


def _pairs(query: str) -> list[tuple[str, str]]:
    split = [pair.partition("=") for pair in query.split("&") if pair]
    return [(name, value) for name, _, value in split]
