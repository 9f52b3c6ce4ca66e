"""The dependencies of a bundle, fetched by pip for another Python and machine than this one.

pip's own configuration decides where from. It resolves with this machine's environment markers, so
what it chose is held against the target's: what is missing there is asked for, what is not needed
there is removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from greenroom.plugins.bundle_requirements import Needs, walk
from greenroom.plugins.bundle_trim import remove
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from greenroom.plugins.bundle_target import Target

LIMIT_S = 600.0
"""The longest that one call of pip may take."""

_ROUNDS = 5
_ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_DRY_RUN", "PIP_REPORT")
_REASON_LINES = 6


def fetch(
    needs: Needs, target: Target, folder: Path, *, limit_s: float = LIMIT_S
) -> dict[str, metadata.Distribution]:
    """Install what ``needs`` asks for, and what that needs on ``target``, into the new ``folder``.

    Returns the distributions by canonical name; raises `ToolError` with pip's reason.
    """
    asked = needs.requirements
    for _ in range(_ROUNDS):
        _install(Needs(asked, needs.constraints), target, folder, limit_s)
        there = _distributions(folder)
        walked = walk(needs.requirements, there.get, target)
        if not walked.missing:
            for name in sorted(set(there) - set(walked.found)):
                remove(there[name], folder)
            return walked.found
        asked = (*asked, *walked.missing)
        shutil.rmtree(folder)
    raise ToolError(
        f"pip found no set of packages that satisfies {', '.join(map(str, asked))}",
        hint="pin the packages in question: --with NAME==VERSION",
    )


def _distributions(folder: Path) -> dict[str, metadata.Distribution]:
    found = metadata.distributions(path=[str(folder)])
    return {canonicalize_name(distribution.name): distribution for distribution in found}


def _install(needs: Needs, target: Target, folder: Path, limit_s: float) -> None:
    with tempfile.TemporaryDirectory(prefix="greenroom-pip-") as work:
        wanted = Path(work, "requirements.txt")
        wanted.write_text("".join(f"{it}\n" for it in needs.requirements), encoding="utf-8")
        command = [
            *(sys.executable, "-P", "-m", "pip", "install", "--target", str(folder)),
            *("--only-binary=:all:", "--no-compile", "--python-version", target.python),
            *("--implementation", "cp", "--requirement", str(wanted)),
            *(f"--platform={tag}" for tag in target.platforms),
            *(f"--constraint={file}" for file in needs.constraints),
        ]
        _run(command, target, limit_s)


def _run(command: list[str], target: Target, limit_s: float) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter's pip; shown where it fails
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"pip did not end within {limit_s:g} s", hint="is the package index within reach?"
        ) from error
    if done.returncode != 0:
        raise ToolError(
            f"pip could not fetch the bundle's packages: {_reason(done)}",
            hint=_hint(done.stderr, target),
        )


def _environment() -> dict[str, str]:
    """Return pip's environment: the user's, without what would install elsewhere than told."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return {
        **kept,
        "PIP_USER": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return what pip said of its failure: its errors, and the conflict that it describes."""
    errors = [
        line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line[:6] == "ERROR:"
    ]
    _, conflict, rest = done.stdout.partition("The conflict is caused by:")
    causes = [line.strip() for line in rest.partition("\n\n")[0].splitlines() if line.strip()]
    lines = [*errors[:_REASON_LINES], *([conflict] if causes else []), *causes[:_REASON_LINES]]
    return "\n  ".join(lines or done.stderr.splitlines()[-1:] or [f"exit status {done.returncode}"])


def _hint(stderr: str, target: Target) -> str:
    if "No module named pip" in stderr:
        return "install pip into this environment: python -m ensurepip"
    if "No matching distribution" in stderr:
        return (
            f"it needs a wheel for Python {target.python} on Linux {target.machine}; "
            "one of your own is found through PIP_FIND_LINKS"
        )
    if "conflict" in stderr:
        return "Greenroom's own dependencies go at the versions installed here; suit them"
    return "pip's own configuration says where it looks: pip config list"
