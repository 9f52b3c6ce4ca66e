"""Trivy's log: what it says there and nowhere in its report.

Files that it cannot read, results that a comment drops, packages that it cannot compare, and the
files in which it looks for secrets. A line is ``TIME<tab>LEVEL<tab>MESSAGE<tab>key="value" …``.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenroom.validators.image import Hidden, Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_LINE = re.compile(r"\S+Z\t(DEBUG|INFO|WARN|ERROR|FATAL)\t([^\t\n]*)(?:\t(.*))?")
_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')
_NAMED = re.compile(r"(?:failed|unable) to (?:parse|open|read|decode|analyze) (.+?): ")
_FAILED = ("Walk error", "Analysis error")
_SKIPPED = ("Skipping a component", "Skipping vulnerability scan as no version")
_PARSED = re.compile(r"pars|decod|skipping|read", re.IGNORECASE)
_DROPPED = "Ignore finding"
_SECRET = b"\t[secret] "
_SECRET_FILE = re.compile(rb'file_path=("(?:[^"\\]|\\.)*")')
_FATAL = re.compile(r"^\S+Z\tFATAL\t(?:Fatal error\s+(?:- )?)?", re.MULTILINE)
_PREFIX = re.compile(r"^\S+Z\t[A-Z]+\t", re.MULTILINE)
_STACK = re.compile(r"^ {4,}\S.*\n|^\S+Z\tDEBUG\t.*\n", re.MULTILINE)
_WHY_MOST = 200
_NAME = "told.json"


@dataclass(frozen=True, slots=True)
class Told:
    """What a log told; ``skipped`` are packages that it compares with nothing.

    ``secrets`` counts the files searched for secrets, ``lines`` all lines.
    """

    unread: tuple[Unread, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    skipped: tuple[Unread, ...] = ()
    secrets: int = 0
    lines: int = 0

    def __or__(self, other: Told) -> Told:
        return Told(
            tuple(dict.fromkeys((*self.unread, *other.unread))),
            tuple(dict.fromkeys((*self.hidden, *other.hidden))),
            tuple(dict.fromkeys((*self.skipped, *other.skipped))),
            max(self.secrets, other.secrets),
            self.lines + other.lines,
        )

    def plain(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return {
            "unread": self.unread,
            "hidden": self.hidden,
            "skipped": self.skipped,
            "secrets": self.secrets,
            "lines": self.lines,
        }

    @classmethod
    def from_plain(cls, value: Mapping[str, Any]) -> Told:
        """Read what ``plain`` returned; raises KeyError, TypeError or ValueError otherwise."""
        return cls(
            tuple(Unread(str(path), str(why)) for path, why in value["unread"]),
            tuple(Hidden(str(rule), str(path), int(line)) for rule, path, line in value["hidden"]),
            tuple(Unread(str(name), str(why)) for name, why in value["skipped"]),
            int(value["secrets"]),
            int(value["lines"]),
        )


@dataclass(slots=True)
class _Reader:
    unread: dict[Unread, None] = field(default_factory=dict)
    hidden: dict[Hidden, None] = field(default_factory=dict)
    skipped: dict[Unread, None] = field(default_factory=dict)
    secrets: set[bytes] = field(default_factory=set)
    lines: int = 0

    def take(self, line: bytes) -> None:
        if _SECRET in line:
            if found := _SECRET_FILE.search(line):
                self.secrets.add(found[1])
            return
        if (read := _LINE.match(line.decode("utf-8", "replace"))) is None:
            return
        self.lines += 1
        level, message, rest = read[1], read[2], read[3] or ""
        if message.endswith(_DROPPED):
            self.hidden[_hidden(_fields(rest))] = None
        elif any(one in message for one in _SKIPPED):
            self.skipped[_skipped(message, _fields(rest))] = None
        elif _is_unread(level, message, fields := _fields(rest)):
            self.unread[_unread(fields)] = None


def read_log(lines: Iterable[bytes]) -> Told:
    """Return what the lines of a log tell; any other line is passed over."""
    reader = _Reader()
    for line in lines:
        reader.take(line)
    found = (tuple(reader.unread), tuple(reader.hidden), tuple(reader.skipped))
    return Told(*found, len(reader.secrets), reader.lines)


def last_words(text: str) -> str:
    """Return what a log says of the end: its fatal error, else what is no detail."""
    plain = _STACK.sub("", f"{text.rstrip()}\n")
    if found := list(_FATAL.finditer(plain)):
        plain = plain[found[-1].end() :]
    return _PREFIX.sub("", plain).replace("\n  - ", " ").strip()


def take_told(folder: Path) -> Told:
    """Take what is kept of the layers in ``folder``; layers of which nothing is kept are removed.

    A scan that does not come to its end leaves none: its layers are read anew.
    """
    path = folder / _NAME
    try:
        told = Told.from_plain(json.loads(path.read_bytes()))
        path.unlink()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        shutil.rmtree(folder / "fanal", ignore_errors=True)
        return Told()
    return told


def leave_told(folder: Path, told: Told) -> None:
    """Keep ``told`` with the layers in ``folder``."""
    with contextlib.suppress(OSError):
        (folder / _NAME).write_text(json.dumps(told.plain()))


def _is_unread(level: str, message: str, fields: Mapping[str, str]) -> bool:
    if message.endswith(_FAILED):
        return True
    bad = level in {"WARN", "ERROR"} and "err" in fields
    return bad and ("file_path" in fields or bool(_PARSED.search(message)))


def _unread(fields: Mapping[str, str]) -> Unread:
    why = fields.get("err", "")
    named = _NAMED.search(f"{why}: ")
    path = fields.get("file_path") or (named[1] if named else why.partition(":")[0])
    return Unread(path, why[:_WHY_MOST])


def _skipped(message: str, fields: Mapping[str, str]) -> Unread:
    name, version = fields.get("name", ""), fields.get("version", "")
    what = message.partition("Skipping ")[2].removeprefix("vulnerability scan as ")
    return Unread(f"{name}@{version}" if version else name, what)


def _hidden(fields: Mapping[str, str]) -> Hidden:
    path, _, lines = fields.get("range", "").rpartition(":")
    start = lines.partition("-")[0]
    return Hidden(fields.get("rule", ""), path, int(start) if start.isdecimal() else 0)


def _fields(text: str) -> dict[str, str]:
    return {name: _unquoted(value) for name, value in _FIELD.findall(text)}


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:  # an escape of Go's that JSON does not have
        return text[1:-1]
