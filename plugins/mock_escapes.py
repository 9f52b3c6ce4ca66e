"""Keeps a test that has a local AWS from calling the real one.

The environment leads only clients there that are made meanwhile. One that was made before (when a
module was loaded) or was given an address of its own would go to Amazon, with real credentials.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from greenroom.validators.errors import ServiceError
from greenroom.validators.finding import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AMAZON = re.compile(
    r"(^|\.)(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws|amazonwebservices\.com\.cn|on\.aws)\.?$"
    r"|^169\.254\."
)
_MAKE_IT_LATER = "make the client in the test, or where it is used: not when its module is loaded"


@contextlib.contextmanager
def no_escape() -> Iterator[list[str]]:
    """Refuse what boto3 sends to Amazon; give the list of it, which grows meanwhile."""
    from botocore import httpsession  # noqa: PLC0415 - slow, and a run may do without

    sessions: Any = httpsession.URLLib3Session
    real = sessions.send
    refused: list[str] = []

    def send(session: object, request: Any) -> object:  # noqa: ANN401 - botocore has no types
        host = urlsplit(request.url).hostname or ""
        if not _AMAZON.search(host):
            return real(session, request)
        refused.append(f"{request.method} {host}")
        raise ServiceError(f"a call to the real AWS was refused: {host}", hint=_MAKE_IT_LATER)

    sessions.send = send
    try:
        yield refused
    finally:
        sessions.send = real


def judge_escapes(refused: Sequence[str]) -> Finding:
    """Return the finding on a test whose calls were ``refused``."""
    shown = f"{len(refused)}: {', '.join(dict.fromkeys(refused))}"
    rule = Rule("calls to the real AWS", "== 0", shown, met=False)
    return Finding.judged((rule,), (), advice=_MAKE_IT_LATER)
