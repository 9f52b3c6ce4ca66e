"""Asks for a deployment as any user does: unmodified boto3, CodeDeploy's own API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.validators.errors import ServiceError, ToolError

if TYPE_CHECKING:
    from mypy_boto3_codedeploy.type_defs import AppSpecContentTypeDef

    from greenroom.rehearsal.appspec import AppSpec


def create_deployment(url: str, application: str, appspec: AppSpec) -> str:
    """Create a deployment of ``application`` (also its group's name) at ``url``; return its id."""
    try:
        import boto3  # noqa: PLC0415 - an extra, and 360 ms
        from botocore.config import Config  # noqa: PLC0415 - as above
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ToolError(
            "boto3 is not installed", hint="pip install 'greenroom[rehearsal]'"
        ) from error
    content: AppSpecContentTypeDef = {"content": appspec.text, "sha256": appspec.sha256}
    try:
        client = boto3.client(
            "codedeploy",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="rehearsal",
            aws_secret_access_key="rehearsal",  # noqa: S106 - no secret: the endpoint is ours
            config=Config(proxies={}, connect_timeout=5, read_timeout=10),
        )
        answer = client.create_deployment(
            applicationName=application,
            deploymentGroupName=application,
            revision={"revisionType": "AppSpecContent", "appSpecContent": content},
        )
    except (BotoCoreError, ClientError) as error:
        raise ServiceError(
            f"the deployment was not created: {error}", hint="read the AppSpec and rehearsal.toml"
        ) from error
    return answer["deploymentId"]
