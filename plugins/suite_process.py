"""A suite as a process: pytest's command line, its environment and its bounded log.

The process is the leader of a session of its own, cannot use more private memory than it is given,
and finds nothing in its environment that lets it answer in its supervisor's place.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from greenroom.plugins.redaction import Redactor

RUN_ID = "GREENROOM_RUN_ID"
"""The variable that gives pytest its run's id, by which the supervisor knows the record."""

READY = "GREENROOM_HOOK_READY"
"""The variable that says at which path a hook's run waits for its target, unless set otherwise."""

SECONDS = "GREENROOM_HOOK_SECONDS"
"""The variable that tells pytest how many seconds it has."""

NO_PAGES = "GREENROOM_NO_PAGES"
"""The variable that tells pytest to write the record alone."""

_CHUNK = 64 * 1024
_JSON_LINE = re.compile(rb"^[ \t]*\{", re.MULTILINE)
_LOG_HEAD = 4 * 1024 * 1024
_LOG_TAIL = 64 * 1024
_KEPT_TO_THE_REPORTER = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_PROFILE",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_ENDPOINT_URL_CODEDEPLOY",
    "GREENROOM_HOOK_DELIVERY",
    "GREENROOM_HOOK_OWNER",
    "GREENROOM_HOOK_ANSWER_BY",
)
_MISLEADING = (
    "GREENROOM_REPORT",
    "PYTEST_ADDOPTS",
    "PYTEST_PLUGINS",
    "PYTEST_CURRENT_TEST",
    "PYTHONINSPECT",
    "PYTHONSTARTUP",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
)
_LAUNCH = """
if [ "$1" -gt 0 ]; then ulimit -d "$1"; fi
{ echo 1000 > /proc/self/oom_score_adj; } 2>/dev/null
shift
exec "$@"
"""
"""Runs ``$2…`` with at most ``$1`` KiB of private memory (0: no limit), first in line to be killed
when the whole function runs out of memory."""


@dataclass(frozen=True, slots=True)
class Suite:
    """What to run and where.

    ``arguments`` are pytest's, relative paths being below ``root``; ``report`` is the folder of the
    documents, ``work`` an existing folder that serves as current, home and temporary folder.
    ``pages`` tells whether the run renders its report for people itself: whoever waits for it has
    that done afterwards (`greenroom.plugins.pages`). ``memory_kib`` bounds the private memory of
    each process. ``paths`` go before PYTHONPATH;
    ``passed`` names variables that reach the suite although they are credentials.
    """

    arguments: tuple[str, ...]
    root: Path
    report: Path
    work: Path
    environment: Mapping[str, str]
    pages: bool = True
    memory_kib: int = 0
    paths: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    release: Mapping[str, str] = field(default_factory=dict)


def start(suite: Suite, run_id: str, seconds: float) -> subprocess.Popen[bytes]:
    """Start pytest as the leader of a session, its output on a pipe."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter; running the suite is the purpose
        ["/bin/sh", "-c", _LAUNCH, "sh", str(suite.memory_kib), *command_of(suite)],
        cwd=suite.work,
        env=environment_of(suite, run_id) | {SECONDS: f"{seconds:.1f}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def command_of(suite: Suite) -> list[str]:
    """Return pytest's command line: no plugin but ours, nothing written outside the report."""
    return [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "greenroom.plugins.pytest_plugin",
        "-p",
        "no:cacheprovider",
        f"--rootdir={suite.root}",
        *_with_a_place(absolute(suite.arguments, suite.root), suite.root),
        f"--greenroom-report={suite.report}",
        *(f"--greenroom-release={key}={value}" for key, value in suite.release.items()),
    ]


def environment_of(suite: Suite, run_id: str) -> dict[str, str]:
    """Return the suite's environment: the caller's, without what could speak in its place."""
    withheld = {*_KEPT_TO_THE_REPORTER, *_MISLEADING} - set(suite.passed)
    kept = {name: value for name, value in suite.environment.items() if name not in withheld}
    paths = [*suite.paths, *filter(None, [kept.get("PYTHONPATH")])]
    name, _, value = marker(run_id).partition("=")
    return {
        **kept,
        **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {}),
        "HOME": str(suite.work),
        "TMPDIR": str(suite.work),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        "CI": "1",
        RUN_ID: run_id,
        **({} if suite.pages else {NO_PAGES: "1"}),
        name: value,
    }


_TAKES_WORDS = frozenset({"-k", "-m", "-p", "-o", "-W", "-r", "-n", "--deselect"})
_TAKES_PATHS = frozenset({"-c", "--config-file", "--rootdir", "--confcutdir", "--ignore"})


def absolute(arguments: Sequence[str], root: Path) -> list[str]:
    """Return pytest arguments with each path that exists below ``root`` made absolute.

    ``path::test`` and ``--option=path`` count; the values of options that take words (``-k``, …)
    and ``--deselect``'s node ids, which pytest reads from its root folder, stay as they are.
    """
    done: list[str] = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        option, equals, value = argument.partition("=") if argument[:2] == "--" else ("", "", "")
        if before in _TAKES_WORDS or option in _TAKES_WORDS:
            done.append(argument)
        elif equals:
            done.append(f"{option}={_absolute(value, root)}")
        else:
            done.append(_absolute(argument, root))
    return done


def _with_a_place(arguments: list[str], root: Path) -> list[str]:
    """Return ``arguments`` that say where tests are: in ``root``, unless they name a place.

    Without one pytest would look in its current folder, which is the empty work folder.
    """
    values = _TAKES_WORDS | _TAKES_PATHS
    named = "--pyargs" in arguments or any(
        not argument.startswith("-") and before not in values
        for before, argument in zip(["", *arguments], arguments, strict=False)
    )
    return arguments if named else [*arguments, str(root)]


def _absolute(argument: str, root: Path) -> str:
    path, colons, name = argument.partition("::")
    if not path or path.startswith("-") or not (root / path).exists():
        return argument
    return f"{root / path}{colons}{name}"


def marker(run_id: str) -> str:
    """Return the ``NAME=value`` that every process of the suite carries in its environment."""
    return f"GREENROOM_SUPERVISED_RUN={run_id}"


def keep_log(
    source: IO[bytes],
    log: IO[bytes],
    echo: IO[bytes] | None = None,
    redactor: Redactor | None = None,
    given_up: threading.Event | None = None,
) -> None:
    """Copy the suite's output to ``log`` and ``echo``: all of its beginning, then only its end.

    It is read to its end even where it cannot be written: a full pipe would stop the suite. What
    does not end its last line is given an end: whatever is logged next stands on a line of its own.
    What ``redactor`` knows is left out, line by line. In ``echo``, where the hook's own line is
    looked for, none of the suite's begins like JSON. Nothing is written once ``given_up`` is set.
    """
    clean = _cleaner(redactor)

    def write(data: bytes) -> None:
        if given_up is None or not given_up.is_set():
            _write(log, clean(data))
            if echo is not None:
                _write(echo, _JSON_LINE.sub(b"| {", clean(data)))

    kept, left_out, tail, last = 0, 0, b"", b"\n"
    with source:
        for chunk in _chunks(source):
            last = chunk[-1:]
            head, rest = chunk[: _LOG_HEAD - kept], chunk[_LOG_HEAD - kept :]
            kept += len(head)
            write(head)
            left_out += max(len(tail) + len(rest) - _LOG_TAIL, 0)
            tail = (tail + rest)[-_LOG_TAIL:]
    if left_out:
        write(f"\n[{left_out} bytes left out]\n".encode())
    write(tail if last == b"\n" else tail + b"\n")


def _cleaner(redactor: Redactor | None) -> Callable[[bytes], bytes]:
    if redactor is None or not redactor.active:
        return lambda data: data

    def clean(data: bytes) -> bytes:
        text = data.decode("utf-8", "surrogateescape")
        return redactor.text(text).encode("utf-8", "surrogateescape")

    return clean


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    """Yield what comes in whole lines, as far as these are of a bearable length."""
    begun = b""
    while chunk := os.read(source.fileno(), _CHUNK):
        begun += chunk
        end = begun.rfind(b"\n") + 1 if len(begun) < _CHUNK else len(begun)
        if end:
            yield begun[:end]
            begun = begun[end:]
    if begun:
        yield begun


def _write(output: IO[bytes], data: bytes) -> None:
    # OSError: the disk is full; ValueError: the supervisor gave up on us and closed the file.
    with contextlib.suppress(OSError, ValueError):
        output.write(data)
        output.flush()
