"""Documents that a schema refers to on another host: fetched once, within limits."""

from __future__ import annotations

import functools
from urllib.parse import urlsplit

from greenroom.plugins.http import Connections, Limits, client, get
from greenroom.plugins.redaction import Redactor
from greenroom.validators.errors import ServiceError
from greenroom.validators.http import Failure

_SECONDS = 5.0
_LARGEST = 1024 * 1024
_HINT = "keep a copy beside the schema: a run should not hang on another host"
_OK = 200


@functools.lru_cache(maxsize=128)
def fetched(uri: str) -> bytes:
    """Return the document at ``uri``; raises `ServiceError`. No redirect is followed."""
    parts = urlsplit(uri)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connections = Connections()
    limits = Limits(_SECONDS, _LARGEST)
    base = f"{parts.scheme}://{parts.netloc}"
    try:
        with client(base, connections, Redactor(), lambda _: None, limits) as http:
            answer = get(http, path, _SECONDS)
    finally:
        connections.close()
    if isinstance(answer, Failure):
        raise ServiceError(f"the schema at {uri} cannot be had: {answer.reason}", hint=_HINT)
    if answer.status != _OK:
        raise ServiceError(f"the schema at {uri} cannot be had: {answer.status}", hint=_HINT)
    return answer.body
