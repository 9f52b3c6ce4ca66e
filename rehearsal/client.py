"""Asks for a deployment as any user does: unmodified boto3, CodeDeploy's own API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from greenroom.validators.errors import ServiceError, ToolError

if TYPE_CHECKING:
    from mypy_boto3_codedeploy.type_defs import AppSpecContentTypeDef

    from greenroom.rehearsal.appspec import AppSpec

_NOBODYS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Session variables without the user's profile and files: a rehearsal needs no account."""


def create_deployment(url: str, application: str, appspec: AppSpec) -> str:
    """Create a deployment of ``application`` (also its group's name) at ``url``; return its id."""
    try:
        import boto3  # noqa: PLC0415 - an extra, and 360 ms
        import botocore.session  # noqa: PLC0415 - as above
        from botocore.config import Config  # noqa: PLC0415 - as above
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ToolError(
            "boto3 is not installed", hint="pip install 'greenroom[rehearsal]'"
        ) from error
    content: AppSpecContentTypeDef = {"content": appspec.text, "sha256": appspec.sha256}
    try:
        own = botocore.session.Session(session_vars=_NOBODYS)
        client = boto3.Session(botocore_session=own).client(
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
