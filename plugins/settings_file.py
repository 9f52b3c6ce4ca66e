"""Where settings stand: greenroom.toml, else [tool.greenroom] of pyproject.toml.

Imports the standard library alone: the hook reads its table before pytest is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from greenroom.validators.errors import SettingsError

FILE = "greenroom.toml"
IN_PYPROJECT = "[tool.greenroom]"


class Written(float):
    """A number of the settings that keeps how it is written: 1.10 may be meant as a version."""

    raw: str

    def __new__(cls, raw: str) -> Self:
        """Return the number that ``raw`` writes."""
        number = super().__new__(cls, raw)
        number.raw = raw
        return number


def table_of(root: Path, file: str | None) -> tuple[dict[str, Any] | None, str]:
    """Return the settings table that applies below ``root`` and where it stands.

    ``file`` (the command line's) comes first, then greenroom.toml, then [tool.greenroom] of
    pyproject.toml; None where there is none.
    """
    if file is not None:
        return _read(Path(file)), file
    if (path := root / FILE).is_file():
        return _read(path), FILE
    if (path := root / "pyproject.toml").is_file():
        table = _read(path).get("tool", {}).get("greenroom")
        if table is not None and not isinstance(table, dict):
            raise SettingsError(
                "pyproject.toml: tool.greenroom is not a table", hint="write [tool.greenroom]"
            )
        return table, f"pyproject.toml {IN_PYPROJECT}"
    return None, ""


def _read(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - a run without a settings file does not pay for it

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Written)
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read: {error.strerror}", hint="check the path and its permissions"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}", hint="correct the TOML") from error
