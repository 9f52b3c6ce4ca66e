"""``greenroom bypass``: only a person makes one, for a reason and a day at most."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.cli import main
from tests.support.aws import AwsEndpoint, Refusal
from tests.support.records import BYPASS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.faults import Json, Script

NAME = "/greenroom/bypass/trivia"
ARGUMENTS = ["bypass", "create", "--name", NAME, "--reason", BYPASS.reason, "--for", "2h"]


class Store:
    """A parameter store in which whoever calls is ``caller``, and is recorded as ``recorded``."""

    def __init__(self, caller: str = BYPASS.arn, recorded: str | None = None) -> None:
        self.caller = caller
        self.recorded = recorded or caller
        self.versions: list[Json] = []

    def script(self) -> dict[str, Script]:
        identity = {"UserId": "x", "Account": "123456789012", "Arn": self.caller}
        return {
            "sts.GetCallerIdentity": identity,
            "ssm.PutParameter": self._put,
            "ssm.GetParameterHistory": lambda _: (
                {"Parameters": self.versions} if self.versions else Refusal("ParameterNotFound")
            ),
            "ssm.DeleteParameter": self._delete,
        }

    def _put(self, members: Json) -> Json:
        number = len(self.versions) + 1
        kept = {"Name": members["Name"], "Value": members["Value"], "Version": number}
        by = {"LastModifiedUser": self.recorded, "LastModifiedDate": time.time()}
        self.versions.append({**kept, **by, "Type": members["Type"]})
        return {"Version": number}

    def _delete(self, _: Json) -> Json | Refusal:
        if not self.versions:
            return Refusal("ParameterNotFound")
        self.versions.clear()
        return {}


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def aws(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsEndpoint]:
    with AwsEndpoint(store.script()) as endpoint:
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        yield endpoint


def test_a_bypass_is_made_in_the_callers_name_shown_and_revoked(
    aws: AwsEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(ARGUMENTS) == 0
    made = capsys.readouterr().out
    assert made.startswith(f"{NAME}: BYPASSED at every lifecycle event it is asked for\n")
    assert f"  by      operator ({BYPASS.arn})\n" in made
    assert f"  reason  {BYPASS.reason}\n" in made
    assert main(["bypass", "show", "--name", NAME]) == 0
    assert capsys.readouterr().out == made
    assert main(["bypass", "revoke", "--name", NAME]) == 0
    assert main(["bypass", "show", "--name", NAME]) == 0
    assert main(["bypass", "revoke", "--name", NAME]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{NAME}: revoked; gates decide as usual",
        f"{NAME}: no bypass; gates decide as usual",
        f"{NAME}: there was no bypass",
    ]
    assert len(aws.of("ssm.DeleteParameter")) == 2


def test_a_bypass_for_one_event_says_so(
    aws: AwsEndpoint, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([*ARGUMENTS, "--event", "POST_TEST_TRAFFIC_SHIFT"]) == 0
    (put,) = aws.of("ssm.PutParameter")
    assert json.loads(put["Value"])["event"] == "AfterAllowTestTraffic"
    monkeypatch.setenv("GREENROOM_HOOK_BYPASS", NAME)
    assert main(["bypass", "show"]) == 0
    assert capsys.readouterr().out.count(f"{NAME}: BYPASSED at AfterAllowTestTraffic\n") == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--for": "25h"}, "--for is 25h: a bypass holds for 24h at most"),
        ({"--for": "soon"}, "--for is 'soon', not a duration"),
        ({"--reason": "  because "}, "--reason has fewer than 10 characters"),
        ({"--event": "Sometime"}, "--event: unknown lifecycle event 'Sometime'"),
    ],
    ids=["too-long", "no-duration", "no-reason", "no-event"],
)
def test_a_bypass_that_would_not_count_is_not_made(
    change: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"--name": NAME, "--reason": BYPASS.reason, "--for": "2h", **change}
    line = [word for pair in options.items() for word in pair]
    assert main(["bypass", "create", *line]) == 4
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("store", [Store("arn:aws:iam::123456789012:root")])
def test_nobody_but_a_person_makes_one(
    aws: AwsEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(ARGUMENTS) == 4
    error = capsys.readouterr().err
    assert "no bypass was made: its author is no person: arn:aws:iam::123456789012:root" in error
    assert "sign in as yourself" in error
    assert aws.of("ssm.PutParameter") == []


@pytest.mark.parametrize("store", [Store(recorded="N/A")])
def test_what_aws_recorded_of_it_decides(
    aws: AwsEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(ARGUMENTS) == 2
    error = capsys.readouterr().err
    assert f"bypass {NAME} does not count: its author is no person: N/A; you are arn:" in error
    assert f"greenroom bypass revoke --name {NAME}" in error
    assert main(["bypass", "show", "--name", NAME]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{NAME}: does not count, gates decide as usual: its author is no")
    assert len(aws.accepted("ssm.PutParameter")) == 1


def test_a_refused_call_is_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script: dict[str, Any] = {"ssm.DeleteParameter": Refusal("InternalServerError")}
    with AwsEndpoint(script) as endpoint:
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        assert main(["bypass", "revoke", "--name", NAME]) == 2
    assert "ssm:DeleteParameter failed: InternalServerError" in capsys.readouterr().err
