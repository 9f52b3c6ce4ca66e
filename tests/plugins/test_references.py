"""The check of immutable references, from a suite's text to its finding, with a real registry."""

from __future__ import annotations

import threading
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.programs import calling_off
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.references import ReferencesWork, ecr_mutability
from greenroom.plugins.registry import parse_reference
from greenroom.plugins.suite_fields import Fields
from greenroom.plugins.suite_references import read_references
from greenroom.plugins.suite_yaml import Document, Mapping
from greenroom.plugins.workplace import Workplace
from greenroom.validators.errors import SettingsError
from greenroom.validators.references import Policy
from greenroom.validators.vocabulary import Outcome
from tests.support import oci
from tests.support.moto_server import MotoServer
from tests.support.registry import Registry, local_registry
from tests.support.servers import Reply, refused_url, serving
from tests.support.suites import variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.finding import Finding

FIRST = oci.image(oci.layer({"a": "1"}))
SECOND = oci.image(oci.layer({"a": "2"}))
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with local_registry() as found:
        yield found


def place(root: Path, **environ: str) -> Workplace:
    until = time.monotonic() + 10
    return Workplace(root, environ, until, root / "cache", Redactor(), date(2026, 1, 1))


def work(text: str) -> ReferencesWork:
    """Read a check whose keys are the lines of ``text``."""
    document = Document(Path("a.suite.yaml"), text)
    root = document.read()
    assert isinstance(root, Mapping)
    references = root.get("references")
    assert references is not None
    fields = Fields(document, variables(IMAGE=f"app:build-1@{FIRST.digest}"))
    return read_references(fields, references, root.get("expect"))


def run(folder: Path, image: str, keys: str = "", **environ: str) -> Finding:
    (folder / "compose.yaml").write_text(f"services: {{web: {{image: '{image}'}}}}\n")
    return work(f"references: {{files: [compose.yaml]{keys}}}").run(place(folder, **environ))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("references: {}", "is empty"),
        ("references: {resolve: true}", "no 'files'"),
        ("references: {files: []}", "files is empty"),
        ("references: {files: [a], digest: 1}", "did you mean 'digests'"),
        ("references: {files: [a], immutable: [build]}", "says nothing of the tag"),
        ("references: {files: [a], immutable: ['here:5000/*']}", "says nothing of the tag"),
        ("references: {files: [a], immutable: ['/(/']}", "no regular expression"),
        ("references: {files: [a], immutable: ['*:*']}", "covers every tag"),
        ("references: {files: [a], immutable: ['/.+/']}", "covers every tag"),
        ("references: {files: [a], resolve: 1}", "true or false"),
        ("references: {files: [a], digests: {app: a}}", "no digest"),
        (f"references: {{files: [a], digests: {{app: '{FIRST.digest}'}}}}", "a tag and a digest"),
        ("references: {files: [a], digests: ['app:1']}", "a tag and a digest"),
        ("{references: {files: [a]}, expect: 'critical == 0'}", "takes no expect"),
    ],
)
def test_a_wrong_check_is_refused_at_its_place(text: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        work(text)

    assert why in caught.value.explain()
    assert "a.suite.yaml:1:" in str(caught.value)


def test_a_check_is_read_with_its_variables() -> None:
    read = work(
        "references:\n  files: [a, b]\n  immutable: ['*:v*', '/a:.*/']\n  resolve: false\n"
        "  digests: ['${env.IMAGE}']\n  parameters: {Tag: 1}\n  plain_http: [registry]\n"
    )

    policy = Policy(("*:v*", "/a:.*/"), {"docker.io/library/app:build-1": FIRST.digest})
    wanted = ReferencesWork(("a", "b"), policy, resolve=False, parameters={"Tag": "1"})
    assert read == ReferencesWork(
        wanted.files, policy, resolve=False, parameters=wanted.parameters, plain_http=("registry",)
    )


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.yaml does not exist"):
        work("references: {files: [gone.yaml]}").run(place(tmp_path))


def test_a_digest_passes_without_any_registry(tmp_path: Path) -> None:
    finding = run(tmp_path, f"{refused_url().removeprefix('http://')}/app@{FIRST.digest}")

    assert finding.outcome is Outcome.PASSED
    assert [str(item) for item in finding.evidence] == ["1 image references (greenroom)"]


def test_a_tag_that_moved_since_the_build_fails(registry: Registry, tmp_path: Path) -> None:
    image = f"{registry.host}/app:build-1"
    keys = f", immutable: ['*:build-*'], digests: ['{image}@{FIRST.digest}']"
    registry.push(FIRST, "app:build-1")
    assert run(tmp_path, image, keys).outcome is Outcome.PASSED

    registry.push(SECOND, "app:build-1")

    assert [found.id for found in run(tmp_path, image, keys).results] == ["reference-moved"]


def test_tag_and_digest_must_agree(registry: Registry, tmp_path: Path) -> None:
    registry.push(FIRST, "both:1")

    agreed = run(tmp_path, f"{registry.host}/both:1@{FIRST.digest}")
    other = run(tmp_path, f"{registry.host}/both:1@{SECOND.digest}")

    assert (agreed.outcome, other.outcome) == (Outcome.PASSED, Outcome.FAILED)
    assert "1 tags resolved (registry)" in str(agreed)
    assert [found.id for found in other.results] == ["reference-disagrees"]


def test_a_registry_out_of_reach_is_an_error_unless_it_is_not_to_be_asked(tmp_path: Path) -> None:
    image = f"{refused_url().removeprefix('http://')}/app:1@{FIRST.digest}"

    assert run(tmp_path, image).outcome is Outcome.ERROR
    assert run(tmp_path, image, ", resolve: false").outcome is Outcome.PASSED


def test_a_recorded_tag_that_no_file_names_is_noted(tmp_path: Path) -> None:
    keys = f", digests: ['other:1@{SECOND.digest}']"

    finding = run(tmp_path, f"app@{FIRST.digest}", keys)

    assert finding.notes == ("no file names docker.io/library/other:1, whose digest is given",)


@pytest.mark.parametrize("image", ["App:1", "app:${TAG}"], ids=["invalid", "hole"])
def test_what_no_registry_can_be_asked_of_is_judged_all_the_same(
    image: str, tmp_path: Path
) -> None:
    assert run(tmp_path, image).outcome in {Outcome.FAILED, Outcome.ERROR}


def test_a_run_that_is_called_off_waits_for_no_helper(tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-slow"
    helper.write_text("#!/bin/sh\nsleep 30\n")
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text('{"credsStore": "slow"}')
    environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:/bin:/usr/bin"}
    off = threading.Event()
    off.set()
    refusing = Reply(b"", 401, {"WWW-Authenticate": "Basic"})
    with serving(lambda _: refusing) as server, calling_off(off):
        host = server.url.removeprefix("http://")
        finding = run(tmp_path, f"{host}/app:1@{FIRST.digest}", **environ)
    assert "called off" in finding.results[0].message


def test_ecr_tells_whether_tags_may_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MotoServer() as aws:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        ecr = aws.client("ecr")
        for setting in ("MUTABLE", "IMMUTABLE"):
            ecr.create_repository(repositoryName=setting.lower(), imageTagMutability=setting)
        host = ECR.replace("eu-west-1", "us-east-1")
        keys = ", immutable: ['*:build-*']"

        moving = run(tmp_path, f"{host}/mutable:build-1", keys)
        fixed = run(tmp_path, f"{host}/immutable:build-1", keys)
        absent = run(tmp_path, f"{host}/absent:build-1", keys)

    assert [found.id for found in moving.results] == ["reference-mutable-repository"]
    assert (fixed.outcome, fixed.notes) == (Outcome.PASSED, ())
    assert absent.outcome is Outcome.PASSED
    assert "RepositoryNotFoundException" in absent.notes[0]


def test_a_repository_elsewhere_has_no_such_setting() -> None:
    assert ecr_mutability(parse_reference("app:1"))[0] is None
