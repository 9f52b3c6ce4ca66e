"""Requests to a function: each invokes exactly the version that the target names.

Before production traffic a function's version has no address of its own; invoking it with the
event that its API would send lets the same suite serve. Time and body limits, recording and
redaction are those of `greenroom.plugins.http`.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import httpcore

from greenroom.plugins.aws import code_of, explained, hint_of_suite
from greenroom.plugins.aws_worker import Clients, Limits
from greenroom.plugins.http_failures import BodyTooLargeError, InvocationError, SigningError
from greenroom.plugins.lambda_events import MalformedError, answer_of, event_of
from greenroom.plugins.network import in_time
from greenroom.validators.errors import ServiceError
from greenroom.validators.http import Failure
from greenroom.validators.json_values import cut, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from greenroom.plugins.function_address import FunctionVersion
    from greenroom.plugins.http_sending import SigV4
    from greenroom.plugins.redaction import Redactor

    Elsewhere = Callable[[httpx.Request], httpcore.Response]

EXECUTED = "x-amz-executed-version"
"""The header of every answer that names the version which gave it."""
_ACTION = "lambda:InvokeFunction"
_CONNECT_S = 5.0
_LONGEST_RUN_S = 900.0
_LARGEST = 8 * 1024 * 1024
"""More than Lambda lets a function return at once."""
_STEP = 64 * 1024
_SHOWN = 500
_NOT_INVOKED = frozenset(
    {"TooManyRequestsException", "EC2ThrottledException", "ResourceNotReadyException"}
    | {"ResourceConflictException", "ConnectTimeoutError", "EndpointConnectionError"}
)
"""After these the function has certainly not run."""
_UNKNOWN = frozenset({"ResourceNotFoundException", "NoPublishedVersionException"})
_LATE = frozenset({"ReadTimeoutError", "ConnectTimeoutError"})


class Invoked(NamedTuple):
    """What one invocation came to; ``error`` is Lambda's FunctionError, empty if there is none."""

    payload: bytes
    error: str
    version: str


class Invoker:
    """The way to one version of a function; other hosts (of redirects) go to ``elsewhere``."""

    def __init__(self, function: FunctionVersion, clients: Clients, elsewhere: Elsewhere) -> None:
        self._function = function
        self._elsewhere = elsewhere
        # Made now: the time of a request is not that of importing boto3.
        self._client, self._problem = _client(clients, function.region)
        # A redirect is joined to it: only of http and https is it known how to do that.
        self._root = f"https://{function.host}"
        self.base = f"{self._root}{function.prefix}"
        self.address = ""

    def send(self, request: httpx.Request) -> httpcore.Response:
        """Invoke the version and return what it answered; raises httpx's and httpcore's errors."""
        if request.url.host != self._function.host:
            return self._elsewhere(request)
        event = json.dumps(event_of(self._function.payload, request)).encode()
        invoked = self.invoke(event)
        if invoked.error:
            raise _failed(self._function, invoked)
        try:
            answer = answer_of(self._function.payload, invoked.payload)
        except MalformedError as error:
            raise _malformed(self._function, invoked, error) from error
        headers = [*answer.headers, (EXECUTED, invoked.version)]
        return httpcore.Response(
            answer.status,
            headers=[(name.encode(), value.encode()) for name, value in headers],
            content=b"" if request.method == "HEAD" else answer.body,
        )

    def sign(self, request: httpx.Request, how: SigV4, redactor: Redactor) -> None:
        """Refuse to: the invocation is signed, and there is no request beside it."""
        del request, how, redactor
        raise SigningError(
            Failure(
                "auth: sigv4 is for requests, and the target is a function that is invoked",
                "give the address of its API or function URL as target, or auth: none",
            )
        )

    def shown(self, url: httpx.URL) -> str:
        """Return ``url`` with the function's own address in the place of its stand-in."""
        whole = str(url)
        if url.host != self._function.host:
            return whole
        return f"{self._function.address}{whole.removeprefix(self._root)}"

    def invoke(self, event: bytes) -> Invoked:
        """Invoke the version within the present deadline; raises as `send` does."""
        return in_time(lambda: self._invoke(event), httpcore.ReadTimeout)

    def _invoke(self, event: bytes) -> Invoked:
        if self._problem is not None:
            raise InvocationError(Failure(str(self._problem), self._problem.hint))
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - boto3 is there

        try:
            answer = self._client.invoke(
                FunctionName=self._function.function,
                Qualifier=self._function.version,
                Payload=event,
            )
            with closing(answer["Payload"]) as stream:
                payload = _read(stream)
        except (BotoCoreError, ClientError) as error:
            raise _refused(self._function, error) from error
        version = str(answer.get("ExecutedVersion", ""))
        return Invoked(payload, str(answer.get("FunctionError", "")), version)


def aws_clients() -> Clients:
    """Return boto3's clients, to be shared by all invocations of a process.

    They wait as long as a function may run: the deadline of a request is kept beside them.
    """
    return Clients(Limits(connect_s=_CONNECT_S, read_s=_LONGEST_RUN_S))


def _client(clients: Clients, region: str) -> tuple[Any, ServiceError | None]:
    """Return boto3's client, or why there is none."""
    try:
        return clients.get("lambda", region), None
    except ServiceError as error:
        return None, error


def _read(stream: Any) -> bytes:  # noqa: ANN401 - botocore's streaming body
    payload = bytearray()
    while step := stream.read(_STEP):
        payload += step
        if len(payload) > _LARGEST:
            raise BodyTooLargeError(f"the function's answer is larger than {_LARGEST:,} bytes")
    return bytes(payload)


def error_of(invoked: Invoked) -> tuple[str, str]:
    """Return name and message of a function's error: its errorType, else Lambda's own word."""
    try:
        told = json.loads(invoked.payload)
    except ValueError:
        told = None
    if isinstance(told, dict) and "errorMessage" in told:
        return str(told.get("errorType") or invoked.error), str(told["errorMessage"])
    return invoked.error, invoked.payload.decode("utf-8", "replace")


def _failed(function: FunctionVersion, invoked: Invoked) -> InvocationError:
    """Return the error for a function that raised, crashed or ran out of its own time."""
    return InvocationError(
        Failure(
            f"the function failed: {_shown(': '.join(error_of(invoked)))}",
            f"read the log of {function.address} for this request",
        )
    )


def _malformed(
    function: FunctionVersion, invoked: Invoked, error: MalformedError
) -> InvocationError:
    text = _shown(invoked.payload.decode("utf-8", "replace"))
    return InvocationError(
        Failure(
            f"the function's answer stands for none of HTTP: {_shown(str(error))}: {text}",
            f"it must be of the form {function.payload.value}; another one is named with ?payload=",
        )
    )


def _refused(function: FunctionVersion, error: Any) -> Exception:  # noqa: ANN401 - botocore's
    """Return httpx's error for one of botocore's."""
    code, told = code_of(error), explained(error, _ACTION)
    if code in _LATE:
        kind = httpcore.ConnectTimeout if code == "ConnectTimeoutError" else httpcore.ReadTimeout
        return kind(f"{_ACTION} was not answered in time")
    advice = hint_of_suite(told)
    if code in _UNKNOWN:
        advice = f"check that {function.address} exists in this region and account"
    retry = code in _NOT_INVOKED
    return InvocationError(Failure(_shown(str(told)), advice, retry=retry))


def _shown(text: str) -> str:
    return cut(printable(text), _SHOWN)
