"""When a bypass counts, and that nobody but a person can make one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given

from greenroom.validators.bypass import Bypass, NoBypass, Request, judge, person
from greenroom.validators.errors import SettingsError
from greenroom.validators.lifecycle import LifecycleEvent
from tests.support.records import BYPASS, texts

MADE = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
NOW = MADE + timedelta(hours=1)
NO_REASON = "it has no reason of at least 10 letters or digits on one line"
GOOD = {"reason": BYPASS.reason, "expires": BYPASS.expires}
EVENT = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC


def judged(
    value: object = GOOD,
    arn: str = BYPASS.arn,
    *,
    event: LifecycleEvent | None = EVENT,
    now: datetime = NOW,
) -> Bypass | NoBypass:
    text = value if isinstance(value, str) else json.dumps(value)
    return judge(Request(text, arn, MADE), event=event, now=now)


def test_a_bypass_names_the_person_the_reason_and_its_times() -> None:
    assert judged() == BYPASS


@pytest.mark.parametrize("expires", ["2026-11-23T02:00:00Z", "2026-11-23T03:00:00+01:00"])
def test_times_of_any_zone_are_kept_in_utc(expires: str) -> None:
    assert judged(GOOD | {"expires": expires}) == BYPASS


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "its value is not JSON"),
        ("[" * 100_000, "its value is not JSON"),
        ("yes", "its value is not JSON"),
        ([], "its value is not a JSON object of texts"),
        (GOOD | {"expires": 1}, "its value is not a JSON object of texts"),
        (GOOD | {"by": "the boss"}, "it has an unknown key: by"),
        (
            {"expires": BYPASS.expires},
            NO_REASON,
        ),
        (
            GOOD | {"reason": "  just so  "},
            NO_REASON,
        ),
        ({"reason": BYPASS.reason}, "its expiry is '', no time of ISO 8601"),
        (GOOD | {"expires": "tomorrow"}, "its expiry is 'tomorrow', no time of ISO 8601"),
        (
            GOOD | {"expires": "2026-11-23T02:00:00"},
            "its expiry is '2026-11-23T02:00:00', without a zone such as Z",
        ),
        (
            GOOD | {"expires": "2026-11-23T01:00:00Z"},
            "it expired at 2026-11-23T01:00:00+00:00",
        ),
        (
            GOOD | {"expires": "2026-11-24T00:05:01Z"},
            "it expires at 2026-11-24T00:05:01+00:00, more than 24 h after it was made",
        ),
        (
            GOOD | {"expires": "9999-12-31T23:59:59-23:59"},
            "it expires at 9999-12-31T23:59:59-23:59, more than 24 h after it was made",
        ),
    ],
)
def test_a_bypass_that_leaves_something_out_does_not_count(value: object, why: str) -> None:
    assert judged(value) == NoBypass(why)


def test_a_bypass_holds_to_the_second_before_its_end() -> None:
    end = datetime.fromisoformat(BYPASS.expires)
    assert isinstance(judged(now=end - timedelta(seconds=1)), Bypass)
    assert isinstance(judged(now=end), NoBypass)
    elsewhere = end.astimezone(timezone(timedelta(hours=9)))
    assert isinstance(judged(now=elsewhere), NoBypass)


def test_a_whole_day_is_not_too_long() -> None:
    assert isinstance(judged(GOOD | {"expires": "2026-11-24T00:00:00Z"}), Bypass)


@pytest.mark.parametrize("name", ["AfterAllowTestTraffic", "POST_TEST_TRAFFIC_SHIFT"])
def test_a_bypass_for_this_event_counts_in_either_vocabulary(name: str) -> None:
    assert judged(GOOD | {"event": name}) == BYPASS


@pytest.mark.parametrize(
    ("wanted", "event", "why"),
    [
        ("BeforeInstall", EVENT, "it is for BeforeInstall, and this is AfterAllowTestTraffic"),
        ("BeforeInstall", None, "it is for BeforeInstall, and this hook's event is not known"),
        ("Always", EVENT, "the bypass' event: unknown lifecycle event 'Always'"),
    ],
    ids=["another", "unknown-here", "no-event"],
)
def test_a_bypass_for_another_event_does_not_count(
    wanted: str, event: LifecycleEvent | None, why: str
) -> None:
    assert judged(GOOD | {"event": wanted}, event=event) == NoBypass(why)


def test_a_bypass_for_every_event_counts_where_the_event_is_not_known() -> None:
    assert judged(event=None) == BYPASS


STS, IAM = "arn:aws:sts::123456789012:", "arn:aws:iam::123456789012:"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"{STS}assumed-role/Deployer/operator", "operator"),
        (f"{STS}assumed-role/AWSReservedSSO_Admin_0a1/op@example.org", "op@example.org"),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/Deployer/operator", "operator"),
        (f"{IAM}user/operator", "operator"),
        (f"{IAM}user/division/team/operator", "operator"),
        (f"{STS}federated-user/operator", "operator"),
    ],
)
def test_people_have_names(arn: str, name: str) -> None:
    assert person(arn) == name


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "N/A",
        "operator",
        f"{IAM}root",
        f"{IAM}role/Deployer",
        "lambda.amazonaws.com",
        "123456789012",
        f"{STS}assumed-role/Deployer",
        f"{STS}assumed-role/Deployer/",
        f"{STS}assumed-role/Deployer/two words",
        f"{STS}assumed-role/Deployer/operator\nroot",
        f"{STS}assumed-role/AWSServiceRoleForECS/operator",
        f"{STS}assumed-role/Node/i-0123456789abcdef0",
        f"{STS}assumed-role/Task/0123456789abcdef0123456789abcdef",
        f"{STS}assumed-role/Build/AWSCodeBuild-0a1b2c3d",
        f"{STS}assumed-role/CI/GitHubActions",
        f"{STS}assumed-role/CI/botocore-session-1700000000",
        f"{STS}assumed-role/CI/AWS-CLI-session-1700000000",
        f"{STS}assumed-role/CI/aws-go-sdk-1700000000",
        f"{STS}assumed-role/CI/aws-sdk-java-1700000000",
        f"{STS}assumed-role/CI/1700000000000",
        f"{STS}assumed-role/Hook/CodeDeployHook_trivia",
    ],
)
def test_machines_services_and_root_are_nobody(arn: str) -> None:
    with pytest.raises(SettingsError, match="its author is"):
        person(arn)
    refused = judged(arn=arn)
    assert isinstance(refused, NoBypass)
    assert refused.why.startswith("its author is")


@given(texts(), texts(), texts())
def test_no_text_passes_by_accident(value: str, expires: str, arn: str) -> None:
    assert isinstance(judged(value), NoBypass)
    assert isinstance(judged(GOOD | {"expires": expires}), NoBypass)
    assert isinstance(judged(arn=arn), NoBypass)


@pytest.mark.parametrize("key", ["by", "arn", "since", "LastModifiedUser"])
def test_a_value_cannot_say_who_wrote_it_or_when(key: str) -> None:
    assert judged(GOOD | {key: BYPASS.arn}) == NoBypass(f"it has an unknown key: {key}")
