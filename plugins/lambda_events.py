"""A request as the event that API Gateway or a load balancer makes of it, and the answer back.

The forms are AWS's: HTTP API 2.0 (also that of function URLs), REST API 1.0, and load balancer.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never
from urllib.parse import parse_qsl

from greenroom.plugins.function_address import Payload

if TYPE_CHECKING:
    import httpx

_HOP = frozenset({"connection", "transfer-encoding"})
_TEXTUAL = ("text/", "application/json", "application/javascript", "application/xml")
_FORWARDED = {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}
_STATUSES = range(100, 600)


class MalformedError(ValueError):
    """What a function returned is not an answer in its form."""


class FunctionAnswer(NamedTuple):
    """An HTTP answer as a function gave it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def event_of(form: Payload, request: httpx.Request) -> dict[str, Any]:
    """Return ``request`` as an event."""
    match form:
        case Payload.HTTP_API:
            return _http_api_event(request)
        case Payload.REST_API:
            return _rest_api_event(request)
        case Payload.LOAD_BALANCER:
            return _load_balancer_event(request)
        case _:
            assert_never(form)


def answer_of(form: Payload, payload: bytes) -> FunctionAnswer:
    """Read what a function returned; raises `MalformedError`."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"it is not JSON: {error}") from error
    structured = isinstance(value, dict) and "statusCode" in value
    if not structured and form is Payload.HTTP_API:
        # AWS's short form: whatever has no status is the body of a 200.
        body = value.encode("utf-8", "replace") if isinstance(value, str) else payload
        return FunctionAnswer(200, [("content-type", "application/json")], body)
    if not structured:
        raise MalformedError("it has no statusCode")
    return FunctionAnswer(_status(value), _headers(form, value), _body(value))


def _http_api_event(request: httpx.Request) -> dict[str, Any]:
    named = _by_name(_sent(request))
    cookies = [part.strip() for one in named.pop("cookie", []) for part in one.split(";")]
    now = time.time()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": _path(request),
        "rawQueryString": request.url.query.decode("ascii"),
        "headers": {name: ",".join(values) for name, values in named.items()},
        "requestContext": {
            **_context(request),
            "http": {
                "method": request.method,
                "path": _path(request),
                "protocol": "HTTP/1.1",
                "sourceIp": _FORWARDED["x-forwarded-for"],
                "userAgent": request.headers.get("user-agent", ""),
            },
            "routeKey": "$default",
            "time": _clf(now),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query := _query(request):
        event["queryStringParameters"] = {name: ",".join(of) for name, of in query.items()}
    return event | (_content(request) or {})


def _rest_api_event(request: httpx.Request) -> dict[str, Any]:
    named, query, now = _by_name(_sent(request)), _query(request), time.time()
    event = {
        "version": "1.0",
        "resource": _path(request),
        "path": _path(request),
        "httpMethod": request.method,
        "headers": _last(named),
        "multiValueHeaders": named,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            **_context(request),
            "httpMethod": request.method,
            "identity": {
                "sourceIp": _FORWARDED["x-forwarded-for"],
                "userAgent": request.headers.get("user-agent", ""),
            },
            "path": _path(request),
            "protocol": "HTTP/1.1",
            "requestTime": _clf(now),
            "requestTimeEpoch": int(now * 1000),
            "resourcePath": _path(request),
        },
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    return event | (_content(request) or {})


def _load_balancer_event(request: httpx.Request) -> dict[str, Any]:
    # A load balancer hands query parameters on as they were sent, still percent-encoded.
    pairs = [pair.partition("=") for pair in request.url.query.decode("ascii").split("&") if pair]
    event = {
        "requestContext": {"elb": {"targetGroupArn": ""}},
        "httpMethod": request.method,
        "path": _path(request),
        "queryStringParameters": {name: value for name, _, value in pairs},
        "headers": _last(_by_name(_sent(request))),
        "body": "",
        "isBase64Encoded": False,
    }
    return event | (_content(request) or {})


def _context(request: httpx.Request) -> dict[str, Any]:
    host = request.url.host
    return {
        "accountId": "anonymous",
        "apiId": host.partition(".")[0],
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "requestId": str(uuid.uuid4()),
        "stage": "$default",
    }


def _path(request: httpx.Request) -> str:
    return request.url.raw_path.partition(b"?")[0].decode("ascii")


def _sent(request: httpx.Request) -> list[tuple[str, str]]:
    headers = request.headers.multi_items()
    return [pair for pair in headers if pair[0] not in _HOP] + list(_FORWARDED.items())


def _by_name(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for name, value in pairs:
        named.setdefault(name, []).append(value)
    return named


def _query(request: httpx.Request) -> dict[str, list[str]]:
    return _by_name(parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True))


def _last(named: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in named.items()}


def _content(request: httpx.Request) -> dict[str, Any] | None:
    """Return the body, as text where it is one; None without a body."""
    content = request.read()
    if not content:
        return None
    if request.headers.get("content-type", "").lower().startswith(_TEXTUAL):
        try:
            return {"body": content.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass  # not the text that it says it is
    return {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}


def _clf(seconds: float) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))


def _status(answer: dict[str, Any]) -> int:
    value = answer["statusCode"]
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value not in _STATUSES:
        raise MalformedError(f"its statusCode is {value!r}")
    return value


def _headers(form: Payload, answer: dict[str, Any]) -> list[tuple[str, str]]:
    single = _pairs(answer.get("headers"), "headers")
    if form is Payload.HTTP_API:
        cookies = answer.get("cookies") or []
        if not isinstance(cookies, list) or not all(isinstance(one, str) for one in cookies):
            raise MalformedError("its cookies are not a list of texts")
        return [*single, *(("set-cookie", cookie) for cookie in cookies)]
    multiple = answer.get("multiValueHeaders") or {}
    if not isinstance(multiple, dict) or not all(isinstance(of, list) for of in multiple.values()):
        raise MalformedError("its multiValueHeaders do not map names to lists")
    several = [pair for name, of in multiple.items() for one in of for pair in _pair(name, one)]
    repeated = {name for name, _ in several}
    return [*(pair for pair in single if pair[0] not in repeated), *several]


def _pairs(headers: object, what: str) -> list[tuple[str, str]]:
    if headers is None:
        return []
    if not isinstance(headers, dict):
        raise MalformedError(f"its {what} are not an object")
    return [pair for name, value in headers.items() for pair in _pair(name, value)]


def _pair(name: str, value: object) -> list[tuple[str, str]]:
    """Return one header, with a number or boolean as JSON writes it."""
    if not isinstance(value, str | int | float):
        raise MalformedError(f"its header {name} is {value!r}")
    text = value if isinstance(value, str) else json.dumps(value)
    if not name.isascii() or not f"{name}{text}".replace("\t", "").isprintable():
        raise MalformedError(f"its header {name!r} holds what HTTP does not carry")
    return [(name.lower(), text)]


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedError(f"its body is not a text: {type(body).__name__}")
    if not answer.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(f"its body is not base64: {error}") from error
