"""What an OpenAPI document says that an operation answers, as expectations of a check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.import_har_entry import essence, is_json
from greenroom.plugins.import_model import UnwritableError
from greenroom.plugins.import_schemas import answer_schema
from greenroom.plugins.import_vault import escaped

if TYPE_CHECKING:
    from greenroom.plugins.mock_schemas import Schemas

_SUCCESS = re.compile(r"[23]([0-9]{2}|XX)", re.IGNORECASE)
_NO_BODY = ("204", "205", "304")


@dataclass(frozen=True, slots=True)
class Expected:
    """The ``expect`` of a check, and the schema of its answer."""

    expect: dict[str, Any]
    schema: dict[str, Any] | None = None


def expected_of(schemas: Schemas, operation: list[str], method: str) -> Expected:
    """Return what the first success of an operation is; raises `UnwritableError` without one."""
    responses, at = schemas.follow([*operation, "responses"])
    status = _chosen(responses if isinstance(responses, dict) else {})
    expect: dict[str, Any] = {"status": _status(status)}
    response, at = schemas.follow([*at, status])
    response = response if isinstance(response, dict) else {}
    media = _media(response) if method != "head" and status not in _NO_BODY else ""
    if headers := _headers(schemas, at, response, media):
        expect["headers"] = headers
    if not is_json(media):
        return Expected(expect)
    schema, _ = schemas.follow([*at, "content", media])
    found = schema.get("schema") if isinstance(schema, dict) else None
    return Expected(expect, answer_schema(found, lambda ref: schemas.follow(_keys(ref))[0]))


def _chosen(responses: dict[str, Any]) -> str:
    codes = sorted(code for code in map(str, responses) if _SUCCESS.fullmatch(code))
    if codes:
        return codes[0]
    if "default" in responses:
        return "default"
    raise UnwritableError("no success among the answers that the document gives")


def _status(code: str) -> int | str:
    if code == "default":
        return "2xx"
    return int(code) if code.isdecimal() else code.lower()


def _media(response: dict[str, Any]) -> str:
    """Return the media type of an answer: JSON where it is one of several."""
    content = response.get("content")
    names = [name for name in content if "/" in name] if isinstance(content, dict) else []
    return next(filter(is_json, names), names[0] if names else "")


def _headers(
    schemas: Schemas, at: list[str], response: dict[str, Any], media: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if media and "*" not in media:
        found["content-type"] = {"contains": escaped(essence(media))}
    headers = response.get("headers")
    for name in headers if isinstance(headers, dict) else ():
        header, _ = schemas.follow([*at, "headers", name])
        required = isinstance(header, dict) and header.get("required") is True
        if required and name.lower() != "content-type":
            found[name] = {"exists": True}
    return found


def _keys(reference: str) -> list[str]:
    parts = reference.removeprefix("#").split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]
