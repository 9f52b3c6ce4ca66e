"""``auth:`` of a check, a step or the defaults: how a request says who asks.

::

    auth = none                                               not even the defaults' own
         | {basic: {user: TEXT, password: CREDENTIAL}}
         | {bearer: CREDENTIAL}
         | {api_key: {header | query | cookie: NAME, value: CREDENTIAL}}
         | {sigv4: {service: TEXT, region?: TEXT, role?: ARN}}

A CREDENTIAL holds a variable: what is written out in a file is known to everybody who reads it.
Each is redacted in every output, wherever its variable comes from.
"""

from __future__ import annotations

import base64
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

from greenroom.plugins.http_sending import SigV4
from greenroom.plugins.suite_model import Auth
from greenroom.plugins.suite_request import HEADER_NAME
from greenroom.plugins.suite_yaml import Scalar
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node

NONE = "none"
BASIC_KEYS = ("user", "password")
API_KEY_PLACES = ("header", "query", "cookie")
SIGV4_KEYS = ("service", "region", "role")
_VARIABLE = re.compile(r"(?<!\$)\$\{")
_COOKIE_VALUE = re.compile(r"[!-~]*")
_SERVICE = re.compile(r"[a-z0-9-]+")
_ROLE = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/\S+")


def read_auth(fields: Fields, node: Node) -> Auth:
    """Read an ``auth`` value; that of ``none`` is empty."""
    if isinstance(node, Scalar):
        if node.value != NONE:
            raise fields.error(node.place, f"auth must be none or one of: {', '.join(_READERS)}")
        return Auth()
    found = fields.mapping(node, "auth", _READERS)
    if len(found) != 1:
        raise fields.error(node.place, "auth must be one kind", f"keep one of: {', '.join(found)}")
    ((key, entry),) = found.items()
    return _READERS[key](fields, entry.value)


def _basic(fields: Fields, node: Node) -> Auth:
    found = fields.mapping(node, "basic", BASIC_KEYS)
    asked = fields.required(found, "user", node, "basic")
    user = fields.filled(asked, "user")
    if ":" in user or not user.isprintable():
        raise fields.error(asked.place, "user can hold no : and no control character")
    password = _credential(fields, fields.required(found, "password", node, "basic"), "password")
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Auth(headers=(("Authorization", f"Basic {coded}"),), secrets=(password, coded))


def _bearer(fields: Fields, node: Node) -> Auth:
    token = _sendable(fields, node, "bearer")
    return Auth(headers=(("Authorization", f"Bearer {token}"),), secrets=(token,))


def _api_key(fields: Fields, node: Node) -> Auth:
    found = fields.mapping(node, "api_key", (*API_KEY_PLACES, "value"))
    places = [key for key in found if key in API_KEY_PLACES]
    if len(places) != 1:
        raise fields.error(
            node.place, "api_key needs one place", f"give one of: {', '.join(API_KEY_PLACES)}"
        )
    place = places[0]
    named = found[place].value
    name = fields.text(named, place)
    if place != "query" and not HEADER_NAME.fullmatch(name):
        raise fields.error(named.place, f"{name!r} is not a {place}'s name")
    given = fields.required(found, "value", node, "api_key")
    if place == "query":
        value = _credential(fields, given, "value")
        return Auth(query=((name, value),), secrets=(value,))
    value = _sendable(fields, given, "value")
    if place == "header":
        return Auth(headers=((name, value),), secrets=(value,))
    if ";" in value or not _COOKIE_VALUE.fullmatch(value):
        raise fields.error(given.place, "a cookie can hold no blank and no ;", "encode the value")
    return Auth(cookies=((name, value),), secrets=(value,))


def _sigv4(fields: Fields, node: Node) -> Auth:
    found = fields.mapping(node, "sigv4", SIGV4_KEYS)
    texts = {key: fields.filled(entry.value, key) for key, entry in found.items()}
    named = fields.required(found, "service", node, "sigv4")
    if not _SERVICE.fullmatch(texts["service"]):
        raise fields.error(named.place, "service must be AWS's name", "as execute-api or lambda")
    if "role" in found and not _ROLE.fullmatch(texts["role"]):
        raise fields.error(found["role"].value.place, "role must be a role's ARN")
    if find_spec("boto3") is None:
        raise fields.error(node.place, "sigv4 needs boto3", 'pip install "greenroom[aws]"')
    return Auth(signature=SigV4(**texts))


_READERS: dict[str, Callable[[Fields, Node], Auth]] = {
    "basic": _basic,
    "bearer": _bearer,
    "api_key": _api_key,
    "sigv4": _sigv4,
}
AUTH_KEYS = tuple(_READERS)


def _sendable(fields: Fields, node: Node, what: str) -> str:
    """Return a credential that a header can hold."""
    value = _credential(fields, node, what)
    if not value.isascii() or not value.isprintable():
        raise fields.error(node.place, f"{what} must be one line of ASCII characters")
    return value


def _credential(fields: Fields, node: Node, what: str) -> str:
    """Return a text that comes from a variable, without blanks around it."""
    if isinstance(node, Scalar) and not node.given and not _VARIABLE.search(node.raw):
        place = f"{fields.document.path}:{node.place.line}:{node.place.column}"
        raise SettingsError(  # without the line: it shows what nobody should see
            f"{place}: {what} is written out in the suite",
            hint="keep it in an environment variable and write ${secret.NAME}",
        )
    value = fields.filled(node, what).strip()
    if not value:
        raise fields.error(node.place, f"{what} is empty")
    return value
