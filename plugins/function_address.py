"""Addresses of functions: ``lambda://FUNCTION:VERSION[/PREFIX][?payload=2.0|1.0|alb]``.

FUNCTION is a function's name or its whole ARN, VERSION a number or an alias. The standard library
alone: the settings are read with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import choose

_SCHEME = "lambda://"
_NAME = r"[A-Za-z0-9_-]{1,140}"
_FUNCTION = re.compile(
    rf"(?P<function>{_NAME}|arn:[a-z-]+:lambda:(?P<region>[a-z0-9-]+):\d{{12}}:function:{_NAME})"
    r"(:(?P<version>[A-Za-z0-9$_.-]+))?"
)
_LATEST = "$LATEST"
_HINT = (
    "give lambda://FUNCTION:VERSION, the version that is being deployed (or an alias of it): "
    f"{_LATEST} and a function without a version are whatever was saved last"
)


class Payload(StrEnum):
    """The form of the events that a function takes, and of its answers."""

    HTTP_API = "2.0"
    REST_API = "1.0"
    LOAD_BALANCER = "alb"


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """One version of a function as a target; paths lie below ``prefix``.

    ``function`` is the name or ARN that is invoked; ``region`` is empty unless an ARN names it.
    """

    function: str
    version: str
    prefix: str = ""
    payload: Payload = Payload.HTTP_API
    region: str = ""

    @property
    def address(self) -> str:
        """The address without prefix and payload, as people write it."""
        return f"{_SCHEME}{self.function}:{self.version}"

    @property
    def host(self) -> str:
        """A host's name for the function, one that no resolver knows."""
        return f"{self.function.rpartition(':')[2].lower()}.lambda.invalid"


def is_function(target: str) -> bool:
    """Tell whether a target's address is a function's."""
    return target.startswith(_SCHEME)


def parse_function(target: str) -> FunctionVersion:
    """Read a function's address; raises `SettingsError`."""
    rest, _, query = target.removeprefix(_SCHEME).partition("?")
    name, slash, prefix = rest.partition("/")
    found = _FUNCTION.fullmatch(name)
    if found is None or "#" in prefix or not prefix.isprintable() or " " in prefix:
        raise SettingsError(f"target {target!r} is not a function's address", hint=_HINT)
    version = found["version"] or ""
    if not version or version.startswith(_LATEST):
        raise SettingsError(f"target {target!r} names no version", hint=_HINT)
    return FunctionVersion(
        function=found["function"],
        version=version,
        prefix=f"{slash}{prefix}".rstrip("/"),
        payload=_payload(query, target),
        region=found["region"] or "",
    )


def shown_target(target: str) -> str:
    """Return what a path is joined to in messages: a function's address without its payload."""
    if not is_function(target):
        return target
    function = parse_function(target)
    return function.address + function.prefix


def _payload(query: str, target: str) -> Payload:
    given = dict(parse_qsl(query, keep_blank_values=True))
    value = given.pop("payload", Payload.HTTP_API.value)
    if given:
        raise SettingsError(
            f"target {target!r}: unknown {', '.join(given)}", hint="a function's takes: payload"
        )
    return choose(Payload, value, f"target {target!r}: payload")
