"""``greenroom hook``: the hook of CodeBuild projects, on-premises agents and shells.

The same gate and the same reporters as in Lambda; without an event the exit status is the report.
"""

from __future__ import annotations

import json
import math
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
from typing import TYPE_CHECKING, Any

import click

from greenroom.plugins.gate_answers import Pending
from greenroom.plugins.gate_place import Place
from greenroom.plugins.gate_tell import answer_event, answer_script
from greenroom.plugins.hand_off import Invitation
from greenroom.plugins.hook_events import EcsEvent, waiter_in
from greenroom.plugins.report_exit_status import COULD_NOT_DECIDE, exit_status
from greenroom.plugins.reporting import ANSWERED
from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import lifecycle_event
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.gate_tell import Outcome

USUAL_S = 3000
"""The seconds that there are unless ``--timeout`` says otherwise."""

LONGEST_S = 24 * 60 * 60
"""The longest ``--timeout`` in seconds; nobody who waits for a deployment waits longer."""


@click.command("hook", context_settings={"ignore_unknown_options": True})
@click.option("--deployment-id", metavar="ID", help="CodeDeploy's deployment id.")
@click.option("--execution-id", metavar="ID", help="The lifecycle event hook's execution id.")
@click.option(
    "--event",
    "event_file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with the hook's JSON event, instead of the ids; - reads standard input.",
)
@click.option(
    "--lifecycle-event",
    "lifecycle_event_name",
    metavar="NAME",
    help="The lifecycle event, whose suites run; default: the event's own, GREENROOM_HOOK_EVENT, "
    "or LIFECYCLE_EVENT, which CodeDeploy's agent sets for scripts.",
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1, max=LONGEST_S),
    help="Seconds for suite and report; default: 3000 (CodeDeploy waits one hour), or in a build "
    "what is left until it has to answer.",
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
    lifecycle_event_name: str | None,
    timeout: int | None,
    report: Path,
    passed: tuple[str, ...],
    pytest_args: tuple[str, ...],
) -> int:
    """Run PYTEST_ARGS supervised and report one verdict, to whoever the event says waits.

    Without PYTEST_ARGS the suites of the settings run. Exits 0 only if the verdict is ship (and was
    reported), 1 for do not ship, 7 if it could not be decided, 2 if nobody could be told.
    """
    invitation = Invitation.from_environ(os.environ)
    event = _event(deployment_id, execution_id, event_file)
    if event is None and invitation is not None:
        event = dict(invitation.delivery)
    if invitation is None and isinstance(waiter_in(event), EcsEvent):
        raise SettingsError(
            "an ECS hook's event is answered by a function, not by a command",
            hint="use the Lambda handler greenroom.plugins.hook.handler",
        )
    seconds = _seconds(timeout, invitation)
    work = Path(tempfile.gettempdir(), f"greenroom-{secrets.token_hex(8)}")
    named = lifecycle_event_name or (os.environ.get("LIFECYCLE_EVENT") if event is None else "")
    if named:
        lifecycle_event(named, "--lifecycle-event" if lifecycle_event_name else "LIFECYCLE_EVENT")
    environ = {**os.environ, **({"GREENROOM_HOOK_EVENT": named} if named else {})}
    with _cancelled_by_signal() as cancel:
        place = Place(
            environ=environ,
            root=Path.cwd(),
            report=report.absolute(),
            work=work,
            ends=time.monotonic() + seconds,
            owner=invitation.owner if invitation else f"command-{secrets.token_hex(8)}",
            most_reserve_s=seconds / 3,
            arguments=pytest_args or None,
            suites=(),
            passed=passed,
            invitation=invitation,
            cancel=cancel,
            echo=getattr(sys.stdout, "buffer", None),
        )
        try:
            if event is None:
                outcome = answer_script(place)
            else:
                outcome = answer_event(event, lambda _: place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    try:
        _say(outcome)
    except OSError:  # whoever waits has been told: a closed terminal changes nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _status(outcome)


def _event(
    deployment_id: str | None, execution_id: str | None, event_file: Path | None
) -> dict[str, Any] | None:
    if event_file is not None and (deployment_id or execution_id):
        raise SettingsError("--event and ids are both given", hint="give one of the two")
    if event_file is not None:
        return _from_file(event_file)
    if deployment_id and execution_id:
        return {"DeploymentId": deployment_id, "LifecycleEventHookExecutionId": execution_id}
    if deployment_id or execution_id:
        raise SettingsError(
            "only one of --deployment-id and --execution-id is given",
            hint="CodeDeploy's event carries both; give both, or neither",
        )
    return None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
        event = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path}: {error}", hint="give the JSON event as the service sent it"
        ) from error
    if isinstance(event, dict):
        return event
    raise SettingsError(f"{path}: not a JSON object", hint="give the event as the service sent it")


def _seconds(timeout: int | None, invitation: Invitation | None) -> float:
    """Return the seconds that there are: a build answers before its back-up does."""
    if invitation is None:
        return timeout or USUAL_S
    return min(timeout or math.inf, invitation.answer_by - time.time())


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


def _say(outcome: Outcome) -> None:
    if isinstance(outcome.answer, Pending):
        _echo(f"greenroom: no verdict here: {outcome.answer.reason}")
        return
    open_all_the_same = outcome.answer.succeeded and outcome.answer.verdict is not Verdict.SHIP
    opened = ", and the gate is open" if open_all_the_same else ""
    _echo(f"greenroom: {outcome.answer.verdict.words}{opened}")
    for reason in (*outcome.answer.reasons, *outcome.errors):
        _echo(f"  {reason}")
    if outcome.bypass_refused:
        _echo(f"  no bypass: {outcome.bypass_refused}")
    if outcome.result is not None and outcome.result.log is not None:
        _echo(f"report: {outcome.result.log.parent}")
    if outcome.told is not None and outcome.told.result != ANSWERED:
        _echo(f"{outcome.told.to}: {outcome.told.status}, {outcome.told.result}")


def _echo(text: str) -> None:
    """Write ``text``; what terminals cannot show is escaped."""
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def _status(outcome: Outcome) -> int:
    if outcome.error is not None:
        raise outcome.error
    if outcome.misconfigured:
        return SettingsError.exit_code
    if isinstance(outcome.answer, Pending) or outcome.errors:
        return COULD_NOT_DECIDE
    return exit_status(outcome.answer)
