from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from greenroom.plugins.mock_routes import read_api
from greenroom.plugins.mock_service import MockService
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.validators.finding import Finding

USERS = Path(__file__).parents[1] / "data" / "mocks" / "users.yaml"
TENANT = {"X-Tenant": "a"}


def accept(finding: Finding) -> Finding:
    return finding


@pytest.fixture(scope="module")
def running() -> Iterator[MockService]:
    with MockService(read_api(USERS), accept) as service:
        yield service


def sent(
    running: MockService, method: str, path: str, **content: object
) -> tuple[httpx.Response, tuple[str, ...]]:
    """Send a request; return its answer, and in which ways it broke the document."""
    before = len(running.served)
    answer = httpx.request(method, running.url + path, **content)  # type: ignore[arg-type]
    [served] = running.served[before:]
    return answer, served.breaches


# Requests that break the document


@pytest.mark.parametrize(
    ("method", "path", "content", "breach"),
    [
        ("GET", "/users/x", {}, "the path parameter 'user-id': 'x' is not of type 'integer'"),
        ("GET", "/users/3?full=1", {}, "the query parameter 'full' is not in the document"),
        ("GET", "/users", {}, "the header parameter 'X-Tenant' is missing"),
        ("GET", "/users", {"headers": {"X-Tenant": "c"}}, "'c' is not one of ['a', 'b']"),
        ("GET", "/users?ids=1&ids=x", {"headers": TENANT}, "'ids': /1: 'x' is not of type"),
        ("GET", "/users?ids=1,x", {"headers": TENANT}, "'ids': /1: 'x' is not of type"),
        ("POST", "/users", {}, "the body is missing"),
        ("POST", "/users", {"json": {}}, "the body: 'name' is a required property"),
        ("POST", "/users", {"json": {"name": "a"}}, "the body: /name: 'a' is too short"),
        ("POST", "/users", {"json": {"name": "ab", "boss": {}}}, "/boss: 'name' is a required"),
        ("POST", "/users", {"data": {"name": "ab"}}, "'application/x-www-form-urlencoded' is none"),
        (
            "POST",
            "/users",
            {"content": b"{", "headers": {"content-type": "application/json"}},
            "the body is no JSON",
        ),
        ("DELETE", "/users/3", {"content": b"now"}, "the operation takes no body"),
        ("GET", "/nothing", {}, "answered 404: there is no such route"),
        ("PATCH", "/users", {}, "answered 405: the route has no such method"),
    ],
)
def test_a_request_that_breaks_the_document_is_a_breach(
    running: MockService, method: str, path: str, content: dict[str, object], breach: str
) -> None:
    _, [found] = sent(running, method, path, **content)
    assert breach in found


def test_an_answer_that_cannot_be_made_asks_for_an_example(running: MockService) -> None:
    answer, [breach] = sent(running, "PUT", "/users/3")
    assert answer.status_code == 500
    assert re.search(r"users\.yaml:\d+:\d+: PUT /users/\{user-id\}: the answer does not", breach)
    assert "give an `example` that fits" in breach


# Answers


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "body"),
    [
        ("GET", "/users/me", {}, 200, "it is me"),
        ("DELETE", "/users/3", {}, 204, ""),
        ("POST", "/users?key=1", {"json": {"name": "ab"}}, 201, '{"id": 2, "name": "text", '),
        ("GET", "/users/3", {}, 200, '"boss": {"id": 2, "name": "text", "nick": null}}'),
        ("GET", "/users?ids=1&ids=2", {"headers": TENANT}, 200, '[{"id": 2, "name": "two"}'),
    ],
    ids=["text", "no-content", "first-success", "from-the-schema", "named-example"],
)
def test_an_answer_comes_from_the_document(  # noqa: PLR0913, PLR0917 - one exchange
    running: MockService,
    method: str,
    path: str,
    content: dict[str, object],
    status: int,
    body: str,
) -> None:
    answer, breaches = sent(running, method, path, **content)
    assert (answer.status_code, breaches) == (status, ())
    assert body in answer.text


def test_the_address_ends_with_the_documents_path(running: MockService) -> None:
    assert running.url == f"{running.origin}/v1"


# Documents that cannot be read

HEAD = "openapi: 3.1.0\n"
SERVED = "paths: {/: {get: {responses: {default: {}}}}}\n"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("swagger: '2.0'\n", "1:1", "neither an OpenAPI document nor routes"),
        ("openapi: 2.0.0\n", "1:10", "OpenAPI 3.0 and 3.1 are read"),
        (HEAD, "1:1", "the document has no `paths`"),
        (f"{HEAD}paths: []\n", "2:8", "paths must be a mapping"),
        (f"{HEAD}paths: {{}}\n", "1:1", "the document has no operation"),
        (f"{HEAD}paths: {{x: {{}}}}\n", "2:9", "'x' is no path of a route"),
        (f"{HEAD}paths: {{'/{{a}}/{{a}}': {{}}}}\n", "2:9", "names a parameter twice"),
        (f"{HEAD}paths: {{/: 3}}\n", "2:12", "the path / must be a mapping"),
        (f"{HEAD}paths: {{/: {{fetch: {{}}}}}}\n", "2:13", "unknown method 'fetch'"),
        (f"{HEAD}paths: {{/: {{get: {{}}}}}}\n", "2:13", "get / has no `responses`"),
        (f"{HEAD}paths: {{/: {{parameters: 3}}}}\n", "2:25", "parameters must be a list"),
        (f"{HEAD}paths: {{/: {{parameters: [3]}}}}\n", "2:26", "a parameter has `name` and `in`"),
        (f"{HEAD}x: {{$ref: 'b.yaml'}}\n", "2:11", "leaves the document"),
        (f"{HEAD}x: {{$ref: '#/y'}}\n", "2:11", "has no definition"),
        (f"{HEAD}{SERVED}servers: [5]\n", "3:11", "it is no server"),
        (f"{HEAD}{SERVED}servers: [{{url: 5}}]\n", "3:11", "it is no server"),
        (f"{HEAD}{SERVED}servers: [{{url: '//[x'}}]\n", "3:11", "it is no server"),
        (f"{HEAD}paths: [\n", "2:9", "not valid YAML"),
        (f"{HEAD}openapi: 3.1.0\n", "2:1", "duplicate key 'openapi'"),
        ("\x00", "1:1", "not valid YAML"),
    ],
)
def test_a_document_that_cannot_be_read_says_where(
    tmp_path: Path, text: str, place: str, reason: str
) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_api(path)
    assert str(caught.value).startswith(f"{path}:{place}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["not-utf8", "missing"])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "api.yaml").write_bytes(content)
    with pytest.raises(SettingsError, match="cannot read the mock service"):
        read_api(tmp_path / "api.yaml")


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("{description: a, content: {application/json: {}}}", "neither example nor schema"),
        ("{content: {application/json: {schema: {type: tex}}}}", "not a valid schema"),
        ("{content: {application/json: {schema: {$ref: '#/components/a'}}}}", "without an end"),
        ("{content: {application/json: {schema: {$ref: '#/components/b'}}}}", "has no end"),
        ("{content: {text/plain: {example: 3, schema: {type: string}}}}", "3 is not of type"),
        ("{content: {application/json: 5}}", "GET /: the document is not understood"),
    ],
    ids=["nothing", "schema", "endless", "circle", "example", "nonsense"],
)
def test_a_response_that_cannot_be_given_is_a_breach(
    tmp_path: Path, response: str, reason: str
) -> None:
    components = (
        "components:\n  a: {required: [a], properties: {a: {$ref: '#/components/a'}}}\n"
        "  b: {$ref: '#/components/b'}\n"
    )
    path = tmp_path / "api.yaml"
    path.write_text(
        f"{HEAD}paths: {{/: {{get: {{responses: {{'200': {response}}}}}}}}}\n{components}"
    )
    with MockService(read_api(path), accept) as service:
        answer, [breach] = sent(service, "GET", "/")
    assert answer.status_code == 500
    assert reason in breach
