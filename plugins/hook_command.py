"""``greenroom hook``: the hook of CodeBuild projects, on-premises agents and shells.

The same supervisor and the same report as in Lambda; without ids the exit status is the report.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greenroom.plugins.aws_process import Aws
from greenroom.plugins.hook import RESERVE_S
from greenroom.plugins.hook_events import CodeDeployEvent, parse_event
from greenroom.plugins.report_codedeploy import CodeDeployReporter
from greenroom.plugins.report_exit_status import exit_status
from greenroom.plugins.reporting import Answer
from greenroom.plugins.suite_process import Suite, passed_names
from greenroom.plugins.supervisor import Supervised, attempt
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_S = 24 * 60 * 60
"""The longest ``--timeout`` in seconds; nobody who waits for a deployment waits longer."""


@click.command("hook", context_settings={"ignore_unknown_options": True})
@click.option("--deployment-id", metavar="ID", help="CodeDeploy's deployment id.")
@click.option("--execution-id", metavar="ID", help="The lifecycle event hook's execution id.")
@click.option(
    "--event",
    "event_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the hook's JSON event, instead of the ids.",
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1, max=LONGEST_S),
    default=3000,
    show_default=True,
    help="Seconds for suite and report; CodeDeploy waits one hour.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("greenroom-report"),
    show_default=True,
    help="The folder of the run record and the documents.",
)
@click.option(
    "--pass",
    "passed",
    metavar="NAME",
    multiple=True,
    help="A withheld variable that the suite gets nevertheless, beside those in "
    "GREENROOM_HOOK_PASS; may be repeated.",
)
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def command(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    deployment_id: str | None,
    execution_id: str | None,
    event_file: Path | None,
    timeout: int,
    report: Path,
    passed: tuple[str, ...],
    pytest_args: tuple[str, ...],
) -> int:
    """Run PYTEST_ARGS supervised and report one verdict, to CodeDeploy if ids are given.

    Exits 0 only if the verdict is ship (and was reported), 1 for do not ship, 7 if it could not be
    decided.
    """
    event = _event(deployment_id, execution_id, event_file)
    ends = time.monotonic() + timeout
    reserve = min(RESERVE_S, timeout / 3) if event else 0.0
    aws = Aws(prepared=("codedeploy",), patience_s=min(3.0, reserve / 4)) if event else None
    reporter = CodeDeployReporter(event, aws) if event and aws else None
    suite = Suite(
        arguments=pytest_args,
        root=Path.cwd(),
        report=report.absolute(),
        work=Path(tempfile.gettempdir(), f"greenroom-{secrets.token_hex(8)}"),
        environment=os.environ,
        passed=(*passed_names(os.environ), *passed),
        release=event.release if event else {},
    )
    with _cancelled_by_signal() as cancel:
        result = _run(suite, timeout - reserve, cancel)
        # The report comes first: a terminal that takes no more output must not keep it back.
        try:
            answer = Answer(result.verdict is Verdict.SHIP, result.verdict, result.reasons)
            told = reporter.report(answer, until=ends) if reporter else None
        finally:
            _say(result)
            if aws:
                aws.close()
        if told:
            click.echo(f"CodeDeploy: {told.result}")
    return exit_status(result.verdict)


def _event(
    deployment_id: str | None, execution_id: str | None, event_file: Path | None
) -> CodeDeployEvent | None:
    if event_file is not None and (deployment_id or execution_id):
        raise SettingsError("--event and ids are both given", hint="give one of the two")
    if event_file is not None:
        return _from_file(event_file)
    if deployment_id and execution_id:
        return CodeDeployEvent(deployment_id, execution_id)
    if deployment_id or execution_id:
        raise SettingsError(
            "only one of --deployment-id and --execution-id is given",
            hint="CodeDeploy's event carries both; give both, or neither",
        )
    return None


def _from_file(path: Path) -> CodeDeployEvent:
    try:
        event = parse_event(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path}: {error}", hint="give the JSON event as CodeDeploy sent it"
        ) from error
    if isinstance(event, CodeDeployEvent):
        return event
    raise SettingsError(
        f"{path}: an ECS hook's event is answered by a function, not by a command",
        hint="use the Lambda handler greenroom.plugins.hook.handler",
    )


def _run(suite: Suite, seconds: float, cancel: threading.Event) -> Supervised:
    try:
        return attempt(
            lambda: suite, seconds=seconds, cancel=cancel, echo=getattr(sys.stdout, "buffer", None)
        )
    finally:
        shutil.rmtree(suite.work, ignore_errors=True)


@contextmanager
def _cancelled_by_signal() -> Iterator[threading.Event]:
    """Turn SIGTERM and SIGINT into an event: even then the verdict is reported."""
    cancel = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: cancel.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield cancel
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _say(result: Supervised) -> None:
    click.echo(f"greenroom: {result.verdict.words}")
    for reason in result.reasons:
        click.echo(f"  {reason}")
    if result.log is not None:
        click.echo(f"report: {result.log.parent}")
