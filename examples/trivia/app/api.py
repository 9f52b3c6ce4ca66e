"""The API: routes to answers, as one ASGI application without a framework."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from app.questions import category, every_category, judge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT = 4096
_CATEGORY = "/api/trivia/categories/"


async def answer(send: Send, status: int, document: object) -> None:
    """Send ``document`` as JSON."""
    body = json.dumps(document).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def api(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request; other protocols (lifespan, websocket) are refused by the server."""
    if scope["type"] != "http":
        raise ValueError(f"not an HTTP request: {scope['type']}")
    method, path = scope["method"], scope["path"]
    match method, path:
        case "GET", "/healthz":
            await answer(send, 200, {"status": "ok"})
        case "GET", "/api/trivia/all":
            await answer(send, 200, every_category())
        case "GET", str() if path.startswith(_CATEGORY):
            found = category(path.removeprefix(_CATEGORY))
            await answer(send, 200 if found else 404, found or {"error": "no such category"})
        case "POST", "/api/trivia/answers":
            await answer(send, *_judged(await _body(receive)))
        case _:
            await answer(send, 404, {"error": "no such route"})


def _judged(body: bytes | None) -> tuple[int, dict[str, Any]]:
    if body is None:
        return 413, {"error": f"at most {BODY_LIMIT} bytes"}
    try:
        given = json.loads(body)
    except ValueError:
        return 400, {"error": "not JSON"}
    if not isinstance(given, dict) or not {"question", "answer"} <= given.keys():
        return 400, {"error": "expected question and answer"}
    correct = judge(given["question"], given["answer"])
    if correct is None:
        return 404, {"error": "no such question"}
    return 200, {"question": given["question"], "correct": correct}


async def _body(receive: Receive) -> bytes | None:
    """Return the request's whole body, or None if it is over the limit."""
    body = b""
    while len(body) <= BODY_LIMIT:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body if len(body) <= BODY_LIMIT else None
    return None
