"""The user's own files of a bundle: suites, settings, helper packages, and nothing else.

A file keeps its place relative to the project. Nothing outside the project goes along, also not
through a link; hidden files, caches and virtual environments stay behind; a secret goes along only
if its own path was given.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from greenroom.plugins.hook_settings import hook_settings
from greenroom.validators.errors import SettingsError

SUITES = "suites"
SETTINGS = (
    "greenroom.toml",
    "pyproject.toml",
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "tox.ini",
    "setup.cfg",
    "conftest.py",
)
"""What pytest and Greenroom read in a project's own folder; each goes along where it is there."""

_READ_BY_US = re.compile(r"^\s*\[(tool[.:])?(pytest|greenroom)\b", re.MULTILINE)
_SHARED = frozenset({"pyproject.toml", "tox.ini", "setup.cfg"})
_MADE = frozenset({"__pycache__", "node_modules", "greenroom-report", "greenroom-rehearsal"})
_SECRET_NAME = re.compile(
    r".*\.env|\.env\..*|id_(rsa|dsa|ecdsa|ed25519)|[._]netrc|\.pypirc|\.npmrc|\.pgpass|"
    r"(aws_?)?credentials(\.(json|csv|ini|txt|toml|ya?ml))?|.*\.(key|p12|pfx|jks|kdbx|keystore)",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY")
_HEAD = 64 * 1024
_ODD = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Project:
    """A project's folder, and the file that is being written, which is no part of it."""

    root: Path
    out: Path

    @property
    def real(self) -> Path:
        """The folder without links."""
        return self.root.resolve()


@dataclass(slots=True)
class Collected:
    """Files by name in the bundle, and names of what stayed behind."""

    files: dict[str, Path] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def collect(project: Project, paths: tuple[str, ...]) -> Collected:
    """Return the files at ``paths`` (without any: those of the suites) and the settings' files.

    Raises `SettingsError` for whatever cannot go along, naming it.
    """
    try:
        return _collected(project, paths)
    except OSError as error:
        raise SettingsError(
            f"{error.filename} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error


def _collected(project: Project, paths: tuple[str, ...]) -> Collected:
    named = named_suites(project)
    given = paths or tuple(dict.fromkeys((*_default(project, named), *named)))
    collected = Collected()
    explicit = {_inside(project, path) for path in given}
    for path in sorted(explicit):
        _add(project, path, collected, explicit)
    for name in SETTINGS:
        if (project.root / name).is_file() and _matters(project.root / name):
            _add(project, project.root / name, collected, explicit)
    for name in named:
        _check_there(name, _name(project, _inside(project, name)), collected)
    return collected


def _check_there(named: str, place: str, collected: Collected) -> None:
    if not any(name == place or name.startswith(f"{place}/") for name in collected.files):
        raise SettingsError(
            f"the settings' hook.events name {named}, which is not in the bundle",
            hint=f"give {named} as a path, too",
        )


def named_suites(project: Project) -> tuple[str, ...]:
    """Return the paths of suites that the hook's settings name; raises `SettingsError`."""
    events = hook_settings(project.root, {}).events.values()
    named = (suite.partition("::")[0] for event in events for suite in event.suites)
    return tuple(dict.fromkeys(named))


def _default(project: Project, named: tuple[str, ...]) -> tuple[str, ...]:
    if (project.root / SUITES).is_dir():
        return (SUITES,)
    if named:
        return ()
    raise SettingsError(
        f"there is no folder {SUITES}/ here", hint="name the suites' paths: OUT.zip PATH …"
    )


def _inside(project: Project, given: str) -> Path:
    """Return where ``given`` lies below the project's folder, which holds it also without links."""
    inside = Path(os.path.normpath(project.root / given))
    if not inside.is_relative_to(project.root):
        raise SettingsError(
            f"{given} lies outside the project", hint=f"give paths below {project.root}"
        )
    if not inside.exists():
        raise SettingsError(f"{given} is not there", hint="check the path; OUT.zip comes first")
    return inside


def _matters(path: Path) -> bool:
    """Tell whether a file that other tools share has settings of pytest or Greenroom."""
    if path.name not in _SHARED:
        return True
    return bool(_READ_BY_US.search(path.read_text(encoding="utf-8", errors="replace")))


def _add(project: Project, path: Path, collected: Collected, explicit: set[Path]) -> None:
    real = _real(project, path)
    if path.is_dir():
        for entry in sorted(path.iterdir()):
            if _stays(entry, explicit):
                _note(project, entry, collected)
            elif entry.is_symlink() and entry.is_dir() and real.is_relative_to(entry.resolve()):
                raise SettingsError(
                    f"{_name(project, entry)} is a link to a folder that holds it",
                    hint="remove the link",
                )
            else:
                _add(project, entry, collected, explicit)
    elif path.is_file():
        if real != project.out.resolve() and path.suffix != ".pyc":
            _check_secret(project, path, real, explicit)
            collected.files[_name(project, path)] = path
    else:
        raise SettingsError(
            f"{_name(project, path)} is neither a file nor a folder", hint="remove it"
        )


def _real(project: Project, path: Path) -> Path:
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SettingsError(
            f"{_name(project, path)} is a link to nothing", hint="remove it, or mend it"
        ) from error
    if not real.is_relative_to(project.real):
        raise SettingsError(
            f"{_name(project, path)} is a link out of the project, to {real}",
            hint="put a copy in its place",
        )
    return real


def _stays(entry: Path, explicit: set[Path]) -> bool:
    if entry in explicit:
        return False
    return (
        entry.name.startswith(".")
        or entry.name in _MADE
        or entry.name.endswith(".egg-info")
        or (entry / "pyvenv.cfg").is_file()
    )


def _note(project: Project, entry: Path, collected: Collected) -> None:
    if entry.name not in _MADE and not entry.name.endswith(".egg-info"):
        collected.left_out.append(_name(project, entry))


def _check_secret(project: Project, path: Path, real: Path, explicit: set[Path]) -> None:
    if path in explicit:
        return
    named = _SECRET_NAME.fullmatch(path.name) or _SECRET_NAME.fullmatch(real.name)
    with real.open("rb") as content:
        if not named and not _PRIVATE_KEY.search(content.read(_HEAD)):
            return
    raise SettingsError(
        f"{_name(project, path)} looks like a secret, and a bundle is no place for one",
        hint="let the suite read it at run time (SSM, Secrets Manager); "
        "if it is harmless, give its own path as well",
    )


def _name(project: Project, path: Path) -> str:
    name = path.relative_to(project.root).as_posix()
    if _ODD.search(name):
        raise SettingsError(
            f"{name!r} is no name for a bundle", hint="use letters that every system can show"
        )
    return name


def check_names(collected: Collected, taken: set[str]) -> None:
    """Raise `SettingsError` if a file would hide a package: of ``taken`` names or Python's own."""
    for name in collected.files:
        top, slash, _ = name.partition("/")
        module = top if slash else top.removesuffix(".py")
        if {top, module} & taken:
            raise SettingsError(
                f"{name} has the name of a package in the bundle", hint=f"rename {top}"
            )
        own = name in {f"{module}.py", f"{module}/__init__.py"}
        if own and module in sys.stdlib_module_names:
            raise SettingsError(
                f"{name} would hide Python's own module {module} in the function",
                hint=f"rename {top}",
            )
