"""Requests signed for AWS (Signature Version 4), with the credentials of this process.

boto3's chain finds them, as for any other tool of AWS. Signed are the host, the content type, every
``x-amz-`` header, the query and the whole body: what proxies may change is left out.
"""

from __future__ import annotations

import hashlib
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import httpcore

from greenroom.plugins.aws import explained, hint_of_suite
from greenroom.plugins.http_failures import SigningError
from greenroom.plugins.network import in_time
from greenroom.validators.errors import ServiceError
from greenroom.validators.http import Failure

if TYPE_CHECKING:
    import httpx
    from botocore.credentials import ReadOnlyCredentials

    from greenroom.plugins.http_sending import SigV4
    from greenroom.plugins.redaction import Redactor

_SIGNED = ("host", "content-type")
_SET = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256")
_OWN = frozenset(name.lower() for name in _SET)
_UNSIGNED = "the request was not signed"
_NO_CREDENTIALS = "give valid AWS credentials: a role, or the AWS_ variables"
_SIGNATURE = r"(?<=Signature=)[0-9a-f]{64}"
"""Whoever has a signature can send its request again for five minutes."""


class Signer:
    """Signs requests; credentials are looked for once for each region and role."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[SigV4, tuple[Any, str]] = {}

    def sign(self, request: httpx.Request, how: SigV4, redactor: Redactor) -> None:
        """Put a signature into the headers of ``request``; raises `SigningError`."""
        credentials, region = in_time(lambda: self._frozen(how), httpcore.ConnectTimeout)
        redactor.add(credentials.secret_key)
        redactor.add(credentials.token or "")
        redactor.hide(_SIGNATURE)
        for name, value in _signed(request, credentials, how.service, region):
            request.headers[name] = value

    def _frozen(self, how: SigV4) -> tuple[Any, str]:
        """Return credentials that are valid now, and the region."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

        try:
            with self._lock:
                if how not in self._known:
                    self._known[how] = _found(how)
                credentials, region = self._known[how]
            return credentials.get_frozen_credentials(), region
        except (BotoCoreError, ClientError) as error:
            told = explained(error, "sts:AssumeRole")
            raise SigningError(Failure(f"{_UNSIGNED}: {told}", hint_of_suite(told))) from error


def _found(how: SigV4) -> tuple[Any, str]:
    import boto3  # noqa: PLC0415 - heavy, and part of an extra
    from botocore.config import Config  # noqa: PLC0415 - as above
    from botocore.credentials import (  # noqa: PLC0415 - as above
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )

    session = boto3.Session()
    credentials, region = session.get_credentials(), how.region or session.region_name
    region = region or os.environ.get("AWS_REGION", "")  # boto3 knows AWS_DEFAULT_REGION alone
    if credentials is None:
        none = ServiceError("this process has no AWS credentials", hint=_NO_CREDENTIALS)
        raise SigningError(Failure(f"{_UNSIGNED}: {none}", hint_of_suite(none)))
    if not region:
        raise SigningError(
            Failure(f"{_UNSIGNED}: no AWS region is known", "give sigv4 a region, or AWS_REGION")
        )
    if not how.role:
        return credentials, region
    limits = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    fetcher = AssumeRoleCredentialFetcher(
        partial(session.client, region_name=region, config=limits),
        credentials,
        how.role,
        extra_args={"RoleSessionName": "greenroom"},
    )
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role"), region


def _signed(
    request: httpx.Request,
    credentials: ReadOnlyCredentials,
    service: str,
    region: str,
) -> list[tuple[str, str]]:
    """Return the headers that sign ``request``."""
    from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: PLC0415 - an extra
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as above

    body = request.read()  # that of a redirect is a stream
    plain = AWSRequest(
        method=request.method,
        url=_canonical(request.url),
        data=body,
        headers={
            name: value
            for name, value in request.headers.items()
            if name in _SIGNED or (name.startswith("x-amz-") and name not in _OWN)
        },
    )
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    plain.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    signer(credentials, service, region).add_auth(plain)
    return [(name, str(plain.headers[name])) for name in _SET if name in plain.headers]


def _canonical(url: httpx.URL) -> str:
    """Return ``url`` with its query in the one form that is signed, whatever form is sent."""
    pairs = [pair.partition("=") for pair in url.query.decode("ascii").split("&") if pair]
    query = "&".join(f"{_coded(name)}={_coded(value)}" for name, _, value in pairs)
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return f"{url.scheme}://{url.netloc.decode('ascii')}{path}{'?' if query else ''}{query}"


def _coded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")
