"""Where a report is kept, and the link that leads there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from greenroom.plugins.report_place import HookRun, ReportPlace, file_name, report_link
from greenroom.validators.errors import SettingsError
from tests.support.records import texts

RUN = HookRun("d-1A2B3C4D5", "AfterAllowTestTraffic", "execution-1")
SERVICE_DEPLOYMENT = "arn:aws:ecs:eu-west-1:123456789012:service-deployment/live/trivia/abc"
KEY = "d-1A2B3C4D5/AfterAllowTestTraffic-execution-1/report.html"


@pytest.mark.parametrize(
    ("upload", "uri"),
    [
        ("s3://reports", f"s3://reports/{KEY}"),
        ("s3://reports/", f"s3://reports/{KEY}"),
        ("s3://reports/team/trivia/", f"s3://reports/team/trivia/{KEY}"),
    ],
    ids=["bucket", "slash", "prefix"],
)
def test_reports_stand_below_their_deployment(upload: str, uri: str) -> None:
    assert ReportPlace.of(upload, RUN).uri("report.html") == uri


def test_an_event_without_a_name_is_the_hooks() -> None:
    place = ReportPlace.of("s3://reports", RUN._replace(event=""))
    assert place.key("run.json") == "d-1A2B3C4D5/hook-execution-1/run.json"


@pytest.mark.parametrize("upload", ["reports", "s3://", "dynamodb://reports", ""])
def test_what_is_no_bucket_is_refused(upload: str) -> None:
    with pytest.raises(SettingsError, match="upload is"):
        ReportPlace.of(upload, RUN)


def test_an_ecs_deployment_is_known_by_the_last_part_of_its_arn() -> None:
    name = file_name(SERVICE_DEPLOYMENT)
    assert re.fullmatch(r"service-deployment_live_trivia_abc-[0-9a-f]{12}", name)
    assert name != file_name(SERVICE_DEPLOYMENT.replace("eu-west-1", "eu-west-2"))


def test_long_tokens_that_begin_alike_have_names_of_their_own() -> None:
    one, two = file_name("eyJlbmNyeXB0ZWREYXRhIjoi" * 20 + "1"), file_name("eyJlbmNyeXB0" * 40)
    assert one != two
    assert max(len(one), len(two)) <= 80


@given(texts())
def test_every_text_becomes_a_plain_name(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}", file_name(text))


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com"),
        ("us-gov-west-1", "https://console.amazonaws-us-gov.com"),
        ("cn-north-1", "https://console.amazonaws.cn"),
    ],
)
def test_the_link_leads_to_the_console_of_the_partition(region: str, host: str) -> None:
    link = report_link(RUN, upload="s3://reports", template="", region=region)
    key = KEY.replace("/", "%2F")
    assert link == f"{host}/s3/object/reports?region={region}&prefix={key}"


@pytest.mark.parametrize("region", ["", "us-iso-east-1", "eusc-de-east-1", "local"])
def test_without_a_known_console_the_link_is_the_objects_address(region: str) -> None:
    link = report_link(RUN, upload="s3://reports", template="", region=region)
    assert link == f"s3://reports/{KEY}"


def test_without_a_place_there_is_no_link() -> None:
    assert report_link(RUN, upload="", template="", region="eu-west-1") == ""


def test_a_template_is_filled_in_and_encoded() -> None:
    template = "https://reports.example.org/{deployment}/{event}?e={execution}&k={key}&b={bucket}"
    run = RUN._replace(execution_id="a/b&c")
    link = report_link(run, upload="s3://reports/x", template=template, region="")
    assert link.startswith("https://reports.example.org/d-1A2B3C4D5/AfterAllowTestTraffic?")
    assert "?e=a%2Fb%26c&k=x/d-1A2B3C4D5/AfterAllowTestTraffic-a_b_c-" in link
    assert link.endswith("/report.html&b=reports")


@pytest.mark.parametrize(
    ("template", "upload"),
    [("https://x/{deploymentid}", "s3://reports"), ("https://x/{key}", "")],
    ids=["unknown", "no-bucket"],
)
def test_what_nothing_fills_in_is_refused(template: str, upload: str) -> None:
    with pytest.raises(SettingsError, match="link: nothing fills in") as caught:
        report_link(RUN, upload=upload, template=template, region="")
    assert "{deployment}, {event}, {execution}" in caught.value.hint
