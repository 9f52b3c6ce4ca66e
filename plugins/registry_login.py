"""Who we are to an image registry: Docker's own configuration and helpers, else AWS for its ECR.

Sources: Docker CLI reference, "Credential stores" and "Credential helpers"; the protocol of
docker-credential-helpers; Amazon ECR User Guide, "Private registry authentication".
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.plugins.programs import find_program, run_program, tool_environment
from greenroom.validators.errors import SettingsError, ToolError
from greenroom.validators.image_reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Mapping

_HUB_KEY = "https://index.docker.io/v1/"
_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
)
_HELPER = re.compile(r"[A-Za-z0-9_.-]+")
_TOKEN_USER = "<token>"  # noqa: S105 - by this name a helper says that the secret is a token
_PASSED = ("DOCKER_CONFIG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME")


@dataclass(frozen=True, slots=True)
class Login:
    """A user and password; without ``user`` the secret is an identity token."""

    user: str
    secret: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return f"Basic {base64.b64encode(f'{self.user}:{self.secret}'.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class EcrHost:
    """What the name of a private ECR registry says."""

    account: str
    region: str


def ecr_host(registry: str) -> EcrHost | None:
    """Return account and region, if ``registry`` is a private one of ECR."""
    found = _ECR.fullmatch(registry)
    return EcrHost(found["account"], found["region"]) if found else None


def login_for(registry: str, environ: Mapping[str, str], until: float) -> Login | None:
    """Return how to log in to ``registry``, or None to come as nobody.

    Raises `SettingsError` for a Docker configuration that cannot be read, `ToolError` for a helper
    that fails and `ServiceError` where AWS refuses. No message holds a secret.
    """
    path = _config_path(environ)
    config = _read(path)
    names = _names(registry)
    helper = next(
        (
            str(found)
            for name in names
            if (found := _table(config, "credHelpers", path).get(name)) is not None
        ),
        str(config.get("credsStore") or ""),
    )
    if helper and (found := _ask_helper(helper, names[0], environ, until)):
        return found
    auths = _table(config, "auths", path)
    for name in names:
        if isinstance(entry := auths.get(name), dict) and (stored := _stored(entry, name, path)):
            return stored
    host = ecr_host(registry)
    return _ecr_login(host) if host else None


def _names(registry: str) -> tuple[str, ...]:
    if registry == DOCKER_HUB:
        return (_HUB_KEY, "index.docker.io", DOCKER_HUB)
    return (registry, f"https://{registry}", f"https://{registry}/", f"https://{registry}/v2/")


def _config_path(environ: Mapping[str, str]) -> Path:
    if folder := environ.get("DOCKER_CONFIG"):
        return Path(folder) / "config.json"
    return Path(environ.get("HOME") or "/") / ".docker" / "config.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, type(error).__name__) from None
    if not isinstance(config, dict):
        raise _unreadable(path, "not an object")
    return config


def _table(config: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    table = config.get(key) or {}
    if not isinstance(table, dict):
        raise _unreadable(path, f"{key} is not an object")
    return table


def _stored(entry: dict[str, Any], name: str, path: Path) -> Login | None:
    if token := entry.get("identitytoken"):
        return Login("", str(token))
    if not (encoded := entry.get("auth")):
        return None
    try:
        user, _, secret = base64.b64decode(str(encoded), validate=True).decode().partition(":")
    except ValueError:  # also what it decodes to
        raise _unreadable(path, f"the auth of {name} is not base64") from None
    return Login(user, secret)


def _unreadable(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"{path} cannot be read as Docker's configuration: {why}",
        hint="correct it, or log in again with docker login",
    )


def _ask_helper(helper: str, server: str, environ: Mapping[str, str], until: float) -> Login | None:
    name = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        raise SettingsError(f"{name!r} is no credential helper", hint="correct config.json")
    program = find_program(name, "install it, or take it out of Docker's config.json", environ)
    passed = (*_PASSED, *(known for known in environ if known.startswith("AWS_")))
    # A helper reads the server's name from its standard input.
    feed = ("/bin/sh", "-c", 'printf %s "$1" | "$2" get', "sh", server, str(program))
    ran = run_program(
        feed, folder=Path("/"), environ=tool_environment(environ, passed), until=until
    )
    if ran.status and b"credentials not found" in ran.output:
        return None
    try:
        answer = json.loads(ran.output) if ran.status == 0 else {}
        user, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, TypeError, KeyError):
        raise ToolError(  # without its words, which may hold what it keeps
            f"{name} gave no credentials for {server} (exit status {ran.status})",
            hint=f"try: echo {server} | {name} get",
        ) from None
    return Login("" if user == _TOKEN_USER else user, secret)


def _ecr_login(host: EcrHost) -> Login | None:
    if find_spec("boto3") is None:
        return None
    from greenroom.plugins.aws import ask_aws  # noqa: PLC0415 - for ECR only

    action = "ecr:GetAuthorizationToken"
    answer = ask_aws("ecr", "get_authorization_token", action, host.region)
    token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    user, _, secret = token.partition(":")
    return Login(user, secret)
