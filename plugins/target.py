"""The run's target as an httpx client; connections are shared by all checks of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.http import Connections, client
from greenroom.plugins.settings import redactor_of, settings_of
from greenroom.plugins.targets import Behind, behind

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

_CONNECTIONS: pytest.StashKey[Connections] = pytest.StashKey()

_BEHIND: pytest.StashKey[Behind] = pytest.StashKey()


def connections_of(config: pytest.Config) -> Connections:
    """Return the connections that this process's checks share, closed at its end."""
    if (known := config.stash.get(_CONNECTIONS, None)) is None:
        known = config.stash[_CONNECTIONS] = Connections()
        config.add_cleanup(known.close)
    return known


def behind_of(config: pytest.Config) -> Behind:
    """Return what stands behind the target, asked once in each process."""
    if (known := config.stash.get(_BEHIND, None)) is None:
        known = config.stash[_BEHIND] = behind(settings_of(config).targets)
    return known


def target_client(config: pytest.Config, record: Callable[[dict[str, Any]], None]) -> httpx.Client:
    """Return a client bound to the settings' target; `pytest.UsageError` where none is set."""
    address = settings_of(config).target
    if not address:
        raise pytest.UsageError(
            "greenroom: no target is set; give --greenroom-target URL, GREENROOM_TARGET, "
            "or target in greenroom.toml"
        )
    return client(address, connections_of(config), redactor_of(config), record)
