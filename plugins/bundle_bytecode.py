"""Bytecode for a bundle, by an interpreter of the target's own version.

With unchecked hashes, because the files' times do not survive packing: bytecode that is checked
against them is stale, which is no better than none. Its paths are the function's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from greenroom.plugins.bundle_target import TASK_ROOT
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.bundle_target import Target

_LOOK_S = 30.0
_COMPILE_S = 600.0
_WHO = "import sys; print(sys.implementation.cache_tag, sys.version_info.releaselevel)"
_SETTLED = ("candidate", "final")  # the bytecode of an earlier release is another one


def interpreter_for(target: Target) -> str | None:
    """Return an interpreter that writes ``target``'s bytecode, or None if this machine has none."""
    known = [sys.executable, shutil.which(f"python{target.python}")]
    return next((path for path in known if path and _writes_for(path, target)), None)


def compile_all(folder: Path, interpreter: str) -> list[str]:
    """Compile all sources below ``folder``; return the names of those that do not compile.

    The same sources give the same bytes, in whatever folder.
    """
    command = [
        *(interpreter, "-P", "-s", "-S", "-m", "compileall", "-qq", "-f"),
        *("--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT, str(folder)),
    ]
    environment = {**_environment(), "PYTHONHASHSEED": "0"}
    try:
        subprocess.run(  # noqa: S603 - an interpreter that was asked who it is
            command, env=environment, capture_output=True, timeout=_COMPILE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(
            f"{interpreter} could not compile the bundle: {error}", hint="try once more"
        ) from error
    return [_name(path, folder) for path in sorted(folder.rglob("*.py")) if not _compiled(path)]


def _writes_for(interpreter: str, target: Target) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, or one of the user's PATH
            [interpreter, "-S", "-c", _WHO],
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=_LOOK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.split() in [[target.cache_tag, level] for level in _SETTLED]


def _environment() -> dict[str, str]:
    """Return the environment without what would change an interpreter, as pythons' variables do."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _compiled(source: Path) -> bool:
    return any((source.parent / "__pycache__").glob(f"{source.stem}.*.pyc"))


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
