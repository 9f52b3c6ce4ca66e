"""JSON as a tree that knows its places, in one pass: a large template takes no YAML reader."""

from __future__ import annotations

import math
import re
from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import HALF, HALVES, Entry, Mapping, Place, Scalar, Sequence

if TYPE_CHECKING:
    from greenroom.plugins.suite_yaml import Document, Node

_BLANKS = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"true|false|null")
_WORDS = {"true": True, "false": False, "null": None}
_DEPTH_MOST = 60
_DIGITS_MOST = 60
_STRINGS = JSONDecoder()


def read_json(document: Document, most: int) -> Node:
    """Return the tree of a JSON text of at most ``most`` values; raises `SettingsError`."""
    return _Json(document, most).whole()


class _Json:
    def __init__(self, document: Document, most: int) -> None:
        self._document = document
        self._text = document.text
        self._left = most
        self._at = 0
        self._line, self._begin, self._seen = 1, 0, 0
        """The line of the last place, where it begins, and up to where lines are counted."""

    def whole(self) -> Node:
        node = self._value(0)
        if self._next():
            raise self._wrong("more text after the end of the document")
        return node

    def _value(self, depth: int) -> Node:
        character = self._next()
        place = self._place()
        self._left -= 1
        if self._left < 0 or depth > _DEPTH_MOST:
            raise self._document.error(place, "the document is too large or too deep")
        if character == "{":
            return Mapping(place, tuple(self._entries(depth)))
        if character == "[":
            return Sequence(place, tuple(self._items(depth)))
        if character == '"':
            text = self._text_value()
            return Scalar(place, text, text)
        return self._plain(place)

    def _plain(self, place: Place) -> Scalar:
        if word := _WORD.match(self._text, self._at):
            self._at = word.end()
            return Scalar(place, word[0], _WORDS[word[0]])
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            raise self._wrong("a value is expected here")
        self._at = number.end()
        raw = number[0]
        value = float(raw) if number[1] or number[2] or len(raw) > _DIGITS_MOST else int(raw)
        if not math.isfinite(value):
            raise self._document.error(place, f"{raw} is not a finite number")
        return Scalar(place, raw, value)

    def _entries(self, depth: int) -> list[Entry]:
        entries: list[Entry] = []
        seen: dict[str, Place] = {}
        self._at += 1
        while self._more("}", first=not entries):
            if self._next() != '"':
                raise self._wrong("a key in double quotes is expected here")
            place = self._place()
            key = self._text_value()
            if key in seen:
                raise self._document.error(
                    place,
                    f"duplicate key {key!r}",
                    f"it stands in line {seen[key].line} already: keep one of them",
                )
            seen[key] = place
            if self._next() != ":":
                raise self._wrong("a colon is expected here")
            self._at += 1
            entries.append(Entry(place, key, self._value(depth + 1)))
        return entries

    def _items(self, depth: int) -> list[Node]:
        items: list[Node] = []
        self._at += 1
        while self._more("]", first=not items):
            items.append(self._value(depth + 1))
        return items

    def _more(self, end: str, *, first: bool) -> bool:
        """Step over the comma before the next member, or over the ``end``."""
        character = self._next()
        if character == end:
            self._at += 1
            return False
        if first:
            return True
        if character != ",":
            raise self._wrong(f"a comma or {end} is expected here")
        self._at += 1
        if self._next() == end:
            raise self._wrong("a comma stands before the end")
        return True

    def _text_value(self) -> str:
        try:
            text, self._at = _STRINGS.raw_decode(self._text, self._at)
        except JSONDecodeError as error:
            self._at = error.pos
            raise self._wrong(error.msg) from error
        if HALF.search(text):
            raise self._wrong(f"here ends {HALVES}")
        return str(text)

    def _next(self) -> str:
        """Step over blanks; return the next character, empty at the end."""
        blanks = _BLANKS.match(self._text, self._at)
        self._at = blanks.end() if blanks else self._at
        return self._text[self._at : self._at + 1]

    def _place(self) -> Place:
        self._line += self._text.count("\n", self._seen, self._at)
        last = self._text.rfind("\n", self._seen, self._at)
        self._begin = last + 1 if last >= 0 else self._begin
        self._seen = max(self._seen, self._at)
        return Place(self._line, self._at - self._begin + 1)

    def _wrong(self, problem: str) -> Exception:
        return self._document.error(self._place(), f"not valid JSON: {problem}", "repair the JSON")
