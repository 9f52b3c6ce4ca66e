"""Which test runs in this process, for functions that no fixture is given to.

Outside of a test that is recorded they work as well: they judge, and nobody records it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from greenroom.plugins.recording import Recording, recording_of
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.settings import redactor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_ITEMS: list[pytest.Item] = []
"""A test that runs pytest itself is followed by the inner one."""


class Scene(NamedTuple):
    """The running test's recording, what redacts it, its folder, and pytest's root folder.

    ``snapshots``: the run writes them.
    """

    recording: Recording
    redactor: Redactor
    folder: Path
    root: Path
    snapshots: bool = False


@contextmanager
def running(item: pytest.Item) -> Iterator[None]:
    """Make ``item`` the test that runs, until it has ended with its fixtures."""
    _ITEMS.append(item)
    try:
        yield
    finally:
        _ITEMS.pop()


def scene() -> Scene:
    """Return the scene of the running test, or one that nobody records."""
    if not _ITEMS:
        return Scene(Recording(), Redactor(), _unrecorded_folder(), Path.cwd())
    item = _ITEMS[-1]
    folder, root = item.path.parent, item.config.rootpath
    root = root if folder.is_relative_to(root) else folder
    snapshots = bool(item.config.getoption("greenroom_update_snapshots", default=False))
    return Scene(recording_of(item), redactor_of(item.config), folder, root, snapshots)


def _unrecorded_folder() -> Path:
    """Return the folder of a test that Greenroom does not observe, else the working folder."""
    named = Path(os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0])
    return named.parent.absolute() if named.is_file() else Path.cwd()
