"""Holds JSON requests and answers against botocore's own models of the services."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel, ServiceModel, Shape

_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float, str),
}


@cache
def service(name: str) -> ServiceModel:
    """Return botocore's model of the service ``name``."""
    return botocore.session.get_session().get_service_model(name)


@cache
def operation(name: str, of: str = "codedeploy") -> OperationModel:
    """Return botocore's model of the operation ``name`` of a service."""
    return service(of).operation_model(name)


def errors(name: str, of: str = "codedeploy") -> frozenset[str]:
    """Return the names of the exceptions that the operation ``name`` can raise."""
    return frozenset(shape.name for shape in operation(name, of).error_shapes)


def misfits(shape: Shape | None, value: Any, where: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield every place of ``value`` that does not fit ``shape``."""
    if shape is None:
        if value != {}:
            yield f"{where}: {value!r} where the model has nothing"
        return
    kind: Any = shape
    if getattr(kind, "is_document_type", False):
        return
    expected = _TYPES[shape.type_name]
    fits = isinstance(value, expected)
    if not fits or (type(value) is bool and expected is not bool):
        yield f"{where}: {value!r} is no {shape.type_name}"
        return
    yield from _limits(kind, value, where)
    match shape.type_name:
        case "structure":
            yield from _structure(kind, value, where)
        case "list":
            for index, item in enumerate(value):
                yield from misfits(kind.member, item, f"{where}[{index}]")
        case "map":
            for key, item in value.items():
                yield from misfits(kind.key, key, f"{where}.{key}")
                yield from misfits(kind.value, item, f"{where}.{key}")


def _structure(kind: Any, value: dict[str, Any], where: str) -> Iterator[str]:  # noqa: ANN401 - a shape
    for name in kind.required_members:
        if name not in value:
            yield f"{where}.{name}: missing from {kind.name}"
    for name, item in value.items():
        if name not in kind.members:
            yield f"{where}.{name}: unknown to {kind.name}"
        else:
            yield from misfits(kind.members[name], item, f"{where}.{name}")


def _limits(kind: Any, value: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - a shape and JSON
    """Hold a value against its enum, lengths and pattern: botocore sends most of them unchecked."""
    if getattr(kind, "enum", None) and value not in kind.enum:
        yield f"{where}: {value!r} is not one of {kind.enum}"
    limits = kind.metadata
    size = len(value) if isinstance(value, str | list | dict) else value
    if isinstance(size, int | float) and size < limits.get("min", size):
        yield f"{where}: {size} is less than {limits['min']}"
    if isinstance(size, int | float) and size > limits.get("max", size):
        yield f"{where}: {size} is more than {limits['max']}"
    if isinstance(value, str) and not re.fullmatch(limits.get("pattern", ".*"), value, re.DOTALL):
        yield f"{where}: {value!r} does not match {limits['pattern']}"
