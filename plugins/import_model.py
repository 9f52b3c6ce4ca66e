"""What an import makes of a foreign document: checks to be, and what it has to say about them.

Texts of a `Draft` are texts of a suite already: a plain ``${`` is escaped, and secrets and settings
are variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.import_vault import Need

_NAME_MOST = 100
_VARIABLE = re.compile(r"\$\{(?:secret|settings)\.([^{}]*)\}")
WRITES = frozenset({"post", "put", "patch", "delete"})
"""Methods that change something: their checks have the tag ``writes``."""


class UnwritableError(Exception):
    """Why something cannot be said in a suite file; whoever reads an item tells it and goes on."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One check to be; ``expect`` is in the suite's grammar, ``schema`` is written beside it.

    ``content`` is ``("json", value)`` or ``("body", text)``.
    """

    name: str
    method: str
    path: str
    expect: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...] = ()
    content: tuple[str, Any] | None = None
    tags: tuple[str, ...] = ()
    max_body: str = ""
    schema: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Tally:
    """What was left out, by reason, and what else the user has to know."""

    skipped: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def skip(self, reason: str, what: str) -> None:
        """Note that ``what`` was left out."""
        self.skipped.setdefault(reason, []).append(what)

    def note(self, text: str) -> None:
        """Note ``text``, once."""
        if text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True, slots=True)
class Imported:
    """A whole import: ``target`` is the origin that the document names, or empty."""

    name: str
    kind: str
    target: str
    drafts: tuple[Draft, ...]
    tally: Tally
    secrets: tuple[Need, ...]
    settings: tuple[Need, ...]


def tags_of(method: str, *tags: str) -> tuple[str, ...]:
    """Return the tags of a check whose request has this method."""
    return (*tags, "writes") if method in WRITES else tags


def readable(text: str) -> str:
    """Return ``text`` as a name may be: one printable line without variables, not too long."""
    text = _VARIABLE.sub(r"{\1}", text)
    while "${" in text or "::" in text:
        text = text.replace("${", "{").replace("::", ":")
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= _NAME_MOST else f"{text[: _NAME_MOST - 1]}…"


def distinct(name: str, taken: set[str]) -> str:
    """Return ``name``, with a number where it is taken; the result is taken from now on."""
    name = readable(name) or "request"
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name} ({number})"
    taken.add(found.casefold())
    return found
