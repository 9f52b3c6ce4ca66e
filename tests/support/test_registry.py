"""The real registry, and the images that our tests write for it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support import oci
from tests.support.registry import Registry, local_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = oci.image(oci.layer(oci.alpine({"musl": "1.2.5-r0"})))
SECOND = oci.image(oci.layer(oci.alpine({"musl": "1.2.6-r0"})), platform="linux/arm64/v8")


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with local_registry() as found:
        yield found


def digest_at(registry: Registry, name: str, tag: str) -> str | None:
    accept = {"Accept": f"{oci.MANIFEST}, {oci.INDEX}, {oci.DOCKER_MANIFEST}, {oci.DOCKER_LIST}"}
    answer = registry.client.head(f"/v2/{name}/manifests/{tag}", headers=accept)
    return answer.headers.get("docker-content-digest") if answer.is_success else None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(FIRST, id="image"),
        pytest.param(oci.Index((FIRST, SECOND)), id="two-platforms"),
        pytest.param(oci.image(*FIRST.layers, docker=True), id="docker"),
        pytest.param(oci.Index((oci.image(*FIRST.layers, docker=True),), docker=True), id="list"),
        pytest.param(oci.image(oci.truncated(FIRST.layers[0])), id="truncated-layer"),
    ],
)
def test_what_is_pushed_has_the_digest_that_we_computed(
    registry: Registry, content: oci.Image | oci.Index
) -> None:
    assert registry.push(content, "kinds:1") == digest_at(registry, "kinds", "1")


def test_a_tag_moves_and_goes(registry: Registry) -> None:
    registry.push(FIRST, "moving:1")
    moved = registry.push(SECOND, "moving:1")
    assert digest_at(registry, "moving", "1") == moved

    registry.delete("moving", moved)

    assert digest_at(registry, "moving", "1") is None
    assert digest_at(registry, "moving", FIRST.digest) == FIRST.digest


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_a_machine_without_the_program_is_told(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(outcome, match="docker-registry is not installed"), local_registry():
        pass
