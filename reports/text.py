"""Text as a page, a terminal or an XML file can show it: bounded, and with nothing hidden in it."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
# Controls, bidirectional marks, invisible characters, lone surrogates and non-characters: what a
# reader cannot see, or what makes a text look like another one. Joiners stay: scripts need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MINUTE, _HOUR = 60, 3600


def visible(text: str) -> str:
    """Return ``text`` with colour codes dropped and every hidden character shown as a name.

    The result can always be encoded as UTF-8; line ends become a plain newline.
    """
    if text.isascii() and text.isprintable():
        return text
    plain = _COLOUR.sub("", text).replace("\r\n", "\n")
    return _HIDDEN.sub(_named, plain)


def xml(text: str) -> str:
    """Return ``text`` without colour codes and the characters that XML 1.0 does not allow."""
    return _NOT_XML.sub("", _COLOUR.sub("", text))


def clip(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text``, saying how many more there are."""
    if len(text) <= limit:
        return text
    note = f" … ({len(text) - limit:,} more characters)"
    return text[: max(0, limit - len(note))] + note


def first_line(text: str, limit: int = 200) -> str:
    """Return the first line of ``text`` that says anything, with a sign when more follows."""
    stripped = text.strip()
    line, _, rest = stripped[: limit + 1].partition("\n")
    line = line.rstrip("\r")
    cut = rest or len(stripped) > limit + 1
    return f"{line[: limit - 2]} …" if cut or len(line) > limit else line


def duration(seconds: float) -> str:
    """Return seconds as people say them: ``12 ms``, ``4.1 s``, ``2 min 14 s``, ``1 h 3 min``."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"


def moment(text: str) -> str:
    """Return an ISO 8601 time as ``2026-11-23 00:53:12 UTC``; any other text as it is."""
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return text
    then = then.replace(tzinfo=UTC) if then.tzinfo is None else then
    try:
        return f"{then.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return text


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 check``, ``2,000 checks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def drift(contract: Mapping[str, Any], most: int) -> str:
    """Say what a contract describes and the run never saw; of each the first ``most`` by name."""
    idle, unseen = contract["never_exercised"], contract["never_seen"]
    head = f"{contract['document']}: {len(idle)} of {contract['operations']}"
    return (
        f"{head} operations never exercised{_some(idle, most)}; "
        f"{count(len(unseen), 'field')} never seen{_some(unseen, most)}"
    )


def _some(names: Sequence[str], most: int) -> str:
    more = ", …" if len(names) > most else ""
    return f" ({', '.join(names[:most])}{more})" if names else ""


def _named(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:  # noqa: PLR2004 - Unicode has a picture for each C0 control
        return chr(0x2400 + code)
    return f"[U+{code:04X}]"
