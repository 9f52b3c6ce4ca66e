"""Modules of ours that the hook runs as processes of their own: its own process stays small."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from greenroom.plugins.paths import with_import_paths
from greenroom.validators.errors import ToolError

_LAST_LINES = 2_000


def run_module(module: str, argument: str, *, until: float, given: bytes = b"") -> None:
    """Run ``python -m module argument`` with ``given`` on its standard input.

    Raises `ToolError` with the end of what it complained about unless it succeeds by ``until``
    (monotonic seconds).
    """
    try:
        subprocess.run(  # noqa: S603 - our own interpreter and modules
            [sys.executable, "-m", module, argument],
            input=given,
            env=with_import_paths(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=max(until - time.monotonic(), 0.0),
            check=True,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace")[-_LAST_LINES:].strip()
        # The last line of a traceback is the error's own, but for the notes below it.
        lines = [line for line in said.splitlines() if not line.startswith("hint: ")]
        raise ToolError(lines[-1] if lines else str(error), hint=f"see {module}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(str(error), hint="give the function more time or memory") from error
