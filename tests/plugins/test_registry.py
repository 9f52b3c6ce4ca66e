"""What a registry is asked, what it means, and how each refusal is told."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.registry import asking, parse_reference
from greenroom.plugins.registry_login import login_for
from greenroom.plugins.shared_cache import SharedCache
from greenroom.validators.errors import GreenroomError, ServiceError, SettingsError, ToolError
from tests.support import oci
from tests.support.moto_server import MotoServer
from tests.support.registry import Registry, local_registry
from tests.support.servers import Asked, Reply, hostile, json_reply, refused_url, serving, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from greenroom.plugins.registry import Resolved

AMD = oci.image(oci.layer(oci.alpine({"musl": "1.2.5-r0"})))
ARM = oci.image(oci.layer(oci.alpine({"musl": "1.2.6-r0"})), platform="linux/arm64/v8")
SECRET = "k33p-this-s3cret"  # noqa: S105 - what must not be in any message
BASIC = f"Basic {base64.b64encode(f'robot:{SECRET}'.encode()).decode()}"


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with local_registry() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".docker").mkdir()
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/bin:/usr/bin"}


def ask(text: str, environ: Mapping[str, str] | None = None, seconds: float = 10.0) -> Resolved:
    with asking(parse_reference(text), environ or {}, time.monotonic() + seconds) as registry:
        return registry.resolved()


def configure(home: Mapping[str, str], config: object) -> None:
    with open(f"{home['HOME']}/.docker/config.json", "w") as file:  # noqa: PTH123 - one line
        file.write(config if isinstance(config, str) else json.dumps(config))


def host_of(url: str) -> str:
    return url.removeprefix("http://")


def manifest_reply(content: oci.Image | oci.Index) -> Reply:
    return Reply(content.manifest, 200, {"Content-Type": content.media_type})


def image_or(answer: Callable[[Asked], Reply | None]) -> Callable[[Asked], Reply]:
    """Serve an image with its configuration, unless ``answer`` has another reply."""

    def reply(asked: Asked) -> Reply:
        if (special := answer(asked)) is not None:
            return special
        return Reply(AMD.config) if "/blobs/" in asked.path else manifest_reply(AMD)

    return reply


def token_server(asked: Asked, wanted: str = BASIC) -> Reply | None:
    if asked.path.startswith("/token"):
        right = asked.headers.get("authorization", "") == wanted
        return json_reply({"token": "t0ken"} if right else {"errors": []}, 200 if right else 401)
    if asked.headers.get("authorization") == "Bearer t0ken":
        return None
    realm = f'Bearer realm="http://{asked.headers["host"]}/token",service="here"'
    return Reply(b"", 401, {"WWW-Authenticate": realm})


def test_a_tag_that_does_not_exist_is_not_found(registry: Registry) -> None:
    with pytest.raises(ServiceError, match=r"app:gone does not exist: .* 404 MANIFEST_UNKNOWN"):
        ask(f"{registry.host}/app:gone")


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_a_tag_is_resolved_to_its_digest_and_platform(registry: Registry, docker: bool) -> None:  # noqa: FBT001 - a parameter
    content = oci.image(*ARM.layers, platform=ARM.platform, docker=docker)
    pushed = registry.push(content, "app:1")

    found = ask(f"{registry.host}/app:1")

    assert (found.digest, found.media_type) == (pushed, content.media_type)
    assert [(str(item), item.digest) for item in found.platforms] == [("linux/arm64/v8", pushed)]
    assert ask(f"{registry.host}/app@{pushed}").digest == pushed


@pytest.mark.parametrize("spoilt", [None, "x", ["linux"], [1, 2, 3]], ids=str)
def test_the_platform_of_a_digest_is_asked_once(tmp_path: Path, spoilt: object) -> None:
    known = SharedCache(tmp_path)
    if spoilt is not None:
        known.put((AMD.digest,), spoilt)
    with serving(image_or(lambda _: None)) as server:
        reference = parse_reference(f"{host_of(server.url)}/app:1")
        with asking(reference, {}, time.monotonic() + 10.0) as registry:
            found = {registry.resolved(known) for _ in range(2)}
        assert [str(one.platforms[0]) for one in found] == ["linux/amd64"]
        assert sum("/blobs/" in asked.path for asked in server.asked) == 1


def test_a_tag_of_several_platforms_is_resolved_to_the_index(registry: Registry) -> None:
    attestation = oci.image(*AMD.layers, AMD.layers[0], platform="unknown/unknown")
    pushed = registry.push(oci.Index((AMD, ARM, attestation)), "multi:latest")

    found = ask(f"{registry.host}/multi")

    assert found.digest == pushed
    assert {str(item): item.digest for item in found.platforms} == {
        "linux/amd64": AMD.digest,
        "linux/arm64/v8": ARM.digest,
    }


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        pytest.param(Reply(b"", 403), "may not be read: .* 403", id="forbidden"),
        pytest.param(Reply(b"", 401), "neither Basic nor Bearer", id="unknown-challenge"),
        pytest.param(Reply(SECRET.encode(), 429), "could not be read: .* 429", id="too-many"),
        pytest.param(
            json_reply({"errors": [{"code": SECRET}]}, 500),
            "(?m)could not be read: .* 500$",
            id="down",
        ),
        pytest.param(Reply(b"hello"), "no media type, which is no image", id="no-manifest"),
        pytest.param(
            Reply(b"hello", headers={"Content-Type": oci.MANIFEST}), "no JSON object", id="no-json"
        ),
        pytest.param(
            Reply(b"{}", headers={"Content-Type": oci.MANIFEST}), "no config|without a", id="bare"
        ),
        pytest.param(
            Reply(b'{"manifests": [1]}', headers={"Content-Type": oci.INDEX}),
            "no platform or digest",
            id="bare-index",
        ),
        pytest.param(
            Reply(
                b'{"manifests": [{"platform": "linux", "digest": "x"}]}',
                headers={"Content-Type": oci.INDEX},
            ),
            "no platform or digest",
            id="odd-platform",
        ),
        pytest.param(
            Reply(b"", 401, {"WWW-Authenticate": 'Bearer service="here"'}),
            "does not say where",
            id="no-realm",
        ),
        pytest.param(
            Reply(b"", 401, {"WWW-Authenticate": 'Bearer realm="http://\x01/"'}),
            "could not be reached",
            id="odd-realm",
        ),
        pytest.param(
            Reply(b'{"config": {"digest": "../x"}}', headers={"Content-Type": oci.MANIFEST}),
            "no digest of sha256",
            id="odd-configuration",
        ),
        pytest.param(
            Reply(
                AMD.manifest,
                headers={"Content-Type": oci.MANIFEST, "Docker-Content-Digest": ARM.digest},
            ),
            "sent bytes with the digest",
            id="another-digest",
        ),
        pytest.param(
            Reply(b"", 302, {"Location": "http://127.0.0.1:1/"}),
            "could not be reached: connection refused",
            id="redirect-to-nobody",
        ),
    ],
)
def test_a_bad_answer_is_an_error_that_says_what(reply: Reply, why: str) -> None:
    with serving(lambda _: reply) as server, pytest.raises(ServiceError, match=why) as caught:
        ask(f"{host_of(server.url)}/app:1")

    assert SECRET not in caught.value.explain()


def test_a_manifest_that_is_not_the_digest_asked_for_is_refused() -> None:
    with serving(lambda _: manifest_reply(ARM)) as server, pytest.raises(ServiceError) as caught:
        ask(f"{host_of(server.url)}/app@{AMD.digest}")

    assert f"digest {ARM.digest} for {AMD.digest}" in str(caught.value)


def test_a_registry_where_nobody_listens_is_unreachable() -> None:
    with pytest.raises(ServiceError, match="could not be reached: connection refused"):
        ask(f"{host_of(refused_url())}/app:1")


def test_a_silent_registry_costs_no_more_than_the_time_given() -> None:
    with hostile(silent) as url:
        with pytest.raises(ServiceError, match="could not be reached: timed out"):
            ask(f"{host_of(url)}/app:1", seconds=0.2)
        with pytest.raises(ServiceError, match="no time is left"):
            ask(f"{host_of(url)}/app:1", seconds=0)


def test_only_this_machine_is_asked_without_tls() -> None:
    with pytest.raises(ServiceError, match="could not be reached"):
        ask("registry.invalid/app:1")


def test_an_anonymous_token_is_enough_for_a_public_image() -> None:
    with serving(image_or(lambda asked: token_server(asked, ""))) as server:
        assert ask(f"{host_of(server.url)}/app:1").digest == AMD.digest

        (token,) = (asked.path for asked in server.asked if asked.path.startswith("/token"))
        assert token == "/token?service=here&scope=repository%3Aapp%3Apull"  # noqa: S105 - a path


def test_a_token_that_has_run_out_is_renewed() -> None:
    lives = [True]

    def answer(asked: Asked) -> Reply | None:
        if asked.path.startswith("/token"):
            return json_reply({"token": "t0ken" if lives else "new"})
        if lives or asked.headers.get("authorization") == "Bearer new":
            return token_server(asked) if lives else None
        return Reply(
            b"", 401, {"WWW-Authenticate": f'Bearer realm="http://{asked.headers["host"]}/token"'}
        )

    with serving(image_or(answer)) as server:
        reference = parse_reference(f"{host_of(server.url)}/app:1")
        with asking(reference, {}, time.monotonic() + 10.0) as registry:
            assert registry.resolved().digest == AMD.digest
            lives.clear()
            assert registry.digest() == AMD.digest


def test_the_docker_configuration_gives_the_credentials(home: dict[str, str]) -> None:
    with serving(image_or(token_server)) as server:
        with pytest.raises(ServiceError, match="may not be read"):
            ask(f"{host_of(server.url)}/app:1", home)
        configure(home, {"auths": {host_of(server.url): {"auth": BASIC.removeprefix("Basic ")}}})

        assert ask(f"{host_of(server.url)}/app:1", home).digest == AMD.digest


def test_an_identity_token_is_exchanged(home: dict[str, str]) -> None:
    def exchanging(asked: Asked) -> Reply | None:
        if asked.path == "/token":
            return json_reply({"access_token": "t0ken" if SECRET.encode() in asked.body else ""})
        return token_server(asked)

    with serving(image_or(exchanging)) as server:
        configure(home, {"auths": {host_of(server.url): {"identitytoken": SECRET}}})

        assert ask(f"{host_of(server.url)}/app:1", home).digest == AMD.digest


def basic_only(asked: Asked) -> Reply | None:
    if asked.headers.get("authorization") == BASIC:
        return None
    return Reply(b"", 401, {"WWW-Authenticate": 'Basic realm="here"'})


def test_a_credential_helper_gives_the_credentials(home: dict[str, str], tmp_path: Path) -> None:
    answer = json.dumps({"Username": "robot", "Secret": SECRET})
    helper = tmp_path / "docker-credential-kept"
    with serving(image_or(basic_only)) as server:
        host = host_of(server.url)
        helper.write_text(f"#!/bin/sh\nread server\n[ $server = {host} ] && echo '{answer}'\n")
        helper.chmod(0o755)
        for config in ({"credHelpers": {host: "kept"}}, {"credsStore": "kept"}):
            configure(home, config)
            assert ask(f"{host}/app:1", home).digest == AMD.digest


def test_a_helper_that_knows_nothing_leaves_it_at_nobody(
    home: dict[str, str], tmp_path: Path
) -> None:
    helper = tmp_path / "docker-credential-kept"
    helper.write_text("#!/bin/sh\necho credentials not found in native keychain; exit 1\n")
    helper.chmod(0o755)
    configure(home, {"credsStore": "kept"})

    with (
        serving(image_or(basic_only)) as server,
        pytest.raises(ServiceError, match="may not be read"),
    ):
        ask(f"{host_of(server.url)}/app:1", home)


@pytest.mark.parametrize(
    ("config", "kind", "why"),
    [
        pytest.param("{", SettingsError, "cannot be read", id="cut"),
        pytest.param("[]", SettingsError, "not an object", id="list"),
        pytest.param({"auths": [1]}, SettingsError, "auths is not an object", id="auths"),
        pytest.param({"credsStore": "a/b"}, SettingsError, "no credential helper", id="path"),
        pytest.param({"credsStore": "absent"}, ToolError, "is not installed", id="no-helper"),
        pytest.param({"credsStore": "broken"}, ToolError, "gave no credentials", id="broken"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told(
    config: object,
    kind: type[GreenroomError],
    why: str,
    home: dict[str, str],
    tmp_path: Path,
) -> None:
    helper = tmp_path / "docker-credential-broken"
    helper.write_text(f"#!/bin/sh\necho {SECRET}; exit 1\n")
    helper.chmod(0o755)
    configure(home, config)

    with serving(image_or(basic_only)) as server, pytest.raises(kind, match=why) as caught:
        ask(f"{host_of(server.url)}/app:1", home)

    assert SECRET not in caught.value.explain()


@pytest.mark.parametrize("end", ["!", "é"], ids=["sign", "no-ascii"])
def test_an_auth_that_is_not_base64_is_told_without_it(home: dict[str, str], end: str) -> None:
    with serving(image_or(basic_only)) as server:
        configure(home, {"auths": {host_of(server.url): {"auth": f"{SECRET}{end}"}}})
        with pytest.raises(SettingsError, match="is not base64") as caught:
            ask(f"{host_of(server.url)}/app:1", home)

    assert SECRET not in caught.value.explain()


def test_ecr_gives_the_login_of_its_own_registries(monkeypatch: pytest.MonkeyPatch) -> None:

    with MotoServer() as aws:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        login = login_for("123456789012.dkr.ecr.eu-west-1.amazonaws.com", {}, time.monotonic() + 9)

    assert login is not None
    assert login.user == "AWS"
    assert login.secret not in repr(login)


def test_ecr_out_of_reach_is_told(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setenv("AWS_ENDPOINT_URL", refused_url())
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    with pytest.raises(ServiceError, match="ecr:GetAuthorizationToken failed"):
        login_for("123456789012.dkr.ecr.eu-west-1.amazonaws.com", {}, time.monotonic() + 9)
