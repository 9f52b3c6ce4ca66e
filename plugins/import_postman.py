"""A suite from a Postman collection, v2.0 or v2.1: one check for each request that can be one.

``{{name}}`` becomes ``${settings.name}``, or a secret by its name, its type or where it stands.
Disabled parts are left out. Of scripts only plain assertions are read; the rest is told.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greenroom.plugins.import_model import (
    Draft,
    Imported,
    Tally,
    UnwritableError,
    distinct,
    readable,
    tags_of,
)
from greenroom.plugins.import_postman_parts import Auth, body_of, learn
from greenroom.plugins.import_postman_script import read_scripts
from greenroom.plugins.import_postman_templates import Templates
from greenroom.plugins.import_postman_url import Address, address_of
from greenroom.plugins.import_vault import Vault, masked
from greenroom.plugins.suite_request import HEADER_NAME, METHODS
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.import_file import Source

_SCHEMA = "schema.getpostman.com/json/collection/v2."
_SENT_BY_ITSELF = ("content-length", "host", "connection", "accept-encoding", "postman-token")


@dataclass(frozen=True, slots=True)
class _Item:
    """A request with what its folders give it."""

    name: str
    request: dict[str, Any]
    events: tuple[dict[str, Any], ...]
    auth: Any
    address: Address


def import_postman(source: Source, environment: Any = None) -> Imported:  # noqa: ANN401 - a JSON value
    """Return the checks of a collection; ``environment`` is the content of an exported one.

    Raises `SettingsError` where there is no request.
    """
    content = source.content
    info = content["info"]
    if _SCHEMA not in str(info.get("schema", _SCHEMA)):
        raise source.error("collections of Postman v2.0 and v2.1 are read", "export it as v2.1")
    tally, vault = Tally(), Vault()
    templates = Templates(vault)
    templates.know(content.get("variable"))
    templates.know(_values(environment))
    items = tuple(_items(source, templates, tally))
    if not items and not tally.skipped:
        raise source.error("the collection has no request")
    base = _base(items)
    for item in items:
        learn(item.request, item.auth, templates)
        item.address.learn(templates)
    drafts = tuple(_drafts(items, base, templates, tally))
    if not drafts:
        reasons = "; ".join(f"{', '.join(what)}: {why}" for why, what in tally.skipped.items())
        raise source.error("none of its requests can be written", reasons)
    if "{{" in base:
        tally.note(f"{readable(base)} stands for the target: its value is not in the collection")
    name = readable(str(info.get("name") or "")) or "collection"
    target = "" if "{{" in base else readable(base)
    secrets, settings = vault.secrets, vault.settings
    return Imported(name, "Postman collection", target, drafts, tally, secrets, settings)


def _values(environment: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a JSON value
    if environment is None:
        return []
    values = environment.get("values") if isinstance(environment, dict) else None
    if not isinstance(values, list):
        raise SettingsError(
            "the environment has no `values`", hint="export it from Postman's Environments"
        )
    return [value for value in values if isinstance(value, dict)]


def _items(source: Source, templates: Templates, tally: Tally) -> Iterator[_Item]:
    """Yield the requests in the collection's order, folders by their names before them."""
    root = source.content
    for name, item, events, auth in _walked(root, "", tuple(_events(root)), root.get("auth")):
        request = item.get("request")
        if isinstance(request, str):
            request = {"method": "GET", "url": request}
        if isinstance(request, dict):
            address = address_of(request.get("url"), templates.known)
            yield _Item(name, request, events, request.get("auth") or auth, address)
        else:
            tally.skip("no request", readable(masked(name)))


def _walked(
    holder: dict[str, Any],
    folder: str,
    events: tuple[dict[str, Any], ...],
    auth: Any,  # noqa: ANN401 - a JSON value
) -> Iterator[tuple[str, dict[str, Any], tuple[dict[str, Any], ...], Any]]:
    """Yield name, item, scripts and authorization of each leaf."""
    listed = holder.get("item")
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, dict):
            continue
        name = f"{folder}{item.get('name') or 'request'}"
        own = (*events, *_events(item))
        if "item" in item:
            yield from _walked(item, f"{name} / ", own, item.get("auth") or auth)
        else:
            yield name, item, own, auth


def _events(holder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    listed = holder.get("event")
    for event in listed if isinstance(listed, list) else ():
        if isinstance(event, dict) and not event.get("disabled"):
            yield event


def _base(items: tuple[_Item, ...]) -> str:
    counted = Counter(item.address.origin for item in items if item.address.origin)
    return counted.most_common(1)[0][0] if counted else ""


def _drafts(
    items: tuple[_Item, ...], base: str, templates: Templates, tally: Tally
) -> Iterator[Draft]:
    names: set[str] = set()
    for item in items:
        shown = readable(templates.vault.masked(item.name))
        if item.address.origin != base:
            tally.skip(f"another host than {readable(base)}", shown)
            continue
        try:
            with templates.vault.attempt():
                draft = _draft(item, templates)
        except UnwritableError as error:
            tally.skip(str(error), shown)
            continue
        draft = replace(draft, name=distinct(shown, names))
        for note in read_scripts(item.events).notes:
            tally.note(f"{draft.name}: {note}")
        yield draft


def _draft(item: _Item, templates: Templates) -> Draft:
    where = readable(templates.vault.masked(item.name))
    method = str(item.request.get("method") or "GET").lower()
    if method not in METHODS:
        raise UnwritableError("methods that a suite has not")
    auth = Auth(item.auth, templates, where)
    headers = dict(_headers(item.request, templates, where))
    body = body_of(item.request.get("body"), headers, templates, where)
    own = {name.lower() for name in headers}
    media = () if not body.media or "content-type" in own else (("Content-Type", body.media),)
    added = tuple((name, value) for name, value in auth.headers if name.lower() not in own)
    if body.content is not None and body.content[0] == "json":
        headers = {name: value for name, value in headers.items() if value != "application/json"}
    return Draft(
        name="",
        method=method,
        path=item.address.path_with(templates, where, auth.query),
        expect=read_scripts(item.events).expect,
        headers=(*added, *media, *headers.items()),
        content=body.content,
        tags=tags_of(method),
    )


def _headers(
    request: dict[str, Any], templates: Templates, where: str
) -> Iterator[tuple[str, str]]:
    """Yield the headers that are sent; in v2.0 they may be one text."""
    listed = request.get("header")
    if isinstance(listed, str):
        lines = (line.partition(":") for line in listed.splitlines())
        listed = [{"key": name.strip(), "value": value.strip()} for name, _, value in lines]
    for header in listed if isinstance(listed, list) else ():
        if not isinstance(header, dict) or header.get("disabled"):
            continue
        name, value = str(header.get("key") or ""), str(header.get("value") or "")
        if HEADER_NAME.fullmatch(name) and name.lower() not in _SENT_BY_ITSELF:
            yield name, templates.header(name, value, where)
