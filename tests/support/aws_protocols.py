"""AWS' wire protocols from the server's side, as far as tests need them.

JSON 1.0 and 1.1 (codedeploy, ecs, codepipeline, codebuild, ssm, events, dynamodb), rest-json
(scheduler, lambda) and query (sts, sns) with scalar members. For S3, put a `FaultProxy` before
moto's server.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.support.faults import Response
from tests.support.shapes import service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from botocore.model import OperationModel, ServiceModel

    from tests.support.faults import Json, Request

_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")


class UnknownCallError(Exception):
    """A request for no service or operation that is known here."""


def asked(request: Request, services: Iterable[str]) -> tuple[OperationModel, Json]:
    """Return which operation of the ``services`` is asked for, and its members."""
    model = _service(request, services)
    if model.metadata["protocol"] == "query":
        form = request.form
        operation = _named(model, form.get("Action", ""))
        return operation, {k: v for k, v in form.items() if k not in {"Action", "Version"}}
    if "x-amz-target" in request.headers:
        prefix, _, name = request.headers["x-amz-target"].rpartition(".")
        if prefix != model.metadata["targetPrefix"]:
            raise UnknownCallError(request.line)
        return _named(model, name), json.loads(request.body or b"{}")
    return _routed(model, request)


def answered(operation: OperationModel, members: Json) -> Response:
    """Return ``members`` as the service's answer."""
    if operation.service_model.metadata["protocol"] != "query":
        kind = "application/x-amz-json-1.1"
        return Response(200, json.dumps(members).encode(), {"Content-Type": kind})
    inner = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in members.items())
    name = operation.name
    result = f"<{name}Result>{inner}</{name}Result>"
    ending = "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"
    text = f"<{name}Response>{result}{ending}</{name}Response>"
    return Response(200, text.encode(), {"Content-Type": "text/xml"})


def _service(request: Request, services: Iterable[str]) -> ServiceModel:
    """Return the service that the request was signed for."""
    found = _SIGNED_FOR.search(request.headers.get("authorization", ""))
    for name in services:
        model = service(name)
        signing = model.metadata.get("signingName") or model.metadata["endpointPrefix"]
        if found and found[1] == signing:
            return model
    raise UnknownCallError(f"{request.line}, signed for {found[1] if found else 'nobody'}")


def _named(model: ServiceModel, name: str) -> OperationModel:
    if name not in model.operation_names:
        raise UnknownCallError(f"{model.service_name}.{name}")
    return model.operation_model(name)


def _routed(model: ServiceModel, request: Request) -> tuple[OperationModel, Json]:
    """Return the operation of a rest-json service whose method and path are the request's."""
    address = urlsplit(request.path)
    for name in model.operation_names:
        operation = model.operation_model(name)
        template = operation.http["requestUri"].partition("?")[0]
        pattern = re.sub(r"\\\{(\w+)\\?\+?\\\}", r"(?P<\1>.+)", re.escape(template))
        if operation.http["method"] == request.method and (
            found := re.fullmatch(pattern, address.path)
        ):
            return operation, _rest_members(operation, found.groupdict(), request)
    raise UnknownCallError(request.line)


def _rest_members(operation: OperationModel, labels: dict[str, str], request: Request) -> Json:
    """Put the members together from path, query, headers and body."""
    body: Any = json.loads(request.body or b"{}")
    query = parse_qs(urlsplit(request.path).query)
    members: Json = {}
    shapes = operation.input_shape.members if operation.input_shape else {}
    for member, shape in shapes.items():
        name = str(shape.serialization.get("name", member))
        match shape.serialization.get("location"):
            case "uri" if name in labels:
                members[member] = unquote(labels[name])
            case "querystring" if name in query:
                members[member] = query[name][0]
            case "header" if name.lower() in request.headers:
                members[member] = request.headers[name.lower()]
            case None if isinstance(body, dict) and name in body:
                members[member] = body[name]
    return members
