"""Invokes a function's version with an event of any form; the answer is the function's own."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from greenroom.plugins.http_exchange import RECORDED
from greenroom.plugins.http_failures import InvocationError
from greenroom.plugins.lambda_transport import EXECUTED, error_of
from greenroom.plugins.network import within
from greenroom.validators.errors import ServiceError
from greenroom.validators.functions import Invocation

if TYPE_CHECKING:
    from greenroom.plugins.function_address import FunctionVersion
    from greenroom.plugins.lambda_transport import Invoked
    from greenroom.plugins.workplace import Site

_LEAST_S = 0.001
_SLOW = "look at the function's log; if it may be this slow, raise `timeout`"


def call(site: Site, function: FunctionVersion, event: object, until: float) -> Invocation:
    """Invoke ``function`` with ``event``, a JSON value, and record the exchange.

    A function that fails was observed: its error is part of the facts. Raises `ServiceError` where
    it was not invoked, or gave no answer before ``until`` (of `time.monotonic`).
    """
    invoker = site.connections.invoker(function.address)
    sent = json.dumps(event)
    begun, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")
    invoked, problem = None, ""
    try:
        with within(max(until - begun, _LEAST_S), until):
            invoked = invoker.invoke(sent.encode())
        took = time.monotonic() - begun
    except InvocationError as error:
        problem = error.failure.reason
        raise ServiceError(problem, hint=error.failure.advice) from error
    except (httpcore.TimeoutException, httpx.TransportError) as error:
        problem = str(error)
        raise ServiceError(problem, hint=_SLOW) from error
    finally:
        site.record(
            {
                "request": _request(site, function, sent),
                "response": None if invoked is None else _response(site, invoked),
                "error": site.redactor.text(problem) or None,
                "elapsed_ms": round((time.monotonic() - begun) * 1000, 3),
                "started": started,
            }
        )
    name, message = error_of(invoked) if invoked.error else ("", "")
    return Invocation(
        address=function.address,
        version=function.version,
        executed=invoked.version,
        payload=invoked.payload,
        error=name,
        message=message,
        took_s=took,
        at=started,
    )


def _request(site: Site, function: FunctionVersion, sent: str) -> dict[str, Any]:
    return {
        "method": "INVOKE",
        "url": site.redactor.url(function.address),
        "headers": [],
        "body": site.redactor.excerpt(sent, RECORDED),
        "address": "",
    }


def _response(site: Site, invoked: Invoked) -> dict[str, Any]:
    text = invoked.payload.decode("utf-8", "replace")
    headers = [(EXECUTED, invoked.version), ("x-amz-function-error", invoked.error)]
    return {
        "status": 200,
        "headers": site.redactor.headers([pair for pair in headers if pair[1]]),
        "body": site.redactor.excerpt(text, RECORDED),
        "body_bytes": len(invoked.payload),
        "truncated": len(text) > RECORDED,
    }
