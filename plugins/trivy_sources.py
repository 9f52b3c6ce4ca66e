"""What Trivy does with a folder's own files and tells nobody.

Templates in JSON or YAML that cannot be parsed count as none, comments drop results, and
requirements without an exact version are compared with nothing.
"""

from __future__ import annotations

import io
import json
import os
import re
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from greenroom.plugins.image_subject import SubjectKind
from greenroom.validators.image import Hidden, Scanner, Unread
from greenroom.validators.words import few

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FILES_MOST = 20_000
_REQUIREMENTS = "requirements.txt"
"""The only name of such a file that Trivy knows."""
_SIZE_MOST = 16 * 1024 * 1024
_PARSED_MOST = 1024 * 1024
"""CloudFormation takes no larger template; of YAML it takes seconds to parse that much."""
_DATA = frozenset({".yaml", ".yml", ".json", ".template"})
_SOURCES = frozenset({*_DATA, ".tf", ".tofu", ".dockerfile"})
_NAMES = ("dockerfile", "containerfile")
_TEMPLATE = re.compile(rb"AWSTemplateFormatVersion|deploymentTemplate\.json|\bapiVersion\b")
_COMMENT = re.compile(rb"\b(?:trivy|tfsec):ignore:([^\s#]+)")
_COMMENTS_MOST = 1000
"""Of one file; each of them fails the check."""
_MARKS = (b"#", b"//")
_PINNED = re.compile(r"[A-Za-z0-9][\w.\[\],-]*\s*===?\s*[^\s*]+(?:\s|;|$)")
_SKIPPED = frozenset({".git"})


class Sources(NamedTuple):
    """What a look into a folder showed, for the facts of its scan."""

    unread: tuple[Unread, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    notes: tuple[str, ...] = ()


def look_into(
    folder: Path, kind: SubjectKind, scanners: Collection[Scanner], until: float
) -> Sources:
    """Return what Trivy leaves out of ``folder`` with ``scanners``.

    What there is no time for until ``until`` (time.monotonic seconds) is unread.
    """
    unread: list[Unread] = []
    hidden: list[Hidden] = []
    notes: list[str] = []
    for number, path in enumerate(_files(folder)):
        name = path.relative_to(folder).as_posix() if path != folder else path.name
        if Scanner.VULN in scanners and kind is SubjectKind.FS and path.name == _REQUIREMENTS:
            notes += _unpinned(path, name)
        if Scanner.MISCONFIG not in scanners or not _is_source(path):
            continue
        if number >= FILES_MOST or time.monotonic() >= until:
            unread.append(Unread(name, "too many files to look for what Trivy leaves out"))
            break
        content = _content(path)
        hidden += _comments(content, name)
        if not _is_template(path, folder, content, sure=kind is SubjectKind.CONFIG):
            continue
        if len(content) > _PARSED_MOST:
            notes.append(f"{name}: too large to see whether it can be parsed")
        elif why := _broken(path, content):
            unread.append(Unread(name, why))
    return Sources(tuple(unread), tuple(hidden), tuple(notes))


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED)
        found = (Path(parent, name) for name in sorted(names))
        yield from (path for path in found if path.is_file() and not path.is_symlink())


def _is_source(path: Path) -> bool:
    return path.suffix.lower() in _SOURCES or path.name.lower().startswith(_NAMES)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_SIZE_MOST)
    except OSError:
        return b""


def _comments(content: bytes, name: str) -> Iterator[Hidden]:
    for found in islice(_COMMENT.finditer(content), _COMMENTS_MOST):
        start = content.rfind(b"\n", 0, found.start()) + 1
        if any(mark in content[start : found.start()] for mark in _MARKS):
            line = content.count(b"\n", 0, start) + 1
            yield Hidden(found[1].decode("utf-8", "replace"), name, line)


def _is_template(path: Path, folder: Path, content: bytes, *, sure: bool) -> bool:
    """Tell whether it must be parsed; ``sure``: as all in JSON or YAML, not only what looks so."""
    if path.suffix.lower() not in _DATA or _in_chart(path, folder):
        return False
    return sure or bool(_TEMPLATE.search(content))


def _broken(path: Path, content: bytes) -> str:
    """Return why a template cannot be parsed; "" where it can."""
    if path.suffix.lower() == ".json" or content.lstrip().startswith(b"{"):
        return _json_error(content) and _yaml_error(content)
    return _yaml_error(content)


def _in_chart(path: Path, folder: Path) -> bool:
    """Tell whether Helm makes the file: it is no YAML yet, and Trivy tells of what is broken."""
    parents = [parent for parent in path.parents if parent.is_relative_to(folder)]
    return any((parent / "Chart.yaml").is_file() for parent in parents)


def _json_error(content: bytes) -> str:
    try:
        json.loads(content)
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"
    return ""


def _yaml_error(content: bytes) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow, and only templates need it
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - as above

    try:
        for _ in YAML(typ="safe", pure=True).parse(io.BytesIO(content)):
            pass
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return f"no YAML: {error.problem}, line {line}"
    except (YAMLError, ValueError, RecursionError) as error:
        return f"no YAML: {str(error).splitlines()[0] if str(error) else 'cannot be parsed'}"
    return ""


def _unpinned(path: Path, name: str) -> Iterator[str]:
    lines = _content(path).decode("utf-8", "replace").replace("\\\n", " ").splitlines()
    asked = [line.partition(" #")[0].strip() for line in lines]
    given = [line for line in asked if line and not line.startswith(("#", "--hash"))]
    loose = [line for line in given if line.startswith("-r") or not line.startswith("-")]
    if left := [line for line in loose if not _PINNED.match(line)]:
        yield f"{name}: without an exact version, compared with nothing: {few(left)}"
