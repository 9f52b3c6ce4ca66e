"""The drift of a run: what the OpenAPI documents of its checks describe and no check saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.validators.drift import Exercised, drift_of
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def drift(notes: Iterable[str], root: Path) -> list[dict[str, Any]]:
    """Return the drift of each document that ``notes`` name, in the record's form.

    A document that can no longer be read below ``root`` is left out.
    """
    seen = [one for note in notes if (one := Exercised.from_note(note)) is not None]
    found = []
    for document in sorted({one.document for one in seen}):
        from greenroom.plugins.openapi_match import operations_of  # noqa: PLC0415 - loads jsonschema

        try:
            _, operations = operations_of(root / document)
        except SettingsError:
            continue
        found.append(drift_of(document, [one.name for one in operations], seen).to_json())
    return found
