"""Looks for an emergency bypass: an SSM parameter whose newest version a person wrote.

The parameter's value says why and until when; who wrote it and when is what AWS recorded of its
newest version, so the value cannot forge it. One that the hook's own identity wrote does not count:
a suite that was given its credentials must not open its own gate.

IAM: ``ssm:GetParameterHistory`` on the parameter; ``sts:GetCallerIdentity`` needs no permission,
but in a VPC an endpoint.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from greenroom.plugins.aws_process import CallError
from greenroom.validators.bypass import Bypass, NoBypass, Request, judge
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.aws_process import Aws
    from greenroom.validators.lifecycle import LifecycleEvent

ABSENT = "ParameterNotFound"
"""The code of a call that names no parameter: nobody asked for a bypass."""

_LONGEST_S = 10.0  # boto3 on a cold and small function takes some; a silent service no more
_PAGE = 50
_PAGES = 10  # SSM keeps 100 versions


def active_bypass(
    name: str, aws: Aws, *, event: LifecycleEvent | None, now: datetime, until: float
) -> Bypass | NoBypass:
    """Return the bypass in the parameter ``name`` that holds ``now`` at ``event``, if there is one.

    Nothing is raised, and it takes a few seconds at most: whatever is wrong with it is why there is
    none. ``until`` is in monotonic seconds.
    """
    end = min(until, time.monotonic() + _LONGEST_S)
    try:
        request = newest_request(name, aws, until=end)
        if request is None:
            return NoBypass()
        found = judge(request, event=event, now=now)
        if isinstance(found, Bypass) and _own_identity(aws, end) == found.arn:
            found = NoBypass(f"the hook's own identity made it: {found.arn}")
    except ServiceError as error:
        return NoBypass(f"bypass {name} could not be read: {error} ({error.hint})")
    if isinstance(found, NoBypass):
        return NoBypass(f"bypass {name} does not count: {found.why}")
    return found


def newest_request(name: str, aws: Aws, *, until: float) -> Request | None:
    """Return the newest version of the parameter ``name``, None where there is no parameter.

    Raises `ServiceError` for one that cannot be read.
    """
    try:
        newest = max(_versions(name, aws, until), key=_version, default=None)
        return _request(newest) if newest else None
    except CallError as error:
        if error.code == ABSENT:
            return None
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ServiceError(
            f"ssm:GetParameterHistory was answered in an unknown form: {error!r}",
            hint="is AWS_ENDPOINT_URL_SSM another service's?",
        ) from error


def _own_identity(aws: Aws, end: float) -> str:
    return str(aws.insist("sts", "get_caller_identity", {}, until=end).get("Arn"))


def _versions(name: str, aws: Aws, end: float) -> Iterator[dict[str, Any]]:
    members: dict[str, Any] = {"Name": name, "MaxResults": _PAGE}
    for _ in range(_PAGES):
        answer = aws.insist("ssm", "get_parameter_history", members, until=end)
        yield from answer.get("Parameters", ())
        if not (token := answer.get("NextToken")):
            return
        members["NextToken"] = token
    raise ValueError(f"more than {_PAGES} pages of versions")


def _version(version: dict[str, Any]) -> int:
    return int(version["Version"])


def _request(version: dict[str, Any]) -> Request:
    """Return what the version of a parameter asks for; raises for one without what AWS records."""
    modified = datetime.fromisoformat(version["LastModifiedDate"])
    user = version.get("LastModifiedUser", "")
    return Request(str(version["Value"]), str(user), modified.astimezone())
