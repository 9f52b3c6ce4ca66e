"""Drift: what a contract describes and a run never saw.

A check that is judged by an OpenAPI document leaves a note of what it exercised (`Exercised`); at
the run's end the notes of all checks say what none of them did.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIELDS_MOST = 100
"""Absent fields that one note names; of an answer that lacks more, none is called absent."""
_NOTE = re.compile(
    r"openapi (?P<document>.+?): (?P<operation>[A-Z]+ /\S*) answered (?P<status>[0-9A-Za-z]+)"
    r"(?:; not in the answer: (?P<absent>\[.*\]))?"
)


@dataclass(frozen=True, slots=True)
class Exercised:
    """One answer of an operation such as ``GET /pets/{id}``.

    ``document`` is the path from the root folder; ``status`` the key of the response in it;
    ``absent`` are the fields (JSONPaths) that it describes and the answer did not hold, None where
    its fields are not known.
    """

    document: str
    operation: str
    status: str
    absent: tuple[str, ...] | None = None

    def __str__(self) -> str:
        told = self.absent is not None and len(self.absent) <= _FIELDS_MOST
        fields = f"; not in the answer: {json.dumps(self.absent)}" if told else ""
        return f"openapi {self.document}: {self.operation} answered {self.status}{fields}"

    @classmethod
    def from_note(cls, note: str) -> Exercised | None:
        """Read a note that ends with ``str`` of one; None for any other."""
        found = _NOTE.search(note)
        if found is None or found.end() != len(note):
            return None
        try:
            absent = json.loads(found["absent"]) if found["absent"] else None
        except ValueError:  # a secret in it was redacted
            absent = None
        fields = None if absent is None else tuple(map(str, absent))
        return cls(found["document"], found["operation"], found["status"], fields)


@dataclass(frozen=True, slots=True)
class Drift:
    """What one document describes and nobody saw.

    ``unexercised`` are operations, ``unseen`` the fields that no answer of an exercised response
    held, each as ``GET /pets 200 $.tag``; ``operations`` is how many the document has.
    """

    document: str
    operations: int
    unexercised: tuple[str, ...]
    unseen: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the record's form."""
        return {
            "document": self.document,
            "operations": self.operations,
            "never_exercised": list(self.unexercised),
            "never_seen": list(self.unseen),
        }


def drift_of(document: str, operations: Iterable[str], seen: Iterable[Exercised]) -> Drift:
    """Return what no check ``seen`` exercised of a document's ``operations``, in their order."""
    known = tuple(operations)
    own = [one for one in seen if one.document == document]
    absent: dict[tuple[str, str], list[str]] = {}
    for one in own:
        place, fields = (one.operation, one.status), one.absent or ()
        absent[place] = [name for name in absent.get(place, fields) if name in fields]
    exercised = {one.operation for one in own}
    order = {name: at for at, name in enumerate(known)}
    places = sorted(absent, key=lambda place: (order.get(place[0], len(order)), place))
    return Drift(
        document,
        len(known),
        tuple(name for name in known if name not in exercised),
        tuple(
            f"{name} {status} {field}" for name, status in places for field in absent[name, status]
        ),
    )
