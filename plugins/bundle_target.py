"""Where a bundle will run: one of Lambda's Pythons on one of its architectures."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from greenroom.validators.errors import SettingsError

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
ARCHITECTURES = ("x86_64", "arm64")
TASK_ROOT = "/var/task"
"""Where Lambda unpacks a function's bundle."""

_GLIBC = {"3.11": 26}  # Amazon Linux 2; all later runtimes stand on Amazon Linux 2023
_GLIBC_LATER = 34
_GLIBC_LEAST = 17  # manylinux2014
_LATEST_PATCH = 99  # Lambda keeps to a version's latest patch, whichever that is


@dataclass(frozen=True, slots=True)
class Target:
    """A Python's minor version (``3.12``) and an architecture as Lambda names it."""

    python: str
    architecture: str

    @property
    def machine(self) -> str:
        """The architecture as Linux names it."""
        return "aarch64" if self.architecture == "arm64" else self.architecture

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags whose wheels run there, the newest first."""
        newest = _GLIBC.get(self.python, _GLIBC_LATER)
        minors = range(newest, _GLIBC_LEAST - 1, -1)
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in minors]
        return (*tags, f"manylinux2014_{self.machine}")

    @property
    def cache_tag(self) -> str:
        """The tag of bytecode files that this Python reads."""
        return f"cpython-{self.python.replace('.', '')}"

    @property
    def markers(self) -> dict[str, str]:
        """The values of a requirement's environment markers there."""
        version = f"{self.python}.{_LATEST_PATCH}"
        return {
            "implementation_name": "cpython",
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": version,
            "python_version": self.python,
            "sys_platform": "linux",
        }


def target(python: str | None = None, architecture: str = "x86_64") -> Target:
    """Return the target named; without ``python`` the running one's version."""
    version = python or "{}.{}".format(*sys.version_info)
    for name, value, known in (
        ("Python", version, PYTHONS),
        ("architecture", architecture, ARCHITECTURES),
    ):
        if value not in known:
            raise SettingsError(
                f"Lambda has no {name} {value} that Greenroom runs on",
                hint=f"choose one of: {', '.join(known)}",
            )
    return Target(version, architecture)
