"""The revisions of the trivia API that the rehearsals release: one good, the others with a fault.

===========  ==================================================================================
good         works
broken       serves three categories instead of four, and a 500 for every single category
silent       accepts API requests and never answers; ``/healthz`` works, so that it installs
slow         answers API requests after two seconds
erratic      works for its first 20 API requests, then answers every second one with a 503
===========  ==================================================================================
"""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import TYPE_CHECKING

from app.api import answer, api
from app.questions import every_category

if TYPE_CHECKING:
    from app.api import Application, Message, Receive, Scope, Send

SLOW_S = 2.0
ERRATIC_AFTER = 20


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """Lose a category on one route and fail on another."""
    path = scope["path"]
    if path == "/api/trivia/all":
        await answer(send, 200, every_category()[:-1])
    elif path.startswith("/api/trivia/categories/"):
        await answer(send, 500, {"error": "internal server error"})
    else:
        await api(scope, receive, send)


async def silent(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Wait until the caller gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer late."""
    await asyncio.sleep(SLOW_S)
    await api(scope, receive, send)


def erratic(after: int = ERRATIC_AFTER) -> Application:
    """Return a revision that works for ``after`` requests, then fails every second one."""
    count = itertools.count(1)

    async def erratic(scope: Scope, receive: Receive, send: Send) -> None:
        number = next(count)
        if number > after and number % 2:
            await answer(send, 503, {"error": "no free database connection"})
        else:
            await api(scope, receive, send)

    return erratic


def revision(name: str) -> Application:
    """Return the named revision, which marks its answers; its health checks always work."""
    known: dict[str, Application] = {
        "good": api,
        "broken": broken,
        "silent": silent,
        "slow": slow,
        "erratic": erratic(),
    }
    if name not in known:
        raise ValueError(f"unknown revision {name!r}, use one of: {', '.join(known)}")
    faulty = known[name]

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-revision", name.encode())]
            await send(message)

        is_api = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (faulty if is_api else api)(scope, receive, marked)

    return application


def application() -> Application:
    """Build the application for uvicorn (``--factory``); ``TRIVIA_REVISION`` names the revision."""
    return revision(os.environ.get("TRIVIA_REVISION", "good"))
