"""What stands behind the target's load balancer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

from greenroom.plugins.target_settings import Address, Targets
from greenroom.plugins.targets import Behind, Registered, behind, reachable
from tests.support.servers import refused_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE, TWO = Address("10.0.0.1", 8080), Address("10.0.0.2", 8080)
ABSENT = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/0123456789abcdef"


def seen(found: Behind) -> str:
    assert found.doubt is not None
    assert found.doubt.met is None
    assert found.advice
    return found.doubt.observed


def test_without_addresses_there_is_nothing_to_ask() -> None:
    found = behind(Targets())
    assert (seen(found), found.addresses) == ("none", ())
    assert "GREENROOM_TARGETS" in found.advice
    assert behind(Targets((ONE,))) == Behind((ONE,))


@pytest.mark.parametrize(
    "state", ["initial", "unhealthy", "unused", "unavailable", "a-state-of-tomorrow"]
)
def test_a_target_that_is_not_healthy_leaves_a_doubt_beside_the_others(state: str) -> None:
    found = reachable([Registered(ONE, "healthy"), Registered(TWO, state, "Elb.Reason")])
    assert found.addresses == (ONE,)
    assert seen(found) == f"10.0.0.2:8080 {state} (Elb.Reason)"


def test_targets_that_leave_do_not_count() -> None:
    leaving = [Registered(TWO, "draining"), Registered(TWO, "unhealthy.draining")]
    assert reachable([Registered(ONE, "healthy"), *leaving]) == Behind((ONE,))
    assert seen(reachable(leaving)) == "none"


def credentials(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would keep other tests' credentials
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


def test_a_service_out_of_reach_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials(monkeypatch, refused_url())
    found = behind(Targets(target_group=ABSENT))
    assert "DescribeTargetGroups failed: EndpointConnectionError" in seen(found)
    assert "VPC endpoint" in found.advice


def test_a_suite_without_credentials_is_told_how_a_hook_passes_them_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    credentials(monkeypatch, refused_url())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    found = behind(Targets(target_group=ABSENT))
    assert "NoCredentialsError" in seen(found)
    assert "GREENROOM_HOOK_PASS" in found.advice


@pytest.fixture(scope="module")
def elb() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.slow
def test_a_target_group_knows_its_targets_and_their_scheme(
    monkeypatch: pytest.MonkeyPatch, elb: str
) -> None:
    credentials(monkeypatch, elb)
    client = boto3.client("elbv2")
    vpc = boto3.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    network = {"Protocol": "HTTPS", "Port": 8443, "VpcId": vpc}
    made = {}
    for name, kind in (("green", "ip"), ("old", "instance")):
        groups = client.create_target_group(Name=name, TargetType=kind, **network)["TargetGroups"]
        made[name] = groups[0]["TargetGroupArn"]
    assert seen(behind(Targets(target_group=made["green"]))) == "none"
    targets = [{"Id": "10.0.0.1", "Port": 8080}, {"Id": "10.0.0.2", "Port": 8443}]
    client.register_targets(TargetGroupArn=made["green"], Targets=targets)
    found = behind(Targets(target_group=made["green"]))
    assert found == Behind((Address("10.0.0.1", 8080, "https"), Address("10.0.0.2", 8443, "https")))
    assert seen(behind(Targets(target_group=made["old"]))) == "registered by instance"
    assert "TargetGroupNotFound" in seen(behind(Targets(target_group=ABSENT)))
