"""Real programs, run as tools are."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.programs import Ran, find_program, run_program, tool_environment
from greenroom.plugins.redaction import Redactor
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONG = 30.0
CHILD = """
import os, subprocess, sys, time
code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
"""
IN_A_SESSION = """
subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
"""
DAEMON = """
if os.fork() == 0:
    os.setsid()
    subprocess.Popen([sys.executable, "-c", code])
    os._exit(0)
os.wait()
"""
STARTED = """
while not os.path.exists("pid") or not open("pid").read():
    time.sleep(0.01)
"""


def ran(  # noqa: PLR0913 - as `run_program`
    code: str,
    folder: Path,
    *,
    seconds: float = LONG,
    environ: Mapping[str, str] | None = None,
    output_most: int = 1 << 20,
    redactor: Redactor | None = None,
) -> Ran:
    return run_program(
        [sys.executable, "-c", code],
        folder=folder,
        environ=tool_environment() if environ is None else environ,
        until=time.monotonic() + seconds,
        output_most=output_most,
        redactor=redactor,
    )


def ended(pid: int) -> bool:
    """Tell whether a process is gone, or dead and not yet collected."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def test_a_missing_program_says_how_to_get_it() -> None:
    with pytest.raises(ToolError, match="no-such-tool is not installed") as caught:
        find_program("no-such-tool", "pip install no-such-tool")
    assert caught.value.hint == "pip install no-such-tool"


@pytest.mark.parametrize("missing", ["program", "folder"])
def test_what_does_not_exist_is_named(tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "none" if missing == "folder" else tmp_path
    program = sys.executable if missing == "folder" else "/no/such/tool"
    with pytest.raises(ToolError, match="does not exist") as caught:
        run_program([program], folder=folder, environ={}, until=time.monotonic() + LONG)
    assert (str(folder) if missing == "folder" else program) in str(caught.value)


@pytest.mark.parametrize("command", [["a\0b"], ["/"]], ids=["null", "folder"])
def test_what_cannot_start_is_an_error(tmp_path: Path, command: list[str]) -> None:
    with pytest.raises(ToolError, match="cannot be started"):
        run_program(command, folder=tmp_path, environ={}, until=time.monotonic() + LONG)


def test_a_time_out_ends_the_program_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"no end after .* s: .*sleep") as caught:
        ran("import time; time.sleep(60)", tmp_path, seconds=0.3)
    assert "timeout:" in caught.value.hint


@pytest.mark.parametrize("child", [IN_A_SESSION, DAEMON], ids=["session", "daemon"])
def test_a_time_out_ends_what_it_started(tmp_path: Path, child: str) -> None:
    with pytest.raises(ToolError, match="no end after"):
        ran(f"{CHILD}{child}{STARTED}time.sleep(60)", tmp_path, seconds=1)
    assert ended(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("child", [IN_A_SESSION, DAEMON], ids=["session", "daemon"])
def test_nothing_that_it_started_outlives_it(tmp_path: Path, child: str) -> None:
    assert ran(f"{CHILD}{child}{STARTED}", tmp_path).status == 0
    assert ended(int((tmp_path / "pid").read_text()))


def test_too_much_output_is_an_error(tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    with pytest.raises(ToolError, match="more than 100,000 bytes of output"):
        ran(code, tmp_path, output_most=100_000)


def test_too_many_errors_are_one_as_well(tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stderr.write('x' * 65536)"
    with pytest.raises(ToolError, match="more than 100,000 bytes of output"):
        ran(code, tmp_path, output_most=100_000)


def test_a_signal_is_a_negative_status(tmp_path: Path) -> None:
    result = ran("import os; os.kill(os.getpid(), 15)", tmp_path)
    assert (result.status, result.words) == (-15, "signal 15")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; print('a'); sys.exit('why')", "exit status 1: why"),
        ("print('told'); raise SystemExit(3)", "exit status 3: told"),
        ("", "exit status 0"),
    ],
    ids=["errors", "output", "silent"],
)
def test_its_last_words_are_kept(tmp_path: Path, code: str, words: str) -> None:
    assert ran(code, tmp_path).words == words


def test_only_the_end_of_long_errors_is_kept(tmp_path: Path) -> None:
    result = ran("import sys; sys.stderr.write('x' * 200_000 + 'end')", tmp_path)
    assert len(result.errors) == 65536
    assert result.errors.endswith("xend")


def test_bytes_come_as_they_were_written(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 999)"
    assert ran(code, tmp_path).output == bytes(range(256)) * 999


def test_it_reads_nothing_and_runs_in_its_folder(tmp_path: Path) -> None:
    result = ran("import os, sys; print(os.getcwd(), repr(sys.stdin.read()))", tmp_path)
    assert result.output.decode().split() == [os.path.realpath(tmp_path), "''"]


def test_it_sees_what_is_given_alone(tmp_path: Path) -> None:
    given = {"PATH": os.environ["PATH"], "TRIVY_EXIT_CODE": "0", "TOKEN": "t", "AWS_REGION": "r"}
    environ = tool_environment(given, ("TOKEN", "ABSENT"), ADDED="1")
    assert environ == {"PATH": given["PATH"], "TOKEN": "t", "ADDED": "1"}
    result = ran("import os; print(sorted(os.environ))", tmp_path, environ=environ)
    names = result.output.decode()
    assert "TRIVY_EXIT_CODE" not in names
    assert "TOKEN" in names


def test_a_secret_of_its_command_is_in_no_log_and_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    code = "import time  # it's a 'secret'\ntime.sleep(60)"
    with caplog.at_level("INFO"), pytest.raises(ToolError) as caught:
        ran(code, tmp_path, seconds=0.2, redactor=Redactor(["it's a 'secret'"]))
    assert "secret" not in f"{caplog.text}{caught.value}"
    assert "[redacted]" in caplog.text


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_secret_is_found_before_its_last_words_are_cut(tmp_path: Path, stream: str) -> None:
    code = f"import sys; sys.{stream}.write('hush-hush' + 'x' * 995)"
    assert "ush" not in ran(code, tmp_path, redactor=Redactor(["hush-hush"])).words


def test_a_program_on_the_path_comes_first(tmp_path: Path) -> None:
    ours = tmp_path / "ruff"
    ours.write_text("#!/bin/sh\n")
    ours.chmod(0o755)
    assert find_program("ruff", "", {"PATH": str(tmp_path)}) == ours
    beside = find_program("ruff", "", {"PATH": str(tmp_path / "none")})
    assert (beside.name, beside != ours) == ("ruff", True)
