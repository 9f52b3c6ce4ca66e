from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from greenroom.plugins.cli import main
from greenroom.plugins.mock_routes import read_api
from greenroom.plugins.mock_service import MockService
from greenroom.plugins.schema_command import schema_text
from greenroom.plugins.suite_yaml import Document, plain
from greenroom.validators.vocabulary import Outcome
from tests.support.imports import DATA, entry, har, imported, openapi, postman, request
from tests.support.servers import Asked, Reply, json_reply, serving

if TYPE_CHECKING:
    from pathlib import Path

REFUSED: dict[str, tuple[object, str]] = {
    "empty": ("", "the file is empty"),
    "not-json": ("{1", ":1:2: not valid JSON"),
    "not-yaml": ("openapi: 3.1.0\n a: b", "not valid YAML"),
    "yaml-of-something": ("a: 1", "no format that can be imported"),
    "json-of-something": ({"a": 1}, "no format that can be imported"),
    "a-list": ([], "it holds no object"),
    "duplicate-keys": ('{"log": 1, "log": 2}', "duplicate name 'log'"),
    "swagger": ({"swagger": "2.0"}, "not Swagger 2.0"),
    "openapi-4": ({"openapi": "4.0.0"}, "OpenAPI 3.0 and 3.1 are read, not 4.0.0"),
    "too-deep": ("[" * 300 + "]" * 300, "nested deeper than 200 levels"),
    "no-entries": (har(), "the recording has no entries"),
    "no-calls": (har(entry(mime="image/png")), "none of its 1 entries is an API call"),
    "no-writable-call": (
        har(entry(method="POST", sent=("multipart/form-data", "--x"))),
        "1 a multipart body",
    ),
    "no-operations": ({"openapi": "3.1.0", "paths": {}}, "the document has no operation"),
    "no-writable-operation": (openapi({"responses": {}}), "no success among the answers"),
    "no-requests": (postman(), "the collection has no request"),
    "no-writable-request": (
        postman(request("https://a.example/{{$guid}}")),
        "none of its requests",
    ),
    "collection-v1": ({"info": {"schema": "x/v1.0.0"}, "item": []}, "Postman v2.0 and v2.1"),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_imported_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object, said: str
) -> None:
    written = imported(content, capsys, tmp_path)
    assert written.status == 4
    assert said in written.said
    assert not written.path.exists()


def test_a_file_that_is_missing_a_folder_or_too_large_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large.har"
    with large.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    (tmp_path / "latin.yaml").write_bytes(b"openapi: \xe4")
    (tmp_path / "large.yaml").write_text("openapi: 3.1.0\n" + "# long\n" * 700_000)
    for name, said in {
        "none": "there is no such file",
        ".": "it is no file",
        "large.har": "larger than 64 MiB",
        "large.yaml": "YAML of more than 4 MiB",
        "latin.yaml": "not UTF-8 at byte 9",
    }.items():
        assert main(["import", str(tmp_path / name)]) == 4
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "har"), "it is of the format openapi, not har"),
        (("--origin", "https://a.example"), "--origin is for HAR files"),
        (("--environment", "e.json"), "--environment is for Postman collections"),
        (("--out", "a.yaml"), "a.yaml is no name of a suite"),
        (("--target", "ftp://x"), "target must"),
    ],
    ids=["format", "origin", "environment", "out", "target"],
)
def test_wrong_options_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    written = imported(openapi(), capsys, tmp_path, *options)
    assert written.status == 4
    assert said in written.said


def test_what_is_there_is_not_overwritten_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out.suite.yaml").write_text("mine")
    refused = imported(openapi(), capsys, tmp_path)
    assert refused.status == 4
    assert "out.suite.yaml is there already" in refused.said
    assert refused.text == "mine"
    assert imported(openapi(), capsys, tmp_path, "--force").text.startswith("# Written by")


def test_a_folder_that_cannot_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    written = imported(openapi(), capsys, tmp_path, "--out", str(tmp_path / "file/x.suite.yaml"))
    assert written.status == 2
    assert "could not be written" in written.said


# The three formats, run against a server that is like what they describe


def test_an_openapi_document_passes_against_the_service_that_it_describes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = imported(DATA / "pets.yaml", capsys, tmp_path)
    pet = "11111111-1111-4111-8111-111111111111"
    with MockService(read_api(DATA / "pets.yaml"), lambda finding: finding) as service:
        findings = written.findings(service.origin, pets_id=pet)
    assert list(findings) == [
        "GET /pets",
        "POST /pets",
        "GET /pets/{id}",
        "DELETE /pets/{id}",
        "GET /reports/{day}",
    ]
    assert {str(one.outcome) for one in findings.values()} == {"passed"}, findings
    assert service.breaches == ()


def shop(asked: Asked) -> Reply:
    match asked.method, asked.path.partition("?")[0]:
        case "POST", "/api/login":
            return json_reply({"access_token": "x", "user": {"name": "x", "age": 3}})
        case "GET", "/api/items":
            assert asked.headers["authorization"] == "Bearer API_ACCESS_TOKEN"
            return json_reply({"items": [{"id": 1, "name": "x", "price": 1}], "total": 1})
        case _:
            return Reply(status=204)


def test_a_har_file_passes_against_a_service_of_the_same_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = imported(DATA / "shop.har", capsys, tmp_path)
    with serving(shop) as server:
        findings = written.findings(server.url)
    assert [str(one.outcome) for one in findings.values()] == ["passed"] * 3, findings
    assert json.loads(server.asked[0].body) == {"user": "kim", "password": "API_PASSWORD"}
    assert server.asked[1].headers["x-tenant"] == "costs ${money}"


def test_a_service_of_another_shape_fails_what_a_har_file_showed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = imported(har(entry(body={"total": 2})), capsys, tmp_path)
    with serving(lambda _: json_reply({"total": "2"})) as server:
        [finding] = written.findings(server.url).values()
    assert finding.outcome is Outcome.FAILED
    assert "$.total" in str(finding)


def test_a_postman_collection_sends_what_postman_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = str(DATA / "library.postman_environment.json")
    collection = DATA / "library.postman_collection.json"
    written = imported(collection, capsys, tmp_path, "--environment", environment)
    with serving(lambda _: Reply()) as server:
        findings = written.findings(server.url, shelf="a1", title="Emma", book="7")
    assert {str(one.outcome) for one in findings.values()} == {"passed"}, findings
    assert [f"{one.method} {one.path}" for one in server.asked] == [
        "GET /v2/shelves/a1/books?q=tea%20time&limit=5",
        "POST /v2/books",
        "GET /v2/books/7",
        "POST /v2/login",
        "POST /search?api_key=API_KEY_2",
    ]
    assert server.asked[0].headers["authorization"] == "Bearer API_SESSION"
    assert json.loads(server.asked[1].body)["shelf"] == "${shelf}"
    assert server.asked[3].body == b"user=admin%20%26%20co&password=API_ADMIN_PASSWORD"


def test_what_is_written_fits_the_schema_for_editors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    validator = Draft202012Validator(json.loads(schema_text("suite")))
    for file in SECRETS:
        written = imported(DATA / file, capsys, tmp_path, "--force")
        suite = Document(written.path, written.text).read()
        assert [error.message for error in validator.iter_errors(plain(suite))] == []


SECRETS = {
    "shop.har": ("hunter2", "t0k3n", "c00kie"),
    "pets.yaml": ("open-sesame",),
    "library.postman_collection.json": ("correct-horse", "k-123456789", "plain-secret-9"),
}


@pytest.mark.parametrize(("file", "secrets"), SECRETS.items(), ids=SECRETS)
def test_no_secret_is_written_or_told_and_the_text_is_the_same_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, secrets: tuple[str, ...]
) -> None:
    written = imported(DATA / file, capsys, tmp_path)
    assert [secret for secret in secrets if secret in written.whole] == []
    assert imported(DATA / file, capsys, tmp_path, "--force").whole == written.whole


def test_what_is_to_be_set_and_what_was_left_out_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = imported(DATA / "library.postman_collection.json", capsys, tmp_path).said.splitlines()
    assert "  API_ADMIN_PASSWORD  # log in" in said
    assert '  shelf = "a1"  # Books / list' in said
    assert "left out: 1: a body of mode file: cover" in said
    assert "note: Books / add: its test script is not carried over" in "\n".join(said)
    assert "3 checks may change something: pytest -m 'not writes' omits them" in said


@pytest.mark.parametrize("target", ["http://127.0.0.1:8080", "${env.SHOP_URL}"])
def test_a_target_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    written = imported(openapi(), capsys, tmp_path, "--target", target)
    [check] = written.checks(SHOP_URL="http://127.0.0.1:8080").values()
    assert check.request.path == "/things"
    assert f"then: pytest {written.path}\n" in written.said


def test_without_out_the_suite_stands_in_this_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["import", str(DATA / "pets.yaml")]) == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["pets.schemas", "pets.suite.yaml"]
    assert "pets.suite.yaml: 5 checks, 3 schemas beside it" in capsys.readouterr().out


def test_a_schema_that_greenroom_refuses_is_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {"application/json": {"schema": {"type": "nothing"}}}
    answers = {"200": {"description": "x", "content": content}}
    written = imported(openapi({"responses": answers}), capsys, tmp_path)
    assert written.status == 0
    assert "the schema of its answer is left out: not a valid JSON Schema" in written.said
    assert next(iter(written.checks().values())).expect.contract is None
