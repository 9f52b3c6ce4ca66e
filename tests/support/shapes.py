"""Holds raw JSON answers against botocore's own model of CodeDeploy."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel, Shape

_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": float,
    "timestamp": (int, float),
}


@cache
def operation(name: str) -> OperationModel:
    """Return botocore's model of the operation ``name``."""
    return botocore.session.get_session().get_service_model("codedeploy").operation_model(name)


def errors(name: str) -> frozenset[str]:
    """Return the names of the exceptions that the operation ``name`` can raise."""
    return frozenset(shape.name for shape in operation(name).error_shapes)


def misfits(shape: Shape | None, value: Any, where: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield every place of ``value`` that does not fit ``shape``."""
    if shape is None:
        if value != {}:
            yield f"{where}: {value!r} where the model has no output"
        return
    kind: Any = shape
    expected = _TYPES[shape.type_name]
    fits = isinstance(value, expected)
    if not fits or (type(value) is bool and expected is not bool):
        yield f"{where}: {value!r} is no {shape.type_name}"
    elif shape.type_name == "structure":
        for name, item in value.items():
            if name not in kind.members:
                yield f"{where}.{name}: unknown to {shape.name}"
            else:
                yield from misfits(kind.members[name], item, f"{where}.{name}")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from misfits(kind.member, item, f"{where}[{index}]")
    elif getattr(kind, "enum", None) and value not in kind.enum:
        yield f"{where}: {value!r} is not one of {kind.enum}"
