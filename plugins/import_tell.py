"""What ``greenroom import`` says: what was written, left out, and has to be set."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from greenroom.plugins.redaction import Redactor
from greenroom.validators.json_values import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.plugins.import_model import Imported

_SHOWN_MOST = 10


def report(imported: Imported, suite: Path, schemas: int, target: str) -> Iterator[str]:
    """Yield the lines that tell of an import into ``suite``, each printable."""
    for line in _lines(imported, suite, schemas, target):
        yield printable(line)


def _lines(imported: Imported, suite: Path, schemas: int, target: str) -> Iterator[str]:
    beside = f", {_count(schemas, 'schema')} beside it" if schemas else ""
    yield f"{suite}: {_count(len(imported.drafts), 'check')}{beside}"
    for reason, what in imported.tally.skipped.items():
        yield f"left out: {len(what)}: {reason}: {_some(what)}"
    for note in imported.tally.notes:
        yield f"note: {note}"
    if imported.secrets:
        yield "set these environment variables, which are redacted everywhere:"
        for need in imported.secrets:
            yield f"  {need.name}  # {need.where}"
    if imported.settings:
        yield "set these in greenroom.toml, or by --greenroom-set NAME=VALUE:"
        yield "  [variables]"
        for need in imported.settings:
            yield f"  {_toml_key(need.name)} = {_toml_text(need.value)}  # {need.where}"
    writing = sum("writes" in draft.tags for draft in imported.drafts)
    if writing:
        yield f"{_count(writing, 'check')} may change something: pytest -m 'not writes' omits them"
    given = "" if target else f" --greenroom-target {imported.target or 'URL'}"
    yield f"then: pytest {suite}{given}"


def _toml_key(name: str) -> str:
    return json.dumps(name) if "." in name else name


def _toml_text(value: str) -> str:
    return json.dumps(Redactor().url(value), ensure_ascii=False)


def _some(what: list[str]) -> str:
    counted = Counter(what)
    shown = [name if count == 1 else f"{name} ({count})" for name, count in counted.items()]
    more = f", and {len(shown) - _SHOWN_MOST} more" if len(shown) > _SHOWN_MOST else ""
    return f"{', '.join(shown[:_SHOWN_MOST])}{more}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
