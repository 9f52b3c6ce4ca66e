"""Authorization and body of a Postman request, as a suite has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.import_har_entry import is_json
from greenroom.plugins.import_model import UnwritableError, readable
from greenroom.plugins.import_vault import is_secret_name
from greenroom.plugins.suite_contract import read_json
from greenroom.plugins.suite_request import HEADER_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.import_postman_templates import Templates

_LANGUAGES = {"xml": "application/xml", "html": "text/html", "javascript": "text/javascript"}
_FORM = "application/x-www-form-urlencoded"
_BOUNDARY = "greenroom-form"
_NOTHING = ("", "noauth", "none", "inherit")


class Auth:
    """The headers and pairs of a query that carry a request's credentials.

    Raises `UnwritableError` for what is more than a value to send, such as a signature.
    """

    def __init__(self, auth: Any, templates: Templates, where: str) -> None:  # noqa: ANN401 - a JSON value
        self.headers: list[tuple[str, str]] = []
        self.query: list[tuple[str, str]] = []
        kind, values = _auth(auth)
        if kind in _NOTHING:
            return
        match kind:
            case "basic":
                both = f"{values.get('username', '')}:{values.get('password', '')}"
                said = f"base64 of USER:PASSWORD: {where}"
                secret = templates.vault.secret("BASIC_CREDENTIALS", both, said)
                self.headers.append(("Authorization", f"Basic {secret}"))
            case "bearer" | "oauth2":
                token = values.get("token") or values.get("accessToken") or "{{token}}"
                secret = templates.credential("BEARER_TOKEN", token, where)
                self.headers.append(("Authorization", f"Bearer {secret}"))
            case "apikey":
                name = values.get("key") or "X-API-Key"
                secret = templates.credential(name, values.get("value", ""), where)
                sent = self.query if values.get("in") == "query" else self.headers
                if sent is self.headers and not HEADER_NAME.fullmatch(name):
                    raise UnwritableError("an API key in a header whose name is none")
                sent.append((name, secret))
            case _:
                raise UnwritableError(f"authorization of type {readable(kind)}")


@dataclass(frozen=True, slots=True)
class Body:
    """A body as a `Draft` has it, and its media type."""

    content: tuple[str, Any] | None = None
    media: str = ""


def learn(request: dict[str, Any], auth: Any, templates: Templates) -> None:  # noqa: ANN401 - a JSON value
    """Make known which variables and values of a request are secrets."""
    values = _auth(auth)[1]
    labels = {"token": "BEARER_TOKEN", "value": values.get("key", "")}
    for key, value in values.items():
        if "{{" in value:
            templates.conceal(value)
        elif is_secret_name(key) or key in labels:
            templates.vault.learn(labels.get(key, key), value)
    headers = request.get("header")
    for one in headers if isinstance(headers, list) else ():
        if isinstance(one, dict) and is_secret_name(str(one.get("key"))):
            if "{{" in str(one.get("value")):
                templates.conceal(str(one["value"]))
            else:
                templates.vault.learn_header(str(one["key"]), str(one.get("value") or ""))


def body_of(body: Any, headers: dict[str, str], templates: Templates, where: str) -> Body:  # noqa: ANN401 - a JSON value
    """Return a request's body; raises `UnwritableError` where it holds a file."""
    if not isinstance(body, dict) or body.get("disabled"):
        return Body()
    match body.get("mode"):
        case "raw":
            return _raw(body, headers, templates, where)
        case "urlencoded":
            pairs = [
                templates.pair(name, text, where) for name, text in _fields(body, "urlencoded")
            ]
            return Body(("body", "&".join(pairs)), _FORM) if pairs else Body()
        case "formdata":
            fields = list(_fields(body, "formdata"))
            return _multipart(fields, templates, where) if fields else Body()
        case "graphql":
            return _graphql(body.get("graphql"), templates, where)
        case None:
            return Body()
        case other:
            raise UnwritableError(f"a body of mode {readable(str(other))}")


def _raw(body: dict[str, Any], headers: dict[str, str], templates: Templates, where: str) -> Body:
    text = str(body.get("raw") or "")
    if not text:
        return Body()
    options = body.get("options")
    raw = options.get("raw") if isinstance(options, dict) else None
    language = str(raw.get("language") or "") if isinstance(raw, dict) else ""
    media = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if is_json(media) or (not media and language in {"json", "", "text"}):
        try:
            value = read_json(text.encode())
        except ValueError:
            media = media or ("application/json" if language == "json" else "")
        else:
            if is_json(media) or language == "json" or isinstance(value, dict | list):
                templates.vault.learn_json(_literals(value))
                return Body(("json", templates.json(value, where)))
    return Body(("body", templates.text(text, where)), media or _LANGUAGES.get(language, ""))


def _literals(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    """Return a JSON value without the texts that hold templates: they are no secrets to learn."""
    match value:
        case str():
            return "" if "{{" in value else value
        case dict():
            return {key: _literals(item) for key, item in value.items()}
        case list():
            return [_literals(item) for item in value]
        case _:
            return value


def _fields(body: dict[str, Any], mode: str) -> Iterator[tuple[str, str]]:
    listed = body.get(mode)
    for field in listed if isinstance(listed, list) else ():
        if not isinstance(field, dict) or field.get("disabled"):
            continue
        if field.get("type") == "file":
            raise UnwritableError("a file in its body")
        yield str(field.get("key") or ""), str(field.get("value") or "")


def _multipart(fields: list[tuple[str, str]], templates: Templates, where: str) -> Body:
    parts = []
    for name, text in fields:
        if '"' in name or not name.isprintable():
            raise UnwritableError("a form's field with a name that cannot be written")
        secret = is_secret_name(name)
        value = templates.credential(name, text, where) if secret else templates.text(text, where)
        plain = templates.text(name, where)
        parts.append(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{plain}"\r\n\r\n{value}\r\n'
        )
    return Body(
        ("body", f"{''.join(parts)}--{_BOUNDARY}--\r\n"),
        f"multipart/form-data; boundary={_BOUNDARY}",
    )


def _graphql(graphql: Any, templates: Templates, where: str) -> Body:  # noqa: ANN401 - a JSON value
    if not isinstance(graphql, dict):
        raise UnwritableError("a GraphQL body without a query")
    value: dict[str, Any] = {"query": str(graphql.get("query") or "")}
    if variables := graphql.get("variables"):
        try:
            value["variables"] = read_json(str(variables).encode())
        except ValueError:
            raise UnwritableError("variables of GraphQL that are not JSON") from None
    return Body(("json", templates.json(value, where)))


def _auth(auth: Any) -> tuple[str, dict[str, str]]:  # noqa: ANN401 - a JSON value
    """Return the kind and the values: a list of them in v2.1, an object in v2.0."""
    if not isinstance(auth, dict):
        return "", {}
    kind = str(auth.get("type") or "")
    given = auth.get(kind)
    if isinstance(given, list):
        pairs = [(one.get("key"), one.get("value")) for one in given if isinstance(one, dict)]
    else:
        pairs = list(given.items()) if isinstance(given, dict) else []
    return kind, {str(key): value for key, value in pairs if isinstance(value, str)}
