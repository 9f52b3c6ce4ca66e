"""Calls whose answer has to show that the service itself took them.

botocore takes any page for an answer without members, so a proxy's own page would pass for AWS'
"accepted". Where the service answers with something, that something is what counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from greenroom.plugins.aws_process import CallError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.aws_process import Aws

_PAUSE_S = 0.5


def acknowledged(
    aws: Aws, call: tuple[str, str], members: Mapping[str, Any], *, by: str, until: float
) -> None:
    """Insist on ``call`` (service and operation) until its answer has the member ``by``.

    Raises `CallError` when the service refuses, or has not taken it at ``until`` (monotonic).
    """
    while not aws.insist(*call, members, until=until).get(by):
        if until - time.monotonic() < _PAUSE_S:
            raise CallError(
                f"{'.'.join(call)} was answered, but not by AWS: there is no {by}",
                hint="check what stands between here and the endpoint: a proxy, a firewall",
                code="NotAcknowledged",
                again=True,
            )
        time.sleep(_PAUSE_S)
