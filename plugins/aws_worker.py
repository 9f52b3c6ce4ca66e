"""The process that calls AWS on behalf of a hook: ``python -m greenroom.plugins.aws_worker``.

It reads one request a line on standard input and writes one answer a line on standard output, in
any order; `greenroom.plugins.aws_process` is the other end. It imports boto3 at once, so that this
costs the hook neither time nor memory, and ends with its input.

    {"id": 1, "service": "s3", "operation": "get_object", "members": {…}, "region": ""}
    {"id": 0} once boto3 is there, then
    {"id": 1, "answer": {…}}  or  {"id": 1, "code": "…", "message": "…", "hint": "…", "again": …}

Arguments: the seconds that a connection and an answer may take, then services to prepare for.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from greenroom.plugins.aws import code_of, explained, may_succeed_later
from greenroom.validators.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FILE = "$file"
"""The key of a member that stands for a file's content: ``{"$file": "/path"}``."""
_LONGEST_BODY = 1024 * 1024
_CONNECT_S = 2.0
_POOL = 32
_PREFIXES = {"elbv2": "elasticloadbalancing"}
"""Services whose IAM actions do not carry boto3's name."""


_PAGE_HINT = "check what stands between here and the endpoint: a proxy, a firewall"


class _PageError(Exception):
    """A web page came where a service should have answered."""


class Limits(NamedTuple):
    """How many seconds one try may take to connect, and to be answered."""

    connect_s: float
    read_s: float


class Clients:
    """boto3's clients, each made once; any thread may ask."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}

    def get(self, service: str, region: str = "") -> Any:  # noqa: ANN401 - boto3 has no common type
        """Return the client that tries once; raises `ServiceError` where there can be none."""
        with self._lock:
            if (service, region) not in self._made:
                self._made[service, region] = self._make(service, region)
            return self._made[service, region]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            made, self._made = list(self._made.values()), {}
        for client in made:
            client.close()

    def _make(self, service: str, region: str) -> Any:  # noqa: ANN401 - as above
        try:
            import boto3  # noqa: PLC0415 - heavy, and part of an extra
            from botocore.config import Config  # noqa: PLC0415 - as above
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above
        except ImportError as error:
            raise ServiceError(
                f"AWS cannot be asked: {error}", hint="install greenroom[aws], or add boto3"
            ) from error
        limits = Config(
            connect_timeout=self._limits.connect_s,
            read_timeout=self._limits.read_s,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=_POOL,
        )
        # boto3 reads AWS_DEFAULT_REGION only; every other SDK, and CodeBuild, knows AWS_REGION.
        region = region or os.environ.get("AWS_REGION", "")
        try:
            return boto3.client(service, region_name=region or None, config=limits)  # type: ignore[call-overload]
        except (BotoCoreError, ValueError) as error:
            raise ServiceError(
                f"no client for {service}: {error}", hint="check AWS_REGION and the AWS_ variables"
            ) from error


def perform(clients: Clients, request: dict[str, Any]) -> dict[str, Any]:
    """Return the line that answers ``request``; nothing is raised."""
    service, operation = str(request["service"]), str(request["operation"])
    words = operation.replace("_", " ").title().replace(" ", "")
    try:
        return {"answer": _call(clients, request, service, operation)}
    except _PageError as error:
        return {
            "code": "NotAcknowledged",
            "message": f"{words} was answered, but not by AWS: {error}",
            "hint": _PAGE_HINT,
            "again": True,
        }
    except ServiceError as error:
        return {"code": "NoClient", "message": str(error), "hint": error.hint, "again": False}
    except Exception as error:  # noqa: BLE001 - whoever asked waits for a line
        return _refusal(error, f"{_PREFIXES.get(service, service)}:{words}")


def _call(
    clients: Clients, request: dict[str, Any], service: str, operation: str
) -> dict[str, Any]:
    client = clients.get(service, str(request.get("region", "")))
    with contextlib.ExitStack() as files:
        members = {name: _opened(value, files) for name, value in request["members"].items()}
        answer = _operation(client, operation)(**members)
    if _is_a_page(answer):
        raise _PageError("a web page came")
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"} | {
        name: _text(value) for name, value in answer.items() if hasattr(value, "read")
    }


class _NoOperationError(Exception):
    """There is no such operation."""


def _operation(client: Any, name: str) -> Callable[..., dict[str, Any]]:  # noqa: ANN401 - as above
    found: Callable[..., dict[str, Any]] | None = getattr(client, name, None)
    if found is None:
        raise _NoOperationError(f"there is no operation {name}")
    return found


def _is_a_page(answer: dict[str, Any]) -> bool:
    """Tell whether something on the way answered in the service's place.

    botocore takes any page that comes with 200 for an answer without members; an empty answer is no
    page, whatever it is called.
    """
    metadata = answer.get("ResponseMetadata", {})
    headers = metadata.get("HTTPHeaders", {})
    named = "text/html" in headers.get("content-type", "") and headers.get("content-length") != "0"
    return named and answer.keys() <= {"ResponseMetadata"}


def _refusal(error: Exception, action: str) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - boto3 is there

    if not isinstance(error, BotoCoreError | ClientError):
        # What botocore does not foresee comes of an answer that is not the service's, but for what
        # this package asks for in vain.
        again = not isinstance(error, _NoOperationError)
        told = ServiceError(f"{action}: {error!r}", hint="something between may have answered")
        code = type(error).__name__.strip("_").removesuffix("Error")
    else:
        code, again, told = code_of(error), may_succeed_later(error), explained(error, action)
    return {"code": code, "message": str(told), "hint": told.hint, "again": again}


def _opened(value: object, files: contextlib.ExitStack) -> object:
    if isinstance(value, dict) and set(value) == {FILE}:
        return files.enter_context(Path(str(value[FILE])).open("rb"))
    return value


def _text(body: Any) -> str:  # noqa: ANN401 - botocore's streaming body
    return bytes(body.read(_LONGEST_BODY)).decode("utf-8", "replace")


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def serve(
    requests: Iterable[bytes], answers: BinaryIO, clients: Clients, prepared: Iterable[str] = ()
) -> None:
    """Answer each request in a thread of its own, until there are no more."""
    lock = threading.Lock()

    def say(answer: dict[str, Any]) -> None:
        line = json.dumps(answer, default=_plain).encode() + b"\n"
        with lock:
            answers.write(line)
            answers.flush()

    def prepare() -> None:
        with contextlib.suppress(ImportError, ServiceError):  # said when it is asked for
            import boto3  # noqa: F401, PLC0415 - heavy, and part of an extra

            for service in prepared:
                clients.get(service)
        say({"id": 0})

    threading.Thread(target=prepare, daemon=True).start()
    for line in requests:
        request = json.loads(line)
        threading.Thread(
            target=lambda request=request: say({"id": request["id"], **perform(clients, request)}),
            daemon=True,
        ).start()


def main(arguments: list[str]) -> None:
    """Serve standard input; whatever else writes to standard output goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    patience = float(arguments[0])
    clients = Clients(Limits(connect_s=min(_CONNECT_S, patience), read_s=patience))
    serve(sys.stdin.buffer, answers, clients, arguments[1:])
    # Nobody is left who could read an answer; a thread that still waits for one must not linger.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
