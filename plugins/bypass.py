"""Looks for an emergency bypass: an SSM parameter whose newest version a person wrote.

The parameter's value says why and until when; who wrote it and when is what AWS recorded of its
newest version, so the value cannot forge it. IAM: ``ssm:GetParameterHistory`` on the parameter.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from greenroom.plugins.aws_process import CallError
from greenroom.validators.bypass import Bypass, NoBypass, Request, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.aws_process import Aws
    from greenroom.validators.lifecycle import LifecycleEvent

ABSENT = "ParameterNotFound"
"""The code of a call that names no parameter: nobody asked for a bypass."""

_LONGEST_S = 5.0  # a service that does not answer must not eat the suite's time
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
        newest = max(_versions(name, aws, end), key=_version, default=None)
        found = judge(_request(newest), event=event, now=now) if newest else NoBypass()
    except CallError as error:
        if error.code == ABSENT:
            return NoBypass()
        return NoBypass(f"bypass {name} could not be read: {error} ({error.hint})")
    except (KeyError, TypeError, ValueError) as error:
        return NoBypass(f"bypass {name} was answered in an unknown form: {error!r}")
    if isinstance(found, NoBypass) and found.why:
        return NoBypass(f"bypass {name} does not count: {found.why}")
    return found


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
