"""moto's services over HTTP, made strictly atomic.

moto looks whether an object or an item is there, then writes it, with nothing that keeps other
threads out in between: its conditional writes are atomic by luck. A race must be decided by the
service, so here one request is performed at a time. Requests still arrive in any order.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

_REGION = "us-east-1"


class _OneAtATime:
    def __init__(self) -> None:
        self._services = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        with self._lock:
            return list(self._services(environ, start))


class _Quiet(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


class MotoServer:
    """Services on a port of their own; moto keeps one state per process, so names are shared."""

    def __init__(self) -> None:
        app = _OneAtATime()
        self._server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs in order to come here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def client(self, service: Any) -> Any:  # noqa: ANN401 - boto3 has no common type
        """Return an unmodified boto3 client of this server's services."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=_REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - no secret: moto takes any
        )

    def bucket(self, name: str) -> str:
        """Create a bucket; return its name."""
        self.client("s3").create_bucket(Bucket=name)
        return name

    def table(self, name: str) -> str:
        """Create a table whose only key is the string ``id``; return its name."""
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
