"""OpenVEX: only what is said of this image, and of its packages, waives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.openvex import read_openvex
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "sha256:" + "a" * 64
HOST = "registry.example:5000"
CONTEXT = "https://openvex.dev/ns/v0.2.0"


def statement(*products: object, status: str = "not_affected") -> dict[str, Any]:
    named = {"name": "CVE-2024-1"}
    return {"vulnerability": named, "products": list(products), "status": status}


NAMELESS = statement("app") | {"vulnerability": {"name": ""}}
EVERYTHING = statement({"@id": "app", "subcomponents": ["pkg:npm"]})


def written(folder: Path, document: object) -> Path:
    path = folder / "app.vex.json"
    path.write_text(json.dumps(document))
    return path


def read(folder: Path, said: object) -> list[tuple[str, str, str]]:
    path = written(folder, {"@context": CONTEXT, "statements": [said]})
    found = read_openvex(path, "registry.example:5000/team/app:1", DIGEST)
    return [(waiver.id, waiver.package, waiver.version) for waiver in found]


@pytest.mark.parametrize(
    ("product", "package"),
    [
        ({"@id": f"pkg:oci/app@{DIGEST.replace(':', '%3A')}"}, ("", "")),
        ({"@id": "pkg:oci/app"}, ("", "")),
        (f"pkg:oci/app?repository_url={HOST}/team/app", ("", "")),
        ("app", ("", "")),
        ({"@id": "pkg:oci/app", "subcomponents": ["pkg:deb/debian/curl@1?arch=x"]}, ("curl", "1")),
        ({"@id": "pkg:oci/app", "subcomponents": [{"@id": "pkg:apk/alpine/x"}]}, ("x", "")),
        ("pkg:npm/%40scope/name@2", ("@scope/name", "2")),
        ("pkg:maven/org.x/y@3", ("org.x:y", "3")),
        ("pkg:golang/golang.org/x/net", ("golang.org/x/net", "")),
    ],
    ids=["digest", "name", "repository", "plain", "deb", "apk", "npm", "maven", "go"],
)
def test_a_statement_waives_what_it_names(
    tmp_path: Path, product: object, package: tuple[str, str]
) -> None:
    assert read(tmp_path, statement(product)) == [("CVE-2024-1", *package)]


@pytest.mark.parametrize(
    "said",
    [
        statement("pkg:oci/other"),
        statement("pkg:oci/app@sha256:" + "b" * 64),
        statement("pkg:oci/app?repository_url=elsewhere.example/team/app"),
        statement("pkg:oci/app?repository_url=https://A%20B"),
        statement("pkg:oci/app", status="affected"),
        statement("pkg:oci/app", status="under_investigation"),
        statement(),
    ],
    ids=[
        *("another-image", "another-digest", "another-repository", "no-repository"),
        *("affected", "under-investigation", "no-product"),
    ],
)
def test_what_is_said_of_others_or_is_not_decided_waives_nothing(
    tmp_path: Path, said: dict[str, Any]
) -> None:
    assert read(tmp_path, said) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "no OpenVEX document"),
        ({"statements": []}, "no OpenVEX document"),
        ({"@context": CONTEXT}, "no OpenVEX document"),
        ({"@context": CONTEXT, "statements": [{}]}, "statement 1 is no statement"),
        ({"@context": CONTEXT, "statements": ["x"]}, "statement 1 is no statement"),
        ({"@context": CONTEXT, "statements": [statement(status="ok")]}, "unknown status 'ok'"),
        ({"@context": CONTEXT, "statements": [NAMELESS]}, "names no vulnerability"),
        ({"@context": CONTEXT, "statements": [statement("pkg:deb")]}, "names no package"),
        ({"@context": CONTEXT, "statements": [EVERYTHING]}, "'pkg:npm' .* names no package"),
        ({"@context": CONTEXT, "statements": [{}], "timestamp": "soon"}, "'soon' is no timestamp"),
    ],
    ids=[
        *("list", "no-context", "no-statements", "no-fields", "a-text", "status"),
        *("no-vulnerability", "no-package", "no-subcomponent", "no-time"),
    ],
)
def test_a_document_that_is_none_is_refused(tmp_path: Path, document: object, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_openvex(written(tmp_path, document), "app", "")


@pytest.mark.parametrize("text", [None, "{"], ids=["absent", "cut"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "vex.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match=r"vex\.json"):
        read_openvex(path, "app", "")


@pytest.mark.parametrize(
    ("days", "waived"), [((1, 2), 0), ((2, 1), 1)], ids=["taken-back", "settled"]
)
def test_the_latest_statement_counts(tmp_path: Path, days: tuple[int, int], waived: int) -> None:
    accepted, taken_back = (f"2026-01-0{day}T00:00:00Z" for day in days)
    statements = [
        statement("app", status="affected") | {"timestamp": taken_back},
        statement("app") | {"timestamp": accepted},
    ]
    path = written(tmp_path, {"@context": CONTEXT, "statements": statements})
    assert len(read_openvex(path, "app", "")) == waived
