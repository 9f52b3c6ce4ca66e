"""The fixture `security_probes`: the built-in penetration probes, from Python."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from greenroom.plugins.recording import recording_of
from greenroom.plugins.settings import redactor_of, settings_of
from greenroom.plugins.suite_security import SecurityWork
from greenroom.plugins.target import connections_of
from greenroom.plugins.work_items import cache_folder
from greenroom.plugins.workplace import Site, Workplace

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from greenroom.plugins.security_run import SecurityOrder
    from greenroom.validators.finding import Finding

SECONDS = 120.0


def prober(request: pytest.FixtureRequest) -> Callable[[SecurityOrder], Finding]:
    """Return a function that probes the settings' target and gives the finding of it.

    Hand that to `verify`. It raises the errors of `observe_security`.
    """
    recording, config = recording_of(request.node), request.config
    recording.target_requested = True
    redactor = redactor_of(config)

    def probe(order: SecurityOrder) -> Finding:
        settings = settings_of(config)
        target = (settings.target or "").rstrip("/")
        here = Site(
            target, connections_of(config), redactor, recording.exchanges.append, settings.allow
        )
        place = Workplace(
            root=config.rootpath,
            environ=os.environ,
            until=time.monotonic() + SECONDS,
            cache=cache_folder(os.environ),
            redactor=redactor,
            today=datetime.now(UTC).date(),
            here=here,
        )
        return SecurityWork(order).run(place)

    return probe
