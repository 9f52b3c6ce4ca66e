"""``greenroom bypass``: make, show and revoke an emergency bypass of a deployment's gates.

It is an SSM parameter (`greenroom.plugins.bypass`). IAM: ``sts:GetCallerIdentity``, and on the
parameter ``ssm:PutParameter``, ``ssm:GetParameterHistory`` and ``ssm:DeleteParameter``.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import click

from greenroom.plugins.aws_process import Aws, CallError
from greenroom.plugins.bypass import ABSENT, newest_request
from greenroom.plugins.hook_settings import seconds_of
from greenroom.reports import text
from greenroom.validators.bypass import LONGEST, SHORTEST_REASON, Bypass, NoBypass, judge, person
from greenroom.validators.errors import ServiceError, SettingsError
from greenroom.validators.lifecycle import LifecycleEvent, lifecycle_event

_PATIENCE_S = 15.0
_HINT = "sign in as yourself: an IAM user, or a role with your name as its session's name"

_name = click.option(
    "--name",
    required=True,
    metavar="PARAMETER",
    envvar="GREENROOM_HOOK_BYPASS",
    help="The SSM parameter, as in the hook's setting 'bypass' (or GREENROOM_HOOK_BYPASS).",
)


@click.group("bypass")
def command() -> None:
    """Open gates in an emergency: by a person, for a reason, for a day at most."""


@command.command("create")
@_name
@click.option(
    "--event", metavar="NAME", help="One lifecycle event only, in CodeDeploy's or ECS' name."
)
@click.option(
    "--reason", required=True, help=f"Why, in {SHORTEST_REASON} characters or more; it is shown."
)
@click.option("--for", "duration", required=True, metavar="DURATION", help="Such as 30m or 2h.")
def create(name: str, event: str | None, reason: str, duration: str) -> int:
    """Let every gate that asks PARAMETER pass unchecked for DURATION, in your name."""
    meant = lifecycle_event(event, "--event") if event else None
    value = _value(reason, _span(duration), meant)
    with Aws(prepared=("sts", "ssm")) as aws:
        until = time.monotonic() + _PATIENCE_S
        caller = aws.insist("sts", "get_caller_identity", {}, until=until)["Arn"]
        try:
            person(caller)
        except SettingsError as error:
            raise SettingsError(f"no bypass was made: {error}", hint=_HINT) from error
        members = {"Name": name, "Value": value, "Type": "String", "Overwrite": True}
        aws.insist("ssm", "put_parameter", members, until=until)
        request = newest_request(name, aws, until=until)
    now = datetime.now(UTC)
    made = judge(request, event=meant, now=now) if request else NoBypass("it is gone again")
    if isinstance(made, NoBypass):
        raise ServiceError(
            f"bypass {name} does not count: {text.visible(made.why)}; you are {caller}",
            hint=f"no gate will pass by it; remove it: greenroom bypass revoke --name {name}",
        )
    click.echo(_told(name, made, meant))
    return 0


@command.command("show")
@_name
def show(name: str) -> int:
    """Say whether PARAMETER opens gates now: who made it, why and until when."""
    with Aws(prepared=("ssm",)) as aws:
        request = newest_request(name, aws, until=time.monotonic() + _PATIENCE_S)
    if request is None:
        click.echo(f"{name}: no bypass; gates decide as usual")
        return 0
    now = datetime.now(UTC)
    judged = {event: judge(request, event=event, now=now) for event in (None, *LifecycleEvent)}
    for event, found in judged.items():
        if isinstance(found, Bypass):
            click.echo(_told(name, found, event))
            return 0
    why = text.visible(str(judged[None]))
    click.echo(f"{name}: does not count, gates decide as usual: {why}")
    return 0


@command.command("revoke")
@_name
def revoke(name: str) -> int:
    """Delete PARAMETER: gates decide as usual from now on."""
    with Aws(prepared=("ssm",)) as aws:
        until = time.monotonic() + _PATIENCE_S
        try:
            aws.insist("ssm", "delete_parameter", {"Name": name}, until=until)
        except CallError as error:
            if error.code != ABSENT:
                raise
            click.echo(f"{name}: there was no bypass")
            return 0
    click.echo(f"{name}: revoked; gates decide as usual")
    return 0


def _value(reason: str, span: timedelta, event: LifecycleEvent | None) -> str:
    if len(reason.strip()) < SHORTEST_REASON:
        raise SettingsError(
            f"--reason has fewer than {SHORTEST_REASON} characters",
            hint="say what happened, and where it is followed up",
        )
    expires = (datetime.now(UTC) + span).isoformat(timespec="seconds")
    limited = {"event": event.value} if event else {}
    return json.dumps({"reason": reason.strip(), "expires": expires, **limited})


def _span(duration: str) -> timedelta:
    seconds = seconds_of(duration, "--for")
    if seconds > LONGEST.total_seconds():
        raise SettingsError(
            f"--for is {duration}: a bypass holds for 24h at most",
            hint="make another one tomorrow, if it is still needed",
        )
    return timedelta(seconds=seconds)


def _told(name: str, bypass: Bypass, event: LifecycleEvent | None) -> str:
    where = f"at {event.value}" if event else "at every lifecycle event it is asked for"
    return "\n".join(
        [
            f"{name}: BYPASSED {where}",
            f"  by      {bypass.by} ({bypass.arn})",
            f"  since   {bypass.since}",
            f"  until   {bypass.expires}",
            f"  reason  {text.visible(bypass.reason)}",
        ]
    )
