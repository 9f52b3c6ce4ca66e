"""Places to run checks of an environment at, without a run of pytest."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.allowed import Allowed
from greenroom.plugins.http import Connections
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.workplace import Site, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def place_at(  # noqa: PLR0913 - a test gives one or two
    target: str = "",
    *,
    seconds: float = 10.0,
    root: Path = Path(),
    allow: Allowed | None = None,
    redactor: Redactor | None = None,
    exchanges: list[dict[str, Any]] | None = None,
) -> Iterator[Workplace]:
    """Give a place whose environment is ``target``; its exchanges go to ``exchanges``."""
    known = redactor or Redactor()
    connections = Connections()
    seen = [] if exchanges is None else exchanges
    try:
        yield Workplace(
            root=root,
            environ={},
            until=time.monotonic() + seconds,
            cache=root / ".cache",
            redactor=known,
            today=datetime.now(UTC).date(),
            here=Site(target, connections, known, seen.append, allow or Allowed()),
        )
    finally:
        connections.close()
