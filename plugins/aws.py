"""The one place where botocore's errors become ours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_BUSY = frozenset(
    {
        "ConditionalRequestConflict",
        "ReplicatedWriteConflictException",
        "TransactionConflictException",
    }
)
"""Two writes at once, of which neither has been decided."""
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)
_SERVER_ERROR = 500
_TIMEOUT_S = 10
_LATER = frozenset(
    {
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "ConnectionError",
        "EndpointConnectionError",
        "HTTPClientError",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "ResponseParserError",
    }
)
"""botocore errors (or their bases) after which the same call may well succeed."""


def ask_aws(service: str, operation: str, action: str, region: str = "", **members: object) -> Any:  # noqa: ANN401 - boto3 has no common type
    """Return AWS's answer to ``operation`` (boto3's name); raises `ServiceError`.

    ``action`` is the IAM action that it takes. Any thread may ask: the session is its own, for
    boto3's default one is no thread's to share while a client is made.
    """
    try:
        import boto3  # noqa: PLC0415 - an extra, and slow
        from botocore.config import Config  # noqa: PLC0415 - as above
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above
    except ImportError:
        raise ServiceError("boto3 is not installed (greenroom[aws])") from None
    limits = Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S)
    make: Any = boto3.Session().client
    # boto3 reads AWS_DEFAULT_REGION only; every other SDK, and CodeBuild, knows AWS_REGION.
    region = region or os.environ.get("AWS_REGION", "")
    try:
        client = make(service, region_name=region or None, config=limits)
        return getattr(client, operation)(**members)
    except (BotoCoreError, ClientError) as error:
        raise explained(error, action) from error
    except ValueError as error:
        raise ServiceError(
            f"{action} failed: {error}", hint="check AWS_REGION and the AWS_ variables"
        ) from error


def code_of(error: BotoCoreError | ClientError) -> str:
    """Return the service's error code, or the name of botocore's own error."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return str(code) or type(error).__name__


def may_succeed_later(error: BotoCoreError | ClientError) -> bool:
    """Tell whether the same call is worth another try.

    Throttling, conflicts, server errors and broken connections are; so is a refusal, for
    permissions take a while to arrive everywhere, and a bare HTTP status (403, 407), which is no
    service's error but something's on the way.
    """
    code = code_of(error)
    if code in _THROTTLED | _BUSY | _FORBIDDEN or code.isdecimal():
        return True
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return isinstance(status, int) and status >= _SERVER_ERROR
    return any(kind.__name__ in _LATER for kind in type(error).__mro__)


def explained(error: BotoCoreError | ClientError, action: str) -> ServiceError:
    """Return the `ServiceError` for ``error`` in the call that ``action`` (an IAM action) names."""
    code = code_of(error)
    if code in _FORBIDDEN:
        hint = f"allow {action} in the role's policy"
    elif code in _CREDENTIALS or "Credentials" in code:
        hint = "give valid AWS credentials: a role, or the AWS_ variables"
    elif code in _THROTTLED:
        hint = "the service is throttling; fewer calls at once, or try again later"
    elif any(kind.__name__ in _LATER for kind in type(error).__mro__):
        hint = "the endpoint could not be reached; check network, VPC endpoint and security groups"
    elif may_succeed_later(error):
        hint = "the service failed; try again later"
    else:
        hint = f"{code} is the service's own answer; check the ids and the region"
    return ServiceError(f"{action} failed: {code}: {error}", hint=hint)


def hint_of_suite(error: ServiceError) -> str:
    """Return the hint of ``error`` for a suite that calls AWS, which a hook keeps from doing so."""
    if "redentials" not in error.hint:
        return error.hint
    return (
        f"{error.hint}; a hook withholds its own from the suite unless GREENROOM_HOOK_PASS="
        '"AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN" (or pass in [hook]) says so'
    )
