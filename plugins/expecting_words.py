"""The operators that a Python test can give, by name: those of a suite's ``expect``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Type = Literal["string", "integer", "number", "boolean", "array", "object", "null"]


class HeaderOperators(TypedDict, total=False):
    """What can be expected of a header or a cookie; all that is given must hold.

    ``matches`` is a regular expression for the whole text, ``not_`` a text or one other operator.
    """

    equals: str
    one_of: Sequence[str]
    none_of: Sequence[str]
    contains: str
    matches: str
    not_: str | dict[str, str]
    exists: bool


class TextOperators(TypedDict, total=False):
    """What can be expected of a body's text: what can be of a header, and its length."""

    equals: str
    one_of: Sequence[str]
    none_of: Sequence[str]
    contains: str
    matches: str
    not_: str | dict[str, str]
    length: int | str


class JsonOperators(TypedDict, total=False):
    """What can be expected of the values that a JSONPath selects; each of them must meet it all.

    ``length`` and ``count`` take a number or a comparison (``">= 1"``), ``between`` two numbers.
    """

    equals: Any
    one_of: Sequence[Any]
    none_of: Sequence[Any]
    contains: Any
    unordered: Sequence[Any]
    matches: str
    type: Type
    at_least: float
    at_most: float
    between: tuple[float, float]
    length: int | str
    count: int | str
    not_: Any
    exists: bool


def operators(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operators by their own names; ``not`` is a word of Python's."""
    return {name.removesuffix("_"): value for name, value in given.items()}
