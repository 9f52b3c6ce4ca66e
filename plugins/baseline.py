"""Baseline files: results that were there before and do not count; only new ones do.

A file holds a line for each result, sorted by file, rule and fingerprint, so that a change of it
reads well in a review. No line numbers: they would change with every edit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import SettingsError
from greenroom.validators.result import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from greenroom.validators.result import Result

SCHEMA = "greenroom.static-baseline/1"
_ANEW = "write it anew with `greenroom baseline [SUITE_FILE]`"


def read_baseline(path: Path, shown: str) -> dict[str, str]:
    """Return each fingerprint with what it stands for; raises `SettingsError`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"the baseline {shown} does not exist",
            hint="write it with `greenroom baseline [SUITE_FILE]`, look at it, and commit it",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"the baseline {shown} cannot be read: {error}", hint=_ANEW) from error
    try:
        return _entries(data)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{shown} is no baseline ({SCHEMA}): {error!r}",
            hint=_ANEW,
        ) from error


def write_baseline(path: Path, results: Iterable[Result]) -> int:
    """Write the results that are not waived as the new baseline; return how many there are.

    Raises `SettingsError`.
    """
    kept = sorted(
        (result.location.file if result.location else "", result.id, result.fingerprint)
        for result in results
        if result.state is not State.WAIVED
    )
    lines = [
        json.dumps({"file": file, "id": rule, "fingerprint": mark}, ensure_ascii=False)
        for file, rule, mark in kept
    ]
    body = "".join(f"\n    {line}," for line in lines).rstrip(",")
    end = "\n  ]" if lines else "]"
    content = f'{{\n  "schema": "{SCHEMA}",\n  "results": [{body}{end}\n}}\n'
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"the baseline {path} cannot be written: {error.strerror}", hint="correct `baseline:`"
        ) from error
    return len(kept)


def _entries(data: Any) -> dict[str, str]:  # noqa: ANN401 - a JSON value
    if data["schema"] != SCHEMA:
        raise ValueError(data["schema"])
    return {
        str(entry["fingerprint"]): f"{entry['id']} in {entry['file']}" for entry in data["results"]
    }
