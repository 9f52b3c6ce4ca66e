"""HTTP: the frozen facts of one exchange, and the pure functions that judge them.

Each function returns one `Rule`, met or not.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.finding import Rule
from greenroom.validators.json_values import judge_values
from greenroom.validators.threshold import Dimension, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.validators.json_values import Expectation
    from greenroom.validators.threshold import Threshold

_SHOWN_VIOLATIONS = 5
_CLASS_DIVISOR = 100
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
_NOT_FOR_TEXT = frozenset({"idna", "punycode", "undefined", "utf-7"})
"""Python's encodings that no answer is in: slow, for host names, or a way to hide mark-up."""
_NO_COOKIE = "0"
_LONG_AGO = re.compile(r"[ -](19[0-6][0-9]|1970)[ -]")
"""The dates that servers delete a cookie with: the year in which Unix time begins, or before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete response; ``elapsed_s`` runs from the request's start to the body's last byte.

    Header names are lower case; ``body`` is decoded from its transfer and content encoding.
    ``protocol`` is that of the connection, as ``HTTP/2``; empty if it is not known.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    elapsed_s: float
    protocol: str = ""

    def header(self, name: str) -> str | None:
        """Return a header's values joined by ``", "``, as HTTP defines it, or None."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    def text(self) -> str:
        """Return the body in the charset that it names, else UTF-8; raises `ValueError`."""
        named = _CHARSET.search(self.header("content-type") or "")
        charset = named[1] if named else "utf-8"
        try:
            text = self.body.decode(_codec(charset))
        except UnicodeDecodeError as error:
            raise ValueError(f"not {charset} at byte {error.start}") from error
        except LookupError as error:
            raise ValueError(f"in the unknown charset {charset}") from error
        return text.removeprefix("\ufeff")

    def cookies(self, name: str) -> tuple[str, ...]:
        """Return the values that the answer sets for the cookie ``name``; a deletion sets none."""
        lines = (value for key, value in self.headers if key == "set-cookie")
        found = (_cookie(line) for line in lines if line.partition("=")[0].strip() == name)
        return tuple(value for value in found if value is not None)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no complete answer could be observed, and what to do.

    ``retry`` is True where trying again is about the transport alone (no connection was made).
    """

    reason: str
    advice: str
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a document breaks its schema; ``pointer`` is a JSON Pointer."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '(root)'}: {self.message}"


@dataclass(frozen=True, slots=True)
class StatusSet:
    """The accepted status codes, and classes such as 2 for ``2xx``."""

    codes: frozenset[int] = frozenset()
    classes: frozenset[int] = frozenset()

    def accepts(self, status: int) -> bool:
        """Tell whether ``status`` is one of these."""
        return status in self.codes or status // _CLASS_DIVISOR in self.classes

    def __str__(self) -> str:
        names = [*map(str, sorted(self.codes)), *(f"{one}xx" for one in sorted(self.classes))]
        return " or ".join(names)


def judge_protocol(wanted: str, answer: Answer) -> Rule:
    """Judge which version of HTTP answered."""
    seen = answer.protocol or "none of HTTP"
    return Rule("protocol", wanted, seen, met=seen == wanted)


def judge_status(accepted: StatusSet, answer: Answer) -> Rule:
    """Judge the status code."""
    met = accepted.accepts(answer.status)
    return Rule("status", str(accepted), str(answer.status), met)


def judge_time(limit: Threshold, answer: Answer) -> Rule:
    """Judge the time to the body's last byte; ``limit`` is about the metric ``time``."""
    return limit.judge({"time": Metric(answer.elapsed_s, Dimension.TIME, samples=1)})


def judge_header(name: str, expectation: Expectation, answer: Answer) -> Rule:
    """Judge one header as a text; an absent header meets nothing but ``exists: false``."""
    value = answer.header(name)
    return judge_values(f"header {name.lower()}", expectation, () if value is None else (value,))


def judge_size(limit: Threshold, answer: Answer) -> Rule:
    """Judge the body's size once it is decompressed; ``limit`` is about the metric ``size``."""
    return limit.judge({"size": Metric(len(answer.body), Dimension.SIZE, samples=1)})


def judge_body_text(expectation: Expectation, answer: Answer) -> Rule:
    """Judge the body as text; one that is not in the charset it names meets nothing."""
    try:
        return judge_values("text", expectation, (answer.text(),))
    except ValueError as error:
        return Rule("text", expectation.limit, str(error), met=False)


def judge_cookie(name: str, expectation: Expectation, answer: Answer) -> Rule:
    """Judge a cookie that the answer sets; its value is a credential, and is not shown."""
    values = answer.cookies(name)
    rule = judge_values(f"cookie {name}", expectation, values)
    seen = "a value that is not shown" if values else "not set"
    return Rule(rule.rule, rule.limit, seen, rule.met)


def judge_schema(name: str, violations: Iterable[Violation]) -> Rule:
    """Judge a document by the ways in which it breaks the schema ``name``."""
    found = tuple(violations)
    shown = "; ".join(map(str, found[:_SHOWN_VIOLATIONS]))
    more = f"; and {len(found) - _SHOWN_VIOLATIONS} more" if len(found) > _SHOWN_VIOLATIONS else ""
    return Rule("schema", name, f"{shown}{more}" if found else "valid", not found)


def _codec(charset: str) -> str:
    name = codecs.lookup(charset).name
    if name in _NOT_FOR_TEXT or name.endswith("escape"):
        raise LookupError(charset)
    return name


def _cookie(line: str) -> str | None:
    """Return the value of a Set-Cookie header, or None where it deletes the cookie."""
    pair, _, rest = line.partition(";")
    attributes = {
        key.strip().lower(): value.strip()
        for key, _, value in (part.partition("=") for part in rest.split(";"))
    }
    age = attributes.get("max-age", "")
    gone = age.startswith("-") or age == _NO_COOKIE
    if not age:
        gone = _LONG_AGO.search(attributes.get("expires", "")) is not None
    return None if gone else pair.partition("=")[2].strip().strip('"')
