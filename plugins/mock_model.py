"""What a mock service knows: its routes, the replies they give and the calls it saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; ``delay_s`` is waited before it."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came.

    ``route`` is the route that it met, such as ``GET /users/{id}``, or empty; ``parameters`` are
    the texts in the place of the route's ``{…}``; header names are in small letters.
    """

    method: str
    path: str
    route: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return a header's value; several of one name are joined by commas."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    @property
    def json(self) -> Any:  # noqa: ANN401 - a JSON value
        """The body as JSON; raises `ValueError` where it is none."""
        return json.loads(self.body)

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        line = f"{self.method} {self.path}" + (f"?{query}" if query else "")
        body = self.body.decode("utf-8", "replace")
        cut = body if len(body) <= _SHOWN else f"{body[:_SHOWN]}…"
        return f"{line} {cut}" if body else line


Answering: TypeAlias = Callable[[Call], tuple[Reply, tuple[str, ...]]]
"""Answers a call, and says in which ways the call breaks the service's contract."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path with ``{names}``, and how calls of it are answered."""

    method: str
    path: str
    answer: Answering

    @property
    def name(self) -> str:
        """Method and path, as tests name the route."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Api:
    """A service's routes; ``base`` is the path that its address ends with, or empty."""

    name: str
    routes: tuple[Route, ...]
    base: str = ""


def json_reply(value: Any, status: int = 200) -> Reply:  # noqa: ANN401 - a JSON value
    """Return an answer that holds ``value``."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, (("content-type", "application/json"),), body)
