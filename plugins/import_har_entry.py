"""One exchange of a HAR file, and the check that asks for the like of it.

Expected are the status, the content type and the main shape of JSON, none of the values seen.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from greenroom.plugins.import_file import MIB
from greenroom.plugins.import_model import Draft, UnwritableError, readable, tags_of
from greenroom.plugins.import_shape import shape_of
from greenroom.plugins.import_vault import masked
from greenroom.plugins.suite_contract import read_json
from greenroom.plugins.suite_request import HEADER_NAME

if TYPE_CHECKING:
    from greenroom.plugins.import_vault import Vault

NOT_MODIFIED = 304
_BROWSERS_OWN = re.compile(
    r":.*|sec-.*|accept-(encoding|language|charset)|user-agent|referer|origin|host|connection|"
    r"content-(length|type)|cache-control|pragma|dnt|te|priority|upgrade-insecure-requests|"
    r"if-.*|range|traceparent|tracestate|x-(request|correlation)-id|expect|keep-alive|"
    r"transfer-encoding",
    re.IGNORECASE,
)
"""Headers that say nothing about the API, or make an answer depend on an earlier one."""
_OK = 200
_QUERY_SHOWN = 40
_SAFE = "/%:@!$&'()*+,;=-._~?"


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange that a browser recorded."""

    request: dict[str, Any]
    response: dict[str, Any]
    url: SplitResult
    resource: str

    @property
    def method(self) -> str:
        """The method in lower case."""
        return _text(self.request, "method").lower()

    @property
    def origin(self) -> str:
        """The address without user, path and query."""
        return f"{self.url.scheme}://{self.url.netloc.rpartition('@')[2].lower()}"

    @property
    def status(self) -> int:
        """The status of the answer; 0 where there was none."""
        status = self.response.get("status")
        return status if isinstance(status, int) else 0

    @property
    def media(self) -> str:
        """The media type of the answer, in lower case and without parameters."""
        return essence(_text(_object(self.response, "content"), "mimeType"))

    @property
    def shown(self) -> str:
        """What a message calls it: without the query, which may hold secrets."""
        return readable(f"{self.method.upper()} {masked(self.url.path or '/')}")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The request's headers."""
        listed = self.request.get("headers")
        items = listed if isinstance(listed, list) else []
        return [
            (_text(item, "name"), _text(item, "value")) for item in items if isinstance(item, dict)
        ]

    def header(self, name: str) -> str:
        """Return a header of the request, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def sent(self) -> tuple[str, str]:
        """The body's media type and text; a form's pairs count as its text."""
        data = _object(self.request, "postData")
        text, pairs = _text(data, "text"), data.get("params")
        if not text and isinstance(pairs, list):
            named = [item for item in pairs if isinstance(item, dict)]
            text = urlencode([(_text(one, "name"), _text(one, "value")) for one in named])
        return _text(data, "mimeType") or self.header("content-type"), text

    @property
    def received(self) -> str:
        """The answer's body as a text; empty where it was not recorded or is none."""
        content = _object(self.response, "content")
        text = _text(content, "text")
        if content.get("encoding") != "base64":
            return text
        try:
            return base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError):
            return ""


def entry_of(item: Any) -> Entry | None:  # noqa: ANN401 - a JSON value
    """Return a HAR's entry; None where it has no address."""
    if not isinstance(item, dict):
        return None
    request = _object(item, "request")
    try:
        url = urlsplit(_text(request, "url"))
    except ValueError:
        return None
    if not url.scheme:
        return None
    return Entry(request, _object(item, "response"), url, _text(item, "_resourceType"))


def learn(vault: Vault, entry: Entry) -> None:
    """Make known what is secret in one place of an exchange, and may stand in another."""
    for name, value in entry.headers:
        vault.learn_header(name, value)
    vault.learn_pairs(entry.url.query)
    media, sent = entry.sent
    if _is_form(media):
        vault.learn_pairs(sent)
    for text in (sent, entry.received):
        found, value = _parsed(text)
        if found:
            vault.learn_json(value)


def draft_of(entry: Entry, vault: Vault) -> Draft:
    """Return the check of an exchange; raises `UnwritableError`."""
    where = vault.masked(entry.shown)
    path = vault.path(quote(entry.url.path or "/", safe=_SAFE, errors="replace"), where)
    query = vault.pairs(quote(entry.url.query, safe=_SAFE, errors="replace"), where)
    content, media = _content(entry, vault, where)
    headers = tuple(
        (name, vault.header(name, value, where))
        for name, value in entry.headers
        if not _BROWSERS_OWN.fullmatch(name) and HEADER_NAME.fullmatch(name)
    )
    return Draft(
        name=_name(entry, path, query),
        method=entry.method,
        path=f"{path}?{query}" if query else path,
        expect=_expect(entry, vault, where),
        headers=(*media, *_last(headers)),
        content=content,
        tags=tags_of(entry.method),
        max_body=_max_body(entry),
    )


def essence(media: str) -> str:
    """Return a media type in lower case, without its parameters."""
    return media.partition(";")[0].strip().lower()


def is_json(media: str) -> bool:
    """Tell whether a media type is one of JSON."""
    return essence(media).endswith(("/json", "+json"))


def _name(entry: Entry, path: str, query: str) -> str:
    shown = f"{path}?{query}" if 0 < len(query) <= _QUERY_SHOWN else path
    return readable(f"{entry.method.upper()} {shown}")


def _content(
    entry: Entry, vault: Vault, where: str
) -> tuple[tuple[str, Any] | None, tuple[tuple[str, str], ...]]:
    """Return the body, and the header of its type where the suite would not give it."""
    media, text = entry.sent
    if not text:
        return None, ()
    kind = essence(media)
    if kind.startswith("multipart/"):
        raise UnwritableError("a multipart body")
    found, value = _parsed(text) if is_json(kind) else (False, None)
    if found:
        own = () if kind == "application/json" else _typed(kind, vault, where)
        return ("json", vault.json(value, where)), own
    if any(ord(char) < ord(" ") and char not in "\t\r\n" for char in text):
        raise UnwritableError("a body that is no text")
    written = vault.pairs(text, where) if _is_form(kind) else vault.text(text, where)
    return ("body", written), _typed(media, vault, where)


def _typed(media: str, vault: Vault, where: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", vault.header("content-type", media, where)),) if media else ()


def _expect(entry: Entry, vault: Vault, where: str) -> dict[str, Any]:
    status = _OK if entry.status == NOT_MODIFIED else entry.status
    expect: dict[str, Any] = {"status": status}
    if entry.media and "/" in entry.media and entry.received and entry.method != "head":
        expect["headers"] = {"content-type": {"contains": vault.text(entry.media, where)}}
    if is_json(entry.media) and entry.method != "head":
        found, value = _parsed(entry.received)
        if found and (shape := shape_of(value, vault)):
            expect["json"] = shape
    return expect


def _max_body(entry: Entry) -> str:
    """Return the limit for an answer that is nearly as large as the default one, or larger."""
    size = _object(entry.response, "content").get("size")
    if not isinstance(size, int) or size * 2 <= MIB:
        return ""
    return f"{-(-size * 2 // MIB)}MiB"


def _last(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return each header once, however it is spelt: the last one of a name."""
    return tuple({name.lower(): (name, value) for name, value in headers}.values())


def _is_form(media: str) -> bool:
    return essence(media) == "application/x-www-form-urlencoded"


def _parsed(text: str) -> tuple[bool, Any]:
    """Return whether a text is JSON, and its value."""
    try:
        return True, read_json(text.encode())
    except ValueError:
        return False, None


def _object(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _text(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
