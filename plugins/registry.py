"""Asks an image registry what a reference means now: its digest and platforms.

Sources: OCI Distribution Specification 1.1, "Pulling manifests"; Docker's "Token authentication".
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

import httpx

from greenroom.plugins.http import Connections, Limits, client
from greenroom.plugins.http_failures import failure_of
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.registry_login import Login, ecr_host, login_for
from greenroom.validators.errors import ServiceError
from greenroom.validators.image_reference import DOCKER_HUB, Reference, parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from greenroom.plugins.shared_cache import SharedCache

__all__ = ["Asking", "Platform", "Reference", "Resolved", "asking", "parse_reference"]

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_IMAGES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = ", ".join((*_INDEXES, *_IMAGES))
_BODY_MOST = 4 * 1024 * 1024
_CHALLENGE = re.compile(r'([a-z_]+)="([^"]*)"')
_CODE = re.compile(r"[A-Z_]{1,40}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Platform:
    """What one image of a manifest runs on; ``digest`` is that image's own."""

    os: str
    architecture: str
    variant: str
    digest: str

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a reference means now; ``digest`` is an index's where it has several platforms."""

    reference: Reference
    digest: str
    media_type: str
    platforms: tuple[Platform, ...]


@contextlib.contextmanager
def asking(
    reference: Reference,
    environ: Mapping[str, str],
    until: float,
    *,
    plain_http: Collection[str] = (),
) -> Iterator[Asking]:
    """Give what asks for ``reference``, as often as needed, by one connection and one login.

    It asks for its digest, else its tag, else latest. ``until`` bounds it all (time.monotonic
    seconds). Only a registry on this machine, and those named in ``plain_http``, are asked without
    TLS. Each question raises `ServiceError` where there is no such image, the registry refuses or
    cannot be reached, and where an answer's bytes do not have its digest; errors of the login are
    `greenroom.plugins.registry_login.login_for`'s.
    """
    base = _base(reference.registry, plain_http)
    connections = Connections()
    try:
        with client(
            base, connections, Redactor(), _unrecorded, Limits(max_body=_BODY_MOST)
        ) as http:
            yield Asking(http, reference, environ, until)
    finally:
        connections.close()


def _unrecorded(_: object) -> None:
    """Record no exchange: they carry tokens."""


def _base(registry: str, plain_http: Collection[str]) -> str:
    host = "registry-1.docker.io" if registry == DOCKER_HUB else registry
    name = re.sub(r":[0-9]+$", "", host)
    plain = name in _LOOPBACK or registry in plain_http or name in plain_http
    return f"{'http' if plain else 'https'}://{host}"


class Asking:
    """Asks a registry for one reference; `asking` makes one and says what it raises."""

    def __init__(
        self, http: httpx.Client, reference: Reference, environ: Mapping[str, str], until: float
    ) -> None:
        self._http = http
        self._reference = reference
        self._environ = environ
        self._until = until
        self._authorization = ""

    def digest(self) -> str:
        """Return the digest that the reference has now, an index's where it has platforms."""
        return self._manifest()[1]

    def resolved(self, known: SharedCache | None = None) -> Resolved:
        """Return the digest and the platforms that the reference has now.

        ``known`` keeps the platform of an image by its digest: that never changes.
        """
        answer, digest, media_type = self._manifest()
        if media_type in _INDEXES:
            platforms = self._listed(self._json(answer))
        else:
            kept = known.get((digest,)) if known else None
            own = (
                Platform(kept[0], kept[1], kept[2], digest)
                if _is_kept(kept)
                else self._own(answer, digest)
            )
            if known and not _is_kept(kept):
                known.put((digest,), [own.os, own.architecture, own.variant])
            platforms = (own,)
        return Resolved(self._reference, digest, media_type, platforms)

    def _manifest(self) -> tuple[httpx.Response, str, str]:
        wanted = self._reference.digest or self._reference.tag or "latest"
        answer = self._ask(f"manifests/{wanted}")
        digest = self._checked(answer, self._reference.digest)
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
        if media_type not in (*_INDEXES, *_IMAGES):
            self._broken(f"answers with {media_type or 'no media type'}, which is no image")
        return answer, digest, media_type

    def _listed(self, manifest: dict[str, Any]) -> tuple[Platform, ...]:
        try:
            found = [_platform(item["platform"], item["digest"]) for item in manifest["manifests"]]
        except (KeyError, TypeError, AttributeError):
            self._broken("gave an index whose images have no platform or digest")
        # An attestation stands beside its image as a platform that nothing runs on.
        return tuple(platform for platform in found if platform.os != "unknown")

    def _own(self, manifest: httpx.Response, digest: str) -> Platform:
        try:
            wanted = str(self._json(manifest)["config"]["digest"])
        except (KeyError, TypeError):
            self._broken("gave a manifest without a configuration")
        if not _DIGEST.fullmatch(wanted):
            self._broken("gave a manifest whose configuration has no digest of sha256")
        answer = self._ask(f"blobs/{wanted}")
        self._checked(answer, wanted)
        return _platform(self._json(answer), digest)

    def _checked(self, answer: httpx.Response, wanted: str) -> str:
        digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        told = answer.headers.get("docker-content-digest", digest)
        if digest != (wanted or digest) or (told != digest and told.startswith("sha256:")):
            self._broken(f"sent bytes with the digest {digest} for {wanted or told}")
        return digest

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            value = json.loads(answer.content)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            self._broken("answers with what is no JSON object")
        return value

    def _ask(self, what: str) -> httpx.Response:
        answer = self._get(f"/v2/{self._reference.repository}/{what}", self._authorization)
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # or a token that lives no longer
            before = self._authorization
            self._authorization = self._authorize(answer.headers.get("www-authenticate", ""))
            if self._authorization != before:
                answer = self._get(f"/v2/{self._reference.repository}/{what}", self._authorization)
        if not answer.is_success:
            raise _refusal(self._reference, answer)
        return answer

    def _authorize(self, challenge: str) -> str:
        """Return the Authorization header that ``challenge`` asks for; empty if we have none."""
        scheme, _, rest = challenge.partition(" ")
        login = login_for(self._reference.registry, self._environ, self._until)
        if scheme.lower() == "basic":
            return login.basic if login and login.user else ""
        if scheme.lower() != "bearer":
            self._broken("asks for a kind of login that is neither Basic nor Bearer")
        return f"Bearer {self._token(dict(_CHALLENGE.findall(rest)), login)}"

    def _token(self, challenge: dict[str, str], login: Login | None) -> str:
        realm = challenge.get("realm", "")
        if not realm:
            self._broken("asks for a token and does not say where it is got")
        if not realm.startswith("https://") and self._http.base_url.scheme == "https":
            self._broken("asks for a login without TLS")
        asked = {"service": challenge.get("service", "")}
        asked["scope"] = f"repository:{self._reference.repository}:pull"
        if login and not login.user:
            form = asked | {"grant_type": "refresh_token", "refresh_token": login.secret}
            form["client_id"] = "greenroom"
            answer = self._send(lambda left: self._http.post(realm, data=form, timeout=left))
        else:
            answer = self._get(realm, login.basic if login else "", asked)
        if not answer.is_success:
            raise _refusal(self._reference, answer)
        found = self._json(answer)
        token = found.get("token") or found.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            self._broken("gave no token")
        return token

    def _get(
        self, url: str, authorization: str, asked: Mapping[str, str] | None = None
    ) -> httpx.Response:
        headers = {"Accept": _ACCEPT} | ({"Authorization": authorization} if authorization else {})

        def call(left: float) -> httpx.Response:
            full = httpx.URL(url).copy_merge_params(asked or {})
            return self._http.get(full, headers=headers, timeout=left, follow_redirects=True)

        return self._send(call)

    def _send(self, call: Callable[[float], httpx.Response]) -> httpx.Response:
        left = self._until - time.monotonic()
        if left <= 0:
            raise ServiceError(
                f"the registry {self._reference.registry} was not asked: no time is left",
                hint="give the check more time: `timeout:`",
            )
        try:
            return call(left)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            failure = failure_of(error)
            why = failure.reason.partition(":")[0]  # the rest may hold an address with a token
            raise ServiceError(
                f"the registry {self._reference.registry} could not be reached: {why}",
                hint=failure.advice,
            ) from None

    def _broken(self, what: str) -> NoReturn:
        raise ServiceError(
            f"the registry {self._reference.registry} {what}: {self._reference}",
            hint="look at the registry and at what stands between it and here",
        )


def _is_kept(value: object) -> TypeGuard[list[str]]:
    """Tell whether a cache's value is a platform's three parts."""
    return (
        isinstance(value, list)
        and len(value) == len(("os", "architecture", "variant"))
        and all(isinstance(part, str) for part in value)
    )


def _platform(data: dict[str, Any], digest: str) -> Platform:
    os, architecture, variant = (
        str(data.get(name, "")) for name in ("os", "architecture", "variant")
    )
    return Platform(os, architecture, variant, digest)


def _refusal(reference: Reference, answer: httpx.Response) -> ServiceError:
    """Return the error for an answer; of its body, which may hold anything, only its code."""
    status = answer.status_code
    what = f"the registry {reference.registry} answers {status}{_code(answer)}"
    if status == httpx.codes.NOT_FOUND:
        return ServiceError(
            f"{reference} does not exist: {what}",
            hint="push it first, or correct its name; some registries say this without a login",
        )
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return ServiceError(f"{reference} may not be read: {what}", hint=_login_hint(reference))
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ServiceError(
            f"{reference} could not be read: {what}", hint="too many requests: log in, or wait"
        )
    return ServiceError(f"{reference} could not be read: {what}", hint="try again later")


def _login_hint(reference: Reference) -> str:
    if ecr_host(reference.registry):
        return (
            "allow ecr:GetAuthorizationToken, ecr:BatchGetImage and ecr:GetDownloadUrlForLayer, "
            "and install greenroom[aws]; or log in with docker login"
        )
    return f"log in with docker login {reference.registry}, as somebody who may pull it"


def _code(answer: httpx.Response) -> str:
    try:
        code = json.loads(answer.content)["errors"][0]["code"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return f" {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""
