"""Keep secrets out of everything that is written: reports, records, logs and messages.

A secret is found in the forms it travels in: as it is, percent-encoded, JSON-, HTML- or
Python-escaped (also in part), hexadecimal, and inside base64 text at any offset. Names of headers
and query parameters that carry credentials are redacted whatever their value.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REDACTED = "[redacted]"
_SENSITIVE = re.compile(
    r"authorization|authentication|cookie|token|secret|passw|api[-_]?key|access[-_]?key|signature|"
    r"credential|session[-_]?id|x-amz-security",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/?#\s@]*@")
_PARAMETER = re.compile(r"(?<=[?&])([^=&#\s]*)=([^&#\s]*)")
_ENCODED_LEAST = 6
"""Bytes of the shortest secret that is also looked for in hexadecimal and base64."""
_FRAGMENT_LEAST = 4
"""Characters of the shortest beginning of a secret that is removed from the end of a cut text."""


class _Known(NamedTuple):
    secrets: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()

    def compiled(self) -> re.Pattern[str]:
        longest_first = sorted(self.secrets, key=lambda secret: (-len(secret), secret))
        forms = [form for secret in longest_first for form in _forms(secret)]
        return re.compile("|".join([*forms, *sorted(self.patterns)]))


class _Compiled(NamedTuple):
    known: _Known
    pattern: re.Pattern[str]


class Redactor:
    """Replaces the values of ``secrets``, and of sensitive headers, by ``[redacted]``.

    Any thread may use it: what is known is replaced as a whole, and never changed.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known = _Known()
        self._compiled = _Compiled(self._known, re.compile(r"(?!)"))
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Know one more secret, with and without blanks around it; an empty one is ignored."""
        new = {secret, secret.strip()} - self._known.secrets - {""}
        if new and secret.strip():
            with self._lock:
                known = self._known
                self._known = known._replace(secrets=known.secrets | new)

    def hide(self, pattern: str) -> None:
        """Know the form of secrets that are made anew each time: a regular expression."""
        if pattern not in self._known.patterns:
            with self._lock:
                known = self._known
                self._known = known._replace(patterns=known.patterns | {pattern})

    @property
    def active(self) -> bool:
        """Whether there is any secret to look for."""
        return any(self._known)

    def text(self, text: str) -> str:
        """Return ``text`` without any secret."""
        known = self._known
        if not any(known):
            return text
        compiled = self._compiled
        if compiled.known is not known:
            compiled = self._compiled = _Compiled(known, known.compiled())
        return compiled.pattern.sub(REDACTED, text)

    def excerpt(self, text: str, limit: int, *, whole: bool = True) -> str:
        """Return the first ``limit`` characters of ``text``, redacted before they are cut.

        A text that is not ``whole`` may end within a secret: such an end goes too.
        """
        margin = 6 * max(map(len, self._known.secrets), default=0)
        kept = self.text(text[: limit + margin])
        if not whole and len(text) <= limit + margin:
            kept = self._without_fragment(kept)
        return kept[:limit]

    def value(self, value: Any) -> Any:  # noqa: ANN401 - a JSON value
        """Return a JSON value with the secrets replaced at any depth, in names as well."""
        if not self.active:
            return value
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
            case int() | float() if not isinstance(value, bool):
                return value if self.text(str(value)) == str(value) else REDACTED
            case _:
                return value

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[list[str]]:
        """Return ``[name, value]`` pairs; the value of a sensitive name is always redacted."""
        return [
            [self.text(name), REDACTED if is_sensitive(name) else self.text(value)]
            for name, value in headers
        ]

    def url(self, url: str) -> str:
        """Return ``url`` without user information, secrets and sensitive query parameters."""
        return _PARAMETER.sub(_parameter, self.text(_USERINFO.sub(f"{REDACTED}@", url)))

    def _without_fragment(self, text: str) -> str:
        for secret in self._known.secrets:
            for size in range(min(len(secret) - 1, len(text)), _FRAGMENT_LEAST - 1, -1):
                if text.endswith(secret[:size]):
                    return text[:-size] + REDACTED
        return text


def is_sensitive(name: str) -> bool:
    """Tell whether a header or parameter of this name carries a credential."""
    return _SENSITIVE.search(name) is not None


def _parameter(found: re.Match[str]) -> str:
    return f"{found[1]}={REDACTED}" if is_sensitive(found[1]) else found[0]


def _forms(secret: str) -> Iterator[str]:
    yield "".join(map(_character, secret))
    octets = secret.encode("utf-8", "surrogatepass")
    if len(octets) < _ENCODED_LEAST:
        return
    yield f"(?i:{octets.hex()})"
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + octets)
        inner = encoded[-(-offset * 8 // 6) : (offset + len(octets)) * 8 // 6].decode()
        yield re.escape(inner)
        yield re.escape(inner.translate(str.maketrans("+/", "-_")))


def _character(character: str) -> str:
    """Return a pattern of every form that one character of a secret may take."""
    import html  # noqa: PLC0415 - its table of entities is slow to load, and few runs have secrets

    code = ord(character)
    octets = character.encode("utf-8", "surrogatepass")
    escaped = json.dumps(character)[1:-1]
    exact = {
        character,
        html.escape(character),
        escaped,
        json.dumps(escaped)[1:-1],
        json.dumps(character, ensure_ascii=False)[1:-1],
        repr(character)[1:-1],
        {" ": "+", "'": "\\'", '"': '\\"', "/": "\\/"}.get(character, character),
    }
    any_case = {
        "".join(f"%{octet:02x}" for octet in octets),
        "".join(f"\\u{unit:04x}" for unit in _utf16(character)),
        f"\\x{code:02x}",
    }
    forms = [re.escape(form) for form in sorted(exact, key=lambda form: (-len(form), form))]
    numbered = [f"&#0*{code};", f"&#x0*{code:x};"]
    coded = "|".join([*map(re.escape, sorted(any_case)), *numbered])
    return f"(?:{'|'.join(forms)}|(?i:{coded}))"


def _utf16(character: str) -> Iterator[int]:
    octets = character.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2))
