from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.mock_schemas import Schemas
from greenroom.plugins.openapi_drift import drift
from greenroom.plugins.openapi_fields import described_fields, seen_fields
from greenroom.validators.drift import Exercised
from greenroom.validators.http import Answer
from tests.support.suites import check, refusal, with_check

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_openapi import Told

PETS = """\
openapi: 3.0.3
info: {title: pets, version: "1"}
servers: [{url: "https://api.example/v1"}]
paths:
  /pets:
    get:
      operationId: listPets
      parameters: [{name: limit, in: query, schema: {type: integer, maximum: 10}}]
      responses:
        "200":
          description: some
          headers:
            x-total: {required: true, schema: {type: integer}}
            set-cookie: {schema: {type: string, maxLength: 3}}
          content:
            application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Pet"}}}
        4XX: {description: an error, content: {application/problem+json: {schema: {type: object}}}}
    post:
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
      responses: {"201": {description: made}}
  /pets/mine:
    get: {operationId: myPet, responses: {"200": {description: it, content: {text/plain: {
      schema: {type: string, maxLength: 3}}, text/html: {}, image/png: {schema: {type: string,
      format: binary}}, application/xml: {schema: {type: object}}, application/json: {}}}}}
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getPet, responses: {default: {description: one}}}
    delete: {responses: {"204": {description: gone}}}
components:
  schemas:
    Pet:
      type: object
      required: [name]
      properties:
        name: {type: string}
        tag: {type: string, nullable: true}
        owner: {type: object, properties: {phone: {type: string}}}
        mother: {$ref: "#/components/schemas/Pet"}
"""
TOTAL = ("x-total", "1")
JSON = ("content-type", "application/json")
PROBLEM = ("content-type", "application/problem+json")
PET = b'[{"name": "a", "tag": null}]'


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    (tmp_path / "pets.yaml").write_text(PETS)
    return tmp_path


def told(
    folder: Path,
    http: str,
    answer: Answer,
    expect: str = "pets.yaml",
    target: str = "http://h",
) -> Told:
    one = check(f"{{openapi: {expect}}}", http=http, folder=folder)
    assert one.expect.openapi is not None
    return one.expect.openapi.judge(one.request, target, answer)


def answer(body: bytes = b"", *headers: tuple[str, str], status: int = 200) -> Answer:
    return Answer(status, headers, body, 0.1)


def seen(found: Told) -> list[str]:
    return [rule.observed for rule in found.rules if rule.met is not True]


def plain(kind: str, body: bytes = b"x") -> tuple[str, Answer]:
    return "{get: /pets/mine}", answer(body, ("content-type", kind))


MISSED: dict[str, tuple[str, Answer, str]] = {
    "path": ("{get: /pet}", answer(), "no path in it is /pet"),
    "method": ("{put: /pets}", answer(), "/pets has no PUT in it, only GET, POST"),
    "status": ("{delete: /pets/1}", answer(status=200), "the status 200 is none of 204"),
    "path-parameter": ("{delete: /pets/x}", answer(status=204), "'x' is not of type 'integer'"),
    "query": ("{get: '/pets?limit=11'}", answer(PET, JSON, TOTAL), "11 is greater than"),
    "unknown-query": ("{get: '/pets?page=1'}", answer(PET, JSON, TOTAL), "'page' is not in"),
    "request-body": ("{post: /pets, json: {tag: a}}", answer(status=201), "'name' is a required"),
    "request-type": ("{post: /pets, body: a}", answer(status=201), "'text/plain' is none of"),
    "header": ("{get: /pets}", answer(PET, JSON), "the header x-total is missing"),
    "header-type": ("{get: /pets}", answer(PET, JSON, ("x-total", "a")), "'a' is not of type"),
    "secret-header": (
        "{get: /pets}",
        answer(PET, JSON, TOTAL, ("set-cookie", "s3cr3t")),
        "the header set-cookie: it does not fit its schema",
    ),
    "content-type": ("{get: /pets}", answer(PET, TOTAL), "the content type '' is none of"),
    "schema": ("{get: /pets}", answer(b"[{}]", JSON, TOTAL), "/0: 'name' is a required property"),
    "not-json": ("{get: /pets}", answer(b"oops", JSON, TOTAL), "the body is no JSON: Expecting"),
    "empty": ("{get: /pets}", answer(b"", JSON, TOTAL), "the body is empty"),
    "text": (*plain("text/plain", b"long"), "'long' is too long"),
    "text-charset": (*plain("text/plain", b"\xff"), "the body is not utf-8 at byte 0"),
}


@pytest.mark.parametrize(("http", "got", "message"), MISSED.values(), ids=MISSED.keys())
def test_what_the_document_does_not_allow_is_missed(
    pets: Path, http: str, got: Answer, message: str
) -> None:
    found = told(pets, http, got)
    assert any(message in one for one in seen(found)), found
    assert any(rule.met is False for rule in found.rules)
    assert "s3cr3t" not in str(found)


OPEN: dict[str, tuple[str, Answer, str]] = {
    "no-content": ("{get: /pets/1}", answer(b"abc"), "it describes no body, and 3 bytes came"),
    "no-schema": (*plain("application/json"), "it has no schema for application/json"),
    "not-applied": (*plain("application/xml"), "its schema for application/xml cannot be held"),
}


@pytest.mark.parametrize(("http", "got", "message"), OPEN.values(), ids=OPEN.keys())
def test_what_the_document_leaves_open_is_no_pass(
    pets: Path, http: str, got: Answer, message: str
) -> None:
    found = told(pets, http, got)
    assert found.doubt
    assert [(rule.met, message in rule.observed) for rule in found.rules if not rule.met] == [
        (None, True)
    ]


MET: dict[str, tuple[str, Answer]] = {
    "json": ("{get: '/pets?limit=10'}", answer(PET, ("content-type", "application/json"), TOTAL)),
    "status-class": ("{get: /pets}", answer(b"{}", PROBLEM, status=404)),
    "no-body": ("{delete: /pets/1}", answer(status=204)),
    "no-body-described": ("{get: /pets/1}", answer()),
    "created": ("{post: /pets, json: {name: a}}", answer(status=201)),
    "text": plain("text/plain; charset=utf-8"),
    "type-alone": plain("text/html"),
    "binary": plain("image/png", b"\xff"),
}


@pytest.mark.parametrize(("http", "got"), MET.values(), ids=MET.keys())
def test_what_is_as_described_is_met(pets: Path, http: str, got: Answer) -> None:
    found = told(pets, http, got)
    assert seen(found) == []
    assert len(found.rules) == 2
    assert not found.doubt


@pytest.mark.parametrize(
    ("target", "path"),
    [("http://h/v1", "/pets/1"), ("http://h", "/v1/pets/1"), ("http://h/other", "/pets/1")],
    ids=["target", "path", "behind-a-gateway"],
)
def test_the_path_of_the_server_may_be_the_targets_or_the_requests(
    pets: Path, target: str, path: str
) -> None:
    assert seen(told(pets, f"{{get: {path}}}", answer(), target=target)) == []


def test_a_plain_path_comes_before_one_with_names(pets: Path) -> None:
    assert seen(told(pets, *plain("text/html"), "{document: pets.yaml, operation: myPet}")) == []
    [rule] = told(pets, *plain("text/html"), "{document: pets.yaml, operation: getPet}").rules
    assert (rule.met, rule.observed) == (False, "GET /pets/mine (myPet)")


def test_a_request_that_is_wrong_on_purpose_is_left_alone(pets: Path) -> None:
    expect = "{document: pets.yaml, request: false}"
    assert seen(told(pets, "{get: /pets/x}", answer(), expect)) == []


def test_an_unknown_operation_is_refused_with_those_there_are(pets: Path) -> None:
    text = with_check("http: {get: /}\n    expect: {openapi: {document: pets.yaml, operation: x}}")
    error = refusal(text, folder=pets)
    assert "pets.yaml has no operation 'x'" in error
    assert "those there are: getPet, listPets, myPet" in error


@pytest.mark.parametrize("text", ["[]", "openapi: 2.0", "{openapi: 3.1.0, paths: {}}"])
def test_a_document_that_cannot_serve_is_refused_with_its_place(pets: Path, text: str) -> None:
    (pets / "bad.yaml").write_text(text)
    error = refusal(with_check("http: {get: /}\n    expect: {openapi: bad.yaml}"), folder=pets)
    assert error.startswith("a.suite.yaml:6:23: ")
    assert "bad.yaml:1:" in error


def test_a_bad_schema_in_the_document_is_an_error_and_no_pass(pets: Path) -> None:
    (pets / "bad.yaml").write_text(PETS.replace("{type: string, nullable: true}", "{type: text}"))
    found = told(pets, "{get: /pets}", answer(PET, JSON, TOTAL), "bad.yaml")
    assert [rule.met for rule in found.rules] == [None]
    assert found.rules[0].observed.startswith("not observed: Unknown type 'text'")


def test_each_answer_notes_what_it_exercised(pets: Path) -> None:
    [note] = told(pets, "{get: /pets}", answer(PET, JSON, TOTAL)).notes
    assert Exercised.from_note(note) == Exercised(
        "pets.yaml",
        "GET /pets",
        "200",
        ("$[*].owner", "$[*].owner.phone", "$[*].mother"),
    )


def test_the_drift_of_a_run_names_what_was_never_seen(pets: Path) -> None:
    notes = [
        *told(pets, "{get: /pets}", answer(b'[{"name": "a", "owner": {}}]', JSON, TOTAL)).notes,
        *told(pets, "{get: /pets}", answer(PET, JSON, TOTAL)).notes,
        "openapi gone.yaml: GET / answered 200",
    ]
    [found] = drift(notes, pets)
    assert found["never_exercised"] == [
        *("POST /pets", "GET /pets/mine", "GET /pets/{id}", "DELETE /pets/{id}"),
    ]
    assert found["never_seen"] == ["GET /pets 200 $[*].owner.phone", "GET /pets 200 $[*].mother"]


def test_fields_of_joined_schemas_count_and_endless_ones_end(tmp_path: Path) -> None:
    content: dict[str, Any] = {
        "allOf": [{"properties": {"a": {}}}, {"anyOf": [{"properties": {"b c": {"$ref": "#"}}}]}]
    }
    assert described_fields(Schemas(tmp_path, content), ()) == ("$.a", "$['b c']")
    wide: dict[str, Any] = {"properties": {f"f{at}": {} for at in range(2000)}}
    assert len(described_fields(Schemas(tmp_path, wide), ())) == 1000
    deep = json.loads('{"a":' * 40 + "1" + "}" * 40)
    assert len(seen_fields([deep])) < 40


def test_the_answer_to_head_has_no_body_to_judge(pets: Path) -> None:
    (pets / "head.yaml").write_text(
        PETS.replace("    get:\n      operationId: listPets", "    head:")
    )
    assert seen(told(pets, "{head: /pets}", answer(b"", JSON, TOTAL), "head.yaml")) == []
