"""A server's side of AWS Signature Version 4, written from its description."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from tests.support.servers import Asked

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/]+/(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})"
)


def is_signed(asked: Asked, key: str) -> bool:
    """Tell whether ``asked`` carries a right signature by the secret ``key``."""
    found = _AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
    if found is None:
        return False
    scope, names, signature = found.groups()
    path, _, query = asked.path.partition("?")
    pairs = sorted(
        (quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~"))
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
    )
    canonical = "\n".join(
        [
            asked.method,
            quote(path, safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{asked.headers[name].strip()}" for name in names.split(";")),
            "",
            names,
            hashlib.sha256(asked.body).hexdigest(),
        ]
    )
    told = ["AWS4-HMAC-SHA256", asked.headers["x-amz-date"], scope]
    text = "\n".join([*told, hashlib.sha256(canonical.encode()).hexdigest()])
    secret = f"AWS4{key}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    return hmac.digest(secret, text.encode(), "sha256").hex() == signature
