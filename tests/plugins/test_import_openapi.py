from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.imports import Written, imported, openapi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DONE = {"200": {"description": "Done."}}


@pytest.fixture
def wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Any], Written]:
    return lambda document: imported(document, capsys, tmp_path, "--force")


REFERENCES = {
    "remote": ("https://a.example/x.json", "leaves the document, and nothing is fetched"),
    "file": ("x.yaml#/a", "leaves the document"),
    "nowhere": ("#/components/schemas/None", "has no definition"),
    "anchor": ("#anchor", "is not read"),
}


@pytest.mark.parametrize(("reference", "said"), REFERENCES.values(), ids=REFERENCES)
def test_a_reference_out_of_the_document_is_refused(
    wrote: Callable[[Any], Written], reference: str, said: str
) -> None:
    content = {"application/json": {"schema": {"$ref": reference}}}
    written = wrote(openapi({"responses": {"200": {"content": content}}}))
    assert written.status == 4
    assert said in written.said


def test_a_property_or_an_example_named_like_a_reference_is_none(
    wrote: Callable[[Any], Written],
) -> None:
    schema = {"properties": {"$ref": {"type": "string"}}, "example": {"$ref": "https://x"}}
    content = {"application/json": {"schema": schema}}
    assert wrote(openapi({"responses": {"200": {"content": content}}})).status == 0


def query(**parameter: object) -> dict[str, Any]:
    return {"name": "q", "in": "query", "required": True, **parameter}


def path(**parameter: object) -> dict[str, Any]:
    return {"name": "id", "in": "path", "required": True, **parameter}


PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "example": (query(example="a&b"), "/things/7?q=a%26b"),
    "examples": (query(examples={"x": {"value": 3}}), "/things/7?q=3"),
    "examples-without-value": (query(examples={"x": {}}, schema={"default": 4}), "?q=4"),
    "default": (query(schema={"default": True}), "?q=true"),
    "enum": (query(schema={"enum": ["up", "down"]}), "?q=up"),
    "format": (query(schema={"type": "string", "format": "date"}), "?q=2026-01-01"),
    "list": (query(example=[1, 2]), "?q=1&q=2"),
    "joined-list": (query(example=[1, 2], explode=False), "?q=1,2"),
    "object": (query(example={"a": 1}), "?a=1"),
    "deep-object": (query(example={"a": 1}, style="deepObject"), "?q[a]=1"),
    "content": (
        query(content={"application/json": {"schema": {"type": "object", "default": {"a": 1}}}}),
        "?a=1",
    ),
    "optional": ({"name": "q", "in": "query", "example": 1}, "/things/7"),
    "secret": (query(name="api_key", example="abc"), "?api_key=API_KEY"),
    "generic-id": (path(schema={"type": "string"}), "/things/things_id"),
    "whole-number": (path(schema={"type": "integer"}), "/things/things_id"),
    "uuid": (path(schema={"type": "string", "format": "uuid"}), "/things/things_id"),
    "path-example": (path(example="a/b"), "/things/a%2Fb"),
    "path-date": (path(schema={"type": "string", "format": "date"}), "/things/2026-01-01"),
}


@pytest.mark.parametrize(("parameter", "end"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_get_the_values_that_the_document_gives(
    wrote: Callable[[Any], Written], parameter: dict[str, Any], end: str
) -> None:
    operation = {"parameters": [parameter], "responses": DONE}
    document = openapi(operation, "/things/{id}")
    document["paths"]["/things/{id}"]["parameters"] = [path(example=7)]
    [check] = wrote(document).checks().values()
    assert check.request.path.endswith(end)


def test_a_secret_path_parameter_and_one_of_another_name_are_variables(
    wrote: Callable[[Any], Written],
) -> None:
    parameters = [path(name="token", example="x"), path(name="userId", schema={})]
    document = openapi({"parameters": parameters}, "/users/{userId}/{token}")
    written = wrote(document)
    assert 'get: "/users/${settings.userId}/${secret.API_TOKEN}"' in written.text
    assert '  userId = ""  # in GET /users/{userId}/{token}' in written.said


UNWRITABLE: dict[str, tuple[dict[str, Any], str]] = {
    "undescribed": ({"parameters": []}, "the path parameter id, which the document does not"),
    "pattern": (
        {"parameters": [path(example=1), query(schema={"type": "string", "pattern": "^[0-9]+$"})]},
        "the parameter q: no value can be made that fits the schema: give an example",
    ),
    "endless": (
        {
            "parameters": [path(example=1)],
            "requestBody": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loop"}}}
            },
        },
        "no value can be made from the schema",
    ),
    "upload": (
        {
            "parameters": [path(example=1)],
            "requestBody": {"required": True, "content": {"multipart/form-data": {}}},
        },
        "a body of multipart/form-data",
    ),
    "text-without-example": (
        {"parameters": [path(example=1)], "requestBody": {"content": {"image/png": {}}}},
        "a body of image/png without an example",
    ),
    "broken-schema": (
        {"parameters": [path(example=1), query(schema={"type": "nothing"})]},
        "a schema that cannot be used",
    ),
    "failure-only": (
        {"parameters": [path(example=1)], "responses": {"404": {}}},
        "no success among the answers",
    ),
    "another-server": (
        {"parameters": [path(example=1)], "servers": [{"url": "https://b.example"}]},
        "asked at another server: https://b.example",
    ),
}


@pytest.mark.parametrize(("operation", "said"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_an_operation_that_cannot_be_guessed_is_told(
    wrote: Callable[[Any], Written], operation: dict[str, Any], said: str
) -> None:
    document = openapi(servers=[{"url": "https://a.example/"}])
    document["paths"]["/x/{id}"] = {"get": {"responses": DONE, **operation}}
    loop = {
        "type": "object",
        "required": ["l"],
        "properties": {"l": {"$ref": "#/components/schemas/Loop"}},
    }
    document["components"] = {"schemas": {"Loop": loop}}
    written = wrote(document)
    assert f"left out: 1: {said}" in written.said
    assert written.said.count("GET /x/{id}") == 1
    assert list(written.checks()) == ["GET /things"]


def test_what_is_no_request_to_the_service_is_told(wrote: Callable[[Any], Written]) -> None:
    document = openapi(webhooks={"paid": {}})
    document["paths"] |= {"x-own": {}, "/none": None, "/t": {"trace": {"responses": DONE}}}
    said = wrote(document).said
    assert "left out: 1: methods that a suite has not: TRACE /t" in said
    assert "note: webhooks are requests that the service sends" in said


SECURITY: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "basic": ({"type": "http", "scheme": "Basic"}, {"authorization": "Basic API_MINE"}, ""),
    "bearer": ({"type": "http", "scheme": "bearer"}, {"authorization": "Bearer API_MINE"}, ""),
    "oauth2": ({"type": "oauth2"}, {"authorization": "Bearer API_MINE"}, ""),
    "header": ({"type": "apiKey", "in": "header", "name": "X-K"}, {"x-k": "API_MINE"}, ""),
    "cookie": ({"type": "apiKey", "in": "cookie", "name": "s"}, {"cookie": "s=API_MINE"}, ""),
    "query": ({"type": "apiKey", "in": "query", "name": "k"}, {}, "?k=API_MINE"),
    "mutual-tls": ({"type": "mutualTLS"}, {}, ""),
}


@pytest.mark.parametrize(("scheme", "headers", "end"), SECURITY.values(), ids=SECURITY)
def test_credentials_are_variables(
    wrote: Callable[[Any], Written], scheme: dict[str, Any], headers: dict[str, str], end: str
) -> None:
    document = openapi(security=[{"mine": []}], components={"securitySchemes": {"mine": scheme}})
    written = wrote(document)
    [check] = written.checks().values()
    assert {name.lower(): value for name, value in check.request.headers} == headers
    assert check.request.path == f"/things{end}"
    told = "its security scheme 'mine' (mutualTLS) is not carried over" in written.said
    assert told is (scheme["type"] == "mutualTLS")


def test_a_scheme_that_is_optional_or_missing_sends_nothing(
    wrote: Callable[[Any], Written],
) -> None:
    optional = wrote(openapi({"responses": DONE, "security": [{"a": []}, {}]}))
    assert "secret" not in optional.text
    assert "'a' has no definition" in wrote(openapi(security=[{"a": []}])).said


def test_headers_and_cookies_that_are_required_are_sent(wrote: Callable[[Any], Written]) -> None:
    parameters = [
        {"name": name, "in": place, "required": required, "example": "x"}
        for name, place, required in [
            ("X-A", "header", True),
            ("X-B", "header", False),
            ("Accept", "header", True),
            ("c", "cookie", True),
        ]
    ]
    [check] = wrote(openapi({"parameters": parameters, "responses": DONE})).checks().values()
    assert dict(check.request.headers) == {"X-A": "x", "Cookie": "c=API_COOKIE_C"}


BODIES: dict[str, tuple[str, dict[str, Any], bytes]] = {
    "example": ("application/json", {"example": {"a": "${x}"}}, b'{"a": "${x}"}'),
    "made": ("application/json", {"schema": {"type": "array", "items": {"const": 1}}}, b"[1]"),
    "form": (
        "application/x-www-form-urlencoded",
        {"example": {"a": "1 2", "password": "x"}},
        b"a=1+2&password=API_PASSWORD",
    ),
    "text": ("text/plain", {"example": "line"}, b"line"),
}


@pytest.mark.parametrize(("media", "holder", "sent"), BODIES.values(), ids=BODIES)
def test_a_body_comes_from_the_example_or_the_schema(
    wrote: Callable[[Any], Written], media: str, holder: dict[str, Any], sent: bytes
) -> None:
    operation = {"requestBody": {"content": {media: holder}}, "responses": DONE}
    [check] = wrote(openapi(operation)).checks().values()
    assert check.request.content == sent
    assert dict(check.request.headers)["Content-Type"] == media


def test_an_upload_that_is_optional_is_not_sent(wrote: Callable[[Any], Written]) -> None:
    operation = {"requestBody": {"content": {"multipart/form-data": {}}}, "responses": DONE}
    [check] = wrote(openapi(operation)).checks().values()
    assert check.request.content is None


@pytest.mark.parametrize(
    ("codes", "status"),
    [(["204", "404"], "204"), (["default"], "2xx"), (["2XX"], "2xx"), (["302", "400"], "302")],
    ids=["success", "default", "class", "redirect"],
)
def test_the_first_success_is_expected(
    wrote: Callable[[Any], Written], codes: list[str], status: str
) -> None:
    [check] = wrote(openapi({"responses": {code: {} for code in codes}})).checks().values()
    assert str(check.expect.status) == status


def test_an_answers_type_and_required_headers_are_expected(
    wrote: Callable[[Any], Written],
) -> None:
    headers = {"X-A": {"required": True}, "X-B": {}, "Content-Type": {"required": True}}
    answer = {"headers": headers, "content": {"text/plain": {}, "*/*": {}}}
    [check] = wrote(openapi({"responses": {"200": answer}})).checks().values()
    assert [rule.name for rule in check.expect.headers] == ["content-type", "X-A"]


def schema_of(written: Written) -> dict[str, Any]:
    [file] = written.path.parent.glob("*.schemas/*")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_a_schema_holds_what_it_refers_to_and_nothing_that_is_only_sent(
    wrote: Callable[[Any], Written],
) -> None:
    schemas = {
        "Node": {
            "type": "object",
            "required": ["word", "next", "shared"],
            "properties": {
                "word": {"$ref": "#/components/schemas/Word"},
                "next": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Node"}]},
                "any": {"nullable": True, "anyOf": [{"type": "string"}], "x-own": 1},
                "all": {"nullable": True, "allOf": [{"minLength": 1}, {"maxLength": 2}]},
                "shared": {"$ref": "#/components/responses/R/content/a/schema"},
                "example": {"enum": [{"example": 1}], "example": "dropped"},
            },
        },
        "Word": {"type": "string", "writeOnly": True},
    }
    responses = {"R": {"content": {"a": {"schema": {"type": "string"}}}}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}
    document = openapi({"responses": {"200": {"content": content}}})
    document |= {"openapi": "3.0.0", "components": {"schemas": schemas, "responses": responses}}
    schema = schema_of(wrote(document))
    node = schema["$defs"]["Node"] if "Node" in schema.get("$defs", {}) else schema
    assert node["required"] == ["next", "shared"]
    assert node["properties"]["next"]["anyOf"] == [{"$ref": "#/$defs/Node"}, {"type": "null"}]
    assert node["properties"]["any"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert len(node["properties"]["all"]["anyOf"][0]["allOf"]) == 2
    assert node["properties"]["shared"] == {
        "$ref": "#/$defs/components-responses-R-content-a-schema"
    }
    assert node["properties"]["example"] == {"enum": [{"example": 1}]}


def test_a_schema_that_accepts_everything_is_none(wrote: Callable[[Any], Written]) -> None:
    content = {"application/json": {"schema": {"description": "Anything."}}}
    [check] = wrote(openapi({"responses": {"200": {"content": content}}})).checks().values()
    assert check.expect.contract is None


@pytest.mark.parametrize(
    ("servers", "start", "target"),
    [
        ([{"url": "https://u:p@a.example/v1/"}], "/v1/things", "https://a.example"),
        ([{"url": "/v2"}], "/v2/things", "URL"),
        ([{"url": "http://[x"}], "/things", "URL"),
        ([], "/things", "URL"),
    ],
    ids=["whole", "relative", "broken", "none"],
)
def test_the_servers_path_is_part_of_each_path(
    wrote: Callable[[Any], Written], servers: list[object], start: str, target: str
) -> None:
    written = wrote(openapi(servers=servers))
    [check] = written.checks().values()
    assert check.request.path == start
    assert f"--greenroom-target {target}\n" in written.said
