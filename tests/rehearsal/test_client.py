from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from greenroom.rehearsal.appspec import parse_appspec
from greenroom.rehearsal.client import create_deployment
from greenroom.validators.errors import ServiceError, ToolError
from tests.support.upstream import free_port, raw_server

if TYPE_CHECKING:
    from pathlib import Path

APPSPEC = parse_appspec(
    '{"version": 1, "Resources": [{"T": {"Type": "AWS::ECS::Service", "Properties":'
    '{"TaskDefinition": "t", "LoadBalancerInfo": {"ContainerName": "c", "ContainerPort": 80}}}}]}'
)


def test_a_missing_boto3_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ToolError, match="boto3 is not installed") as caught:
        create_deployment("http://127.0.0.1:1", "x", APPSPEC)
    assert "greenroom[rehearsal]" in caught.value.hint


def test_a_refusal_is_told_in_the_services_words() -> None:
    body = b'{"__type": "ApplicationDoesNotExistException", "message": "No application x."}'
    head = b"HTTP/1.1 400 No\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: "
    answer = head + str(len(body)).encode() + b"\r\n\r\n" + body
    with raw_server(answer) as port, pytest.raises(ServiceError, match=r"No application x\."):
        create_deployment(f"http://127.0.0.1:{port}", "x", APPSPEC)


def test_the_users_own_profile_and_files_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("no configuration")
    monkeypatch.setenv("AWS_PROFILE", "unheard-of")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 29"
    with raw_server(head + b'\r\n\r\n{"deploymentId": "d-1234567"}') as port:
        assert create_deployment(f"http://127.0.0.1:{port}", "x", APPSPEC) == "d-1234567"


@pytest.mark.slow
def test_an_endpoint_that_is_not_there_is_a_service_error() -> None:
    with pytest.raises(ServiceError, match="was not created"):
        create_deployment(f"http://127.0.0.1:{free_port()}", "x", APPSPEC)
