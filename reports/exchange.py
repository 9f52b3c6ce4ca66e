"""One recorded HTTP exchange as text: a heading, both messages, the curl line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from greenroom.reports import curl, text

MAX_CURL = 16_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request with its answer, ready to print."""

    title: str
    answer: str
    request: str
    response: str
    curl: str

    @classmethod
    def of(cls, data: dict[str, Any], limit: int) -> Exchange:
        """Read a recorded exchange as far as its shape goes; bodies end at ``limit`` characters."""
        request, response = _table(data.get("request")), _table(data.get("response"))
        status = f"answered {response['status']}" if "status" in response else "no answer"
        error = f": {data['error']}" if data.get("error") else ""
        took = data.get("elapsed_ms")
        after = f" after {text.duration(took / 1000)}" if isinstance(took, int | float) else ""
        place = f" at {address}" if (address := request.get("address")) else ""
        return cls(
            title=text.clip(f"{request.get('method', '?')} {request.get('url', '?')}{place}", 300),
            answer=f"{status}{after}{error}",
            request=_message(request, limit),
            response=_message(response, limit),
            curl=text.clip(curl.command(request), MAX_CURL),
        )


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _message(message: dict[str, Any], limit: int) -> str:
    lines = [f"{name}: {value}" for name, value in curl.pairs(message.get("headers"))]
    body = message.get("body")
    if body not in (None, ""):
        shown = body if isinstance(body, str) else json.dumps(body, default=str, indent=1)
        lines += ["", text.clip(shown, limit)]
    if message.get("truncated"):
        lines.append(f"(cut in the record; the body had {message.get('body_bytes', '?')} bytes)")
    return "\n".join(lines)
