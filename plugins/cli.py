"""The ``greenroom`` command: a thin group whose commands are imported only when called."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import TYPE_CHECKING

import click

from greenroom.validators.errors import GreenroomError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "baseline": "greenroom.plugins.baseline_command",
    "bypass": "greenroom.plugins.bypass_command",
    "hook": "greenroom.plugins.hook_command",
    "import": "greenroom.plugins.import_command",
    "lint": "greenroom.plugins.lint_command",
    "package": "greenroom.plugins.package_command",
    "rehearse": "greenroom.rehearsal.command",
    "schema": "greenroom.plugins.schema_command",
}
"""Each command's module; it holds a click command named ``command``."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong table is our own bug
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["--help"]})
@click.version_option(package_name="greenroom")
def group() -> None:
    """Decide whether a new version may go on: no green without evidence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status, errors explained on standard error.

    An error that nobody foresaw is 2 as well: Python's own 1 would say that a check failed.
    """
    try:
        status = group.main(args=arguments, prog_name="greenroom", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 4
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.Abort:
        print("greenroom: interrupted", file=sys.stderr)  # noqa: T201 - the command's own output
        return 2
    except GreenroomError as error:
        print(f"greenroom: {error.explain()}", file=sys.stderr)  # noqa: T201 - as above
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - see above
        traceback.print_exc()
        print(f"greenroom: internal error: {error!r}", file=sys.stderr)  # noqa: T201 - as above
        return 2
    return status if isinstance(status, int) else 0
