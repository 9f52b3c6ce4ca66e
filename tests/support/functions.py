"""Lambda's Invoke on 127.0.0.1 for unmodified boto3: each version of a function is a callable."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.servers import Reply, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.servers import Asked, Served

_PATH = "/2015-03-31/functions/"
_THROTTLED = "TooManyRequestsException"


@dataclass(frozen=True)
class Told:
    """What a version's invocation came to: ``error`` is its FunctionError, ``code`` a refusal."""

    payload: bytes = b""
    error: str = ""
    code: str = ""


def returning(value: object) -> Callable[[dict[str, Any]], Told]:
    """A version that answers every event with the same value."""
    return lambda _: Told(json.dumps(value).encode())


def refusing(code: str) -> Callable[[dict[str, Any]], Told]:
    """A version that cannot be invoked."""
    return lambda _: Told(code=code)


@contextmanager
def functions(
    versions: Mapping[str, Callable[[dict[str, Any]], Told]],
) -> Iterator[Served]:
    """Serve ``versions``, named ``FUNCTION:VERSION`` as in an address."""

    def answer(asked: Asked) -> Reply:
        url = urlsplit(asked.path)
        name = unquote(url.path.removeprefix(_PATH).removesuffix("/invocations"))
        [qualifier] = parse_qs(url.query).get("Qualifier", ["$LATEST"])
        version = versions.get(f"{name}:{qualifier}", refusing("ResourceNotFoundException"))
        return _reply(version(json.loads(asked.body)), qualifier)

    with serving(answer) as server:
        yield server


def environment(url: str, region: str) -> dict[str, str]:
    """What boto3 needs in order to invoke the functions at ``url``."""
    return {
        "AWS_ENDPOINT_URL_LAMBDA": url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def _reply(told: Told, version: str) -> Reply:
    if told.code:
        body = json.dumps({"Type": "User", "Message": f"refused as {told.code}"}).encode()
        statuses = {_THROTTLED: 429, "ResourceNotFoundException": 404, "ServiceException": 500}
        headers = {"x-amzn-ErrorType": told.code, "Content-Type": "application/json"}
        return Reply(body, statuses.get(told.code, 403), headers)
    headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": version}
    if told.error:
        headers["X-Amz-Function-Error"] = told.error
    return Reply(told.payload, 200, headers)
