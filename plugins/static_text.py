"""Reads what a tool wrote: bytes of bounded size to JSON values, file names to those of results."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
MOST = 64 * 1024 * 1024
"""Bytes of a tool's output that are read, unless a check says otherwise."""


def decode(data: bytes) -> str:
    """Return the text; raises `ToolError` where there is none or it is not UTF-8."""
    if not data.strip():
        raise ToolError("the tool's output is empty")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ToolError(f"the tool's output is not UTF-8: {error}") from error


def read_json(data: bytes) -> Any:  # noqa: ANN401 - a JSON value
    """Return the JSON value; raises `ToolError` where it is cut short, not JSON or too deep."""
    return _parsed(decode(data), "")


def read_json_lines(data: bytes) -> Iterator[Any]:
    """Return the JSON value of each line that is not blank; raises `ToolError` as `read_json`."""
    text = decode(data)
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _parsed(line, f"line {number} of ")


def _parsed(text: str, where: str) -> Any:  # noqa: ANN401 - a JSON value
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToolError(
            f"{where}the tool's output is not JSON, or cut short: {error}",
            hint="run the tool by hand and look at what it writes",
        ) from error


def mapping(value: object) -> dict[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any]:
    """Return a JSON array, an empty one for anything else."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """Return a JSON string or number as a text, an empty one for anything else.

    Control characters (but for blanks) and halves of characters become U+FFFD: a terminal would
    obey the ones, no file can hold the others.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _UNFIT.sub("\ufffd", str(value).replace("\r\n", "\n"))


def whole(value: object) -> int:
    """Return a whole number above zero, 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def required_list(value: object, what: str) -> list[Any]:
    """Return a JSON array; raises `ToolError` where it is none."""
    if not isinstance(value, list):
        raise ToolError(f"the tool's output has no {what}: it did not run, or not to its end")
    return value


@dataclass(frozen=True, slots=True)
class Rooted:
    """Names files as results do: relative to ``root``. The tool ran in ``folder``."""

    folder: Path
    root: Path

    def file(self, name: str, base: str = "") -> str:
        """Return the name of a file given as a path or URI, relative to ``base`` (or ``folder``).

        A file outside of the root keeps its absolute path, and what can be no file its name.
        """
        try:
            return self._named(name, base)
        except (OSError, ValueError):  # too long, a NUL in it, a broken address
            return name

    def _named(self, name: str, base: str) -> str:
        if "://" in name and urlsplit(name).scheme != "file":
            return name
        path = self._absolute(name, self._absolute(base, self.folder) if base else self.folder)
        for root, one in ((self.root, path), (self.root.resolve(), path.resolve())):
            if one.is_relative_to(root):
                return one.relative_to(root).as_posix()
        return path.as_posix()

    def _absolute(self, name: str, base: Path) -> Path:
        if name.startswith("file:"):
            return Path(os.path.normpath(unquote(urlsplit(name).path)))
        plain = base / name
        # cfn-guard drops the first slash of an absolute path; a URI has its blanks encoded.
        forms = (plain, base / unquote(name), Path("/", name))
        return Path(os.path.normpath(next((form for form in forms if form.exists()), plain)))
