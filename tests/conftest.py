"""The repo's own pytest set-up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

# No deadline: two workers share the machine with real servers. In CI a failure must come again.
settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

_SCRUBBED = ("AWS_", "GREENROOM_", "PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")


@pytest.fixture(autouse=True)
def _callers_environment_stays_out() -> Iterator[None]:
    """Take the caller's settings and credentials away, and undo what a test sets."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(_SCRUBBED):
            del os.environ[name]
    yield
    for name in set(os.environ) - set(before) - {"PYTEST_CURRENT_TEST"}:
        del os.environ[name]
    os.environ.update({name: before[name] for name in before if name != "PYTEST_CURRENT_TEST"})
