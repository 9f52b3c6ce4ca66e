from __future__ import annotations

import os
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from greenroom.rehearsal.processes import Program, ReservedPort, await_answer
from greenroom.validators.errors import ToolError
from tests.support.upstream import free_port, running_with, soon_gone, upstream

if TYPE_CHECKING:
    from pathlib import Path

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


def test_a_missing_program_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot start no-such-program") as caught:
        Program(["no-such-program"], log=tmp_path / "log")
    assert "rehearsal.toml" in caught.value.hint


def test_a_program_that_does_not_end_in_time_is_an_error(tmp_path: Path) -> None:
    with (
        Program(SLEEPER, log=tmp_path / "log") as program,
        pytest.raises(ToolError, match=r"did not end within 0\.05 s"),
    ):
        program.wait(0.05)


@linux
def test_closing_kills_a_group_that_ignores_sigterm(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo ready; wait; wait"
    log, mark = tmp_path / "log", {"MARK": str(tmp_path)}
    with Program(["sh", "-c", script], log=log, environment=mark, grace_s=0.1):
        # A process that is just becoming another program shows no environment for a moment.
        until = time.monotonic() + 10
        while len(running_with(str(tmp_path))) < 2 or "\nready" not in log.read_text():
            assert time.monotonic() < until
            time.sleep(0.01)
    assert soon_gone(str(tmp_path)) == []


def test_a_closed_program_signals_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(SLEEPER, log=tmp_path / "log")
    program.close()
    signalled: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, _: signalled.append(group))
    program.close()
    assert signalled == []


def test_closing_twice_or_after_the_end_is_harmless(tmp_path: Path) -> None:
    program = Program([sys.executable, "-c", "raise SystemExit(3)"], log=tmp_path / "log")
    assert program.wait(10) == 3
    program.close()
    program.close()
    assert program.status == 3


def test_the_log_holds_command_and_output_and_the_tail_its_end(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('x' * 5000); print('last words')"]
    with Program(command, log=tmp_path / "logs" / "log") as program:
        program.wait(10)
    assert (tmp_path / "logs" / "log").read_text().startswith(f"$ {sys.executable} -c ")
    assert program.tail().endswith("last words")
    assert len(program.tail()) <= 2000


def test_credentials_and_settings_of_the_caller_do_not_reach_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "GREENROOM_TARGET", "PYTEST_ADDOPTS", "KEPT"):
        monkeypatch.setenv(name, f"value-of-{name}")
    command = [sys.executable, "-c", "import os; print(sorted(os.environ.values()))"]
    with Program(command, log=tmp_path / "log", environment={"MORE": "more"}) as program:
        program.wait(10)
    values = program.tail().splitlines()[-1]
    assert "value-of-KEPT" in values
    assert "'more'" in values
    assert all(f"value-of-{name}" not in values for name in ("AWS_", "GREENROOM_", "PYTEST_"))


def test_a_reserved_port_is_nobody_elses_until_it_is_released() -> None:
    port = ReservedPort()
    with pytest.raises(OSError, match="in use"):
        socket.create_server(("127.0.0.1", port.number))
    port.release()
    port.release()
    socket.create_server(("127.0.0.1", port.number)).close()


def test_waiting_for_an_answer_ends_when_the_program_does(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no database')"]
    with (
        Program(command, log=tmp_path / "log") as program,
        pytest.raises(ToolError, match=r"green ended with status 1 .*no database"),
    ):
        await_answer(program, f"http://127.0.0.1:{free_port()}/", seconds=20, what="green")


@pytest.mark.parametrize(
    ("status", "seen"),
    [pytest.param(503, "status 503", id="unready"), pytest.param(None, "Connect", id="nobody")],
)
def test_waiting_for_an_answer_is_bounded(tmp_path: Path, status: int | None, seen: str) -> None:
    with Program(SLEEPER, log=tmp_path / "log") as program, upstream(status or 200) as port:
        url = f"http://127.0.0.1:{port if status else free_port()}/"
        with pytest.raises(ToolError, match=f"within 0.3 s .*{seen}"):
            await_answer(program, url, seconds=0.3, what="green")


def test_waiting_for_an_answer_ends_with_the_answer(tmp_path: Path) -> None:
    with Program(SLEEPER, log=tmp_path / "log") as program, upstream() as port:
        await_answer(program, f"http://127.0.0.1:{port}/", seconds=10, what="green")
