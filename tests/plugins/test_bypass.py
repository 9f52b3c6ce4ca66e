"""Looking for a bypass: the newest version counts, and nothing that fails opens a gate."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.aws_process import Aws
from greenroom.plugins.bypass import active_bypass
from greenroom.validators.bypass import Bypass, NoBypass
from greenroom.validators.lifecycle import LifecycleEvent
from tests.support.aws import AwsEndpoint, Fault, Refusal
from tests.support.records import BYPASS

if TYPE_CHECKING:
    from tests.support.faults import Script, Step

NAME = "/greenroom/bypass/trivia"
HISTORY = "ssm.GetParameterHistory"
MADE = datetime(2026, 11, 23, tzinfo=UTC)
GOOD = json.dumps({"reason": BYPASS.reason, "expires": BYPASS.expires})
HOOK = {"Arn": "arn:aws:sts::123456789012:assumed-role/Hook/trivia-hook"}


def version(number: int, value: str = GOOD, user: str | None = BYPASS.arn) -> dict[str, Any]:
    """One version of the parameter, as SSM tells it."""
    told = {"Name": NAME, "Type": "String", "Value": value, "Version": number}
    by = {"LastModifiedUser": user} if user is not None else {}
    return {**told, **by, "LastModifiedDate": MADE.timestamp()}


def found(*script: Step, seconds: float = 20, own: Step = HOOK) -> Bypass | NoBypass:
    answers: dict[str, Script] = {HISTORY: list(script), "sts.GetCallerIdentity": own}
    with (
        AwsEndpoint(answers) as services,
        Aws({**os.environ, **services.environment}, patience_s=0.5) as aws,
    ):
        return active_bypass(
            NAME,
            aws,
            event=LifecycleEvent.AFTER_INSTALL,
            now=MADE + timedelta(hours=1),
            until=time.monotonic() + seconds,
        )


def test_the_bypass_is_its_newest_versions_whatever_their_order() -> None:
    old = version(1, "{}", "N/A")
    assert found({"Parameters": [version(2), old]}) == BYPASS
    refused = found({"Parameters": [version(2), version(10, GOOD, "N/A"), old]})
    why = "its author is no person: N/A"
    assert refused == NoBypass(f"bypass {NAME} does not count: {why}")


def test_the_newest_version_is_looked_for_on_every_page() -> None:
    pages: list[Step] = [
        {"Parameters": [version(1, "no")], "NextToken": "2"},
        {"Parameters": [version(2)]},
    ]
    assert found(*pages) == BYPASS


@pytest.mark.parametrize(
    "answer", [Refusal("ParameterNotFound"), {"Parameters": []}], ids=["absent", "empty"]
)
def test_where_nobody_asked_there_is_nothing_to_say(answer: Step) -> None:
    assert found(answer) == NoBypass()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"Parameters": [version(1, user=None)]}, "does not count: its author is no person"),
        ({"Parameters": [{"Name": NAME, "Version": 1}]}, "could not be read: ssm:GetParameterHist"),
        ({"Parameters": [version(1)], "NextToken": "on and on"}, "could not be read: ssm:GetParam"),
        (Refusal("InternalServerError", status=400), "could not be read: ssm:GetParameterHistory"),
    ],
    ids=["nobody", "half", "endless", "refused"],
)
def test_what_cannot_be_read_opens_no_gate_and_says_why(answer: Step, why: str) -> None:
    refused = found(answer)
    assert isinstance(refused, NoBypass)
    assert refused.why.startswith(f"bypass {NAME} {why}")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault.DENY, Fault.SILENT, Fault.RESET], ids=str)
def test_a_service_that_fails_costs_seconds_and_opens_no_gate(fault: Fault) -> None:
    started = time.monotonic()
    refused = found(fault, seconds=3)
    assert time.monotonic() - started < 15
    assert isinstance(refused, NoBypass)
    assert "could not be read" in refused.why


def test_the_hooks_own_identity_cannot_open_its_gate() -> None:
    refused = found({"Parameters": [version(1)]}, own={"Arn": BYPASS.arn})
    why = f"the hook's own identity made it: {BYPASS.arn}"
    assert refused == NoBypass(f"bypass {NAME} does not count: {why}")


def test_where_the_hook_cannot_tell_who_it_is_no_gate_opens() -> None:
    refused = found({"Parameters": [version(1)]}, own=Refusal("ValidationException"))
    assert isinstance(refused, NoBypass)
    assert "sts:GetCallerIdentity failed: ValidationException" in refused.why
