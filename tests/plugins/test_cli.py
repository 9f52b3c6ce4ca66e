from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest

from greenroom.plugins import cli


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> str:
    """Add a command that ends as its argument says."""
    monkeypatch.setitem(cli.COMMANDS, "ending", "tests.support.failing_command")
    return "ending"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rehearsal"], "No such command 'rehearsal'"),
        (["--quiet"], "No such option '--quiet'"),
        ([], "Usage: greenroom"),
    ],
    ids=["unknown-command", "unknown-option", "nothing"],
)
def test_a_wrong_command_line_exits_4_and_says_why(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 4
    out, err = capsys.readouterr()
    assert message in err
    assert not out


def test_a_missing_argument_names_it(ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([ending]) == 4
    assert "Missing argument 'ENDING'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "status", "lines"),
    [
        (
            "settings",
            4,
            ["greenroom: suites/a.yaml:3: unknown key", "  hint: use one of: name, http"],
        ),
        ("record", 2, ["greenroom: the run record was cut short"]),
        ("error", 2, ["greenroom: no envoy on PATH", "  hint: install greenroom[rehearsal]"]),
        ("abort", 2, ["greenroom: interrupted"]),
        ("1", 1, []),
        ("7", 7, []),
        ("nothing", 0, []),
    ],
)
def test_a_command_ends_with_its_status_and_errors_go_to_standard_error(
    ending: str, how: str, status: int, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([ending, how]) == status
    out, err = capsys.readouterr()
    assert err.splitlines() == lines
    assert not out


def test_an_unforeseen_error_is_shown_whole_and_is_no_verdict(
    ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([ending, "bug"]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("Traceback (most recent call last):")
    assert err.splitlines()[-1] == "greenroom: internal error: KeyError('unforeseen')"
    assert not out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in cli.COMMANDS)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == "greenroom, version 0.1.0\n"


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_of_the_table_exists_and_says_what_it_does(name: str) -> None:
    command = importlib.import_module(cli.COMMANDS[name]).command
    assert isinstance(command, click.Command)
    assert command.help


def test_the_installed_program_is_this_command_line() -> None:
    program = Path(sys.executable).with_name("greenroom")
    done = subprocess.run([program, "no-such"], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "No such command 'no-such'" in done.stderr


def test_the_command_line_starts_light() -> None:
    code = "import sys, greenroom.plugins.cli; print(*sorted(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    heavy = {"boto3", "httpx", "jinja2", "jsonschema", "pytest", "yaml"}
    assert not heavy & set(loaded)
