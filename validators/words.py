"""Lists of texts as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def few(texts: Sequence[str], most: int = 5, *, between: str = ", ") -> str:
    """Return the first ``most`` texts in a row, and how many more there are.

    ``between`` is ``", "``, or ``"; "`` for texts that hold commas.
    """
    shown = between.join(texts[:most])
    if (more := len(texts) - most) <= 0:
        return shown
    return f"{shown}{';' if between == '; ' else ''} and {more:,} more"
