"""Short ways to read checks that are no plain request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from greenroom.plugins.suite_model import WorkCheck
from tests.support.suites import HEAD, read

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_variables import Variables
    from greenroom.plugins.workplace import Work


def with_work(line: str, expect: str = "") -> str:
    """Return a suite of one check that does ``line``."""
    lines = [f"  - name: c\n    {line}\n"]
    if expect:
        lines.append(f"    expect: {expect}\n")
    return HEAD + "".join(lines)


def work_check(
    line: str, expect: str = "", given: Variables | None = None, folder: Path | None = None
) -> WorkCheck:
    """Read a suite of one such check."""
    text = with_work(line, expect)
    [check] = (read(text, given) if folder is None else read(text, given, folder)).checks
    assert isinstance(check, WorkCheck)
    return check


def work_of(
    line: str, expect: str = "", given: Variables | None = None, folder: Path | None = None
) -> Work:
    """Return what such a check does."""
    return work_check(line, expect, given, folder).work


def soon(seconds: float = 5.0) -> float:
    """Return the deadline of something that shall not take longer."""
    return time.monotonic() + seconds
