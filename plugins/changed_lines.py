"""Which lines of the project differ from a base: git's diff from where both parted."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from greenroom.plugins.programs import find_program, run_program, tool_environment
from greenroom.validators.coverage import Changes
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenroom.plugins.workplace import Workplace

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_DIFF = (
    *("diff", "--merge-base", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--find-renames", "--relative", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"),
    "--inter-hunk-context=0",
)
_COUNTS = ("diff", "--merge-base", "--numstat", "-z", "--no-renames", "--relative")
_BINARY = "\nBinary files "
_LOOKED_AT = 8_000
_UNTRACKED = ("ls-files", "--others", "--exclude-standard", "-z")
_FILE_MOST = 4 * 1024 * 1024
_SAID_MOST = 200


def changed_lines(base: str, place: Workplace) -> Changes:
    """Return the lines below the root that were added or changed since ``base`` and HEAD parted.

    The working tree counts, with files that git does not know yet. What keeps git from telling
    (no repository, a shallow clone without the base) is the changes' ``problem``.
    """
    try:
        diff = _git(place, *_DIFF, base, "--")
        lines = dict(_parsed(diff))
        if _BINARY in diff and (hidden := _hidden(base, place)):
            lines |= _parsed(_git(place, *_DIFF, "--text", base, "--", *hidden))
        for name in filter(None, _git(place, *_UNTRACKED).split("\0")):
            lines[name] = _all_lines(place.root / name)
    except ToolError as error:
        return Changes(base, {}, f"{error}; is {base} fetched? (full history: fetch-depth 0)")
    return Changes(base, {name: changed for name, changed in lines.items() if changed})


def _hidden(base: str, place: Workplace) -> list[str]:
    """Return the text files whose lines git keeps back: .gitattributes call them binary."""
    counts = _git(place, *_COUNTS, base, "--")
    names = (one[4:] for one in counts.split("\0") if one.startswith("-\t-\t"))
    return [name for name in names if _is_text(place.root / name)]


def _is_text(path: Path) -> bool:
    """Tell as git does, without attributes."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return b"\0" not in file.read(_LOOKED_AT)


def _git(place: Workplace, *arguments: str) -> str:
    program = find_program("git", "install git, or leave `changed_coverage` out", place.environ)
    ran = run_program(
        (str(program), "--literal-pathspecs", "-c", "core.quotePath=true", *arguments),
        folder=place.root,
        environ=tool_environment(place.environ, GIT_OPTIONAL_LOCKS="0", LC_ALL="C"),
        until=place.until,
        redactor=place.redactor,
    )
    if ran.status != 0:
        said = place.redactor.excerpt(" ".join(ran.words.split()), _SAID_MOST)
        raise ToolError(f"git {arguments[0]} failed: {said}")
    return ran.output.decode("utf-8", "replace")


def _parsed(diff: str) -> Iterator[tuple[str, frozenset[int]]]:
    """Yield each file of a diff without context, and its new lines that are not blank."""
    lines = iter(diff.split("\n"))
    name, changed = "", set[int]()
    for line in lines:
        if line.startswith("diff --git "):
            yield name, frozenset(changed)
            name, changed = "", set()
        elif line.startswith("+++ "):
            name = _name(line[4:])
        elif found := _HUNK.match(line):
            changed |= set(_added(lines, found))
    yield name, frozenset(changed)


def _added(lines: Iterator[str], hunk: re.Match[str]) -> Iterator[int]:
    """Take a hunk's lines; yield the numbers of those that were added and are not blank."""
    removed, first, added = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
    number = first
    while removed or number < first + added:
        line = next(lines, None)
        if line is None:
            raise ToolError("git's diff was cut short")
        if line.startswith("-"):
            removed -= 1
        elif line.startswith("+"):
            if line[1:].strip():
                yield number
            number += 1


def _name(written: str) -> str:
    text = written.rstrip("\t\r")
    if text.startswith('"'):  # as a C string in ASCII: the path holds more than plain characters
        text = ast.literal_eval(f"b{text}").decode("utf-8", "replace")
    return "" if text == "/dev/null" else text.removeprefix("b/")


def _all_lines(path: Path) -> frozenset[int]:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _FILE_MOST:
        return frozenset()
    lines = path.read_bytes().split(b"\n")
    return frozenset(number for number, line in enumerate(lines, 1) if line.strip())
