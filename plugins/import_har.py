"""A suite from a HAR file (1.1, 1.2), as browsers export it: the API calls of one origin."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from greenroom.plugins.import_har_entry import NOT_MODIFIED, Entry, draft_of, entry_of, learn
from greenroom.plugins.import_model import Imported, Tally, UnwritableError, distinct, readable
from greenroom.plugins.import_vault import Vault
from greenroom.plugins.suite_request import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.import_file import Source
    from greenroom.plugins.import_model import Draft

_STATIC = {
    "image": "images",
    "font": "fonts",
    "audio": "audio and video",
    "video": "audio and video",
    "text/css": "style sheets",
    "text/javascript": "scripts",
    "application/javascript": "scripts",
    "application/x-javascript": "scripts",
    "application/wasm": "scripts",
    "application/font": "fonts",
    "application/x-font": "fonts",
    "text/html": "pages",
}
_CALLS = ("xhr", "fetch")
_SWITCHING, _STATUS_MOST = 101, 599


def import_har(source: Source, origin: str = "") -> Imported:
    """Return the checks of a HAR file; ``origin`` in the place of the most called one.

    Raises `SettingsError` where nothing is to be asked.
    """
    listed = source.content["log"]["entries"]
    if not isinstance(listed, list) or not listed:
        raise source.error("the recording has no entries", "record some requests, then export it")
    tally = Tally()
    calls = [call for item in listed if (call := _call(item, tally)) is not None]
    if not calls:
        raise source.error(f"none of its {len(listed)} entries is an API call", _left_out(tally))
    chosen = origin.lower().rstrip("/") or _most_called(calls)
    kept = [call for call in calls if call.origin == chosen]
    for call in calls:
        if call.origin != chosen:
            tally.skip(f"another host than {chosen}", call.origin)
    if not kept:
        known = ", ".join(sorted({call.origin for call in calls}))
        raise source.error(f"no API call goes to {chosen}", f"origins: {known}")
    vault = Vault()
    for call in kept:
        learn(vault, call)
    drafts = tuple(_drafts(kept, vault, tally))
    if not drafts:
        raise source.error("none of its API calls can be written", _left_out(tally))
    name = readable(f"{urlsplit(chosen).hostname}")
    return Imported(name, "HAR", chosen, drafts, tally, vault.secrets, vault.settings)


def _call(item: Any, tally: Tally) -> Entry | None:  # noqa: ANN401 - a JSON value
    """Return an entry that is an API call; another is told by its reason."""
    entry = entry_of(item)
    if entry is None:
        tally.skip("not readable", "an entry without an address")
        return None
    if reason := _not_a_call(entry):
        tally.skip(reason, f"{entry.url.scheme}:" if reason == "not http" else entry.shown)
        return None
    return entry


def _not_a_call(entry: Entry) -> str:
    """Return why an entry is no API call, or nothing."""
    if entry.url.scheme not in {"http", "https"} or not entry.url.hostname:
        return "not http"
    if entry.status == _SWITCHING or entry.resource == "websocket":
        return "web sockets"
    if not _SWITCHING < entry.status <= _STATUS_MOST:
        return "without an answer"
    if entry.method not in METHODS:
        return "methods that a suite has not"
    if entry.method == "options" and entry.header("access-control-request-method"):
        return "preflights of the browser"
    return _loaded(entry) if entry.method == "get" else ""


def _loaded(entry: Entry) -> str:
    """Return what a page loads by itself, or nothing for what its scripts ask for."""
    if entry.media == "text/html" and entry.resource in _CALLS:
        return ""
    for beginning, kind in _STATIC.items():
        if entry.media.startswith(beginning):
            return kind
    if entry.resource in {*_CALLS, ""} or entry.media.endswith(("json", "xml")):
        return ""
    return f"loaded as {readable(entry.resource)}"


def _most_called(calls: list[Entry]) -> str:
    return Counter(call.origin for call in calls).most_common(1)[0][0]


def _left_out(tally: Tally) -> str:
    counts = (f"{len(what)} {reason}" for reason, what in tally.skipped.items())
    return f"skipped: {', '.join(counts)}"


def _drafts(calls: list[Entry], vault: Vault, tally: Tally) -> Iterator[Draft]:
    names: set[str] = set()
    seen: set[str] = set()
    for call in calls:
        try:
            with vault.attempt():
                draft = draft_of(call, vault)
        except UnwritableError as error:
            tally.skip(str(error), vault.masked(call.shown))
            continue
        key = repr((draft.method, draft.path, draft.content, draft.expect["status"]))
        if key in seen:
            tally.skip("asked before", readable(draft.name))
            continue
        seen.add(key)
        if call.status == NOT_MODIFIED:
            tally.note(f"{draft.name} was answered from the browser's cache: 200 is expected")
        yield replace(draft, name=distinct(draft.name, names))
