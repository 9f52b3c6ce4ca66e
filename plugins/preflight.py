"""Says, before the first check runs, that a hook has less time than its checks may take.

Counted are the declarative checks, each of which has a time-out for all it does; how long a Python
test takes is not known before. The sum is the worst case, and seldom comes true: it is said, in
the log and in the record, not refused. What must be has a ``budget`` in the hook's settings.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from greenroom.plugins.suite_process import SECONDS
from greenroom.validators.threshold import show

if TYPE_CHECKING:
    import pytest

    from greenroom.plugins.recorder import Recorder


class Preflight:
    """The look at the selected checks as a plugin; ``seconds`` are the hook's."""

    def __init__(self, seconds: float, recorder: Recorder) -> None:
        self._seconds = seconds
        self._recorder = recorder

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compare the worst case with the time there is."""
        longest = sum(getattr(item, "longest_s", 0.0) for item in session.items)
        if longest <= self._seconds:
            return
        self._recorder.note(longest_s=round(longest, 3), hook_s=round(self._seconds, 3))
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(
                f"greenroom: at worst the checks take {show(longest, 's')}, and the hook has "
                f"{show(self._seconds, 's')} for them"
            )


def seconds_given() -> float | None:
    """Return the seconds that a hook gave this run; None outside a hook."""
    try:
        return float(os.environ[SECONDS])
    except (KeyError, ValueError):
        return None
