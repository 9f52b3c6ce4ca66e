"""The command that runs checks again, as a person would type it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

READY_MADE = "greenroom.suites."
"""How the ids of checks begin whose suite is a package of Greenroom's, wherever it is installed."""
_WORD = re.compile(r"(?!(?:and|or|not)$)[\w.+-]+")


def rerun(ids: Sequence[str]) -> str:
    """Return the command for the checks with ``ids``; of a ready-made suite one alone, or all."""
    own = [one for one in ids if not one.startswith(READY_MADE)]
    packages = list(dict.fromkeys(one.partition("::")[0] for one in ids if one not in own))
    words = [*own, *(["--pyargs", *packages] if packages else [])]
    if len(ids) == 1 and packages:
        words += _chosen(ids[0].partition("::")[2])
    return f"pytest {shlex.join(words)}"


def _chosen(name: str) -> list[str]:
    """Return the option that selects ``name``, where it can: pytest takes no :: of a package."""
    words = name.split()
    return ["-k", " and ".join(words)] if words and all(map(_WORD.fullmatch, words)) else []
