from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from greenroom.plugins.schema_remote import fetched
from greenroom.plugins.suite_contract import load_contract
from greenroom.validators.errors import ServiceError, SettingsError
from tests.support import servers
from tests.support.servers import Reply, json_reply, serving
from tests.support.suites import check

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_contract import Contract

WHOLE = {"type": "integer"}


def write(folder: Path, **files: object) -> None:
    for name, schema in files.items():
        (folder / f"{name}.json").write_text(json.dumps(schema))


def contract(folder: Path, schema: object, *hosts: str) -> Contract:
    write(folder, main=schema)
    return load_contract(folder / "main.json", "main.json", hosts=hosts)


LOCAL: dict[str, dict[str, Any]] = {
    "beside": {"$ref": "part.json"},
    "part-of-it": {"$ref": "part.json#/$defs/again"},
    "in-a-folder": {"$ref": "deep/part.json"},
    "by-its-own-name": {"$id": "https://schemas.example/v1/main.json", "$ref": "part.json"},
    "by-an-address": {
        "$id": "https://schemas.example/v1/main.json",
        "$ref": "https://schemas.example/v1/deep/part.json",
    },
    "from-within": {
        "$defs": {"a": {"$id": "deep/a.json", "$ref": "part.json"}},
        "$ref": "#/$defs/a",
    },
    "draft-4": {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "allOf": [{"$ref": "part.json"}],
    },
}


@pytest.mark.parametrize("schema", LOCAL.values(), ids=LOCAL.keys())
def test_a_reference_to_another_file_is_followed(schema: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path, part=WHOLE | {"$defs": {"again": WHOLE}})
    write(tmp_path / "deep", part={"$ref": "../part.json"})
    found = contract(tmp_path, schema)
    assert found.violations(1) == ()
    assert [str(one) for one in found.violations("a")] == ["(root): 'a' is not of type 'integer'"]


def test_the_metaschema_can_be_referred_to(tmp_path: Path) -> None:
    found = contract(tmp_path, {"$ref": "https://json-schema.org/draft/2020-12/schema"})
    assert found.violations({"type": "integer"}) == ()
    assert found.violations({"type": "text"})


ASTRAY: dict[str, tuple[dict[str, Any], str]] = {
    "outside": ({"$ref": "../outside.json"}, "is outside"),
    "by-a-link": ({"$ref": "link.json"}, "is outside"),
    "anywhere": ({"$ref": "file:///etc/hostname"}, "is outside"),
    "not-json": ({"$ref": "broken.json"}, "broken.json:1:2: Expecting property name"),
    "nowhere": ({"$ref": "part.json#/$defs/none"}, "has no definition"),
    "deep-within": ({"$ref": "leads-astray.json"}, "leaves the file, to a host not allowed"),
    "a-host": ({"$ref": "https://h.example/a.json"}, "reference to https://h.example/a.json"),
    "with-a-password": ({"$ref": "https://u:p@h.example/a.json"}, "to h.example leaves the file"),
    "unknown-draft": ({"$schema": "https://h.example/own", **WHOLE}, "which is no draft"),
}


@pytest.mark.parametrize(("schema", "message"), ASTRAY.values(), ids=ASTRAY.keys())
def test_a_reference_that_leads_astray_is_refused(
    schema: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    write(tmp_path, outside=WHOLE)
    write(folder, part=WHOLE, **{"leads-astray": {"$ref": "https://h.example/a.json"}})
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    (folder / "broken.json").write_text("{,}")
    with pytest.raises(SettingsError, match=message) as caught:
        contract(folder, schema)
    assert "u:p" not in caught.value.explain()


def test_a_host_that_is_allowed_is_asked_once_and_not_before_it_is_needed(tmp_path: Path) -> None:
    with serving(lambda _: json_reply({"properties": {"n": {"$ref": "/more"}}})) as server:
        host = server.url.removeprefix("http://")
        found = contract(tmp_path, {"$ref": f"{server.url}/part"}, host)
        assert (server.asked, found.notes) == ([], ())
        assert found.violations({"n": {}}) == found.violations({}) == ()
        contract(tmp_path, {"$ref": f"{server.url}/part"}, host).violations({})
    assert [one.path for one in server.asked] == ["/part", "/more"]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(b"", 404), "cannot be had: 404"),
        (Reply(b"x" * 1024 * 1024 * 2), "cannot be had: answer too large"),
        (Reply(b"", 302, {"Location": "http://elsewhere.invalid/"}), "cannot be had: 302"),
    ],
    ids=["absent", "too-large", "redirect"],
)
def test_a_document_that_cannot_be_had_is_an_error(reply: Reply, message: str) -> None:
    with serving(lambda _: reply) as server, pytest.raises(ServiceError, match=message):
        fetched(f"{server.url}/a?b=c")


def test_a_host_that_is_down_makes_an_error_and_no_pass(tmp_path: Path) -> None:
    url = servers.refused_url()
    found = contract(tmp_path, {"$ref": f"{url}/part"}, url.removeprefix("http://"))
    with pytest.raises(ServiceError, match="connection refused"):
        found.violations(1)


def test_a_document_of_a_host_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with serving(lambda _: Reply(b"oops")) as server:
        host = server.url.removeprefix("http://")
        found = contract(tmp_path, {"$ref": f"{server.url}/oops"}, host)
        with pytest.raises(ServiceError, match="is no JSON"):
            found.violations(1)


def test_a_suite_allows_hosts_beside_the_file(tmp_path: Path) -> None:
    write(tmp_path, a={"$ref": "http://127.0.0.1:9/part"})
    expect = "{schema: {file: a.json, remote: ['127.0.0.1:9']}}"
    found = check(expect, folder=tmp_path).expect.contract
    assert found is not None
    assert found.name == "a.json"


FORMATS = {
    "unknown": ({"format": "int32"}, "formats not checked: int32; this draft of JSON Schema"),
    "of-a-later-draft": (
        {"$schema": "http://json-schema.org/draft-04/schema#", "format": "uuid"},
        "formats not checked: uuid; this draft of JSON Schema has none such",
    ),
    "of-a-slow-package": ({"format": "iri"}, "formats not checked: iri; pip install rfc3987-s"),
    "of-a-package": ({"format": "duration"}, "formats not checked: duration; pip install"),
}


@pytest.mark.parametrize(("schema", "note"), FORMATS.values(), ids=FORMATS.keys())
def test_a_format_that_nobody_checks_is_told(
    schema: dict[str, str], note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkers = jsonschema.Draft202012Validator.FORMAT_CHECKER.checkers
    for name in ("duration", "iri"):  # as without the extra
        monkeypatch.delitem(checkers, name, raising=False)
    [found] = contract(tmp_path, {"type": "string", **schema}).notes
    assert found.startswith(note)
    assert contract(tmp_path, {"type": "string", "format": "date"}).notes == ()
