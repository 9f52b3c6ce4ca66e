"""The secrets that a hook itself knows: none of them may be in its log or its messages.

The suite redacts what it records; this is for what comes from elsewhere, such as the last line of a
pytest that failed before it could record anything. The standard library alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from greenroom.plugins.redaction import Redactor, is_sensitive
from greenroom.plugins.settings_file import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_CREDENTIALS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def hook_redactor(root: Path, environ: Mapping[str, str]) -> Redactor:
    """Return what removes AWS credentials, the settings' ``secrets`` and the target's password.

    Wrong settings are told elsewhere; here they only name nothing.
    """
    try:
        table = table_of(root, None)[0] or {}
    except Exception:  # noqa: BLE001 - whatever is wrong with the file, somebody waits
        table = {}
    named = table.get("secrets", [])
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    values = [environ.get(name, "") for name in (*_CREDENTIALS, *names)]
    targets = (environ.get("GREENROOM_TARGET"), table.get("target"), *_targets_of_events(table))
    return Redactor([*values, *(found for target in targets for found in _inside(target))])


def _targets_of_events(table: Mapping[str, Any]) -> Iterator[object]:
    hook = table.get("hook")
    events = hook.get("events") if isinstance(hook, dict) else None
    for event in events.values() if isinstance(events, dict) else ():
        yield event.get("target") if isinstance(event, dict) else None


def _inside(target: object) -> Iterator[str]:
    if not isinstance(target, str):
        return
    try:
        address = urlsplit(target)
        password = address.password
    except ValueError:
        return
    yield from filter(None, [password])
    yield from (value for name, value in parse_qsl(address.query) if is_sensitive(name))
