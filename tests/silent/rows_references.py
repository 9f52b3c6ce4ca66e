"""Image references that bare tools take for good."""

from __future__ import annotations

import subprocess
import time
from datetime import date
from typing import TYPE_CHECKING

import httpx

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.references import ReferencesWork
from greenroom.plugins.workplace import Workplace
from greenroom.validators.references import Policy
from tests.support import oci
from tests.support.registry import Registry, local_registry
from tests.support.silent import SilentPass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greenroom.validators.finding import Finding

_FIRST, _SECOND = (oci.image(oci.layer({"version": version})) for version in "12")
_BUILDS = Policy(immutable=("*:build-*",))


def _write(folder: Path, text: str) -> None:
    (folder / "compose.yaml").write_text(text)


def _compose(folder: Path, image: str) -> None:
    _write(folder, f"services: {{web: {{image: '{image}'}}}}\n")


def _template(folder: Path, value: str) -> None:
    _write(
        folder,
        "Parameters: {Image: {Type: String}}\nResources:\n  Task:\n"
        "    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n"
        f"        - Image: {value}\n",
    )


def _grep(folder: Path) -> str:
    done = subprocess.run(
        ["grep", "-c", ":latest", "compose.yaml"], cwd=folder, capture_output=True, check=False
    )
    return f"{done.stdout.decode().strip()} lines with :latest"


def _judged(folder: Path, policy: Policy = _BUILDS) -> Finding:
    place = Workplace(
        folder, {}, time.monotonic() + 10, folder / "cache", Redactor(), date(2026, 1, 1)
    )
    return ReferencesWork(("compose.yaml",), policy).run(place)


def _grepped(id: str, case: str, write: Callable[[Path], None]) -> SilentPass:  # noqa: A002 - the row's name for it
    def bare(folder: Path) -> str:
        write(folder)
        return _grep(folder)

    def ours(folder: Path) -> Finding:
        write(folder)
        return _judged(folder)

    return SilentPass(id, "grep for :latest", case, bare, ours)


def _head(registry: Registry, reference: str) -> str:
    accept = {"Accept": oci.MANIFEST}
    answer = httpx.head(f"http://{registry.host}/v2/app/manifests/{reference}", headers=accept)
    return f"HTTP {answer.status_code}"


def _moved(registry: Registry) -> Policy:
    """Push a build, then another one under its tag; return what was recorded of the first."""
    registry.push(_FIRST, "app:build-1")
    registry.push(_SECOND, "app:build-1")
    return Policy(_BUILDS.immutable, {f"{registry.host}/app:build-1": _FIRST.digest})


def _bare_moved(_: Path) -> str:
    with local_registry() as registry:
        _moved(registry)
        return _head(registry, "build-1")


def _our_moved(folder: Path) -> Finding:
    with local_registry() as registry:
        policy = _moved(registry)
        _compose(folder, f"{registry.host}/app:build-1")
        return _judged(folder, policy)


def _bare_disagreeing(_: Path) -> str:
    with local_registry() as registry:
        _moved(registry)
        return _head(registry, _FIRST.digest)


def _our_disagreeing(folder: Path) -> Finding:
    with local_registry() as registry:
        _moved(registry)
        _compose(folder, f"{registry.host}/app:build-1@{_FIRST.digest}")
        return _judged(folder)


ROWS = (
    _grepped(
        "references-no-tag",
        "an image without a tag, which means latest",
        lambda folder: _compose(folder, "registry.test/app"),
    ),
    _grepped(
        "references-version-tag",
        "a version as tag, which can be pushed again",
        lambda folder: _compose(folder, "registry.test/app:1.4"),
    ),
    _grepped(
        "references-unresolved",
        "an image that a parameter without a value gives",
        lambda folder: _template(folder, "!Ref Image"),
    ),
    _grepped(
        "references-built-on-the-spot",
        "a compose service that is built and named nowhere",
        lambda folder: _write(folder, "services: {web: {build: .}}\n"),
    ),
    _grepped(
        "references-no-image",
        "a file that names no image at all",
        lambda folder: _write(folder, "services: {}\n"),
    ),
    SilentPass(
        "references-moved",
        "HEAD of a manifest",
        "a tag that moved since the build",
        _bare_moved,
        _our_moved,
    ),
    SilentPass(
        "references-disagree",
        "HEAD of a manifest",
        "a tag and a digest that are two images",
        _bare_disagreeing,
        _our_disagreeing,
    ),
)
