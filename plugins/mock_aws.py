"""A local AWS: moto's server in a process of its own, and an environment that leads to it.

A process, not a thread: moto keeps one state for a process, which tests that use moto themselves
would share, and loads 200 ms of modules. It ends when we end, however that comes about: it watches
its standard input.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from greenroom.plugins.mock_escapes import no_escape
from greenroom.plugins.programs import tool_environment
from greenroom.validators.errors import ServiceError, ToolError
from greenroom.validators.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGION = "us-east-1"
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
_TIMEOUT_S = 30
_FAREWELL_S = 5
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_LOCAL = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One call: ``service`` as in its signature (s3), ``operation`` where the request names it."""

    service: str
    operation: str
    method: str
    path: str
    body: bytes


class LocalAws:
    """AWS at ``url``: whatever moto knows, empty at first."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: str) -> None:
        self._process = process
        self._port = port
        self._folder = folder
        self._forgotten = 0
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    def start(cls) -> LocalAws:
        """Start the server on a free port; raises `ToolError`."""
        folder = tempfile.mkdtemp(prefix="greenroom-aws-")
        environ = tool_environment(
            MOTO_RECORDER_FILEPATH=str(Path(folder, "calls")), MOTO_ENABLE_RECORDING="true"
        )
        Path(folder, "calls").touch()
        with Path(folder, "errors").open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-c", _SERVER],
                cwd=folder,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline().strip()
        if not line.isdigit():
            said = Path(folder, "errors").read_text(errors="replace").strip()
            _end(process, folder)
            raise ToolError(
                f"moto's server did not start: {said[-1000:]}",
                hint="pip install 'greenroom[mocks]'",
            )
        return cls(process, int(line), folder)

    @property
    def environment(self) -> dict[str, str]:
        """What an SDK or the AWS CLI needs in order to come here, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 has no common type
        """Return boto3's client of a service here."""
        import boto3  # noqa: PLC0415 - slow, and a test may do without

        session = boto3.Session(
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - no secret: moto takes any
        )
        make: Any = session.client
        return make(service, endpoint_url=self.url)

    def calls(self) -> tuple[AwsCall, ...]:
        """Return the calls since the last reset, in the order of arrival."""
        try:
            text = self._ask("GET", "/moto-api/recorder/download-recording").decode()
            return tuple(
                _call(entry)
                for line in text.splitlines()
                if (entry := json.loads(line)) is not None
            )
        except ValueError as error:
            raise ServiceError("what moto recorded is not readable") from error

    @property
    def amount(self) -> int:
        """How many calls there were since the start, those included that a reset forgot."""
        return self._forgotten + len(self.calls())

    def reset(self) -> None:
        """Empty every service, and forget the calls."""
        self._forgotten = self.amount
        self._ask("POST", "/moto-api/reset")
        self._ask("POST", "/moto-api/recorder/reset-recording")

    @contextlib.contextmanager
    def in_environment(self) -> Iterator[list[str]]:
        """Let the environment lead here; nothing else of it names AWS meanwhile.

        What boto3 sends to the real AWS all the same is refused, and listed in what this gives.
        """
        proxies = {name: _and_here(os.environ.get(name)) for name in ("NO_PROXY", "no_proxy")}
        theirs = {name for name in os.environ if name.startswith("AWS_")}
        before = {name: os.environ.get(name) for name in {*theirs, *proxies, *self.environment}}
        _set(dict.fromkeys(theirs) | proxies | self.environment)
        try:
            with _fresh_boto3(), no_escape() as refused:
                yield refused
        finally:
            _set(before)

    def close(self) -> None:
        """End the server."""
        _end(self._process, self._folder)

    def _ask(self, method: str, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            raise ServiceError(
                f"the local AWS does not answer: {error}", hint="did a test end its process?"
            ) from error
        finally:
            connection.close()
        if response.status >= 400:  # noqa: PLR2004 - HTTP's errors
            raise ServiceError(f"the local AWS answered {response.status} to {path}")
        return body


def aws_evidence(amount: int) -> Evidence:
    """Return the evidence of so many calls."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Evidence("calls to the local AWS", amount, "moto", version("moto"), at)


def _and_here(proxied: str | None) -> str:
    return ",".join(filter(None, (proxied, *_LOCAL)))


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _fresh_boto3() -> Iterator[None]:
    """Put boto3's default session aside: it remembers the environment it was made in."""
    boto3: Any = sys.modules.get("boto3")
    before = getattr(boto3, "DEFAULT_SESSION", None)
    if boto3 is not None:
        boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        loaded: Any = sys.modules.get("boto3")
        if loaded is not None:
            loaded.DEFAULT_SESSION = before


def _end(process: subprocess.Popen[bytes], folder: str) -> None:

    for pipe in (process.stdin, process.stdout):
        _close(pipe)
    try:
        process.wait(_FAREWELL_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with contextlib.suppress(OSError):
            pipe.close()


def _call(entry: dict[str, Any]) -> AwsCall:
    headers = {name.lower(): value for name, value in entry["headers"].items()}
    body = entry.get("body") or ""
    content = base64.b64decode(body) if entry.get("body_encoded") else body.encode()
    scope = _SCOPE.search(headers.get("authorization", ""))
    parts = urlsplit(entry["url"])
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return AwsCall(
        scope[1] if scope else "", _operation(headers, content), entry["method"], path, content
    )


def _operation(headers: dict[str, str], body: bytes) -> str:
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    return ""
